import { identityOf, scopeIdentity } from "./attribute_identity.ts";
import { addExponentialTotals, type ExponentialTotal, totalOfPoint } from "./exponential_total.ts";
import { type DataPoint, dataPointsOf, isStaleMarker } from "./data_points.ts";
import type { ExportMetricsServiceRequest } from "./gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { KeyValue } from "./gen/opentelemetry/proto/common/v1/common_pb.ts";
import {
  AggregationTemporality,
  type ExponentialHistogramDataPoint,
  type HistogramDataPoint,
  type Metric,
} from "./gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";

// Loads the OTLP schema: import this module dynamically.

/** Parts of a series' identity that a comparison leaves out. */
export interface IgnoredParts {
  /** Keys of data points' attributes. */
  readonly attributes: readonly string[];
  readonly resource: boolean;
  readonly scope: boolean;
}

/** Counts of explicit buckets: one more than upper bounds. */
export interface ExplicitTotal {
  readonly kind: "explicit";
  readonly bounds: readonly number[];
  readonly counts: readonly bigint[];
}

/** Buckets of one layout: explicit ones of the same bounds, or all exponential ones. */
export type BucketTotal = ExplicitTotal | ExponentialTotal;

/** Everything that one file says about one series. */
export interface SeriesTotal {
  readonly metric: string;
  /** Equal for series of the same resource and scope, as far as these are not ignored. */
  readonly origin: string;
  readonly attributes: readonly KeyValue[];
  readonly resource: readonly KeyValue[];
  readonly units: ReadonlySet<string>;
  readonly count: bigint;
  /** Undefined when a data point with measurements has none. */
  readonly sum: number | undefined;
  /** Undefined when a data point with measurements has none. */
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** By layout: a series whose bounds changed has several. */
  readonly buckets: ReadonlyMap<string, BucketTotal>;
}

type HistogramPoint = HistogramDataPoint | ExponentialHistogramDataPoint;

/** Figures of one data point, or the difference between two. */
interface Figures {
  readonly count: bigint;
  readonly sum: number | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly layout: string;
  readonly buckets: BucketTotal;
}

/** Cumulative data points of one source and one start time. */
interface Readings {
  /** Whether the start time is known, so that a series that begins again has another one. */
  readonly hasStart: boolean;
  readonly byTime: Map<bigint, Figures>;
}

class Series {
  readonly metric: string;
  readonly origin: string;
  readonly attributes: readonly KeyValue[];
  readonly resource: readonly KeyValue[];
  readonly units = new Set<string>();
  readonly buckets = new Map<string, BucketTotal>();
  readonly cumulative = new Map<string, Readings>();
  count = 0n;
  sum: number | undefined = 0;
  min: number | undefined = Infinity;
  max: number | undefined = -Infinity;

  constructor(
    metric: string,
    origin: string,
    attributes: readonly KeyValue[],
    resource: readonly KeyValue[],
  ) {
    this.metric = metric;
    this.origin = origin;
    this.attributes = attributes;
    this.resource = resource;
  }

  add({ count, sum, min, max, layout, buckets }: Figures): void {
    this.count += count;
    if (count > 0n) {
      const both = (
        a: number | undefined,
        b: number | undefined,
        join: (a: number, b: number) => number,
      ) => a === undefined || b === undefined ? undefined : join(a, b);
      this.sum = both(this.sum, sum, (a, b) => a + b);
      this.min = both(this.min, min, Math.min);
      this.max = both(this.max, max, Math.max);
    }
    const known = this.buckets.get(layout);
    this.buckets.set(layout, known === undefined ? buckets : addBucketTotals(known, buckets));
  }

  /** Keeps a cumulative data point. `source` tells apart what a comparison that ignores parts takes for one series. */
  keep(source: string, start: bigint, time: bigint, figures: Figures): void {
    const key = `${start} ${source}`;
    const known = this.cumulative.get(key);
    const { hasStart, byTime } = known ?? { hasStart: start !== 0n, byTime: new Map() };
    if (known === undefined) this.cumulative.set(key, { hasStart, byTime });
    // The last reading says everything of a series that only grew. Without a start time it may have begun again anywhere.
    if (hasStart && byTime.size === 1) {
      for (const [other, before] of byTime) {
        if (time < other && figures.count <= before.count) return;
        if (time > other && figures.count >= before.count) byTime.delete(other);
      }
    }
    byTime.set(time, figures);
  }

  /** Adds what the cumulative data points gained. A series starts at 0, and again where its count falls. */
  settle(): void {
    for (const { hasStart, byTime } of this.cumulative.values()) {
      const inOrder = [...byTime].sort(([a], [b]) => a < b ? -1 : 1).map(([, figures]) => figures);
      const beginsAgain = hasStart ? hasLess : cannotFollow;
      inOrder.forEach((figures, i) => {
        const next = inOrder[i + 1];
        if (next === undefined || beginsAgain(next, figures)) this.add(figures);
      });
    }
    this.cumulative.clear();
  }
}

