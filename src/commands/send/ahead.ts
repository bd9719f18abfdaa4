import type { Clock } from "../../platform/clock.ts";
import type { Filled, PullSource, Source } from "../../source/source.ts";
import type { RequestLimits } from "../../otlp/request.ts";
import type { Collected, Recorder } from "../../otlp/recorder.ts";
import type { Post } from "../../http/reply.ts";

/** What a run sends with. */
export interface Sender<From extends Source = Source> {
  readonly source: From;
  readonly recorder: Recorder;
  /** One for each connection. */
  readonly posts: readonly Post[];
}

/** A request must be under way before this thread does something else: writing it needs the thread, too. */
const UNDER_WAY_MS = 1;

/**
 * Makes the next send's data while the receiver is at work with this one's; in which order requests are sent stays the
 * same. For a source that has its measurements at once, and sends that follow each other immediately. What was made and
 * never asked for was not recorded.
 */
export function ahead(
  { source, recorder, posts }: Sender<PullSource>,
  limits: () => RequestLimits,
  compression: "gzip" | "none",
  clock: Clock,
): Sender<PullSource> {
  let next:
    | {
      readonly filled: Promise<Filled>;
      /** Undefined: the send is empty. */
      readonly collected: Promise<Collected | undefined>;
    }
    | undefined;
  /** They are part of the run. */
  let asked = false;
  /** Measurements of the next send were recorded when it was their time. */
  let filled = false;
  const prepare = (stop: AbortSignal) => {
    if (next !== undefined || filled || stop.aborted) return;
    const filling = source.fill(recorder, undefined, stop);
    next = {
      filled: filling,
      collected: filling.then(async ({ measurements }) =>
        measurements === 0 ? undefined : await recorder.collect(limits(), compression)
      ),
    };
  };
  return {
    source: {
      kind: "pull",
      status: source.status,
      close: () => source.close(),
      async fill(into, until, stop) {
        if (next === undefined) {
          filled = true;
          return await source.fill(into, until, stop);
        }
        const made = await next.filled;
        if (made.measurements === 0) next = undefined;
        else asked = true;
        return made;
      },
    },
    recorder: {
      record: (batch, instrument) => recorder.record(batch, instrument),
      addInstrument: (instrument) => recorder.addInstrument(instrument),
      get isDue() {
        return next === undefined ? recorder.isDue : asked;
      },
      get isFull() {
        return recorder.isFull;
      },
      finish: () => recorder.finish(),
      recordHistograms: (batch, instrument) => recorder.recordHistograms(batch, instrument),
      async collect(...wanted) {
        const collected = next?.collected ?? recorder.collect(...wanted);
        next = undefined;
        asked = false;
        filled = false;
        return await collected ?? await recorder.collect(...wanted);
      },
    },
    posts: posts.map((post): Post => (body, encoding, signal) => {
      const reply = post(body, encoding, signal);
      clock.sleep(UNDER_WAY_MS, signal).then(() => prepare(signal));
      return reply;
    }),
  };
}
