import { Bytes } from "../base/byte_buffer.ts";

/**
 * A whole piece's output is held before it can be read, and gzip makes a thousand bytes of one: pieces
 * of 1 KB keep a bomb's output in hand, larger ones do not.
 */
const PIECE = 1024;

/**
 * Unpacks gzip and stops as soon as there is more than `limit`, which is said with undefined.
 * Throws when the bytes are not gzip. `scratch` is used again and again: fifty bombs, one buffer.
 */
export async function gunzip(
  packed: Uint8Array<ArrayBuffer>,
  limit: number,
  scratch: Bytes = new Bytes(),
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { readable, writable } = new DecompressionStream("gzip");
  const fed = feed(packed, writable.getWriter());
  const reader = readable.getReader();
  scratch.clear();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (scratch.length + value.length > limit) {
      await reader.cancel();
      await fed;
      return undefined;
    }
    scratch.append(value);
  }
  await fed;
  return scratch.all().slice();
}

async function feed(
  packed: Uint8Array<ArrayBuffer>,
  writer: WritableStreamDefaultWriter<BufferSource>,
): Promise<void> {
  try {
    for (let from = 0; from < packed.length; from += PIECE) {
      await writer.write(packed.subarray(from, from + PIECE));
    }
    await writer.close();
  } catch {
    // The reading side fails with the same error, or has cancelled: it is the one that tells.
  }
}
