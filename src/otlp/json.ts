import { decodeRequest } from "./decode.ts";
import { plainBody } from "./gzip.ts";
import { toJsonRequest } from "./json_request.ts";
import type { EncodedRequest } from "./request.ts";

// Import this module dynamically where `send` alone does not need it: the schema costs time at start.

/**
 * Formats a request, or none, as an OTLP/JSON document (OTLP specification, "JSON Protobuf Encoding"). It reads the
 * very bytes that would be sent.
 */
export async function otlpJson(request: EncodedRequest | undefined, indent = 2): Promise<string> {
  const document = request === undefined
    ? { resourceMetrics: [] }
    : toJsonRequest(decodeRequest(await plainBody(request)));
  return JSON.stringify(document, undefined, indent);
}
