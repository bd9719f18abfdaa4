import type { Checkpoint } from "../delivery/checkpoint.ts";
import type { Measurement } from "../aggregate/measurement.ts";
import type { Exposed } from "./prometheus/exposed.ts";
import type { Interval } from "../aggregate/interval.ts";
import type { Recorder } from "../aggregate/recorder.ts";

/** The part of one send that a source has recorded. */
export interface Filled {
  readonly measurements: number;
  /** There is nothing more to come. */
  readonly ended: boolean;
  /** When it was measured, where the source knows; missing: since the last send. */
  readonly interval?: Interval | undefined;
}

/** The part of a recorder that sources add measurements to. */
export type Records = Pick<
  Recorder,
  "add" | "addHistograms" | "addInstrument" | "isFull"
>;

/** Records each metric family of an exposition as a metric of its own; tells how many measurements that were. */
export type RecordFamilies = (records: Records, exposed: readonly Exposed[]) => number;

/** State of a source that the end of a run, or a send, depends on. */
export interface SourceStatus {
  /** Lines of the input that could not be used. */
  readonly invalid: number;
  /** Lines of the input that a condition left out. */
  readonly skipped: number;
  /** Whether the pattern of the input matched none of its lines. */
  readonly matchesNothing?: boolean | undefined;
  /** Why the input broke off before its end. */
  readonly broken: string | undefined;
  /** How far a source with an end came, for an error message; undefined when nothing is missing. */
  readonly unfinished?: string | undefined;
  /** Up to where the lines of a followed file have been recorded. */
  readonly checkpoint: Checkpoint | undefined;
}

/** Status of a source that reads nothing. */
export const NO_INPUT: SourceStatus = {
  invalid: 0,
  skipped: 0,
  broken: undefined,
  checkpoint: undefined,
};

interface AnySource {
  readonly status: SourceStatus;
  /** Ends the source: it records nothing that comes later. */
  close(): void;
}

/** Source that has all of a send at once, when the send is due. */
export interface PullSource extends AnySource {
  readonly kind: "pull";
  /** Records what belongs to the next send; less of it when `stop` comes. */
  fill(records: Records, until: number | undefined, stop: AbortSignal): Promise<Filled>;
}

interface TimedSource extends AnySource {
  /**
   * Records what comes until `until` (on the monotonic clock), or where that is undefined until there is something; and
   * no longer than to the end or `stop`.
   */
  fill(records: Records, until: number | undefined, stop: AbortSignal): Promise<Filled>;
}

/** Source whose measurements are due at moments of their own, which no send can make late. */
export interface PacedSource extends TimedSource {
  readonly kind: "paced";
  /**
   * Begins the schedule, at a time on the monotonic clock; without it, the first `fill` does. Nothing is due after `end`,
   * however late the last send is.
   */
  begin(at: number, end: number): void;
}

/** Source that measurements come from by themselves. It can stop reading, so that nothing need be thrown away. */
export interface LiveSource extends TimedSource {
  readonly kind: "live";
  /** Stops reading for a while, or goes on. */
  hold(waiting: boolean): void;
}

/** Records the measurements of a run, send by send; `kind` says when they come. */
export type Source = PullSource | PacedSource | LiveSource;

/** Makes the source of a run that sends the content of the spool, and nothing else. */
export const emptySource: PullSource = {
  kind: "pull",
  status: NO_INPUT,
  close() {},
  fill: () => Promise.resolve({ measurements: 0, ended: true }),
};

/** Makes a source that records one batch per send. */
export function batchSource(batch: () => readonly Measurement[]): PullSource {
  return {
    kind: "pull",
    status: NO_INPUT,
    close() {},
    fill(records) {
      const measured = batch();
      records.add(measured);
      return Promise.resolve({ measurements: measured.length, ended: false });
    },
  };
}
