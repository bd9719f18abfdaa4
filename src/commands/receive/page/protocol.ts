import type { SeriesNames } from "./series_history.ts";

// What the receiver tells the page. Texts are safe for any display, and the page shows them as nothing but text.

/** The first event of a stream. */
export interface Hello {
  /** When the receiver began: another one is another run. Wall clock, ms. */
  readonly startedMs: number;
  readonly version: string;
}

/** One request, newest last. */
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
  /** Problems that are not listed. */
  readonly moreProblems: number;
}

export interface ProblemRow {
  readonly rule: string;
  readonly level: string;
  readonly metric: string;
  readonly message: string;
}

/** One rule broken by one metric, in however many requests; the message is the last. */
export interface ProblemTotal extends ProblemRow {
  readonly id: number;
  readonly requests: number;
}

export interface SeriesRow extends SeriesNames {
  readonly id: number;
  readonly kind: "histogram" | "added" | "last";
}

/** What changes of a series: id, measurements, p50, p99, the last value of a number, when it last came. */
export type SeriesFigures = readonly [
  id: number,
  count: number,
  p50: number | null,
  p99: number | null,
  last: number | null,
  seenMs: number,
];

export interface PageTotals {
  readonly requests: number;
  readonly points: number;
  readonly measurements: number;
  readonly rejectedPoints: number;
  readonly errors: number;
  readonly warnings: number;
}

/** Every event after the first: what changed since the one before. */
export interface Update {
  readonly now: number;
  readonly totals: PageTotals;
  /** Requests and data points a second, over the last ten. */
  readonly requestRate: number;
  readonly pointRate: number;
  readonly sliceMs: number;
  /** Data points of series that found no room. */
  readonly leftOut: number;
  readonly forgottenBefore: number | null;
  readonly requests: readonly RequestRow[];
  readonly problems: readonly ProblemTotal[];
  /** Problems of requests that found no room among these. */
  readonly moreProblems: number;
  readonly newSeries: readonly SeriesRow[];
  readonly figures: readonly SeriesFigures[];
}

/** A row of a history: slice, count, sum, min, max, then a count for each column (of a number: its last value). */
export type HistoryRow = readonly (number | null)[];

/** The answer to `/history?series=ID&from=SLICE&version=N`: all of it when the version is another. */
export interface HistoryAnswer {
  readonly id: number;
  readonly version: number;
  readonly sliceMs: number;
  /** Whether the rows are only those from `from` on. */
  readonly isPart: boolean;
  readonly bounds: readonly number[];
  readonly rows: readonly HistoryRow[];
}
