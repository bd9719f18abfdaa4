import {
  AggregationTemporality,
  type Metric,
} from "../../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import type { Hide } from "../../redact/secrets.ts";
import type { ExportMetricsServiceRequest } from "../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { dataPointsOf, metricsIn } from "../../otlp/data_points.ts";

/** Aggregation temporality of a metric. */
export type Temporality = "delta" | "cumulative" | "unspecified";

/** One metric of a request, wherever in it its data points are. */
export interface MetricEntry {
  readonly name: string;
  /** Type as in OTLP/JSON: `histogram`, `exponentialHistogram`, `sum`, `gauge`, `summary`; null for none of these. */
  readonly type: string | null;
  readonly unit: string;
  /** Temporality; null for a type without one. */
  readonly temporality: Temporality | null;
  readonly points: number;
  /** Keys of its data points' attributes, each once. */
  readonly attributes: readonly string[];
}

/** Maximum number of metrics, so that a request of nothing but names still makes one line. */
const MOST_METRICS = 1000;
const MOST_KEYS = 200;

/** Lists the metrics of a request in order, and how many more there are. */
export function listMetrics(
  request: ExportMetricsServiceRequest | undefined,
  hide: Hide = (text) => text,
): { readonly metrics: readonly MetricEntry[]; readonly more: number } {
  const entries = new Map<string, MetricEntry & { points: number; keys: Set<string> }>();
  const left = new Set<string>();
  for (const metric of request === undefined ? [] : metricsIn(request)) {
    const { name, unit } = metric;
    const type = metric.data.case ?? null;
    const temporality = temporalityOf(metric);
    const id = JSON.stringify([name, type, unit, temporality]);
    let entry = entries.get(id);
    if (entry === undefined) {
      if (entries.size >= MOST_METRICS) {
        left.add(id);
        continue;
      }
      entry = { name, type, unit, temporality, points: 0, attributes: [], keys: new Set() };
      entries.set(id, entry);
    }
    for (const { attributes } of dataPointsOf(metric)) {
      entry.points++;
      for (const { key } of attributes) if (entry.keys.size < MOST_KEYS) entry.keys.add(key);
    }
  }
  const metrics = [...entries.values()].map(({ keys, ...entry }) => ({
    ...entry,
    name: hide(entry.name),
    unit: hide(entry.unit),
    attributes: [...keys].map(hide),
  }));
  return { metrics, more: left.size };
}

/** Returns a metric's aggregation temporality; null for a type without one. */
export function temporalityOf({ data: { value } }: Metric): Temporality | null {
  if (value === undefined || !("aggregationTemporality" in value)) return null;
  switch (value.aggregationTemporality) {
    case AggregationTemporality.DELTA:
      return "delta";
    case AggregationTemporality.CUMULATIVE:
      return "cumulative";
    default:
      return "unspecified";
  }
}
