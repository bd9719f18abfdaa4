const EXPORT = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/** Whether a client speaks OTLP/gRPC, by its path or its Content-Type. */
export function isGrpc(path: string, headers: Headers): boolean {
  return path === EXPORT || /^application\/grpc\b/i.test(headers.get("Content-Type") ?? "");
}

/** Message for a gRPC client: what to set instead. `url` is that of the request. */
export function grpcMessage(url: string): string {
  const origin = URL.parse(url)?.origin ?? "http://localhost:4318";
  return "this is a gRPC client, but only OTLP over HTTP is accepted here: set " +
    `OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf and OTEL_EXPORTER_OTLP_ENDPOINT=${origin} ` +
    "(4317 is the usual port of gRPC, 4318 that of HTTP)";
}

const UNIMPLEMENTED = 12;

/**
 * Creates the response that a gRPC library shows as the call's error: a "Trailers-Only" response (gRPC over HTTP/2,
 * "Responses"). Undefined for a client that reads no trailers, which is not one.
 */
export function grpcAnswer(headers: Headers, message: string): Response | undefined {
  if (headers.get("TE")?.toLowerCase() !== "trailers") return undefined;
  return new Response(null, {
    headers: {
      "Content-Type": "application/grpc",
      "grpc-status": String(UNIMPLEMENTED),
      "grpc-message": encodeURI(message),
    },
  });
}
