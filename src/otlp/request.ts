import type { MetricData, ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { DataPointType } from "@opentelemetry/sdk-metrics";
import { ProtobufMetricsSerializer } from "@opentelemetry/otlp-transformer";

/** An export request as bytes: what is sent, sent again, kept and spooled. */
export interface EncodedRequest {
  /** The body as it goes over the wire. */
  readonly body: Uint8Array<ArrayBuffer>;
  readonly encoding: "gzip" | "identity";
  readonly points: number;
  /** The sum of its data points' counts. */
  readonly measurements: number;
}

/** What one request may hold. */
export interface RequestLimits {
  readonly points: number;
  /** Uncompressed. */
  readonly bytes: number;
}

/** Dynatrace's OTLP ingest documentation: 4 MB a request; 3,000 data points suggested, 15,000 allowed. */
export const DYNATRACE_REQUEST: RequestLimits = { points: 3000, bytes: 4_000_000 - 1 };
/** OTLP over HTTP: a receiver takes 64 MiB, uncompressed. */
export const OTLP_REQUEST: RequestLimits = { points: Infinity, bytes: 64 * 2 ** 20 - 1 };

/** A collection as one request, or as several where it goes beyond the limits; nothing recorded: none. */
export async function encodeRequests(
  collection: ResourceMetrics,
  limits: RequestLimits,
  compression: "gzip" | "none",
): Promise<readonly EncodedRequest[]> {
  const requests: EncodedRequest[] = [];
  for (const part of splitPoints(collection, limits.points)) {
    for (const { metrics, bytes } of serialize(part, limits.bytes)) {
      requests.push({
        body: compression === "gzip" ? await gzip(bytes) : bytes,
        encoding: compression === "gzip" ? "gzip" : "identity",
        points: countPoints(metrics),
        measurements: countMeasurements(metrics),
      });
    }
  }
  return requests;
}

interface Serialized {
  readonly metrics: ResourceMetrics;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A single data point that is larger than the limit is left to the receiver to judge. */
function serialize(metrics: ResourceMetrics, mostBytes: number): readonly Serialized[] {
  const bytes = ProtobufMetricsSerializer.serializeRequest(metrics);
  if (bytes === undefined) throw new Error("The OTLP serializer gave no bytes");
  const points = countPoints(metrics);
  if (bytes.length <= mostBytes || points <= 1) return [{ metrics, bytes: new Uint8Array(bytes) }];
  return splitPoints(metrics, Math.ceil(points / 2)).flatMap((half) => serialize(half, mostBytes));
}

/** Parts of at most `most` data points each, in order; a data point itself is never changed. */
export function splitPoints(collection: ResourceMetrics, most: number): readonly ResourceMetrics[] {
  const total = countPoints(collection);
  if (total === 0) return [];
  if (total <= most) return [collection];
  const parts: ResourceMetrics[] = [];
  for (let from = 0; from < total; from += most) parts.push(slice(collection, from, from + most));
  return parts;
}

/** The data points `from` (inclusive) to `to` (exclusive), counted over all scopes and metrics. */
function slice(collection: ResourceMetrics, from: number, to: number): ResourceMetrics {
  let seen = 0;
  const scopeMetrics = collection.scopeMetrics.map((ofScope) => ({
    scope: ofScope.scope,
    metrics: ofScope.metrics.flatMap((metric) => {
      const part = withPoints(metric, from - seen, to - seen);
      seen += metric.dataPoints.length;
      return part.dataPoints.length === 0 ? [] : [part];
    }),
  }));
  return {
    resource: collection.resource,
    scopeMetrics: scopeMetrics.filter(({ metrics }) => metrics.length > 0),
  };
}

function withPoints<T extends MetricData>(metric: T, from: number, to: number): T {
  return { ...metric, dataPoints: metric.dataPoints.slice(Math.max(0, from), Math.max(0, to)) };
}

function allMetrics(collection: ResourceMetrics): readonly MetricData[] {
  return collection.scopeMetrics.flatMap(({ metrics }) => metrics);
}

function countPoints(collection: ResourceMetrics): number {
  return allMetrics(collection).reduce((sum, { dataPoints }) => sum + dataPoints.length, 0);
}

function countMeasurements(collection: ResourceMetrics): number {
  let sum = 0;
  for (const metric of allMetrics(collection)) {
    if (
      metric.dataPointType === DataPointType.HISTOGRAM ||
      metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM
    ) {
      for (const { value } of metric.dataPoints) sum += value.count;
    }
  }
  return sum;
}

export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
