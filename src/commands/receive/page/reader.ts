import type {
  ExponentialHistogramDataPoint,
  ExponentialHistogramDataPoint_Buckets,
  HistogramDataPoint,
  Metric,
  NumberDataPoint,
} from "../../../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { type DataPoint, isStaleMarker } from "../../../otlp/data_points.ts";
import { rescaledIndex } from "../../../aggregate/base2.ts";
import { temporalityOf } from "../metric_list.ts";
import {
  base2Column,
  type Base2Layout,
  base2Layout,
  columnBounds,
  explicitLayout,
  type Indices,
  NO_INDICES,
} from "./layout.ts";
import { type NumberKind, type RowFigures, SeriesHistory } from "./series_history.ts";
import type { SeriesNames } from "./series_names.ts";

/** Last values of a cumulative series that began at one start time. */
interface Reached {
  readonly count: number;
  readonly sum: number;
  columns: Float64Array;
}

/** Reads the data points of one series into its history. */
export class Reader {
  readonly history: SeriesHistory;
  /** Key, type and value of each attribute in turn: one list, because it is compared with every data point. */
  readonly #attributes: readonly unknown[];
  readonly #bounds: readonly number[] | undefined;
  readonly #isCumulative: boolean;
  /** By start time: each process that writes the series has its own. The last one read is at the end. */
  readonly #reached = new Map<bigint, Reached>();

