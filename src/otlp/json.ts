import type { DescField, DescMessage, JsonValue } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { ExportMetricsServiceRequestSchema } from "./gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  ExponentialHistogramDataPointSchema,
  ExponentialHistogramSchema,
  GaugeSchema,
  HistogramDataPointSchema,
  HistogramSchema,
  MetricSchema,
  NumberDataPointSchema,
  ResourceMetricsSchema,
  ScopeMetricsSchema,
  SummaryDataPointSchema,
  SummarySchema,
  SumSchema,
} from "./gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { plainBody } from "./gzip.ts";
import { joinBytes } from "../platform/byte_buffer.ts";
import { isJsonObject, toJsonPart } from "./json_request.ts";
import type { EncodedRequest } from "./request.ts";

// Import this module dynamically where `send` alone does not need it: the schema costs time at start.

/** Messages around data points; they are written field by field, so that a million points need no memory. */
const OUTER: ReadonlySet<DescMessage> = new Set<DescMessage>([
  ResourceMetricsSchema,
  ScopeMetricsSchema,
  MetricSchema,
  GaugeSchema,
  SumSchema,
  HistogramSchema,
  ExponentialHistogramSchema,
  SummarySchema,
]);
const POINTS: ReadonlySet<DescMessage> = new Set<DescMessage>([
  NumberDataPointSchema,
  HistogramDataPointSchema,
  ExponentialHistogramDataPointSchema,
  SummaryDataPointSchema,
]);

/**
 * Formats a request, or none, as an OTLP/JSON document (OTLP specification, "JSON Protobuf Encoding"), in texts to be
 * joined. It reads the very bytes that would be sent, one data point after the other.
 */
export async function otlpJsonTexts(
  request: EncodedRequest | undefined,
): Promise<Iterable<string>> {
  return request === undefined
    ? [JSON.stringify({ resourceMetrics: [] }, undefined, INDENT)]
    : objectTexts(ExportMetricsServiceRequestSchema, await plainBody(request), "");
}

const INDENT = 2;

function* objectTexts(schema: DescMessage, bytes: Uint8Array, pad: string): Generator<string> {
  const inner = pad + " ".repeat(INDENT);
  const { plain, nested } = divided(schema, bytes);
  let before = "{\n";
  for (const [name, value] of isJsonObject(plain) ? Object.entries(plain) : []) {
    yield `${before}${inner}${JSON.stringify(name)}: ${indentedJson(value, inner)}`;
    before = ",\n";
  }
  for (const { field, message } of nested) {
    yield `${before}${inner}"${field.jsonName}": `;
    before = ",\n";
    const contents = contentsOf(bytes, field.number);
    if (field.fieldKind === "list") yield* listTexts(message, contents, inner);
    else for (const content of contents) yield* objectTexts(message, content, inner);
  }
  yield before === "{\n" ? "{}" : `\n${pad}}`;
}

function* listTexts(
  message: DescMessage,
  contents: Iterable<Uint8Array>,
  pad: string,
): Generator<string> {
  const inner = pad + " ".repeat(INDENT);
  let before = "[\n";
  for (const content of contents) {
    yield before + inner;
    before = ",\n";
    if (OUTER.has(message)) {
      yield* objectTexts(message, content, inner);
    } else {
      yield indentedJson(toJsonPart(message, content), inner);
    }
  }
  yield `\n${pad}]`;
}

function indentedJson(value: JsonValue, pad: string): string {
  return JSON.stringify(value, undefined, INDENT).replaceAll("\n", `\n${pad}`);
}

/** Field of messages that are written one by one. */
interface NestedField {
  readonly field: DescField;
  readonly message: DescMessage;
}

/** Divides a message into the JSON of its plain fields and the fields that hold data points. */
function divided(
  schema: DescMessage,
  bytes: Uint8Array,
): { readonly plain: JsonValue; readonly nested: readonly NestedField[] } {
  const fields = new Map(schema.fields.map((field) => [field.number, nestedField(field)]));
  const nested = new Set<NestedField>();
  const plain: Uint8Array[] = [];
  for (const { number, from, to } of encodedFields(bytes)) {
    const found = fields.get(number);
    if (found === undefined) plain.push(bytes.subarray(from, to));
    else nested.add(found);
  }
  return { plain: toJsonPart(schema, joinBytes(plain)), nested: [...nested] };
}

function nestedField(field: DescField): NestedField | undefined {
  const { message } = field;
  return message !== undefined && (OUTER.has(message) || POINTS.has(message))
    ? { field, message }
    : undefined;
}

/** Yields the content of each message that a field holds. */
function* contentsOf(bytes: Uint8Array, field: number): Generator<Uint8Array> {
  for (const { number, content } of encodedFields(bytes)) {
    if (number === field && content !== undefined) yield content;
  }
}

/** Field of an encoded message: where it stands, and its content if that is a message, a text or a list. */
interface EncodedField {
  readonly number: number;
  readonly from: number;
  readonly to: number;
  readonly content: Uint8Array | undefined;
}

function* encodedFields(bytes: Uint8Array): Generator<EncodedField> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const from = reader.pos;
    const [number, type] = reader.tag();
    const content = type === WireType.LengthDelimited ? reader.bytes() : undefined;
    if (content === undefined) reader.skip(type, number);
    yield { number, from, to: reader.pos, content };
  }
}
