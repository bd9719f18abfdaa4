import type { Clock } from "../../platform/clock.ts";
import type {
  Backend,
  QueryRefusal,
  QueryTrouble,
  SentRun,
  ShownHistogram,
} from "../../receivers/backend.ts";

/** How a wait for a run went. Times are in ms since the receiver accepted it. */
export interface Watched {
  /** Last histogram that the backend showed. */
  readonly histogram: ShownHistogram | undefined;
  /** Time of the first answer that showed anything. */
  readonly firstMs: number | undefined;
  /** Time of the first answer after which all agreed. */
  readonly agreedMs: number | undefined;
  readonly end: "agreed" | "time" | "refused" | "interrupted";
  /** Last query that failed; undefined if a later one succeeded. */
  readonly failure: QueryTrouble | QueryRefusal | undefined;
  readonly polls: number;
  readonly elapsedMs: number;
}

/** Parts of a wait. */
export interface WatchOptions {
  readonly waitMs: number;
  readonly clock: Clock;
  readonly stop: AbortSignal;
  /** Tells whether everything that is shown agrees. */
  readonly agrees: (histogram: ShownHistogram) => boolean;
  /** Called after every query. */
  readonly progress: (histogram: ShownHistogram | undefined, elapsedMs: number) => void;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 10_000;
const GROWTH = 1.6;
/** Time in ms that the last query may take beyond the wait. */
const LAST_QUERY_MS = 10_000;

/**
 * Queries a backend at growing intervals until everything agrees, then once more: what it shows may still be
 * incomplete. Ends with the last answer when the time is up, at a refusal or at a signal.
 */
export async function watchRun(
  backend: Pick<Backend, "find">,
  run: SentRun,
  { waitMs, clock, stop, agrees, progress }: WatchOptions,
): Promise<Watched> {
  const began = clock.monotonic();
  using limit = limited(waitMs + LAST_QUERY_MS, clock, stop);
  let histogram: ShownHistogram | undefined;
  let firstMs: number | undefined;
  let agreedMs: number | undefined;
  let failure: Watched["failure"];
  let interval = FIRST_WAIT_MS;
  for (let polls = 1;; polls++) {
    const isConfirmation = agreedMs !== undefined;
    const sighting = await backend.find(
      run,
      clock.wall(),
      isConfirmation ? stop : limit.signal,
    );
    const elapsedMs = clock.monotonic() - began;
    const ended = (end: Watched["end"]): Watched => ({
      histogram,
      firstMs,
      agreedMs,
      end,
      failure,
      polls,
      elapsedMs,
    });
    if (stop.aborted) return ended("interrupted");
    let pauseMs = interval;
    if (sighting.kind === "shown" || sighting.kind === "nothing") {
      failure = undefined;
      if (sighting.kind === "shown") {
        ({ histogram } = sighting);
        firstMs ??= elapsedMs;
      }
      const isAgreed = sighting.kind === "shown" && agrees(sighting.histogram);
      if (isAgreed && isConfirmation) return ended("agreed");
      agreedMs = isAgreed ? elapsedMs : undefined;
      if (isAgreed) pauseMs = FIRST_WAIT_MS;
    } else {
      failure = limit.signal.aborted ? { ...sighting, message: UNFINISHED } : sighting;
      if (sighting.kind === "refused") return ended("refused");
      pauseMs = Math.max(pauseMs, sighting.retryAfterMs ?? 0);
    }
    progress(histogram, elapsedMs);
    const leftMs = waitMs - elapsedMs;
    if (agreedMs === undefined) {
      if (leftMs <= 0) return ended("time");
      pauseMs = Math.min(pauseMs, leftMs);
    }
    await clock.sleep(pauseMs, stop);
    if (stop.aborted) return ended("interrupted");
    interval = Math.min(interval * GROWTH, LONGEST_WAIT_MS);
  }
}

const UNFINISHED = "it did not end in time";

/** Signal that is aborted when `stop` is or the time is up. */
export function limited(
  ms: number,
  clock: Clock,
  stop: AbortSignal,
): Disposable & { readonly signal: AbortSignal } {
  const over = new AbortController();
  const closed = new AbortController();
  clock.sleep(ms, closed.signal).then(() => {
    if (!closed.signal.aborted) over.abort();
  });
  return {
    signal: AbortSignal.any([stop, over.signal]),
    [Symbol.dispose]: () => closed.abort(),
  };
}
