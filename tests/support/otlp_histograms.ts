import { create, toBinary } from "@bufbuild/protobuf";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";

/** One series of a request: counts between the bounds 10, 50 and 100 ms. */
export interface HistogramSeries {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly counts: readonly number[];
  /** Count of all values, where it is to contradict them. */
  readonly count?: number;
}

/** A request of delta histograms, each a metric of its own. */
export function histogramRequest(series: readonly HistogramSeries[]): ExportMetricsServiceRequest {
  return create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      resource: { attributes: [attribute("service.name", "shop")] },
      scopeMetrics: [{
        metrics: series.map(({ name, attributes = {}, counts, count = total(counts) }) => ({
          name,
          unit: "ms",
          data: {
            case: "histogram" as const,
            value: {
              aggregationTemporality: AggregationTemporality.DELTA,
              dataPoints: [{
                attributes: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
                startTimeUnixNano: 1n,
                timeUnixNano: 2n,
                count: BigInt(count),
                bucketCounts: counts.map(BigInt),
                explicitBounds: [10, 50, 100],
              }],
            },
          },
        })),
      }],
    }],
  });
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The same as bytes. */
export function histogramBody(series: readonly HistogramSeries[]): Uint8Array<ArrayBuffer> {
  return toBinary(ExportMetricsServiceRequestSchema, histogramRequest(series));
}

function attribute(key: string, value: string) {
  return { key, value: { value: { case: "stringValue" as const, value } } };
}
