// Requests for the tests of the rules, and URLs to send them to.

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { AnyValueSchema } from "../../../src/otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import {
  AggregationTemporality,
  type HistogramDataPoint,
  type HistogramDataPointSchema,
  type MetricSchema,
} from "../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";

export type MetricInit = MessageInitShape<typeof MetricSchema>;
export type HistogramPoint = Exclude<
  MessageInitShape<typeof HistogramDataPointSchema>,
  HistogramDataPoint
>;
export type Value = NonNullable<MessageInitShape<typeof AnyValueSchema>["value"]>;
export type Attributes = Readonly<Record<string, Value>>;

export const NOW = Date.UTC(2026, 0, 31, 12);
export const NANOS = 1_000_000n;
export const { DELTA, CUMULATIVE, UNSPECIFIED } = AggregationTemporality;

export const at = (ms: number) => ({ timeUnixNano: BigInt(ms) * NANOS });
export const POINT: HistogramPoint = {
  startTimeUnixNano: BigInt(NOW - 1000) * NANOS,
  ...at(NOW),
  count: 2n,
  sum: 9,
  min: 3,
  max: 6,
  bucketCounts: [1n, 1n],
  explicitBounds: [5],
};

export const text = (value: string): Value => ({ case: "stringValue", value });
export const keyValues = (attributes: Attributes = {}) =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: { value } }));
export const many = (count: number, prefix = "k"): Attributes =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, text("v")]));

export function histogram(change: HistogramPoint = {}, about: MetricInit = {}): MetricInit {
  return points([{ ...POINT, ...change }], about);
}

export function points(dataPoints: HistogramPoint[], about: MetricInit = {}): MetricInit {
  const value = { aggregationTemporality: DELTA, dataPoints };
  return { name: "my.metric", unit: "ms", data: { case: "histogram", value }, ...about };
}

export function typed(data: NonNullable<MetricInit["data"]>): MetricInit {
  return { name: "my.metric", unit: "1", data };
}

export function temporality(aggregationTemporality: AggregationTemporality): MetricInit {
  const value = { aggregationTemporality, dataPoints: [POINT] };
  return typed({ case: "histogram", value });
}

export function sum(
  aggregationTemporality: AggregationTemporality,
  isMonotonic: boolean,
): MetricInit {
  const dataPoints = [{ ...at(NOW), value: { case: "asInt" as const, value: 1n } }];
  return typed({ case: "sum", value: { aggregationTemporality, isMonotonic, dataPoints } });
}

export function gauge(value: number): MetricInit {
  const dataPoints = [{ ...at(NOW), value: { case: "asDouble" as const, value } }];
  return typed({ case: "gauge", value: { dataPoints } });
}

const EXPONENTIAL_POINT = {
  ...at(NOW),
  count: 1n,
  sum: 3,
  positive: { offset: 1, bucketCounts: [1n] },
};

export function exponential(
  aggregationTemporality = DELTA,
  change: { sum?: number | undefined } = {},
): MetricInit {
  const dataPoints = [{ ...EXPONENTIAL_POINT, ...change }];
  return typed({ case: "exponentialHistogram", value: { aggregationTemporality, dataPoints } });
}

export const SUMMARY = typed({
  case: "summary",
  value: { dataPoints: [{ ...at(NOW), count: 1n, sum: 1 }] },
});

export function request(
  metrics: readonly MetricInit[],
  { resource, scope }: { readonly resource?: Attributes; readonly scope?: Attributes } = {},
): ExportMetricsServiceRequest {
  return create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      resource: { attributes: keyValues(resource) },
      scopeMetrics: [{
        scope: { name: "s", attributes: keyValues(scope) },
        metrics: [...metrics],
      }],
    }],
  });
}

export const MANAGED = new URL("https://dt.example/e/abc/api/v2/otlp/v1/metrics");
export const SAAS = new URL("https://abc.live.dynatrace.com/api/v2/otlp/v1/metrics");
export const attribute = (key: string, value: Value = text("v")) =>
  request([histogram({ attributes: keyValues({ [key]: value }) })]);
export const metric = (about: MetricInit) => request([histogram({}, about)]);
export const withBounds = (...explicitBounds: number[]) =>
  request([histogram({
    explicitBounds,
    bucketCounts: [2n, ...explicitBounds.map(() => 0n)],
  })]);
export const bounds = (count: number) => Array.from({ length: count }, (_, i) => i + 5);