/** Totals of the histograms of a file, by series, whatever their batching, order and intervals. */
export class CaptureTotals {
  readonly #ignored: IgnoredParts;
  readonly #series = new Map<string, Series>();
  readonly #others = new Map<string, Set<string>>();

  constructor(ignored: IgnoredParts) {
    this.#ignored = ignored;
  }

  /** Names of the metrics of other types, by type as in OTLP/JSON. */
  get others(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#others;
  }

  add(request: ExportMetricsServiceRequest): void {
    const { resource: noResource, scope: noScope } = this.#ignored;
    for (const { resource, scopeMetrics } of request.resourceMetrics) {
      const attributes = resource?.attributes ?? [];
      const ofResource = noResource ? [] : attributes;
      for (const { scope, metrics } of scopeMetrics) {
        const key = JSON.stringify([
          identityOf(ofResource),
          noScope ? "" : scopeIdentity(scope),
        ]);
        const ignored = [
          ...noResource ? [identityOf(attributes)] : [],
          ...noScope ? [scopeIdentity(scope)] : [],
        ];
        for (const metric of metrics) this.#addMetric(key, ignored, metric, ofResource);
      }
    }
  }

  #addMetric(
    key: string,
    ignored: readonly string[],
    metric: Metric,
    resource: readonly KeyValue[],
  ): void {
    const { name, unit, data } = metric;
    if (data.case !== "histogram" && data.case !== "exponentialHistogram") {
      if (data.case === undefined || dataPointsOf(metric).length === 0) return;
      const names = this.#others.get(data.case) ?? new Set();
      this.#others.set(data.case, names.add(name));
      return;
    }
    const isCumulative = data.value.aggregationTemporality === AggregationTemporality.CUMULATIVE;
    for (const point of data.value.dataPoints) {
      if (isStaleMarker(point)) continue;
      const series = this.#seriesOf(key, name, point, resource);
      series.units.add(unit);
      if (isCumulative) {
        const source = JSON.stringify([...ignored, ...this.#ignoredAttributes(point), unit]);
        series.keep(source, point.startTimeUnixNano, point.timeUnixNano, figuresOfPoint(point));
      } else series.add(figuresOfPoint(point));
    }
  }

  #ignoredAttributes({ attributes }: DataPoint): readonly string[] {
    const { attributes: ignored } = this.#ignored;
    return ignored.length === 0 ? [] : [identityOf(attributes)];
  }

  #seriesOf(key: string, name: string, point: DataPoint, resource: readonly KeyValue[]): Series {
    const { attributes: ignored } = this.#ignored;
    const attributes = point.attributes.filter((attribute) => !ignored.includes(attribute.key));
    const identity = JSON.stringify([key, name, identityOf(attributes)]);
    const known = this.#series.get(identity);
    if (known !== undefined) return known;
    const series = new Series(name, key, attributes, resource);
    this.#series.set(identity, series);
    return series;
  }

  /** Returns the series that have measurements, by identity. */
  totals(): ReadonlyMap<string, SeriesTotal> {
    for (const series of this.#series.values()) series.settle();
    return new Map([...this.#series].filter(([, { count }]) => count > 0n));
  }
}

function hasLess(next: Figures, { count }: Figures): boolean {
  return next.count < count;
}

/** Whether a cumulative data point cannot follow an earlier one: its count, one of its buckets or its bounds say so. */
function cannotFollow(next: Figures, { count, buckets }: Figures): boolean {
  if (next.count < count) return true;
  if (next.buckets.kind === "exponential" || buckets.kind === "exponential") {
    return next.buckets.kind !== buckets.kind;
  }
  const { bounds, counts } = next.buckets;
  return bounds.length !== buckets.bounds.length ||
    bounds.some((bound, i) => bound !== buckets.bounds[i]) ||
    counts.some((each, i) => each < (buckets.counts[i] ?? 0n));
}

function figuresOfPoint(point: HistogramPoint): Figures {
  const { count, sum, min, max } = point;
  if (point.$typeName === "opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint") {
    return { count, sum, min, max, layout: "exponential", buckets: totalOfPoint(point) };
  }
  const { explicitBounds: bounds, bucketCounts } = point;
  // Without bounds there is one bucket, whether it is written or not.
  const counts = bucketCounts.length === 0 && bounds.length === 0 ? [count] : bucketCounts;
  return {
    ...{ count, sum, min, max },
    layout: bounds.join(" "),
    buckets: { kind: "explicit", bounds, counts },
  };
}

/** Adds buckets of the same layout. */
export function addBucketTotals(a: BucketTotal, b: BucketTotal): BucketTotal {
  if (a.kind === "exponential" && b.kind === "exponential") {
    return addExponentialTotals(a, b);
  }
  if (a.kind === "explicit" && b.kind === "explicit") {
    const length = Math.max(a.counts.length, b.counts.length);
    const counts = Array.from({ length }, (_, i) => (a.counts[i] ?? 0n) + (b.counts[i] ?? 0n));
    return { kind: "explicit", bounds: a.bounds, counts };
  }
  throw new Error("buckets of different layouts cannot be added");
}
