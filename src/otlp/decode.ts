import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
  type ExportMetricsServiceResponse,
  ExportMetricsServiceResponseSchema,
} from "./gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { type Status, StatusSchema } from "./gen/google/rpc/status_pb.ts";

// Import this module dynamically where `send` alone does not need it: the schema costs time at start.

/** Decodes an export request; throws if the bytes are not one. */
export function decodeRequest(bytes: Uint8Array): ExportMetricsServiceRequest {
  // Nobody looks at unknown fields, and a body of nothing else would fill the memory.
  return fromBinary(ExportMetricsServiceRequestSchema, bytes, { readUnknownFields: false });
}

/** Decodes the body of a 200; throws if the bytes are not an OTLP response. */
export function decodeResponse(bytes: Uint8Array): ExportMetricsServiceResponse {
  return fromBinary(ExportMetricsServiceResponseSchema, bytes);
}

/** Decodes the google.rpc.Status (code and message) of an error response; throws for other bytes. */
export function decodeStatus(bytes: Uint8Array): Status {
  return fromBinary(StatusSchema, bytes);
}

/** Partial success: the part of a request that a receiver rejected although it answered 200. */
export interface PartialSuccess {
  readonly rejectedDataPoints: number;
  readonly errorMessage: string;
}

/** Encodes the body of a 200; empty if everything was accepted. */
export function encodeResponse(partial?: PartialSuccess): Uint8Array<ArrayBuffer> {
  return toBinary(
    ExportMetricsServiceResponseSchema,
    create(
      ExportMetricsServiceResponseSchema,
      partial === undefined ? {} : {
        partialSuccess: {
          rejectedDataPoints: BigInt(partial.rejectedDataPoints),
          errorMessage: partial.errorMessage,
        },
      },
    ),
  );
}

/** Encodes the body of an error response; `code` is one of google.rpc.Code. */
export function encodeStatus(code: number, message: string): Uint8Array<ArrayBuffer> {
  return toBinary(StatusSchema, create(StatusSchema, { code, message }));
}
