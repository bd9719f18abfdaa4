import { toBinary } from "@bufbuild/protobuf";
import { gzip } from "./gzip.ts";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "./gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { type DataPoint, dataPointsOf, isStaleMarker, metricsIn } from "./data_points.ts";
import type { EncodedRequest, RequestFormat, RequestLimits } from "./request.ts";
import { splitRequest } from "./split.ts";

// Import this module dynamically where `send` alone does not need it: the schema costs time at start.

/** Encodes a decoded request, in parts if it exceeds the limits. */
export async function encodeMessage(
  request: ExportMetricsServiceRequest,
  { limits, compression }: RequestFormat,
): Promise<readonly EncodedRequest[]> {
  const points = [...dataPointsIn(request)];
  const body = toBinary(ExportMetricsServiceRequestSchema, request);
  const whole: EncodedRequest = {
    body,
    encoding: "identity",
    points: points.length,
    measurements: points.reduce((sum, point) => sum + measurementCountOf(point), 0),
  };
  const parts = await fitting(whole, limits);
  if (compression === "none") return parts;
  return await Promise.all(
    parts.map(async (part) => ({
      ...part,
      body: await gzip(part.body),
      encoding: "gzip" as const,
    })),
  );
}

async function fitting(
  request: EncodedRequest,
  limits: RequestLimits,
): Promise<readonly EncodedRequest[]> {
  const fits = request.points <= limits.points && request.body.length <= limits.bytes;
  // A single data point that is too large is the receiver's to refuse.
  if (fits || request.points < 2) return [request];
  const halves = await splitRequest(request);
  return (await Promise.all(halves.map((half) => fitting(half, limits)))).flat();
}

/** Iterates over all data points of a request. */
export function* dataPointsIn(request: ExportMetricsServiceRequest): Generator<DataPoint> {
  for (const metric of metricsIn(request)) yield* dataPointsOf(metric);
}

/** Returns a data point's count; 1 for a gauge or a sum, which has none, and 0 for a stale marker. */
export function measurementCountOf(point: DataPoint): number {
  if (isStaleMarker(point)) return 0;
  return "count" in point ? Number(point.count) : 1;
}

/**
 * Returns the latest time of a request's data points, in ns since 1970: when it was made. Undefined if they have none.
 */
export function latestTime(request: ExportMetricsServiceRequest): bigint | undefined {
  let latest = 0n;
  for (const { timeUnixNano } of dataPointsIn(request)) {
    if (timeUnixNano > latest) latest = timeUnixNano;
  }
  return latest === 0n ? undefined : latest;
}

/** Moves all times of a request by `by` ns, except those that are not set. */
export function shiftTimes(request: ExportMetricsServiceRequest, by: bigint): void {
  const shifted = (time: bigint) => {
    if (time === 0n) return time;
    const moved = time + by;
    return moved < 0n ? 0n : moved > MOST_TIME ? MOST_TIME : moved;
  };
  for (const point of dataPointsIn(request)) {
    point.startTimeUnixNano = shifted(point.startTimeUnixNano);
    point.timeUnixNano = shifted(point.timeUnixNano);
    if (!("exemplars" in point)) continue;
    for (const exemplar of point.exemplars) exemplar.timeUnixNano = shifted(exemplar.timeUnixNano);
  }
}

/** Maximum of a fixed64. */
const MOST_TIME = 2n ** 64n - 1n;