  private constructor(
    history: SeriesHistory,
    point: DataPoint,
    metric: Metric,
  ) {
    this.history = history;
    this.#attributes = point.attributes.flatMap(({ key, value }) => [
      intern(key),
      value?.value.case,
      intern(value?.value.value),
    ]);
    const { layout } = history;
    this.#bounds = "explicitBounds" in point ? columnBounds(layout) : undefined;
    this.#isCumulative = temporalityOf(metric) === "cumulative";
  }

  /** Creates the reader of a series from its first data point; undefined if that is invalid. */
  static of(
    id: number,
    names: SeriesNames,
    metric: Metric,
    point: DataPoint,
  ): Reader | undefined {
    const history = (layout: SeriesHistory["layout"], numbers?: NumberKind) =>
      new Reader(new SeriesHistory(id, names, layout, numbers), point, metric);
    switch (point.$typeName) {
      case "opentelemetry.proto.metrics.v1.HistogramDataPoint":
        // A copy: were an array of a request kept, V8 would put those of all later requests among what lives long, and
        // collecting them would cost more than decoding.
        return bucketsMatchBounds(point)
          ? history(explicitLayout(point.explicitBounds.slice()))
          : undefined;
      case "opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint":
        return history(base2Layout(undefined, extentOf(point)));
      case "opentelemetry.proto.metrics.v1.NumberDataPoint":
        return history(ONE_COLUMN, numberKind(metric));
      case "opentelemetry.proto.metrics.v1.SummaryDataPoint":
        return history(ONE_COLUMN, "last");
    }
  }

  /** Whether a data point looks like the last one. Cheap, and false if that cannot be decided cheaply. */
  isOf(point: DataPoint): boolean {
    const { attributes } = point;
    const expected = this.#attributes;
    if (3 * attributes.length !== expected.length) return false;
    for (let i = 0; i < attributes.length; i++) {
      const theirs = attributes[i];
      const value = theirs?.value?.value;
      if (
        expected[3 * i + 2] !== value?.value || expected[3 * i] !== theirs?.key ||
        expected[3 * i + 1] !== value?.case
      ) return false;
    }
    const known = this.#bounds;
    if (point.$typeName !== "opentelemetry.proto.metrics.v1.HistogramDataPoint") {
      return known === undefined;
    }
    const bounds = point.explicitBounds;
    if (known === undefined || bounds.length !== known.length) return false;
    for (let i = 0; i < bounds.length; i++) if (bounds[i] !== known[i]) return false;
    return true;
  }

  /** Adds a data point to a slice; a cumulative one by its growth since the last. */
  read(metric: Metric, point: DataPoint, slice: number, time: number, openedMs: number): void {
    this.history.seen = time;
    if (isStaleMarker(point)) return;
    switch (point.$typeName) {
      case "opentelemetry.proto.metrics.v1.HistogramDataPoint":
        this.#addExplicit(point, slice, openedMs);
        return;
      case "opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint":
        this.#addBase2(point, slice, openedMs);
        return;
      case "opentelemetry.proto.metrics.v1.NumberDataPoint":
        this.#addNumber(metric, point, slice, openedMs);
        return;
      case "opentelemetry.proto.metrics.v1.SummaryDataPoint":
        if (point.count > 0n) this.history.addNumber(slice, point.sum / Number(point.count));
        return;
    }
  }

  /**
   * Adds explicit buckets, unless their counts contradict each other: those are rejected, and would contradict the
   * chart.
   */
  #addExplicit(point: HistogramDataPoint, slice: number, openedMs: number): void {
    if (!bucketsMatchBounds(point)) return;
    const size = this.history.totals.length;
    const columns = explicitColumns(point, size);
    let sum = 0;
    for (let i = 0; i < size; i++) sum += columns[i] ?? 0;
    if (sum === Number(point.count)) this.#add(point, slice, columns, openedMs);
  }

  #addBase2(point: ExponentialHistogramDataPoint, slice: number, openedMs: number): void {
    const moved = this.history.fit(extentOf(point));
    const { layout } = this.history;
    if (layout.kind !== "base2") return;
    for (const reached of moved === undefined ? [] : this.#reached.values()) {
      const columns = new Float64Array(layout.columns);
      reached.columns.forEach((count, i) => {
        const to = moved?.[i] ?? 0;
        columns[to] = (columns[to] ?? 0) + count;
      });
      reached.columns = columns;
    }
    this.#add(point, slice, base2Columns(point, layout), openedMs);
  }

  #add(
    point: HistogramDataPoint | ExponentialHistogramDataPoint,
    slice: number,
    columns: Float64Array,
    openedMs: number,
  ): void {
    // Nothing was measured, so there may be no sum; a cumulative one may say so after a reset.
    if (point.count === 0n && !this.#isCumulative) return;
    const { sum = NaN, min = Infinity, max = -Infinity } = point;
    const figures = { count: Number(point.count), sum, min, max };
    if (!this.#isCumulative) return this.history.add(slice, figures, columns);
    const size = this.history.totals.length;
    const isFirst = this.#reached.size === 0;
    const start = point.startTimeUnixNano;
    const before = this.#reach(start, {
      count: figures.count,
      sum,
      columns: columns.slice(0, size),
    });
    const grown = before === undefined ? undefined : growthSince(figures, columns, size, before);
    if (grown !== undefined) {
      if (grown.figures.count > 0) this.history.add(slice, grown.figures, grown.columns);
    } else if (beganAfter(start, openedMs) || !isFirst) {
      this.history.add(slice, figures, columns);
    }
  }

  /** Remembers the last values of a start time; returns those before. */
  #reach(start: bigint, reached: Reached): Reached | undefined {
    const before = this.#reached.get(start);
    this.#reached.delete(start);
    this.#reached.set(start, reached);
    const most = Math.min(MOST_WRITERS, MOST_NUMBERS / Math.max(reached.columns.length, 1));
    for (const oldest of this.#reached.keys()) {
      if (oldest === start || this.#reached.size <= most) break;
      this.#reached.delete(oldest);
    }
    return before;
  }

  #addNumber(metric: Metric, point: NumberDataPoint, slice: number, openedMs: number): void {
    if (point.value.case === undefined) return;
    const value = Number(point.value.value);
    const isGrowing = this.#isCumulative && metric.data.case === "sum" &&
      metric.data.value.isMonotonic;
    if (!isGrowing) return this.history.addNumber(slice, value);
    const isFirst = this.#reached.size === 0;
    const start = point.startTimeUnixNano;
    const before = this.#reach(start, { count: 0, sum: value, columns: NO_COLUMNS });
    if (before !== undefined && value >= before.sum) {
      this.history.addNumber(slice, value - before.sum);
    } else if (beganAfter(start, openedMs) || !isFirst) this.history.addNumber(slice, value);
  }
}

/** Maximum number of start times that are remembered per series, and of the numbers in all of them together. */
const MOST_WRITERS = 16;
const MOST_NUMBERS = 1024;

const ONE_COLUMN = explicitLayout([]);
const NO_COLUMNS = new Float64Array();

/** Whether a series began after we listened. The first value of an older one says nothing about the time since. */
function beganAfter(start: bigint, openedMs: number): boolean {
  return Number(start) / 1e6 >= openedMs;
}

