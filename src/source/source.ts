import type { Clock } from "../base/clock.ts";
import type { FollowedPlace } from "../delivery/delivery.ts";
import type { Input } from "../measurements/input/input.ts";
import type { Pace } from "../measurements/generate/pace.ts";
import type { Measurement } from "../measurements/measurement.ts";
import type { Recorder } from "../otlp/recorder.ts";

/** What was recorded for one send. */
export interface Filled {
  readonly measurements: number;
  /** There is nothing more to come. */
  readonly ended: boolean;
  /** Something was due, but all of it in other shares: a send that has nothing in it, and counts all the same. */
  readonly isOthers?: boolean;
}

/** What measurements are given to. */
export type Records = Pick<Recorder, "record" | "recordHistograms">;

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

/** So many generated measurements a send. */
export function countSource(generate: Generate, count: number, clock: Clock): Source {
  let start: number | undefined;
  return {
    ...AT_ONCE,
    fill(recorder) {
      const begun = start ??= clock.monotonic();
      const seconds = (clock.monotonic() - begun) / 1000;
      const measurements = generate(recorder, count, () => seconds);
      return Promise.resolve({
        measurements,
        ended: false,
        ...measurements === 0 && { isOthers: true },
      });
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

/**
 * What an input holds. It is read all the time, also while a send is under way, and recorded as it comes; after
 * `hold(true)` reading stops until there is room. `path` is that of a followed file.
 */
export function inputSource(input: Input, clock: Clock, path?: string): Source {
  let started = false;
  let closed = false;
  let recorded = 0;
  let ended = false;
  let broken: string | undefined;
  let thrown: unknown;
  let arrived = () => {};
  let held: PromiseWithResolvers<void> | undefined;
  let place = input.place;
  const goOn = () => {
    held?.resolve();
    held = undefined;
  };
  const read = async (recorder: Records) => {
    try {
      for await (const batch of input) {
        if (closed) return;
        const { measurements, histograms } = batch;
        recorder.record(measurements);
        if (histograms.length > 0) recorder.recordHistograms(histograms);
        recorded += histograms.reduce((sum, { count }) => sum + count, measurements.length);
        place = batch.place;
        arrived();
        await held?.promise;
      }
    } catch (error) {
      thrown = error;
      broken = error instanceof Error ? error.message : String(error);
    } finally {
      ended = true;
      arrived();
    }
  };
  return {
    overTime: true,
    canWait: true,
    get invalid() {
      return input.progress.invalid;
    },
    get broken() {
      return broken;
    },
    get followed() {
      return path === undefined || place === undefined ? undefined : { path, place };
    },
    hold(waiting) {
      if (waiting) held ??= Promise.withResolvers();
      else goOn();
    },
    close() {
      closed = true;
      goOn();
    },
    async fill(recorder, until, stop) {
      if (!started) read(recorder);
      started = true;
      const enough = () =>
        ended || (until === undefined ? recorded > 0 : clock.monotonic() >= until);
      while (!enough() && !stop.aborted) {
        const wake = new AbortController();
        arrived = () => enough() && wake.abort();
        const left = until === undefined ? Infinity : until - clock.monotonic();
        await clock.sleep(left, AbortSignal.any([stop, wake.signal]));
      }
      // What is wrong with the whole input (a CSV without the column) is the user's to mend, not data that broke off.
      if (thrown instanceof Error && thrown.name === "UsageError") throw thrown;
      const measurements = recorded;
      recorded = 0;
      return { measurements, ended };
    },
  };
}
