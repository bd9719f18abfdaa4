import type { Clock } from "../../platform/clock.ts";
import { counted } from "../../console/plural.ts";
import type { Pace } from "./pace.ts";
import {
  type Filled,
  NO_INPUT,
  type PacedSource,
  type PullSource,
  type Records,
  type SourceStatus,
} from "../source.ts";

/**
 * Records those of the next `count` measurements that are this process's, and tells how many these were. `secondsOf`:
 * when, since the start, one of them is due, by its place among the `count`.
 */
export type Generate = (
  recorder: Records,
  count: number,
  secondsOf: (place: number) => number,
) => number;

/** How often measurements are made that are due all the time, in ms. Signals are not kept waiting longer. */
const TICK_MS = 50;
/** The most that are made without looking at the clock. */
const MOST_AT_ONCE = 100_000;

/**
 * Source of a fixed number of generated measurements per send; fewer in the one that is stopped, which is unfinished when
 * it is the first one or when the user has set the number (`isExact`).
 */
export class CountSource implements PullSource {
  readonly kind = "pull";
  readonly #generate: Generate;
  readonly #count: number;
  readonly #clock: Clock;
  readonly #isExact: boolean;
  #start: number | undefined;
  #isFirst = true;
  #unfinished: string | undefined;

  constructor(
    generate: Generate,
    count: number,
    clock: Clock,
    { isExact = false }: { readonly isExact?: boolean } = {},
  ) {
    this.#generate = generate;
    this.#count = count;
    this.#clock = clock;
    this.#isExact = isExact;
  }

  get status(): SourceStatus {
    return { ...NO_INPUT, unfinished: this.#unfinished };
  }

  close(): void {}

  async fill(records: Records, _until: number | undefined, stop: AbortSignal): Promise<Filled> {
    const clock = this.#clock;
    const start = this.#start ??= clock.monotonic();
    const seconds = (clock.monotonic() - start) / 1000;
    let measurements = 0;
    let made = 0;
    let lookedAt = clock.monotonic();
    while (made < this.#count && !stop.aborted) {
      // A signal is only noticed while this waits, and waiting costs more than looking at the clock.
      if (clock.monotonic() - lookedAt >= TICK_MS) {
        await clock.sleep(0.01, stop);
        if (stop.aborted) break;
        lookedAt = clock.monotonic();
      }
      const some = Math.min(this.#count - made, MOST_AT_ONCE);
      measurements += this.#generate(records, some, () => seconds);
      made += some;
    }
    const isMissed = made < this.#count && (this.#isFirst || this.#isExact);
    this.#unfinished = isMissed ? madeText(made, this.#count) : undefined;
    if (made === this.#count) this.#isFirst = false;
    return { measurements, ended: false };
  }
}

/** Says how many measurements were made, those of other shares included. */
function madeText(made: number, count: number): string {
  return `${made} of ${counted(count, "measurement")} ${made === 1 ? "was" : "were"} made`;
}

/** A product of times and rates may miss a whole number by its last digits. */
const ROUNDING = 1e-6;
/** Being behind by more measurements than are due in so many seconds is reported. */
const BEHIND_SECONDS = 1;

/** Pace of measurements, their end, and who hears that they cannot be made as fast. */
export interface PaceOptions {
  readonly pace: Pace;
  /** The source ends after so many, those of other shares included; undefined: never. */
  readonly count: number | undefined;
  /** Receives, once, how many measurements are missing. */
  readonly onBehind: (measurements: number) => void;
}

/** Source of measurements at a pace, open loop: time alone decides which are due, however long sends take. */
export class PaceSource implements PacedSource {
  readonly kind = "paced";
  readonly #generate: Generate;
  readonly #options: PaceOptions;
  readonly #clock: Clock;
  #start: number | undefined;
  /** How many were made, those of other shares included. */
  #made = 0;
  #most: number;
  #filledAt = -Infinity;
  #closedAt = Infinity;
  #isBehind = false;

  constructor(generate: Generate, options: PaceOptions, clock: Clock) {
    this.#generate = generate;
    this.#options = options;
    this.#clock = clock;
    this.#most = options.count ?? Infinity;
  }

  get status(): SourceStatus {
    const { count } = this.#options;
    const isMissed = count !== undefined && this.#made < count;
    return { ...NO_INPUT, unfinished: isMissed ? madeText(this.#made, count) : undefined };
  }

  begin(at: number, end: number): void {
    this.#start = at;
    this.#closedAt = Math.min(this.#closedAt, end);
  }

  close(): void {
    this.#closedAt = Math.min(this.#closedAt, this.#clock.monotonic());
    // The measurements of less than a tick are not worth a send of their own.
    if (this.#closedAt - this.#filledAt < TICK_MS) this.#most = this.#made;
  }

  async fill(records: Records, until: number | undefined, stop: AbortSignal): Promise<Filled> {
    const clock = this.#clock;
    const { pace, count } = this.#options;
    const start = this.#start ??= clock.monotonic();
    let measurements = 0;
    for (;;) {
      const now = clock.monotonic();
      const end = (Math.min(now, until ?? Infinity, this.#closedAt) - start) / 1000;
      const rate = pace.rateAt(end);
      const due = Math.min(Math.floor(pace.due(end) + ROUNDING), this.#most);
      const missing = Math.max(0, due - this.#made);
      if (missing > rate * BEHIND_SECONDS + MOST_AT_ONCE) this.#fallBehind(missing);
      const some = Math.min(missing, MOST_AT_ONCE);
      const first = this.#made;
      if (some > 0) {
        measurements += this.#generate(records, some, (place) => pace.secondsOf(first + place));
      }
      this.#made += some;
      const isEnough = until === undefined ? measurements > 0 : now >= until;
      if (isEnough || this.#made === count || stop.aborted || this.#closedAt <= now) break;
      await clock.sleep(missing > some ? 0.01 : nextTick(clock, until, rate), stop);
    }
    this.#filledAt = clock.monotonic();
    return { measurements, ended: this.#made === count };
  }

  #fallBehind(missing: number): void {
    if (!this.#isBehind) this.#options.onBehind(missing);
    this.#isBehind = true;
  }
}

function nextTick(clock: Clock, until: number | undefined, rate: number): number {
  return Math.min(until === undefined ? 1000 / rate : until - clock.monotonic(), TICK_MS);
}
