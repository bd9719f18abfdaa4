import { identityOf, scopeIdentity } from "../../otlp/attribute_identity.ts";
import type { ExportMetricsServiceRequest } from "../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  AggregationTemporality,
  type Metric,
} from "../../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { type DataPoint, dataPointsOf, isStaleMarker } from "../../otlp/data_points.ts";
import type { Problem } from "../problem.ts";
import { type AddedValues, MeaningWatch } from "./watch.ts";

/** Approximate memory of the last running totals of cumulative series, in bytes. */
const MOST_BYTES = 16 * 2 ** 20;
const BYTES_PER_SERIES = 200;
/** Maximum length of what identifies a series, in UTF-16 units; a series with a longer one is not counted. */
const LONGEST_IDENTITY = 4096;

type Histogram = Extract<
  DataPoint,
  { readonly bucketCounts: unknown } | { readonly scale: number }
>;

/** Running total of a series that began at one start time. */
interface Total extends AddedValues {
  readonly time: bigint;
}

/**
 * Judges the histograms of decoded requests by the rules of meaning, over all requests of a run. A delta adds to what
 * was counted of its metric; of a running total only what it gained counts.
 */
export class RequestMeaning {
  readonly #watch = new MeaningWatch();
  readonly #totals = new Map<string, Total>();
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** Adds a request without its rejected data points; returns the rules that are broken for the first time. */
  add(
    request: ExportMetricsServiceRequest,
    rejected: ReadonlySet<DataPoint>,
  ): readonly Problem[] {
    for (const { resource, scopeMetrics } of request.resourceMetrics) {
      let ofResource: string | undefined;
      for (const { scope, metrics } of scopeMetrics) {
        let ofScope: string | undefined;
        // Only running totals have an identity to be found again by.
        const identity = () => {
          ofResource ??= identityOf(resource?.attributes ?? []);
          return ofScope ??= JSON.stringify([ofResource, scopeIdentity(scope)]);
        };
        for (const metric of metrics) this.#addMetric(metric, rejected, identity);
      }
    }
    return this.#watch.take();
  }

  #addMetric(metric: Metric, rejected: ReadonlySet<DataPoint>, scope: () => string): void {
    const { name, unit } = metric;
    const { value } = metric.data;
    if (value === undefined || !("aggregationTemporality" in value)) return;
    const isCumulative = value.aggregationTemporality === AggregationTemporality.CUMULATIVE;
    for (const point of dataPointsOf(metric)) {
      if (!isHistogram(point) || rejected.has(point) || isStaleMarker(point)) continue;
      const values = valuesOf(point);
      if (values === undefined) continue;
      const added = isCumulative
        ? this.#gained(`${scope()} ${JSON.stringify([name, unit])}`, point, values)
        : values;
      if (added !== undefined) this.#watch.add(name, unit, added);
    }
  }

  /**
   * Returns the values that a running total gained since the last one of its series; undefined if it is older than that,
   * or if there is no room to remember it.
   */
  #gained(metric: string, point: Histogram, values: AddedValues): AddedValues | undefined {
    // Processes with the same resource write the same series, each from its own start time.
    const key = `${metric} ${point.startTimeUnixNano} ${identityOf(point.attributes)}`;
    const total = {
      ...values,
      counts: values.counts.map(Number),
      time: point.timeUnixNano,
    };
    const last = this.#totals.get(key);
    if (last !== undefined && total.time < last.time) return undefined;
    if (last === undefined) {
      const bytes = BYTES_PER_SERIES + 2 * key.length + 24 * values.counts.length;
      if (key.length > LONGEST_IDENTITY || this.#bytes + bytes > this.#mostBytes) return undefined;
      this.#bytes += bytes;
    }
    this.#totals.set(key, total);
    return last === undefined ? values : gainSince(total, last);
  }
}

function isHistogram(point: DataPoint): point is Histogram {
  return "bucketCounts" in point || "scale" in point;
}

/** The values of a data point; undefined where its bounds and counts do not fit each other. */
function valuesOf(point: Histogram): AddedValues | undefined {
  const count = Number(point.count);
  if (!("bucketCounts" in point)) return { bounds: undefined, counts: [], count, sum: point.sum };
  const { explicitBounds: bounds, bucketCounts: counts, sum } = point;
  if (counts.length === 0 && bounds.length === 0) return { bounds: undefined, counts, count, sum };
  return counts.length === bounds.length + 1 ? { bounds, counts, count, sum } : undefined;
}

/** Returns the values that came after `last`; all of them if the series began again. */
function gainSince(total: Total, last: Total): AddedValues {
  const counts = total.counts.map((count, i) => Number(count) - Number(last.counts[i] ?? 0));
  const isSame = total.count >= last.count &&
    total.counts.length === last.counts.length && counts.every((count) => count >= 0) &&
    (total.bounds ?? []).every((bound, i) => bound === last.bounds?.[i]);
  if (!isSame) return total;
  return {
    bounds: total.bounds,
    counts,
    count: total.count - last.count,
    sum: total.sum === undefined || last.sum === undefined ? undefined : total.sum - last.sum,
  };
}
