import type { SeriesNames } from "./series_names.ts";

// Messages from the receiver to the page. Texts are safe for any display, and the page shows them as nothing but text.

/** First event of a stream. */
export interface Hello {
  /** Start of the receiver, in ms since 1970; another one is another run. */
  readonly startedMs: number;
  readonly version: string;
  /** Rules that requests are judged by, as `--rules` names them, and the ids of the rules of meaning. */
  readonly rules: string;
  readonly meaning: readonly string[];
}

/** One request; the newest is last. */
export interface RequestRow {
  readonly id: number;
  readonly time: number;
  readonly method: string;
  readonly path: string;
  readonly status: number | null;
  readonly outcome: string;
  readonly bytes: number;
  readonly points: number;
  readonly measurements: number;
  readonly rejectedPoints: number;
  readonly problems: readonly ProblemRow[];
  /** Number of problems that are not listed. */
  readonly moreProblems: number;
}

/** One problem of a request. */
export interface ProblemRow {
  readonly rule: string;
  readonly level: string;
  readonly metric: string;
  readonly message: string;
}

/** One rule broken by one metric, in any number of requests, with the latest message. */
export interface ProblemTotal extends ProblemRow {
  readonly id: number;
  readonly requests: number;
}

/** One series, the kind of its history, and the number of its group. */
export interface SeriesRow extends SeriesNames {
  readonly id: number;
  readonly group: number;
  readonly kind: "histogram" | "added" | "last";
}

/** One series with rejected data points, and the reason for the last of them. */
export interface RefusedRow extends SeriesNames {
  readonly id: number;
  readonly points: number;
  readonly reason: ProblemRow;
}

/**
 * Current figures of a series: id, measurements, p50, p99, the last value of a number, time of its last data point, and
 * whether p99 lies above the last bound, which then stands in its place.
 */
export type SeriesFigures = readonly [
  id: number,
  count: number,
  p50: number | null,
  p99: number | null,
  last: number | null,
  seenMs: number,
  isAbove: boolean,
];

/** Totals of all requests. */
export interface PageTotals {
  readonly requests: number;
  readonly points: number;
  readonly measurements: number;
  readonly rejectedPoints: number;
  readonly errors: number;
  readonly warnings: number;
}

/** Event after the first: the changes since the one before. */
export interface Update {
  readonly now: number;
  readonly totals: PageTotals;
  /** Requests and data points per second, over the last ten. */
  readonly requestRate: number;
  readonly pointRate: number;
  readonly sliceMs: number;
  /** Number of data points of series that found no room. */
  readonly leftOut: number;
  readonly forgottenBefore: number | null;
  readonly requests: readonly RequestRow[];
  readonly problems: readonly ProblemTotal[];
  /** Number of problems that found no room. */
  readonly moreProblems: number;
  readonly refused: readonly RefusedRow[];
  /** Number of rejected data points of series that found no room. */
  readonly moreRefused: number;
  readonly newSeries: readonly SeriesRow[];
  readonly figures: readonly SeriesFigures[];
}

/** Row of a history: slice, count, sum, min, max, then a count per column (for a number: its last value). */
export type HistoryRow = readonly (number | null)[];

/**
 * Response to `/history?series=ID&from=SLICE&version=N`: all rows if the version differs. With `group=NUMBER` in place
 * of `series` it holds the sum of a group, and with `by=KEY` a line per value of that attribute.
 */
export interface HistoryAnswer {
  readonly version: number;
  readonly sliceMs: number;
  /** Whether the rows are only those from `from` on. */
  readonly isPart: boolean;
  readonly bounds: readonly number[];
  readonly rows: readonly HistoryRow[];
  readonly lines: readonly GroupLine[];
}

/** Sum of the series of a group that share a value of an attribute. */
export interface GroupLine {
  /** Value of the attribute; null for the series without it. */
  readonly value: string | null;
  /** Whether this is the rest: the series with any of the values that have no line. */
  readonly isRest: boolean;
  readonly series: number;
  readonly count: number;
  readonly sum: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Count per column since the start. */
  readonly columns: readonly number[];
  readonly rows: readonly LineRow[];
}

/** Figures of a line in one slice; percentiles are null where unknown. */
export type LineRow = readonly [
  slice: number,
  count: number,
  sum: number | null,
  p50: number | null,
  p90: number | null,
  p99: number | null,
];
