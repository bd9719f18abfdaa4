import { fromBinary } from "@bufbuild/protobuf";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type {
  AnyValue,
  KeyValue,
} from "../../src/otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import {
  AggregationTemporality,
  type HistogramDataPoint,
  type Metric,
} from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { concat } from "./http.ts";

/** An integer is a bigint here, so that a test sees whether 200 went as one or as a double. */
export type Value = string | boolean | bigint | number | undefined | readonly Value[];
export type Values = Readonly<Record<string, Value>>;

export interface Point {
  readonly attributes: Values;
  readonly count: number;
  readonly sum: number | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  /** Nanoseconds since 1970, as is `end`. */
  readonly start: bigint;
  readonly end: bigint;
}

export interface Histogram {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly temporality: "delta" | "cumulative" | "unspecified";
  readonly points: readonly Point[];
}

export interface Decoded {
  readonly resource: Values;
  readonly scope: { readonly name: string; readonly version: string };
  readonly metrics: readonly Histogram[];
}

/** An export request of histograms from one resource and one scope; throws for any other. */
export function decode(bytes: Uint8Array): Decoded {
  const { resourceMetrics } = fromBinary(ExportMetricsServiceRequestSchema, bytes);
  const { resource, scopeMetrics } = only(resourceMetrics, "resource");
  const { scope, metrics } = only(scopeMetrics, "scope");
  return {
    resource: values(resource?.attributes ?? []),
    scope: { name: scope?.name ?? "", version: scope?.version ?? "" },
    metrics: metrics.map(histogram),
  };
}

/** An ExportMetricsServiceResponse with a partial success in it (OTLP, metrics_service.proto). */
export function partialSuccess(rejectedDataPoints: number, message: string): Uint8Array {
  return field(1, concat([integer(1, rejectedDataPoints), field(2, message)]));
}

/** A google.rpc.Status, which OTLP has in the body of an error. */
export function rpcStatus(code: number, message: string): Uint8Array {
  return concat([integer(1, code), field(2, message)]);
}

function histogram({ name, unit, description, data }: Metric): Histogram {
  if (data.case !== "histogram") throw new Error(`${name} is no histogram but a ${data.case}`);
  const { aggregationTemporality, dataPoints } = data.value;
  return {
    name,
    unit,
    description,
    temporality: temporality(aggregationTemporality),
    points: dataPoints.map(point),
  };
}

function temporality(value: AggregationTemporality): Histogram["temporality"] {
  switch (value) {
    case AggregationTemporality.DELTA:
      return "delta";
    case AggregationTemporality.CUMULATIVE:
      return "cumulative";
    default:
      return "unspecified";
  }
}

function point(of: HistogramDataPoint): Point {
  return {
    attributes: values(of.attributes),
    count: Number(of.count),
    sum: of.sum,
    min: of.min,
    max: of.max,
    bounds: of.explicitBounds,
    counts: of.bucketCounts.map(Number),
    start: of.startTimeUnixNano,
    end: of.timeUnixNano,
  };
}

function values(attributes: readonly KeyValue[]): Values {
  const keys = new Set(attributes.map(({ key }) => key));
  if (keys.size !== attributes.length) throw new Error(`A key comes twice: ${[...keys]}`);
  return Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf(of: AnyValue | undefined): Value {
  const value = of?.value;
  switch (value?.case) {
    case "stringValue":
    case "boolValue":
    case "intValue":
    case "doubleValue":
      return value.value;
    case "arrayValue":
      return value.value.values.map(valueOf);
    case undefined:
      return undefined;
    default:
      throw new Error(`An attribute's value is a ${value?.case}`);
  }
}

function only<T>(list: readonly T[], what: string): T {
  const [first] = list;
  if (first === undefined || list.length > 1) {
    throw new Error(`Expected one ${what}, got ${list.length}`);
  }
  return first;
}

// Protocol buffers, "Encoding": a field is its number and wire type (0 varint, 2 length-delimited).

function integer(number: number, value: number): Uint8Array {
  return Uint8Array.of(number << 3, ...varint(value));
}

function field(number: number, value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return concat([Uint8Array.of(number << 3 | 2, ...varint(bytes.length)), bytes]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  return [...bytes, value];
}
