import { toJson } from "@bufbuild/protobuf";
import { decodeRequest } from "./decode.ts";
import { ExportMetricsServiceRequestSchema } from "./gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { plainBody } from "./gzip.ts";
import type { EncodedRequest } from "./request.ts";

// Import this module dynamically where `send` alone does not need it: the schema costs time at start.

/**
 * What is in a request, or in none, as an OTLP/JSON document (OTLP specification, "JSON Protobuf Encoding"): enums as
 * integers, 64-bit integers as strings. It is read from the very bytes that would be sent.
 */
export async function otlpJson(request: EncodedRequest | undefined, indent = 2): Promise<string> {
  const document = request === undefined ? { resourceMetrics: [] } : toJson(
    ExportMetricsServiceRequestSchema,
    decodeRequest(await plainBody(request)),
    { enumAsInteger: true },
  );
  return JSON.stringify(document, undefined, indent);
}
