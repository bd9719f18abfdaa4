import type { Clock } from "../../platform/clock.ts";
import type { Pace } from "./pace.ts";
import { AT_ONCE, type Records, type Source } from "../source.ts";

/**
 * Records those of the next `count` measurements that are this process's, and tells how many these were. `secondsOf`:
 * when, since the start, one of them is due, by its place among the `count`.
 */
export type Generate = (
  recorder: Records,
  count: number,
  secondsOf: (place: number) => number,
) => number;

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
