/// <reference lib="dom" />
import { quantiles } from "../columns.ts";
import type { GroupLine, HistoryAnswer, HistoryRow, SeriesRow } from "../protocol.ts";

/** Shares of the quantiles that are shown. */
export const SHARES = [0.5, 0.9, 0.99] as const;

/** Estimated quantiles, one per share; undefined where unknown. */
export type Quantiles = readonly (number | undefined)[];

/** One slice of time with data points. Times are in seconds since 1970. */
export interface Slice {
  /** End of the slice before, if that is recent: a delta covers the time since. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly sum: number | null;
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** Counts between the bounds; for a number only its last value. */
  readonly columns: readonly (number | null)[];
  readonly quantiles: Quantiles;
}

/** Parts of an entry of the list that its charts depend on. */
export interface DataRow {
  readonly kind: SeriesRow["kind"];
  readonly unit: string;
}

/** History of the chosen series, or of the sum of a group. */
export interface SeriesData {
  readonly row: DataRow;
  readonly bounds: readonly number[];
  readonly sliceMs: number;
  readonly slices: readonly Slice[];
  /** Lines of a group, one per value of the chosen attribute. */
  readonly lines: readonly GroupLine[];
}

/** Several slices added up. */
export interface Selected {
  readonly count: number;
  readonly sum: number | null;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly columns: readonly number[];
  readonly quantiles: Quantiles;
}

/** Keeps the rows of one series or group, and asks only for new ones. */
export class HistoryRows {
  #query = "";
  #answer: HistoryAnswer | undefined;

  /** Returns the URL of the rows that are not known yet. */
  url(query: string): string {
    const last = this.#answer?.rows.at(-1)?.[0];
    if (this.#answer === undefined || this.#query !== query || typeof last !== "number") {
      return `/history?${query}`;
    }
    return `/history?${query}&from=${last}&version=${this.#answer.version}`;
  }

  /** Takes an answer; returns whether everything has to be asked for again. */
  take(query: string, answer: HistoryAnswer): boolean {
    const known = this.#query === query && answer.isPart ? this.#answer : undefined;
    this.#query = query;
    // Which values have a line of their own may change.
    const isSame = known === undefined ||
      answer.lines.every(({ value, isRest }, i) =>
        value === known.lines[i]?.value && isRest === known.lines[i]?.isRest
      );
    this.#answer = known === undefined ? answer : !isSame ? undefined : {
      ...answer,
      rows: joined(known.rows, answer.rows),
      lines: answer.lines.map((line, i) => ({
        ...line,
        rows: joined(known.lines[i]?.rows ?? [], line.rows),
      })),
    };
    return this.#answer === undefined;
  }

  data(query: string, row: DataRow): SeriesData | undefined {
    if (this.#answer === undefined || this.#query !== query) return undefined;
    const { bounds, sliceMs, rows, lines } = this.#answer;
    return { row, bounds, sliceMs, slices: slicesOf(rows, bounds, sliceMs), lines };
  }
}

function joined<T extends HistoryRow>(known: readonly T[], later: readonly T[]): readonly T[] {
  const first = later[0]?.[0] ?? Infinity;
  return [...known.filter(([slice]) => (slice ?? 0) < first), ...later];
}

function slicesOf(
  rows: readonly HistoryRow[],
  bounds: readonly number[],
  sliceMs: number,
): Slice[] {
  const usual = usualGap(rows);
  return rows.map(([slice, count, sum, min, max, ...columns], i) => {
    const gap = (slice ?? 0) - (rows[i - 1]?.[0] ?? -Infinity);
    const extremes = { min: min ?? undefined, max: max ?? undefined };
    const to = ((slice ?? 0) + 1) * sliceMs / 1000;
    return {
      from: to - (gap <= 2.5 * usual ? gap : usual) * sliceMs / 1000,
      to,
      count: count ?? 0,
      sum: sum ?? null,
      ...extremes,
      columns,
      quantiles: quantiles(SHARES, bounds, columns, extremes),
    };
  });
}

/** Returns the usual distance between rows, in slices. */
function usualGap(rows: readonly HistoryRow[]): number {
  const gaps = rows.slice(1).map(([slice], i) => (slice ?? 0) - (rows[i]?.[0] ?? 0))
    .sort((a, b) => a - b);
  return gaps[gaps.length >> 1] ?? 1;
}

/** Adds up the slices between two times in seconds, or all of them. */
export function select(
  { slices, bounds }: SeriesData,
  range: readonly [from: number, to: number] | undefined,
): Selected {
  const chosen = range === undefined
    ? slices
    : slices.filter(({ from, to }) => to > range[0] && from < range[1]);
  const columns = Array.from({ length: bounds.length + 1 }, () => 0);
  let count = 0;
  let sum: number | null = 0;
  let [min, max] = [Infinity, -Infinity];
  for (const slice of chosen) {
    count += slice.count;
    sum = sum === null || slice.sum === null ? null : sum + slice.sum;
    min = Math.min(min, slice.min ?? Infinity);
    max = Math.max(max, slice.max ?? -Infinity);
    slice.columns.forEach((value, i) => columns[i] = (columns[i] ?? 0) + (value ?? 0));
  }
  const extremes = { min: finiteOrUndefined(min), max: finiteOrUndefined(max) };
  return {
    count,
    sum,
    ...extremes,
    columns,
    quantiles: quantiles(SHARES, bounds, columns, extremes),
  };
}

function finiteOrUndefined(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

/** Returns the columns that hold anything, with one empty one on either side: `[first, end)`. */
export function filledColumns(
  { slices, bounds }: SeriesData,
): readonly [first: number, end: number] {
  let first = bounds.length;
  let last = 0;
  for (const { columns } of slices) {
    for (let i = 0; i < columns.length; i++) {
      if ((columns[i] ?? 0) === 0) continue;
      if (i < first) first = i;
      if (i > last) last = i;
    }
  }
  if (last < first) return [0, bounds.length + 1];
  return [Math.max(0, first - 1), Math.min(bounds.length + 1, last + 2)];
}

/**
 * Returns the position of a value when all columns are equally high: a column's number plus the share of it below the
 * value.
 */
export function positionOf(
  value: number,
  bounds: readonly number[],
  { min, max }: { readonly min: number | undefined; readonly max: number | undefined },
): number {
  let column = bounds.findIndex((upper) => value <= upper);
  if (column < 0) column = bounds.length;
  const upper = bounds[column] ?? max ?? Infinity;
  const lower = bounds[column - 1] ?? min ?? Math.min(0, upper);
  const share = (value - lower) / (upper - lower);
  return column + (Number.isFinite(share) ? Math.max(0, Math.min(1, share)) : 0.5);
}
