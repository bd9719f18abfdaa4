import type { Clock } from "../base/clock.ts";
import type { FollowedPlace } from "../delivery/delivery.ts";
import type { Measurement } from "../measurements/measurement.ts";
import type { Exposed } from "../measurements/prometheus/exposed.ts";
import type { Interval } from "../otlp/interval.ts";
import type { Recorder } from "../otlp/recorder.ts";

/** What was recorded for one send. */
export interface Filled {
  readonly measurements: number;
  /** There is nothing more to come. */
  readonly ended: boolean;
  /** When it was measured, where that is known; missing: since the last send. */
  readonly interval?: Interval | undefined;
}

/** What measurements are given to. */
export type Records = Pick<
  Recorder,
  "record" | "recordHistograms" | "addInstrument" | "isFull"
>;

/** Records each metric family of an exposition as a metric of its own; tells how many measurements that were. */
export type RecordFamilies = (records: Records, exposed: readonly Exposed[]) => number;

/** Records the measurements of a run, send by send. */
export interface Source {
  /** Whether measurements come between sends, over time, or all at once when a send is due. */
  readonly overTime: boolean;
  /** Whether it can stop reading for a while, so that nothing need be thrown away. */
  readonly canWait: boolean;
  /**
   * Records what belongs to the next send. Over time: until `until` (on the monotonic clock), or where that is
   * undefined until there is something; and no longer than to the end or `stop`.
   */
  fill(recorder: Records, until: number | undefined, stop: AbortSignal): Promise<Filled>;
  /** Lets a source that can wait go on, or not. */
  hold(waiting: boolean): void;
  /** Records nothing more. */
  close(): void;
  /** Lines of the input that could not be used. */
  readonly invalid: number;
  /** Lines of the input that a condition left out, where there are conditions. */
  readonly skipped?: number;
  /** Why the input broke off before its end. */
  readonly broken: string | undefined;
  /** Up to where the lines of a followed file have been recorded. */
  readonly followed?: FollowedPlace | undefined;
}

const AT_ONCE = {
  overTime: false,
  canWait: false,
  hold() {},
  close() {},
  invalid: 0,
  broken: undefined,
} as const;

/** Records so many measurements. */
export type Generate = (recorder: Records, count: number) => void;

/** Nothing: what is sent is in the spool. */
export const emptySource: Source = {
  ...AT_ONCE,
  fill: () => Promise.resolve({ measurements: 0, ended: true }),
};

/** The same batch anew for every send. */
export function batchSource(batch: () => readonly Measurement[]): Source {
  return {
    ...AT_ONCE,
    fill(recorder) {
      const measured = batch();
      recorder.record(measured);
      return Promise.resolve({ measurements: measured.length, ended: false });
    },
  };
}

/** So many generated measurements a send. */
export function countSource(generate: Generate, count: number): Source {
  return {
    ...AT_ONCE,
    fill(recorder) {
      generate(recorder, count);
      return Promise.resolve({ measurements: count, ended: false });
    },
  };
}

/** Measurements are due all the time; they are made this often, in ms. */
const TICK_MS = 50;
/** A product of times and rates may miss a whole number by its last digits. */
const ROUNDING = 1e-6;
/** The most that are made without looking at the clock and at signals. */
const MOST_AT_ONCE = 100_000;
/** Being behind by more than so many seconds' worth is said. */
const BEHIND_SECONDS = 1;

/**
 * `rate` measurements a second, open loop: what is due follows from the time alone, however long sends take. Ends after
 * `count`.
 */
export function rateSource(
  generate: Generate,
  rate: number,
  count: number | undefined,
  clock: Clock,
  behind: (measurements: number) => void,
): Source {
  let start: number | undefined;
  let made = 0;
  let most = count ?? Infinity;
  let filledAt = -Infinity;
  let closedAt = Infinity;
  let warned = false;
  return {
    ...AT_ONCE,
    overTime: true,
    close() {
      closedAt = Math.min(closedAt, clock.monotonic());
      // What a tick is worth needs no send of its own.
      if (closedAt - filledAt < TICK_MS) most = made;
    },
    async fill(recorder, until, stop) {
      const begun = start ??= clock.monotonic();
      const before = made;
      const ended = () => made === count;
      for (;;) {
        const now = clock.monotonic();
        const end = Math.min(now, until ?? Infinity, closedAt);
        const due = Math.min(Math.floor((end - begun) / 1000 * rate + ROUNDING), most);
        const missing = Math.max(0, due - made);
        if (missing > rate * BEHIND_SECONDS + MOST_AT_ONCE && !warned) {
          warned = true;
          behind(missing);
        }
        const some = Math.min(missing, MOST_AT_ONCE);
        if (some > 0) generate(recorder, some);
        made += some;
        const enough = until === undefined ? made > before : now >= until;
        if (enough || ended() || stop.aborted || closedAt <= now) break;
        await clock.sleep(missing > some ? 0.01 : nextTick(clock, until, rate), stop);
      }
      filledAt = clock.monotonic();
      return { measurements: made - before, ended: ended() };
    },
  };
}

function nextTick(clock: Clock, until: number | undefined, rate: number): number {
  return Math.min(until === undefined ? 1000 / rate : until - clock.monotonic(), TICK_MS);
}
