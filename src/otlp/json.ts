import { type DescMessage, equals, type MessageShape, toJson } from "@bufbuild/protobuf";
import { decodeRequest } from "./decode.ts";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "./gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { InstrumentationScopeSchema } from "./gen/opentelemetry/proto/common/v1/common_pb.ts";
import type {
  Metric,
  ResourceMetrics,
  ScopeMetrics,
} from "./gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { ResourceSchema } from "./gen/opentelemetry/proto/resource/v1/resource_pb.ts";
import { gunzip } from "./gzip.ts";
import type { EncodedRequest } from "./request.ts";

// Import this module dynamically where `send` alone does not need it: the schema costs time at start.

/**
 * What is in these requests as one OTLP/JSON document (OTLP specification, "JSON Protobuf Encoding"): enums as integers,
 * 64-bit integers as strings. It is read from the very bytes that would be sent.
 */
export async function otlpJson(requests: readonly EncodedRequest[], indent = 2): Promise<string> {
  const [whole, ...others] = await Promise.all(requests.map(decoded));
  if (whole === undefined) return JSON.stringify({ resourceMetrics: [] }, undefined, indent);
  for (const other of others) merge(whole, other);
  const document = toJson(ExportMetricsServiceRequestSchema, whole, { enumAsInteger: true });
  return JSON.stringify(document, undefined, indent);
}

async function decoded(request: EncodedRequest): Promise<ExportMetricsServiceRequest> {
  const { body, encoding } = request;
  return decodeRequest(encoding === "gzip" ? await gunzip(body) : body);
}

/** Undoes a split: what is around data points is there once. */
function merge(whole: ExportMetricsServiceRequest, part: ExportMetricsServiceRequest): void {
  for (const theirs of part.resourceMetrics) {
    const ours = whole.resourceMetrics.find(({ resource }) =>
      same(ResourceSchema, resource, theirs.resource)
    );
    if (ours === undefined) whole.resourceMetrics.push(theirs);
    else mergeScopes(ours, theirs);
  }
}

function mergeScopes(whole: ResourceMetrics, part: ResourceMetrics): void {
  for (const theirs of part.scopeMetrics) {
    const ours = whole.scopeMetrics.find(({ scope }) =>
      same(InstrumentationScopeSchema, scope, theirs.scope)
    );
    if (ours === undefined) whole.scopeMetrics.push(theirs);
    else mergeMetrics(ours, theirs);
  }
}

function mergeMetrics(whole: ScopeMetrics, part: ScopeMetrics): void {
  for (const theirs of part.metrics) {
    const ours = whole.metrics.find((metric) => isSameMetric(metric, theirs));
    if (ours === undefined) whole.metrics.push(theirs);
    else addPoints(ours, theirs);
  }
}

function isSameMetric(a: Metric, b: Metric): boolean {
  return a.name === b.name && a.unit === b.unit && a.description === b.description &&
    a.data.case === b.data.case;
}

function addPoints({ data: ours }: Metric, { data: theirs }: Metric): void {
  if (ours.case === "histogram" && theirs.case === "histogram") {
    ours.value.dataPoints = [...ours.value.dataPoints, ...theirs.value.dataPoints];
  } else if (ours.case === "exponentialHistogram" && theirs.case === "exponentialHistogram") {
    ours.value.dataPoints = [...ours.value.dataPoints, ...theirs.value.dataPoints];
  }
}

function same<D extends DescMessage>(
  schema: D,
  a: MessageShape<D> | undefined,
  b: MessageShape<D> | undefined,
): boolean {
  return a === undefined || b === undefined ? a === b : equals(schema, a, b);
}
