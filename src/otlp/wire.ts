import type { Attributes, AttributeValue } from "../aggregate/measurement.ts";
import { joinBytes } from "../platform/byte_buffer.ts";

// The parts of protobuf's wire format that an export request needs (protobuf.dev, "Encoding"). Every `write…` takes
// where to begin and returns where it ended; there must be room.

const TWO_32 = 2 ** 32;
const utf8 = new TextEncoder();

/** Returns the size in bytes of a whole number, 0 or more, as a varint. */
export function varintSize(value: number): number {
  if (value < 128) return 1;
  if (value < 128 ** 2) return 2;
  let size = 1;
  for (let left = value; left >= 128; left = Math.floor(left / 128)) size++;
  return size;
}

/** Writes a whole number, 0 or more, as a varint. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let left = value;
  for (; left >= TWO_32; left = Math.floor(left / 128)) bytes[at++] = left % 128 + 128;
  for (; left >= 128; left >>>= 7) bytes[at++] = (left & 127) | 128;
  bytes[at++] = left;
  return at;
}

/** Maps a sint32 so that small numbers of either sign take few bytes ("ZigZag"). */
export function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

/** Writes a whole number from 0 to 2^53 as a fixed64. */
export function writeFixed64(view: DataView, at: number, value: number): number {
  view.setUint32(at, value, true);
  view.setUint32(at + 4, value / TWO_32, true);
  return at + 8;
}

/** Writes bytes as they are. */
export function writeBytes(bytes: Uint8Array, at: number, source: Uint8Array): number {
  bytes.set(source, at);
  return at + source.length;
}

/** Writes tag and length of a length-delimited field; its content follows. The field number is below 16. */
export function writeHead(bytes: Uint8Array, at: number, field: number, length: number): number {
  bytes[at] = field << 3 | 2;
  return writeVarint(bytes, at + 1, length);
}

/** Returns the size of a length-delimited field in bytes, with its tag and length. */
export function fieldSize(length: number): number {
  return 1 + varintSize(length) + length;
}

/** Encodes a length-delimited field with these parts as its content. */
export function field(number: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const content = joinBytes(parts);
  const bytes = new Uint8Array(fieldSize(content.length));
  bytes.set(content, writeHead(bytes, 0, number, content.length));
  return bytes;
}

/** Encodes a string as a field. */
export function stringField(number: number, text: string): Uint8Array<ArrayBuffer> {
  return field(number, utf8.encode(text));
}

/** Encodes attributes as repeated KeyValue (common.proto) under this field number. */
export function attributeFields(number: number, attributes: Attributes): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(attributes);
  let size = 0;
  for (const [key, value] of entries) size += fieldSize(keyValueSize(key, value));
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const [key, value] of entries) {
    at = writeHead(bytes, at, number, keyValueSize(key, value));
    at = writeString(bytes, at, 1, key);
    at = writeHead(bytes, at, 2, anyValueSize(value));
    at = writeAnyValue(bytes, at, value);
  }
  return bytes;
}

function keyValueSize(key: string, value: AttributeValue): number {
  return fieldSize(utf8Size(key)) + fieldSize(anyValueSize(value));
}

function anyValueSize(value: AttributeValue): number {
  switch (typeof value) {
    case "string":
      return fieldSize(utf8Size(value));
    case "boolean":
      return 2;
    case "number":
      return isInt64(value) ? 1 + (value < 0 ? 10 : varintSize(value)) : 9;
  }
}

function writeAnyValue(bytes: Uint8Array, at: number, value: AttributeValue): number {
  switch (typeof value) {
    case "string":
      return writeString(bytes, at, 1, value);
    case "boolean":
      bytes[at] = 2 << 3;
      bytes[at + 1] = value ? 1 : 0;
      return at + 2;
    case "number":
      if (isInt64(value)) {
        bytes[at] = 3 << 3;
        return value < 0 ? writeNegative(bytes, at + 1, value) : writeVarint(bytes, at + 1, value);
      }
      bytes[at] = 4 << 3 | 1;
      new DataView(bytes.buffer).setFloat64(at + 1, value, true);
      return at + 9;
  }
}

/**
 * Whether a number becomes an integer of AnyValue: no fraction, and it fits into 64 bits, as in the SDK for
 * JavaScript.
 */
function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
}

/** Writes a negative int64, which takes all of its 64 bits and so ten bytes. */
function writeNegative(bytes: Uint8Array, at: number, value: number): number {
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left >= 128n; left >>= 7n) bytes[at++] = Number(left & 127n) | 128;
  bytes[at++] = Number(left);
  return at;
}

function writeString(bytes: Uint8Array, at: number, number: number, text: string): number {
  const size = utf8Size(text);
  at = writeHead(bytes, at, number, size);
  if (size === text.length) {
    for (let i = 0; i < size; i++) bytes[at + i] = text.charCodeAt(i);
  } else {
    utf8.encodeInto(text, bytes.subarray(at));
  }
  return at + size;
}

/** Returns the size of a text in UTF-8. A surrogate without its other half becomes U+FFFD, three bytes. */
function utf8Size(text: string): number {
  let size = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    size += code < 0x800 ? 1 : 2;
    // Two halves are four bytes together.
    if ((code & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) i++;
  }
  return size;
}
