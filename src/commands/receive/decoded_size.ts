import { type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

// Two bytes on the wire can become an object of 280: 64 MiB of such would be 9 GB. So what a message
// will take is estimated before it is decoded. Measured with @bufbuild/protobuf 2.17.
const BYTES_A_MESSAGE = 280;
const BYTES_A_VALUE = 32;
const DEEPEST = 100;

/**
 * Estimates the memory of a decoded message in bytes. It stops above `limit`, and throws for bytes that are not a
 * message.
 */
export function decodedSize(schema: DescMessage, bytes: Uint8Array, limit: number): number {
  const reader = new BinaryReader(bytes);
  let weight = 0;
  const walk = (message: DescMessage, end: number, depth: number) => {
    if (depth > DEEPEST) throw new Error("messages are nested too deeply");
    const messages = nestedMessages(message);
    weight += BYTES_A_MESSAGE;
    while (reader.pos < end && weight <= limit) {
      const [field, wireType] = reader.tag();
      if (wireType !== WireType.LengthDelimited) {
        reader.skip(wireType, field);
        weight += BYTES_A_VALUE;
        continue;
      }
      const length = reader.uint32();
      const to = reader.pos + length;
      if (to > end) throw new Error("a length reaches beyond the end");
      const nested = messages.get(field);
      if (nested === undefined) {
        // A packed list has at most this many elements; of a string this is a little too much.
        weight += BYTES_A_VALUE + elements(message, field, bytes.subarray(reader.pos, to));
        reader.pos = to;
      } else {
        walk(nested, to, depth + 1);
      }
    }
  };
  walk(schema, bytes.length, 0);
  return weight;
}

const [QUOTE, COMMA, BRACKET, BACKSLASH, BRACE] = [0x22, 0x2c, 0x5b, 0x5c, 0x7b];

/**
 * Estimates the memory of a decoded request in JSON from the characters that open and separate its values; its text
 * and its tree count too.
 */
export function decodedJsonSize(bytes: Uint8Array): number {
  let weight = 2 * bytes.length;
  let isText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) isText = !isText;
    else if (isText) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === BRACE) weight += BYTES_A_MESSAGE + 2 * BYTES_A_VALUE;
    else if (byte === BRACKET || byte === COMMA) weight += 2 * BYTES_A_VALUE;
  }
  return weight;
}

function elements(message: DescMessage, field: number, bytes: Uint8Array): number {
  const size = packedSizes(message).get(field);
  if (size === undefined) return bytes.length;
  if (size > 0) return bytes.length / size * BYTES_A_VALUE;
  let ends = 0;
  for (const byte of bytes) if (byte < 128) ends++;
  return ends * BYTES_A_VALUE;
}

const nestedOf = new WeakMap<DescMessage, ReadonlyMap<number, DescMessage>>();

function nestedMessages(message: DescMessage): ReadonlyMap<number, DescMessage> {
  const known = nestedOf.get(message);
  if (known !== undefined) return known;
  const nested = new Map<number, DescMessage>();
  for (const field of message.fields) {
    if (field.message !== undefined) nested.set(field.number, field.message);
  }
  nestedOf.set(message, nested);
  return nested;
}

const packedOf = new WeakMap<DescMessage, ReadonlyMap<number, number>>();

/** Returns the element size per packed list; 0 for varints. */
function packedSizes(message: DescMessage): ReadonlyMap<number, number> {
  const known = packedOf.get(message);
  if (known !== undefined) return known;
  const sizes = new Map<number, number>();
  for (const field of message.fields) {
    if (field.fieldKind === "list" && field.listKind === "scalar") {
      const wide = field.scalar === ScalarType.FIXED64 || field.scalar === ScalarType.DOUBLE;
      sizes.set(field.number, wide ? 8 : 0);
    }
  }
  packedOf.set(message, sizes);
  return sizes;
}
