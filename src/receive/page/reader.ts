import type { KeyValue } from "../../otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import type {
  ExponentialHistogramDataPoint,
  ExponentialHistogramDataPoint_Buckets,
  HistogramDataPoint,
  Metric,
  NumberDataPoint,
} from "../../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { DataPointFlags } from "../../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import type { DataPoint } from "../../otlp/rules.ts";
import { temporalityOf } from "../metric_list.ts";
import {
  base2Column,
  type Base2Layout,
  base2Layout,
  explicitLayout,
  type Indices,
  NO_INDICES,
  rescaledIndex,
} from "./layout.ts";
import {
  type Figures,
  type NumberKind,
  SeriesHistory,
  type SeriesNames,
} from "./series_history.ts";

/** What a cumulative series had reached. */
interface Reached {
  readonly start: bigint;
  readonly count: number;
  readonly sum: number;
  columns: Float64Array;
}

/** Reads the data points of one series into its history. */
export class Reader {
  readonly history: SeriesHistory;
  readonly #attributes: readonly KeyValue[];
  readonly #bounds: readonly number[] | undefined;
  readonly #isCumulative: boolean;
  #reached: Reached | undefined;

  private constructor(
    history: SeriesHistory,
    point: DataPoint,
    isCumulative: boolean,
  ) {
    this.history = history;
    this.#attributes = point.attributes;
    this.#bounds = "explicitBounds" in point ? point.explicitBounds : undefined;
    this.#isCumulative = isCumulative;
  }

  /** For a series whose first data point this is; undefined when it makes no sense. */
  static of(
    id: number,
    names: SeriesNames,
    metric: Metric,
    point: DataPoint,
  ): Reader | undefined {
    const isCumulative = temporalityOf(metric) === "cumulative";
    const history = (layout: SeriesHistory["layout"], numbers?: NumberKind) =>
      new Reader(new SeriesHistory(id, names, layout, numbers), point, isCumulative);
    switch (point.$typeName) {
      case "opentelemetry.proto.metrics.v1.HistogramDataPoint":
        return isSound(point) ? history(explicitLayout(point.explicitBounds)) : undefined;
      case "opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint":
        return history(base2Layout(undefined, extentOf(point)));
      case "opentelemetry.proto.metrics.v1.NumberDataPoint":
        return history(ONE_COLUMN, numberKind(metric));
      case "opentelemetry.proto.metrics.v1.SummaryDataPoint":
        return history(ONE_COLUMN, "last");
    }
  }

