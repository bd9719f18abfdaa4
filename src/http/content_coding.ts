/**
 * Removes a content coding (RFC 9110, 8.4.1): gzip with any number of members, deflate with or without its zlib
 * header, br. "too-large" beyond `most` bytes; undefined for an unknown coding or incomplete bytes.
 */
export async function decompress(
  bytes: Uint8Array<ArrayBuffer>,
  coding: string,
  most: number,
): Promise<Uint8Array<ArrayBuffer> | "too-large" | undefined> {
  const { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } = await import(
    "node:zlib"
  );
  const bound = { maxOutputLength: most };
  try {
    switch (coding) {
      case "gzip":
      case "x-gzip":
        return new Uint8Array(gunzipSync(bytes, bound));
      case "deflate":
        return new Uint8Array(
          isZlib(bytes) ? inflateSync(bytes, bound) : inflateRawSync(bytes, bound),
        );
      case "br": {
        // This one bounds its output, and takes bytes that were cut off for whole ones; the stream does neither.
        const plain = new Uint8Array(brotliDecompressSync(bytes, bound));
        return await isWholeBrotli(bytes) ? plain : undefined;
      }
      default:
        return undefined;
    }
  } catch (thrown) {
    return thrown instanceof RangeError ? "too-large" : undefined;
  }
}

/** Whether bytes begin with the header of RFC 1950. */
function isZlib([method = 0, flags = 0]: Uint8Array): boolean {
  return (method & 0x0f) === 8 && (method << 8 | flags) % 31 === 0;
}

async function isWholeBrotli(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  try {
    const stream = new DecompressionStream("brotli");
    await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer();
    return true;
  } catch {
    // Not whole; or Deno 2.6, which does not know the format.
    return false;
  }
}
