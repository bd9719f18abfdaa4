import { joinBytes } from "../platform/byte_buffer.ts";

/** Body of a response, as far as it could be read; only "whole" is all of it, decompressed. */
export type ResponseBody =
  | { readonly kind: "whole"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The stream ended too early: `bytes` came before, in the response's coding. */
  | { readonly kind: "broken"; readonly bytes: Uint8Array<ArrayBuffer>; readonly thrown: unknown }
  /** Longer than was asked for, as it came or decompressed; `bytes` is its beginning, or its compressed form. */
  | { readonly kind: "too-large"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** All of it came, but it is not what Content-Encoding says; `bytes` is what came. */
  | { readonly kind: "miscoded"; readonly bytes: Uint8Array<ArrayBuffer>; readonly coding: string };

/**
 * Reads at most `most` bytes of a body and decompresses them as Content-Encoding says. No bytes are an empty body, whatever
 * the headers say. A body that cannot be read is a value: the status that came with it counts all the same.
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
  const { decompressed } = await import("./content_coding.ts");
  const plain = await decompressed(bytes, coding, most);
  if (plain === "too-large") return { kind: "too-large", bytes };
  return plain === undefined
    ? { kind: "miscoded", bytes, coding }
    : { kind: "whole", bytes: plain };
}
