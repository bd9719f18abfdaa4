import type { Clock } from "../clock.ts";
import type { Measurement } from "./measurement.ts";

/**
 * An open loop: how many measurements are due by now does not depend on how many were taken, so that a slow moment is
 * made up for and the count over any time is exact. Times are ms of a monotonic clock.
 */
export class Rate {
  readonly #perSecond: number;
  readonly #start: number;
  #taken = 0;

  /** The first is due 1 / `perSecond` after `start`. */
  constructor(perSecond: number, start: number) {
    this.#perSecond = perSecond;
    this.#start = start;
  }

  /** Those that are due at `now` and were not taken. */
  due(now: number): number {
    return Math.max(0, this.#total(now) - this.#taken);
  }

  take(count: number): void {
    this.#taken += count;
  }

  /** When the next one is due; in the past when it is late. */
  nextDue(): number {
    return this.#start + (this.#taken + 1) * 1000 / this.#perSecond;
  }

  /** From the start and not from the last call: what is rounded never adds up. */
  #total(now: number): number {
    return Math.floor((now - this.#start) * this.#perSecond / 1000);
  }
}

/** Timers fire about so often at the most: a high rate comes in bundles. */
const TICK_MS = 10;

/** A fraction of a second's work: the end does not wait for a machine that is far behind. */
const MOST_AT_END = 100_000;

/**
 * Measurements as they fall due, until `stop` is aborted, which gives out what is due by then. `rate.due()` says, at any
 * time, how many are late: more than a tick's worth when this machine cannot keep up.
 */
export async function* atRate(
  rate: Rate,
  batches: (count: number) => Iterable<readonly Measurement[]>,
  clock: Clock,
  stop: AbortSignal,
): AsyncGenerator<readonly Measurement[]> {
  for (let ended = false; !ended;) {
    ended = stop.aborted;
    const due = rate.due(clock.monotonic());
    for (const batch of batches(ended ? Math.min(due, MOST_AT_END) : due)) {
      rate.take(batch.length);
      yield batch;
      if (stop.aborted && !ended) break;
    }
    const wait = rate.nextDue() - clock.monotonic();
    // Even when it is late others have their turn: signals, and what is being sent.
    if (!ended) await clock.sleep(wait < -TICK_MS ? 1 : Math.max(TICK_MS, wait), stop);
  }
}
