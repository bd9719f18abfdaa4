import { messageOf } from "../../platform/errors.ts";
import type { ByteBuffer } from "../../platform/byte_buffer.ts";
import { gunzip } from "../../platform/gunzip.ts";
import { unpackBounded } from "../../otlp/gzip.ts";
import type { Encoding } from "./media.ts";

/**
 * Unpacks a body; undefined as soon as there is more than `limit`. Throws if the bytes are not what `encoding` says.
 * Reuses `scratch` as its buffer.
 */
export function unpack(
  packed: Uint8Array<ArrayBuffer>,
  encoding: Encoding,
  limit: number,
  scratch: ByteBuffer,
): Promise<Uint8Array | undefined> {
  if (encoding === "zstd") return unpackZstd(packed, limit);
  const unpacked = unpackBounded(new DecompressionStream(encoding), packed, limit, scratch);
  return encoding === "gzip"
    ? unpacked.catch(() => unpackMembers(packed, limit, scratch))
    : unpacked;
}

/** Unpacks gzip of several members, which a DecompressionStream takes for damage, or throws what is wrong with it. */
async function unpackMembers(
  packed: Uint8Array<ArrayBuffer>,
  limit: number,
  scratch: ByteBuffer,
): Promise<Uint8Array | undefined> {
  scratch.clear();
  for await (const piece of gunzip(ReadableStream.from([packed]))) {
    if (scratch.length + piece.length > limit) return undefined;
    scratch.append(piece);
  }
  return scratch.bytes.slice();
}

async function unpackZstd(packed: Uint8Array, limit: number): Promise<Uint8Array | undefined> {
  if (!isWhole(packed)) throw new Error("the zstd frame is not complete");
  const { zstdDecompressSync } = await import("node:zlib");
  try {
    return zstdDecompressSync(packed, { maxOutputLength: limit });
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ERR_BUFFER_TOO_LARGE") {
      return undefined;
    }
    throw new Error(messageOf(thrown).replace(/^Zstd decompress error: /, ""));
  }
}

const MAGIC = 0xfd2fb528;

/**
 * Whether all zstd frames are complete (RFC 8878, section 3). Deno silently unpacks a frame that was cut off to
 * nothing.
 */
function isWhole(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length) return false;
    const magic = view.getUint32(at, true);
    if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
      at += 8 + view.getUint32(at + 4, true);
      if (at > bytes.length) return false;
      continue;
    }
    // The decompressor reports bytes that are not a frame.
    if (magic !== MAGIC) return true;
    const end = endOfFrame(view, at + 4);
    if (end === undefined) return false;
    at = end;
  }
  return true;
}

function endOfFrame(view: DataView, from: number): number | undefined {
  const descriptor = view.getUint8(from);
  const isSingle = (descriptor & 0x20) !== 0;
  const contentSize = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  let at = from + 1 + (isSingle ? 0 : 1) + dictionary + contentSize;
  for (let last = false; !last;) {
    if (at + 3 > view.byteLength) return undefined;
    const head = view.getUint8(at) | view.getUint8(at + 1) << 8 | view.getUint8(at + 2) << 16;
    last = (head & 1) !== 0;
    const repeats = (head >> 1 & 3) === 1;
    at += 3 + (repeats ? 1 : head >> 3);
  }
  at += (descriptor & 4) !== 0 ? 4 : 0;
  return at > view.byteLength ? undefined : at;
}
