import { base2Layout, columnBounds, type ColumnLayout, columnMap } from "./layout.ts";
import type { SeriesNames } from "./series_names.ts";

/** Meaning of the column of a number's history: the sum of what was added, or the last value. */
export type NumberKind = "added" | "last";

/** Figures of one data point, as a delta if it is one. */
export interface RowFigures {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/** Number of fields of a row before its columns. */
export const HEAD = 5;
/** Position of a row's slice. */
export const SLICE = 0;
/** Position of a row's number of measurements. */
export const COUNT = 1;
/** Position of a row's sum of values. */
export const SUM = 2;
/** Position of a row's minimum, Infinity where unknown. */
export const MIN = 3;
/** Position of a row's maximum, -Infinity where unknown. */
export const MAX = 4;

/** Approximate memory of a series without its rows, in bytes. */
export const BYTES_A_SERIES = 2000;

/** Series over time: a row per slice of time with data points, oldest first. */
export class SeriesHistory {
  readonly id: number;
  readonly names: SeriesNames;
  /** Meaning of the only column of a number; undefined for a histogram. */
  readonly numbers: NumberKind | undefined;
  #layout: ColumnLayout;
  #rows = 0;
  #data: Float64Array;
  #totals: Float64Array;
  /** Number of the group of series that can be added up with this one. */
  group = 0;
  /** Version, which changes when columns change or rows are merged or dropped. */
  version = 0;
  count = 0;
  sum = 0;
  min = Infinity;
  max = -Infinity;
  /** Arrival of the last data point, in ms since 1970. */
  seen = 0;

  constructor(id: number, names: SeriesNames, layout: ColumnLayout, numbers?: NumberKind) {
    this.id = id;
    this.names = names;
    this.numbers = numbers;
    this.#layout = layout;
    this.#data = new Float64Array(4 * this.#stride);
    this.#totals = new Float64Array(layout.columns);
  }

  get #stride(): number {
    return HEAD + this.#layout.columns;
  }

  get layout(): ColumnLayout {
    return this.#layout;
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return BYTES_A_SERIES + this.#data.byteLength + this.#totals.byteLength;
  }

  /** Totals since the start, per column. */
  get totals(): Float64Array {
    return this.#totals;
  }

  get bounds(): readonly number[] {
    return columnBounds(this.#layout);
  }

  /** Adds a histogram's columns to a slice, which is not before the last one. */
  add(slice: number, figures: RowFigures, columns: Float64Array): void {
    const at = this.#rowOf(slice);
    const data = this.#data;
    this.#addFigures(at, figures);
    const { length } = this.#totals;
    for (let i = 0; i < length; i++) {
      const count = columns[i] ?? 0;
      if (count === 0) continue;
      data[at + HEAD + i] = (data[at + HEAD + i] ?? 0) + count;
      this.#totals[i] = (this.#totals[i] ?? 0) + count;
    }
  }

  /** Adds a number's value to a slice. */
  addNumber(slice: number, value: number): void {
    const at = this.#rowOf(slice);
    this.#addFigures(at, { count: 1, sum: value, min: value, max: value });
    this.#data[at + HEAD] = value;
    this.#totals[0] = value;
  }

  #addFigures(at: number, { count, sum, min, max }: RowFigures): void {
    const data = this.#data;
    data[at + COUNT] = (data[at + COUNT] ?? 0) + count;
    data[at + SUM] = (data[at + SUM] ?? 0) + sum;
    if (min < (data[at + MIN] ?? 0)) data[at + MIN] = min;
    if (max > (data[at + MAX] ?? 0)) data[at + MAX] = max;
    this.count += count;
    this.sum += sum;
    if (min < this.min) this.min = min;
    if (max > this.max) this.max = max;
  }

