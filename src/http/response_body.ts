import { joinBytes } from "../platform/byte_buffer.ts";

/** Body of a response as far as it could be read; only "whole" is complete and decompressed. */
export type ResponseBody =
  | { readonly kind: "whole"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The stream ended too early: `bytes` came before, in the response's coding. */
  | { readonly kind: "broken"; readonly bytes: Uint8Array<ArrayBuffer>; readonly thrown: unknown }
  /** Too long, compressed or decompressed; `bytes` is its beginning or its compressed form. */
  | { readonly kind: "too-large"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** All of it arrived, but not in the coding that Content-Encoding names; `bytes` is what arrived. */
  | { readonly kind: "miscoded"; readonly bytes: Uint8Array<ArrayBuffer>; readonly coding: string };

/** Responses whose bodies are being read. */
const underWay = new Set<Response>();

/**
 * Reads the chunks of a response's body. It holds the response meanwhile: fetch of Deno 2.9 forgets the signal of a
 * response that is garbage, and a body that never ends would then outlast every timeout.
 */
export async function* bodyChunks(response: Response): AsyncGenerator<Uint8Array> {
  underWay.add(response);
  try {
    // An empty body, the usual one, needs no stream.
    if (response.headers.get("content-length") === "0") await response.arrayBuffer();
    else yield* response.body ?? [];
  } finally {
    underWay.delete(response);
  }
}

/**
 * Reads at most `most` bytes of a body and decompresses them as Content-Encoding says. Without any bytes the body is
 * empty, whatever the headers say. A body that cannot be read is a value, because the status counts all the same.
 */
export async function readBody(
  chunks: AsyncIterable<Uint8Array> | null,
  headers: Headers,
  most: number,
): Promise<ResponseBody> {
  const kept: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of chunks ?? []) {
      const room = most - length;
      kept.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
      length += Math.min(chunk.length, room);
      if (chunk.length > room) return { kind: "too-large", bytes: joinBytes(kept) };
    }
  } catch (thrown) {
    // Nothing but the connection throws here, or the signal that ends it.
    return { kind: "broken", bytes: joinBytes(kept), thrown };
  }
  const bytes = joinBytes(kept);
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (length === 0 || coding === "identity" || coding === "") return { kind: "whole", bytes };
  // Requests ask for "identity": hardly any response comes here.
  const { decompress } = await import("./content_coding.ts");
  const plain = await decompress(bytes, coding, most);
  if (plain === "too-large") return { kind: "too-large", bytes };
  return plain === undefined
    ? { kind: "miscoded", bytes, coding }
    : { kind: "whole", bytes: plain };
}
