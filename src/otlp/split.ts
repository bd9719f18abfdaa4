import { toBinary } from "@bufbuild/protobuf";
import { decodeRequest } from "./decode.ts";
import {
  ExportMetricsServiceRequestSchema,
} from "./gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { gzip, plainBody } from "./gzip.ts";
import type { EncodedRequest } from "./request.ts";

/** Splits a request into two halves with equally many data points, which stay unchanged. */
export async function splitRequest(
  request: EncodedRequest,
): Promise<readonly [EncodedRequest, EncodedRequest]> {
  const { encoding, points } = request;
  const bytes = await plainBody(request);
  const part = async (from: number, to: number): Promise<EncodedRequest> => {
    const { half, measurements } = pointsBetween(bytes, from, to);
    return {
      body: encoding === "gzip" ? await gzip(half) : half,
      encoding,
      points: to - from,
      measurements,
    };
  };
  const middle = Math.ceil(points / 2);
  return [await part(0, middle), await part(middle, points)];
}

/**
 * Decodes a request and keeps only its data points `from` (inclusive) to `to` (exclusive); returns it with the sum of
 * their counts.
 */
function pointsBetween(bytes: Uint8Array, from: number, to: number) {
  const request = decodeRequest(bytes);
  let seen = 0;
  let measurements = 0;
  for (const scope of request.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics)) {
    for (const { data } of scope.metrics) {
      const points = data.value?.dataPoints ?? [];
      const before = seen;
      seen += points.length;
      points.splice(Math.max(0, to - before));
      points.splice(0, Math.max(0, from - before));
      for (const point of points) measurements += "count" in point ? Number(point.count) : 1;
    }
    scope.metrics = scope.metrics.filter(({ data }) => data.value?.dataPoints.length !== 0);
  }
  for (const resource of request.resourceMetrics) {
    resource.scopeMetrics = resource.scopeMetrics.filter(({ metrics }) => metrics.length > 0);
  }
  request.resourceMetrics = request.resourceMetrics.filter(({ scopeMetrics }) =>
    scopeMetrics.length > 0
  );
  return { half: toBinary(ExportMetricsServiceRequestSchema, request), measurements };
}
