import type { ExportMetricsServiceRequest } from "./gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type {
  ExponentialHistogramDataPoint,
  HistogramDataPoint,
  Metric,
  NumberDataPoint,
  SummaryDataPoint,
} from "./gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";

/** A decoded data point of any type of metric. */
export type DataPoint =
  | HistogramDataPoint
  | ExponentialHistogramDataPoint
  | NumberDataPoint
  | SummaryDataPoint;

/** Every metric of a request, whatever resource and scope it belongs to. */
export function* metricsIn(request: ExportMetricsServiceRequest): Generator<Metric> {
  for (const resource of request.resourceMetrics) {
    for (const scope of resource.scopeMetrics) yield* scope.metrics;
  }
}

/** The data points of a metric of any type. */
export function dataPointsOf(metric: Metric): readonly DataPoint[] {
  return metric.data.value?.dataPoints ?? [];
}

/** How many measurements a data point stands for. */
export function pointCount(point: DataPoint): bigint {
  return "count" in point ? point.count : 0n;
}
