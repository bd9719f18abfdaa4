import type { Clock } from "../../platform/clock.ts";

/**
 * After a signal no request is under way for longer, in ms, whatever its timeout: Docker kills after 10 s, and what is not
 * delivered is to be kept and named before.
 */
const LAST_TRY_MS = 6000;

/** Signals that end a run, and the clock that they are timed by. */
export interface ShutdownOptions {
  /** Signal after which there is no new iteration; recorded data get one more try. */
  readonly stop: AbortSignal;
  /** Signal that ends the run at once. */
  readonly kill: AbortSignal;
  readonly clock: Clock;
  /** How long one request may take, in ms. */
  readonly timeoutMs: number;
}

/** One bounded try after a signal; dispose it when it is over. */
export interface LastTry extends Disposable {
  /** End of the try, on the monotonic clock. */
  readonly until: number;
  readonly leftMs: number;
  /** Aborted when the time is up. */
  readonly abort: AbortSignal;
}

/** How long a run goes on after a signal. */
export class Shutdown {
  /** Aborted when no request may be under way any longer. */
  readonly abort: AbortSignal;
  readonly #options: ShutdownOptions;
  readonly #ended = new AbortController();
  /** Time of the stop signal, on the monotonic clock. */
  #stoppedAt: number | undefined;
  #hasEnded = false;

  constructor(options: ShutdownOptions) {
    this.#options = options;
    const { stop, kill, clock } = options;
    const timeUp = new AbortController();
    this.abort = AbortSignal.any([kill, timeUp.signal]);
    const onStop = () => {
      this.#stoppedAt = clock.monotonic();
      if (this.#hasEnded) return;
      abortAfter(LAST_TRY_MS, timeUp, this.#ended.signal, this.#options);
    };
    if (stop.aborted) onStop();
    else stop.addEventListener("abort", onStop, { once: true });
  }

  /** Aborted by the first signal. */
  get stop(): AbortSignal {
    return this.#options.stop;
  }

  /** A signal has come: nothing new begins. */
  get isStopping(): boolean {
    return this.#options.stop.aborted;
  }

  /** A second signal has come: nothing is waited for. */
  get isKilled(): boolean {
    return this.#options.kill.aborted;
  }

  /** The last try, within the timeout of a request from the signal on; undefined when no time is left for it. */
  lastTry(): LastTry | undefined {
    const { clock, kill, timeoutMs } = this.#options;
    const until = (this.#stoppedAt ?? clock.monotonic()) + Math.min(timeoutMs, LAST_TRY_MS);
    const leftMs = until - clock.monotonic();
    if (leftMs <= 0 || kill.aborted) return undefined;
    const timeUp = new AbortController();
    const done = new AbortController();
    abortAfter(leftMs, timeUp, done.signal, this.#options);
    return {
      until,
      leftMs,
      abort: AbortSignal.any([this.abort, timeUp.signal]),
      [Symbol.dispose]: () => done.abort(),
    };
  }

  /** Ends the timer: no request is sent any more. */
  end(): void {
    this.#hasEnded = true;
    // Aborting takes a millisecond, and without a signal nothing waits for it.
    if (this.#stoppedAt !== undefined) this.#ended.abort();
  }
}

function abortAfter(
  ms: number,
  timeUp: AbortController,
  done: AbortSignal,
  { clock, kill }: Pick<ShutdownOptions, "clock" | "kill">,
): void {
  clock.sleep(ms, AbortSignal.any([kill, done])).then(() => {
    if (!done.aborted) timeUp.abort();
  });
}
