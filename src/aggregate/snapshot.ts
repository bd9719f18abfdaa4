import type { Point } from "./delta.ts";
import type { Instrument } from "./instrument.ts";
import type { Interval } from "./interval.ts";
import type { Overflow } from "./overflow.ts";
import type { FullBucket } from "./end_bucket.ts";
import type { SeriesTable } from "./series_table.ts";
import { explicitBoundsOf } from "./aggregation.ts";

/**
 * Everything that was recorded since the last snapshot. A delta exists only once, and its data points are used again:
 * encode a snapshot before anything else is recorded.
 */
export interface Snapshot {
  /** Parts that are encoded apart; one, unless there are several connections. */
  readonly parts: readonly SnapshotPart[];
  readonly findings: readonly DataFinding[];
  /** Intervals of event time, the oldest first; none when measurements happen as they are recorded. */
  readonly measured: readonly MeasuredInterval[];
}

/** Metrics that may share a request. */
export interface SnapshotPart {
  readonly metrics: readonly RecordedMetric[];
  /** The connection that its series keep to; missing: any. */
  readonly lane?: number;
}

/** Data points of one instrument. */
export interface RecordedMetric {
  readonly instrument: Instrument;
  readonly intervals: readonly RecordedInterval[];
}

/** Data points of one instrument in one interval. */
export interface RecordedInterval {
  readonly interval: Interval;
  readonly points: readonly Point[];
}

/** How many measurements fell into an interval of event time. */
export interface MeasuredInterval {
  readonly interval: Interval;
  readonly measurements: number;
}

/** Something about the recorded data that its sender should know. */
export type DataFinding =
  /** There were more series than `maxSeries`: these were merged into one data point. */
  | { readonly type: "overflow"; readonly overflow: Overflow }
  /** Attribute sets that have more than one data point, since their histograms had unequal bounds. */
  | { readonly type: "unequal-bounds"; readonly series: number }
  /** Intervals of event time in more than one delta: closed for want of room, or reopened after they were closed. */
  | { readonly type: "split-intervals"; readonly closedEarly: number; readonly reopened: number }
  /** So far all values of a metric fell into one bucket at an end. */
  | { readonly type: "end-bucket"; readonly endBucket: EndBucket }
  /** A rule of meaning that a metric breaks, with its remedy. */
  | {
    readonly type: "meaning";
    readonly rule: string;
    readonly metric: string;
    readonly message: string;
  };

/** Bucket at an end of a metric's bounds that all its values fell into. */
export interface EndBucket extends FullBucket {
  readonly metric: string;
  /** The bucket's only finite bound: values are at most, or more than, that. */
  readonly bound: number;
}

/** Findings about overflow and unequal bounds, where there are such. */
export function countFindings(overflow: Overflow, unequalBounds: number): readonly DataFinding[] {
  return [
    ...overflow.measurements > 0 ? [{ type: "overflow", overflow } as const] : [],
    ...unequalBounds > 0 ? [{ type: "unequal-bounds", series: unequalBounds } as const] : [],
  ];
}

/** Findings about the end buckets of instruments. */
export function endBucketFindings(
  recordings: readonly { readonly instrument: Instrument; readonly table: SeriesTable }[],
): readonly DataFinding[] {
  return recordings.flatMap(({ instrument: { name, bounds }, table: { endBucket } }) => {
    if (endBucket === undefined) return [];
    const bound = explicitBoundsOf(bounds)?.at(endBucket.bucket === "first" ? 0 : -1);
    if (bound === undefined) return [];
    return [{ type: "end-bucket", endBucket: { metric: name, ...endBucket, bound } } as const];
  });
}
