import type { Clock } from "../base/clock.ts";
import type { FollowedPlace } from "../delivery/delivery.ts";
import type { Pace } from "../measurements/generate/pace.ts";
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
  /** Something was due, but all of it in other shares: a send that has nothing in it, and counts all the same. */
  readonly isOthers?: boolean;
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
  /** When the schedule begins, on the monotonic clock; without it, when it is filled first. */
  begin?(at: number): void;
  /** Whether its measurements are due at moments of their own, which no send can make late. */
  readonly isPaced?: boolean;
  /** Whether more was due than could be made. */
  readonly isBehind?: boolean;
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

/**
 * Records those of the next `count` measurements that are this process's, and tells how many these were. `secondsOf`:
 * when, since the start, one of them is due, by its place among the `count`.
 */
export type Generate = (
  recorder: Records,
  count: number,
  secondsOf: (place: number) => number,
) => number;

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

/** Measurements are due all the time; they are made this often, in ms. No longer are signals kept waiting. */
const TICK_MS = 50;
/** The most that are made without looking at the clock. */
const MOST_AT_ONCE = 100_000;

/** So many generated measurements a send; fewer in the one that is stopped. */
export function countSource(generate: Generate, count: number, clock: Clock): Source {
  let start: number | undefined;
  return {
    ...AT_ONCE,
    async fill(recorder, _until, stop) {
      const begun = start ??= clock.monotonic();
      const seconds = (clock.monotonic() - begun) / 1000;
      let measurements = 0;
      let made = 0;
      let lookedAt = clock.monotonic();
      while (made < count && !stop.aborted) {
        // A signal is only noticed while this waits, and waiting costs more than looking at the clock.
        if (clock.monotonic() - lookedAt >= TICK_MS) {
          await clock.sleep(0.01, stop);
          if (stop.aborted) break;
          lookedAt = clock.monotonic();
        }
        const some = Math.min(count - made, MOST_AT_ONCE);
        measurements += generate(recorder, some, () => seconds);
        made += some;
      }
      const isOthers = measurements === 0 && made === count;
      return { measurements, ended: false, ...isOthers && { isOthers } };
    },
  };
}

/** A product of times and rates may miss a whole number by its last digits. */
const ROUNDING = 1e-6;
/** Being behind by more than so many seconds' worth is said. */
const BEHIND_SECONDS = 1;

/**
 * Measurements at a pace, open loop: what is due follows from the time alone, however long sends take. Ends after
 * `count`, those of other shares included.
 */
export function paceSource(
  generate: Generate,
  pace: Pace,
  count: number | undefined,
  clock: Clock,
  behind: (measurements: number) => void,
): Source {
  let start: number | undefined;
  /** Those of other shares included. */
  let made = 0;
  let most = count ?? Infinity;
  let filledAt = -Infinity;
  let closedAt = Infinity;
  let warned = false;
  return {
    ...AT_ONCE,
    overTime: true,
    isPaced: true,
    get isBehind() {
      return warned;
    },
    begin(at) {
      start = at;
    },
    close() {
      closedAt = Math.min(closedAt, clock.monotonic());
      // What a tick is worth needs no send of its own.
      if (closedAt - filledAt < TICK_MS) most = made;
    },
    async fill(recorder, until, stop) {
      const begun = start ??= clock.monotonic();
      const before = made;
      let own = 0;
      const ended = () => made === count;
      for (;;) {
        const now = clock.monotonic();
        const end = (Math.min(now, until ?? Infinity, closedAt) - begun) / 1000;
        const rate = pace.rateAt(end);
        const due = Math.min(Math.floor(pace.due(end) + ROUNDING), most);
        const missing = Math.max(0, due - made);
        if (missing > rate * BEHIND_SECONDS + MOST_AT_ONCE && !warned) {
          warned = true;
          behind(missing);
        }
        const some = Math.min(missing, MOST_AT_ONCE);
        const first = made;
        if (some > 0) own += generate(recorder, some, (place) => pace.secondsOf(first + place));
        made += some;
        const enough = until === undefined ? own > 0 : now >= until;
        if (enough || ended() || stop.aborted || closedAt <= now) break;
        await clock.sleep(missing > some ? 0.01 : nextTick(clock, until, rate), stop);
      }
      filledAt = clock.monotonic();
      return {
        measurements: own,
        ended: ended(),
        ...own === 0 && made > before && { isOthers: true },
      };
    },
  };
}

function nextTick(clock: Clock, until: number | undefined, rate: number): number {
  return Math.min(until === undefined ? 1000 / rate : until - clock.monotonic(), TICK_MS);
}
