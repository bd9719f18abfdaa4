import type { FollowedPlace } from "../delivery/delivery.ts";
import type { Measurement } from "../aggregate/measurement.ts";
import type { Exposed } from "./prometheus/exposed.ts";
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
  /** Whether the pattern of the input matched none of its lines. */
  readonly matchesNothing?: boolean | undefined;
  /** Why the input broke off before its end. */
  readonly broken: string | undefined;
  /** Up to where the lines of a followed file have been recorded. */
  readonly followed?: FollowedPlace | undefined;
}

/** What is true of sources that have all at once. */
export const AT_ONCE = {
  overTime: false,
  canWait: false,
  hold() {},
  close() {},
  invalid: 0,
  broken: undefined,
} as const;

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
