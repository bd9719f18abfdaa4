import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
  type ExportMetricsServiceResponse,
  ExportMetricsServiceResponseSchema,
} from "./gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { type Status, StatusSchema } from "./gen/google/rpc/status_pb.ts";

// Import this module dynamically where `send` alone does not need it: the schema costs time at start.

/** Decodes an export request; throws for bytes that are none. */
export function decodeRequest(bytes: Uint8Array): ExportMetricsServiceRequest {
  // Nobody looks at unknown fields, and a body of nothing else would fill the memory.
  return fromBinary(ExportMetricsServiceRequestSchema, bytes, { readUnknownFields: false });
}

/** Decodes the body of a 200; throws for bytes that are no OTLP answer. */
export function decodeResponse(bytes: Uint8Array): ExportMetricsServiceResponse {
  return fromBinary(ExportMetricsServiceResponseSchema, bytes);
}

/** Decodes the google.rpc.Status of an error answer (its code and message); throws for other bytes. */
export function decodeStatus(bytes: Uint8Array): Status {
  return fromBinary(StatusSchema, bytes);
}

/** What a receiver could not take of a request that it answers with 200. */
export interface PartialSuccess {
  readonly rejectedDataPoints: number;
  readonly errorMessage: string;
}

/** Encodes the body of a 200: empty bytes when everything was taken. */
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

/** Encodes the body of an error answer; `code` is one of google.rpc.Code. */
export function encodeStatus(code: number, message: string): Uint8Array<ArrayBuffer> {
  return toBinary(StatusSchema, create(StatusSchema, { code, message }));
}
