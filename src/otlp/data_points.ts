import type { ExportMetricsServiceRequest } from "./gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type {
  ExponentialHistogramDataPoint,
  HistogramDataPoint,
  Metric,
  NumberDataPoint,
  SummaryDataPoint,
} from "./gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";

/** Decoded data point of any type of metric. */
export type DataPoint =
  | HistogramDataPoint
  | ExponentialHistogramDataPoint
  | NumberDataPoint
  | SummaryDataPoint;

/** Iterates over all metrics of a request, across resources and scopes. */
export function* metricsIn(request: ExportMetricsServiceRequest): Generator<Metric> {
  for (const resource of request.resourceMetrics) {
    for (const scope of resource.scopeMetrics) yield* scope.metrics;
  }
}

/** Returns the data points of a metric of any type. */
export function dataPointsOf(metric: Metric): readonly DataPoint[] {
  return metric.data.value?.dataPoints ?? [];
}

/** Bit of `flags` that says so (metrics.proto, DataPointFlags). A value import would load the whole schema. */
const NO_RECORDED_VALUE = 1;

/** Whether a data point says that nothing was recorded: a stale marker, whose figures mean nothing. */
export function isStaleMarker({ flags }: DataPoint): boolean {
  return (flags & NO_RECORDED_VALUE) !== 0;
}

/** Returns the number of measurements in a data point; 0 for a number, and for a stale marker. */
export function pointCount(point: DataPoint): bigint {
  return "count" in point && !isStaleMarker(point) ? point.count : 0n;
}