  /** Whether a data point looks like the last one: cheap, and false for what cannot be told cheaply. */
  isOf(point: DataPoint): boolean {
    const { attributes } = point;
    const known = this.#attributes;
    if (attributes.length !== known.length) return false;
    for (let i = 0; i < known.length; i++) {
      const [ours, theirs] = [known[i], attributes[i]];
      if (ours?.key !== theirs?.key) return false;
      const [a, b] = [ours?.value?.value, theirs?.value?.value];
      if (a?.case !== b?.case || a?.value !== b?.value) return false;
    }
    const bounds = "explicitBounds" in point ? point.explicitBounds : undefined;
    if (bounds === undefined || this.#bounds === undefined) return bounds === this.#bounds;
    if (bounds.length !== this.#bounds.length) return false;
    for (let i = 0; i < bounds.length; i++) if (bounds[i] !== this.#bounds[i]) return false;
    return true;
  }

  /** Adds the data point to a slice; a cumulative one by what it has grown since the last. */
  read(metric: Metric, point: DataPoint, slice: number, time: number, openedMs: number): void {
    this.history.seen = time;
    switch (point.$typeName) {
      case "opentelemetry.proto.metrics.v1.HistogramDataPoint":
        if (isSound(point)) {
          this.#add(point, slice, explicitColumns(point, this.history.totals.length), openedMs);
        }
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

  #addBase2(point: ExponentialHistogramDataPoint, slice: number, openedMs: number): void {
    const moved = this.history.fit(extentOf(point));
    const { layout } = this.history;
    if (layout.kind !== "base2") return;
    if (moved !== undefined && this.#reached !== undefined) {
      const columns = new Float64Array(layout.columns);
      this.#reached.columns.forEach((count, i) => {
        const to = moved[i] ?? 0;
        columns[to] = (columns[to] ?? 0) + count;
      });
      this.#reached.columns = columns;
    }
    this.#add(point, slice, base2Columns(point, layout), openedMs);
  }

  #add(
    point: HistogramDataPoint | ExponentialHistogramDataPoint,
    slice: number,
    columns: Float64Array,
    openedMs: number,
  ): void {
    const { sum = NaN, min = Infinity, max = -Infinity } = point;
    const figures = { count: Number(point.count), sum, min, max };
    if (!this.#isCumulative) return this.history.add(slice, figures, columns);
    const before = this.#reached;
    const start = point.startTimeUnixNano;
    this.#reached = { start, count: figures.count, sum, columns: columns.slice() };
    const grown = before?.start === start ? difference(figures, columns, before) : undefined;
    if (grown !== undefined) {
      if (grown.figures.count > 0) this.history.add(slice, grown.figures, grown.columns);
    } else if (isOurs(start, openedMs) || before !== undefined) {
      this.history.add(slice, figures, columns);
    }
  }

  #addNumber(metric: Metric, point: NumberDataPoint, slice: number, openedMs: number): void {
    if (point.value.case === undefined) return;
    if ((point.flags & DataPointFlags.NO_RECORDED_VALUE_MASK) !== 0) return;
    const value = Number(point.value.value);
    const isGrowing = this.#isCumulative && metric.data.case === "sum" &&
      metric.data.value.isMonotonic;
    if (!isGrowing) return this.history.addNumber(slice, value);
    const before = this.#reached;
    const start = point.startTimeUnixNano;
    this.#reached = { start, count: 0, sum: value, columns: NO_COLUMNS };
    if (before === undefined) {
      if (isOurs(start, openedMs)) this.history.addNumber(slice, value);
    } else {
      const isReset = before.start !== start || value < before.sum;
      this.history.addNumber(slice, isReset ? value : value - before.sum);
    }
  }
}

const ONE_COLUMN = explicitLayout([]);
const NO_COLUMNS = new Float64Array();

/** A first reading that began before we listened tells nothing of what happened since. */
function isOurs(start: bigint, openedMs: number): boolean {
  return Number(start) / 1e6 >= openedMs;
}

function numberKind(metric: Metric): NumberKind {
  if (metric.data.case !== "sum") return "last";
  const isDelta = temporalityOf(metric) === "delta";
  return isDelta || metric.data.value.isMonotonic ? "added" : "last";
}

function isSound({ bucketCounts, explicitBounds }: HistogramDataPoint): boolean {
  if (bucketCounts.length === 0) return explicitBounds.length === 0;
  return bucketCounts.length === explicitBounds.length + 1;
}

/** Used again and again: what is kept is copied. */
let scratch = new Float64Array(64);

function scratchOf(columns: number): Float64Array {
  if (scratch.length < columns) scratch = new Float64Array(2 * columns);
  scratch.fill(0, 0, columns);
  return scratch.subarray(0, columns);
}

function explicitColumns({ bucketCounts, count }: HistogramDataPoint, size: number): Float64Array {
  const columns = scratchOf(size);
  // Without buckets everything is in one.
  if (bucketCounts.length === 0) columns[0] = Number(count);
  for (let i = 0; i < bucketCounts.length; i++) columns[i] = Number(bucketCounts[i]);
  return columns;
}

function base2Columns(point: ExponentialHistogramDataPoint, layout: Base2Layout): Float64Array {
  const columns = scratchOf(layout.columns);
  columns[layout.negative.size] = Number(point.zeroCount);
  for (const side of ["negative", "positive"] as const) {
    const { offset = 0, bucketCounts = [] } = point[side] ?? {};
    for (let i = 0; i < bucketCounts.length; i++) {
      const count = Number(bucketCounts[i]);
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

/** What was added since; undefined when a count went down, so that it began anew. The extremes are not known. */
function difference(
  now: Figures,
  columns: Float64Array,
  before: Reached,
): { readonly figures: Figures; readonly columns: Float64Array } | undefined {
  if (now.count < before.count) return undefined;
  for (let i = 0; i < columns.length; i++) {
    if ((columns[i] ?? 0) < (before.columns[i] ?? 0)) return undefined;
  }
  for (let i = 0; i < columns.length; i++) {
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
