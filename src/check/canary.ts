import { create, toBinary } from "@bufbuild/protobuf";
import type { MetricConfig } from "../config/metric_config.ts";
import { sampleBatch } from "../measurements/generate/sample.ts";
import type { Attributes } from "../measurements/measurement.ts";
import { ExportMetricsServiceRequestSchema } from "../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";

export interface Canary {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Keys of its attributes. */
  readonly dimensions: readonly string[];
  readonly exponential: boolean;
}

type Metric = Pick<MetricConfig, "name" | "unit" | "description" | "resource" | "attributes"> & {
  readonly bounds: readonly number[] | "exponential";
};

/** An export request with one sample measurement, a DELTA histogram of its own; `now` in ms since 1970. */
export function canary(metric: Metric, now: number, random: () => number): Canary {
  const [sample] = sampleBatch(random);
  const value = sample?.value ?? 0;
  const attributes: Attributes = { ...sample?.attributes, ...metric.attributes };
  const end = BigInt(Math.round(now)) * 1_000_000n;
  const point = {
    attributes: keyValues(attributes),
    startTimeUnixNano: end - 1_000_000n,
    timeUnixNano: end,
    count: 1n,
    sum: value,
    min: value,
    max: value,
  };
  const { name, unit, description, bounds } = metric;
  const aggregationTemporality = AggregationTemporality.DELTA;
  const data = bounds === "exponential"
    ? {
      case: "exponentialHistogram" as const,
      value: { aggregationTemporality, dataPoints: [{ ...point, ...exponential(value) }] },
    }
    : {
      case: "histogram" as const,
      value: { aggregationTemporality, dataPoints: [{ ...point, ...explicit(value, bounds) }] },
    };
  const request = create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      resource: { attributes: keyValues(metric.resource) },
      scopeMetrics: [{
        scope: { name: "example-meter", version: "1.0.0" },
        metrics: [{ name, unit, description, data }],
      }],
    }],
  });
  return {
    body: toBinary(ExportMetricsServiceRequestSchema, request),
    dimensions: Object.keys(attributes),
    exponential: bounds === "exponential",
  };
}

function explicit(value: number, bounds: readonly number[]) {
  const found = bounds.findIndex((bound) => value <= bound);
  const filled = found < 0 ? bounds.length : found;
  const bucketCounts = Array.from({ length: bounds.length + 1 }, (_, i) => i === filled ? 1n : 0n);
  return { explicitBounds: [...bounds], bucketCounts };
}

/** At scale 0 bucket i holds what is above 2^i and at most 2^(i+1); the sample is greater than 0. */
function exponential(value: number) {
  return { scale: 0, positive: { offset: Math.ceil(Math.log2(value)) - 1, bucketCounts: [1n] } };
}

function keyValues(attributes: Attributes) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: { value: held(value) } }));
}

function held(value: Attributes[string]) {
  switch (typeof value) {
    case "string":
      return { case: "stringValue" as const, value };
    case "boolean":
      return { case: "boolValue" as const, value };
    case "number":
      return Number.isSafeInteger(value)
        ? { case: "intValue" as const, value: BigInt(value) }
        : { case: "doubleValue" as const, value };
  }
}
