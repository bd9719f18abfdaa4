import {
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "./gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";

// Import this module dynamically where `send` alone does not need it: the schema costs time at start.

/**
 * Converts a request into OTLP/JSON (OTLP specification, "JSON Protobuf Encoding"): enums as integers, 64-bit integers
 * as strings, identifiers of spans and traces in hexadecimal.
 */
export function toJsonRequest(request: ExportMetricsServiceRequest): JsonValue {
  const document = toJson(ExportMetricsServiceRequestSchema, request, OPTIONS);
  changeIdentifiers(document, hexOfBase64);
  return document;
}

const OPTIONS = { enumAsInteger: true } as const;

function hexOfBase64(text: string): string {
  return Uint8Array.fromBase64(text).toHex();
}

/** Converts the bytes of one message within a request, such as a data point, into OTLP/JSON. */
export function toJsonPart(schema: DescMessage, bytes: Uint8Array): JsonValue {
  const message = fromBinary(schema, bytes, { readUnknownFields: false });
  const part = toJson(schema, message, OPTIONS);
  changeIdentifiers(part, hexOfBase64, [EXEMPLARS]);
  return part;
}

/**
 * Reads a request in OTLP/JSON; throws if the text is not one. A 64-bit integer may be a string or a whole number,
 * null is the default, and unknown fields are ignored.
 */
export function fromJsonRequest(text: string): ExportMetricsServiceRequest {
  const document: JsonValue = LONG_NUMBER.test(text)
    ? JSON.parse(text, longAsText)
    : JSON.parse(text);
  if (!isJsonObject(document)) throw new Error("it is not a JSON object");
  withoutNulls(document);
  changeIdentifiers(document, (hex) => Uint8Array.fromHex(hex).toBase64());
  return fromJson(ExportMetricsServiceRequestSchema, document, { ignoreUnknownFields: true });
}

/** Number with more digits than a double holds: a time in nanoseconds that is not a string. */
const LONG_NUMBER = /[:,[]\s*-?\d{16}/;

function longAsText(_key: string, value: unknown, context?: { readonly source?: string }) {
  const isLong = typeof value === "number" && !Number.isSafeInteger(value);
  const source = context?.source ?? "";
  return isLong && /^-?\d+$/.test(source) ? source : value;
}

/**
 * Converts the identifiers of exemplars: OTLP/JSON writes them in hexadecimal, protobuf's own mapping in base64.
 * Nothing else differs.
 */
function changeIdentifiers(
  document: JsonValue,
  change: (text: string) => string,
  path: readonly (readonly string[])[] = PATH,
): void {
  for (const exemplar of exemplarsOf(document, path)) {
    for (const name of ["traceId", "spanId", "trace_id", "span_id"]) {
      const value = exemplar[name];
      if (typeof value === "string") exemplar[name] = change(value);
    }
  }
}

const EXEMPLARS = ["exemplars"] as const;
const PATH = [
  ["resourceMetrics", "resource_metrics"],
  ["scopeMetrics", "scope_metrics"],
  ["metrics"],
  ["gauge", "sum", "histogram", "exponentialHistogram", "exponential_histogram"],
  ["dataPoints", "data_points"],
  EXEMPLARS,
] as const;

function exemplarsOf(
  document: JsonValue,
  path: readonly (readonly string[])[],
): JsonObject[] {
  return path.reduce<JsonObject[]>(
    (objects, names) =>
      objects.flatMap((object) =>
        names.flatMap((name) => object[name] ?? []).flatMap((held) =>
          isJsonObject(held) ? [held] : []
        )
      ),
    isJsonObject(document) ? [document] : [],
  );
}

/**
 * Removes nulls. Protobuf's mapping reads null as a field's default, but not within a list or a map, nor for every
 * list.
 */
function withoutNulls(value: JsonValue): void {
  if (Array.isArray(value)) {
    value.forEach(withoutNulls);
  } else if (isJsonObject(value)) {
    for (const [name, held] of Object.entries(value)) {
      if (held === null) Reflect.deleteProperty(value, name);
      else withoutNulls(held);
    }
  }
}

/** Whether a value is an object of JSON. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
