import type { SeriesNames } from "./series_history.ts";

// Messages from the receiver to the page. Texts are safe for any display, and the page shows them as nothing but text.

/** First event of a stream. */
export interface Hello {
  /** Start of the receiver, in ms since 1970; another one is another run. */
  readonly startedMs: number;
  readonly version: string;
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

/** One series and the kind of its history. */
export interface SeriesRow extends SeriesNames {
  readonly id: number;
  readonly kind: "histogram" | "added" | "last";
}

/** Current figures of a series: id, measurements, p50, p99, the last value of a number, time of its last data point. */
export type SeriesFigures = readonly [
  id: number,
  count: number,
  p50: number | null,
  p99: number | null,
  last: number | null,
  seenMs: number,
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
  readonly newSeries: readonly SeriesRow[];
  readonly figures: readonly SeriesFigures[];
}

/** Row of a history: slice, count, sum, min, max, then a count per column (for a number: its last value). */
export type HistoryRow = readonly (number | null)[];

/** Response to `/history?series=ID&from=SLICE&version=N`: all rows if the version differs. */
export interface HistoryAnswer {
  readonly id: number;
  readonly version: number;
  readonly sliceMs: number;
  /** Whether the rows are only those from `from` on. */
  readonly isPart: boolean;
  readonly bounds: readonly number[];
  readonly rows: readonly HistoryRow[];
}