  /** Returns the offset of a slice's row. */
  #rowOf(slice: number): number {
    const stride = this.#stride;
    const last = (this.#rows - 1) * stride;
    // A wall clock that was set back makes no new rows.
    if (this.#rows > 0 && (this.#data[last] ?? 0) >= slice) return last;
    const at = this.#rows * stride;
    if (at + stride > this.#data.length) {
      const larger = new Float64Array(2 * this.#data.length);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#rows++;
    this.#data.fill(0, at, at + stride);
    this.#data[at + SLICE] = slice;
    this.#data[at + MIN] = Infinity;
    this.#data[at + MAX] = -Infinity;
    return at;
  }

  /** Makes room for other indices; returns the map from old to new columns if they moved. */
  fit(extent: Parameters<typeof base2Layout>[1]): Uint16Array | undefined {
    const old = this.#layout;
    if (old.kind !== "base2") return undefined;
    const next = base2Layout(old, extent);
    if (next === old) return undefined;
    const map = columnMap(old, next);
    const from = this.#stride;
    this.#layout = next;
    const to = this.#stride;
    const data = new Float64Array(Math.max(4, this.#rows * 2) * to);
    for (let row = 0; row < this.#rows; row++) {
      const [source, target] = [row * from, row * to];
      data.set(this.#data.subarray(source, source + HEAD), target);
      mapInto(map, this.#data.subarray(source + HEAD, source + from), data, target + HEAD);
    }
    const totals = new Float64Array(next.columns);
    mapInto(map, this.#totals, totals, 0);
    this.#data = data;
    this.#totals = totals;
    this.version++;
    return map;
  }

  /** Doubles the length of slices. */
  coarsen(): void {
    const stride = this.#stride;
    const data = this.#data;
    let kept = -1;
    for (let row = 0; row < this.#rows; row++) {
      const from = row * stride;
      const slice = Math.floor((data[from] ?? 0) / 2);
      const into = kept * stride;
      if (kept >= 0 && data[into] === slice) this.#merge(from, into);
      else {
        kept++;
        data.copyWithin(kept * stride, from, from + stride);
        data[kept * stride] = slice;
      }
    }
    this.#resize(kept + 1);
  }

  #merge(from: number, into: number): void {
    const data = this.#data;
    for (const column of [COUNT, SUM]) {
      data[into + column] = (data[into + column] ?? 0) + (data[from + column] ?? 0);
    }
    data[into + MIN] = Math.min(data[into + MIN] ?? 0, data[from + MIN] ?? 0);
    data[into + MAX] = Math.max(data[into + MAX] ?? 0, data[from + MAX] ?? 0);
    for (let i = HEAD; i < this.#stride; i++) {
      const later = data[from + i] ?? 0;
      data[into + i] = this.numbers === undefined ? (data[into + i] ?? 0) + later : later;
    }
  }

  /** Drops rows before a slice; returns whether there were any. */
  dropBefore(slice: number): boolean {
    const stride = this.#stride;
    let gone = 0;
    while (gone < this.#rows && (this.#data[gone * stride] ?? 0) < slice) gone++;
    if (gone === 0) return false;
    this.#data.copyWithin(0, gone * stride, this.#rows * stride);
    this.#resize(this.#rows - gone);
    return true;
  }

  #resize(rows: number): void {
    this.#rows = rows;
    this.version++;
    // Memory is what this is for.
    this.#data = this.#data.slice(0, Math.max(4, rows + (rows >> 1)) * this.#stride);
  }

  /**
   * Returns the rows from a slice on, as they are sent: `[slice, count, sum, min, max, columns…]`, with null for no
   * number.
   */
  rowsFrom(slice: number): (number | null)[][] {
    return Array.from(this.rowViews(slice), sentRow);
  }

  /** Returns a row of everything since the start. */
  totalRow(): Float64Array {
    return Float64Array.of(0, this.count, this.sum, this.min, this.max, ...this.#totals);
  }

  /** Yields the rows from a slice on, oldest first, as views that the next data point may change. */
  *rowViews(slice: number): Generator<Float64Array> {
    const stride = this.#stride;
    let row = this.#rows;
    while (row > 0 && (this.#data[(row - 1) * stride] ?? 0) >= slice) row--;
    for (; row < this.#rows; row++) yield this.#data.subarray(row * stride, (row + 1) * stride);
  }
}

/** Returns a row as it is sent. */
export function sentRow(row: Float64Array): (number | null)[] {
  return Array.from(row, finiteOrNull);
}

/** Returns null for what JSON has no number for. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function mapInto(map: Uint16Array, from: Float64Array, to: Float64Array, at: number): void {
  map.forEach((column, i) => {
    to[at + column] = (to[at + column] ?? 0) + (from[i] ?? 0);
  });
}
