import { ByteBuffer } from "../platform/byte_buffer.ts";
import type { EncodedRequest } from "./request.ts";

/**
 * Size from which loading node:zlib pays, which takes 20 ms. Its level 3 takes half the time of a CompressionStream,
 * which has only level 6, for a tenth more bytes.
 */
const LONG = 1 << 18;
const LEVEL = 3;

/** Compresses bytes with gzip. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes.length < LONG) {
    const packed = new ByteBuffer();
    await through(new CompressionStream("gzip"), bytes, bytes.length, Infinity, packed);
    return packed.bytes.slice();
  }
  const { gzipSync } = await import("node:zlib");
  // A copy: what is kept must not keep zlib's larger buffer.
  return new Uint8Array(gzipSync(bytes, { level: LEVEL }));
}

/**
 * Size of the pieces that are unpacked. A stream holds the whole output of a piece before it can be read, and gzip can
 * make a thousand bytes of one. Pieces of 1 KB keep a bomb in check.
 */
const PIECE = 1024;

/** Unpacks gzip; undefined as soon as there is more than `limit`. Throws if the bytes are not gzip. */
export function gunzipBounded(
  packed: Uint8Array<ArrayBuffer>,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return unpackBounded(new DecompressionStream("gzip"), packed, limit, new ByteBuffer());
}

/** Unpacks with any stream; undefined as soon as there is more than `limit`. Reuses `scratch` as its buffer. */
export async function unpackBounded(
  stream: DecompressionStream,
  packed: Uint8Array<ArrayBuffer>,
  limit: number,
  scratch: ByteBuffer,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const fits = await through(stream, packed, PIECE, limit, scratch);
  return fits ? scratch.bytes.slice() : undefined;
}

/** Returns a request's body uncompressed. Pass only requests of our own making: the result has no limit. */
export async function plainBody(
  { body, encoding }: Pick<EncodedRequest, "body" | "encoding">,
): Promise<Uint8Array<ArrayBuffer>> {
  return encoding === "gzip" ? await gunzipBounded(body, Infinity) ?? body : body;
}

/**
 * Returns the size of a request's body before compression, which gzip keeps in its last four bytes (RFC 1952, 2.3.1).
 */
export function plainSize({ body, encoding }: Pick<EncodedRequest, "body" | "encoding">): number {
  if (encoding === "identity" || body.length < 4) return body.length;
  return new DataView(body.buffer, body.byteOffset + body.length - 4).getUint32(0, true);
}

/**
 * Feeds bytes to a stream piece by piece, and returns false if more than `limit` came out. It does so by hand, because
 * compiling what pipeThrough, Blob and Response need costs a send more than the work itself.
 */
async function through(
  { readable, writable }: CompressionStream | DecompressionStream,
  bytes: Uint8Array<ArrayBuffer>,
  piece: number,
  limit: number,
  into: ByteBuffer,
): Promise<boolean> {
  const fed = feedPieces(bytes, piece, writable.getWriter());
  const reader = readable.getReader();
  into.clear();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    if (into.length + read.value.length > limit) {
      await reader.cancel();
      await fed;
      return false;
    }
    into.append(read.value);
  }
  await fed;
  return true;
}

async function feedPieces(
  bytes: Uint8Array<ArrayBuffer>,
  piece: number,
  writer: WritableStreamDefaultWriter<BufferSource>,
): Promise<void> {
  try {
    for (let from = 0; from < bytes.length; from += piece) {
      await writer.write(bytes.subarray(from, from + piece));
    }
    await writer.close();
  } catch {
    // The reading side fails with the same error, or has cancelled: it is the one that tells.
  }
}