function numberKind(metric: Metric): NumberKind {
  if (metric.data.case !== "sum") return "last";
  const isDelta = temporalityOf(metric) === "delta";
  return isDelta || metric.data.value.isMonotonic ? "added" : "last";
}

function bucketsMatchBounds({ bucketCounts, explicitBounds }: HistogramDataPoint): boolean {
  if (bucketCounts.length === 0) return explicitBounds.length === 0;
  return bucketCounts.length === explicitBounds.length + 1;
}

/** Reused array, longer than its content; whatever is kept is copied. */
let scratch = new Float64Array(64);

function scratchOf(columns: number): Float64Array {
  if (scratch.length < columns) scratch = new Float64Array(2 * columns);
  return scratch.fill(0, 0, columns);
}

/** Memory for converting a bigint into a number, in a third of the time of Number(). */
const wide = new BigUint64Array(1);
const halves = new Uint32Array(wide.buffer);

function toNumber(count: bigint): number {
  wide[0] = count;
  return (halves[LOW] ?? 0) + (halves[1 - LOW] ?? 0) * 2 ** 32;
}

wide[0] = 1n;
const LOW = halves[0] === 1 ? 0 : 1;

/** Cache of texts that many series share, so that comparing them stays in the processor's cache. */
const texts = new Map<string, string>();
const MOST_TEXTS = 10_000;
const LONGEST_TEXT = 256;

function intern<T>(value: T): T | string {
  if (typeof value !== "string" || value.length > LONGEST_TEXT) return value;
  const same = texts.get(value);
  if (same !== undefined) return same;
  if (texts.size < MOST_TEXTS) texts.set(value, value);
  return value;
}

function explicitColumns({ bucketCounts, count }: HistogramDataPoint, size: number): Float64Array {
  const columns = scratchOf(size);
  // Without buckets everything is in one.
  if (bucketCounts.length === 0) columns[0] = Number(count);
  for (let i = 0; i < bucketCounts.length; i++) columns[i] = toNumber(bucketCounts[i] ?? 0n);
  return columns;
}

function base2Columns(point: ExponentialHistogramDataPoint, layout: Base2Layout): Float64Array {
  const columns = scratchOf(layout.columns);
  columns[layout.negative.size] = Number(point.zeroCount);
  for (const side of ["negative", "positive"] as const) {
    const { offset = 0, bucketCounts = [] } = point[side] ?? {};
    for (let i = 0; i < bucketCounts.length; i++) {
      const count = toNumber(bucketCounts[i] ?? 0n);
      if (count === 0) continue;
      const index = rescaledIndex(offset + i, point.scale, layout.scale);
      const column = base2Column(layout, side, index);
      columns[column] = (columns[column] ?? 0) + count;
    }
  }
  return columns;
}

function extentOf({ scale, negative, positive }: ExponentialHistogramDataPoint) {
  return { scale, negative: indicesOf(negative), positive: indicesOf(positive) };
}

function indicesOf(buckets: ExponentialHistogramDataPoint_Buckets | undefined): Indices {
  if (buckets === undefined) return NO_INDICES;
  const { offset, bucketCounts } = buckets;
  let first = 0;
  let last = bucketCounts.length - 1;
  while (first <= last && bucketCounts[first] === 0n) first++;
  while (last >= first && bucketCounts[last] === 0n) last--;
  return last < first ? NO_INDICES : { first: offset + first, size: last - first + 1 };
}

/**
 * Returns the growth since the last data point; undefined if a count fell, so that the series restarted. The extremes
 * are unknown.
 */
function growthSince(
  now: RowFigures,
  columns: Float64Array,
  size: number,
  before: Reached,
): { readonly figures: RowFigures; readonly columns: Float64Array } | undefined {
  if (now.count < before.count) return undefined;
  for (let i = 0; i < size; i++) {
    if ((columns[i] ?? 0) < (before.columns[i] ?? 0)) return undefined;
  }
  for (let i = 0; i < size; i++) {
    columns[i] = (columns[i] ?? 0) - (before.columns[i] ?? 0);
  }
  const figures = {
    count: now.count - before.count,
    sum: now.sum - before.sum,
    min: Infinity,
    max: -Infinity,
  };
  return { figures, columns };
}
