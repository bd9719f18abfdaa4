import { messageOf } from "../../platform/errors.ts";
import { writeOrClose } from "../../platform/older_deno.ts";
import { InputError } from "./input_error.ts";

/**
 * Unpacks gzip, of one member or several (RFC 1952, 2.2), a little at a time. Throws an InputError when the bytes are
 * no gzip or end too early, and what their source throws. DecompressionStream takes one member only, and makes one piece of however much a chunk unpacks to.
 */
export async function* gunzip(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { createGunzip } = await import("node:zlib");
  const unpacker = createGunzip();
  const fed = feed(packed, unpacker);
  try {
    for await (const piece of unpacker) yield piece;
  } catch (error) {
    unpacker.destroy();
    const source = await fed;
    throw source === undefined
      ? new InputError(`Cannot unpack the gzip input: ${messageOf(error)}`)
      : source.error;
  } finally {
    unpacker.destroy();
    await fed;
  }
}

interface Unpacker {
  readonly destroyed: boolean;
  write(chunk: Uint8Array, done: () => void): unknown;
  end(): unknown;
  destroy(error?: Error): unknown;
  once(event: "close", listener: () => void): unknown;
  off(event: "close", listener: () => void): unknown;
}

/** Ends when the unpacker does; what the source failed with, if it did. */
async function feed(
  packed: AsyncIterable<Uint8Array>,
  unpacker: Unpacker,
): Promise<{ readonly error: unknown } | undefined> {
  try {
    for await (const chunk of packed) {
      // Whoever reads it gets its error.
      if (unpacker.destroyed) return undefined;
      await writeOrClose(unpacker, chunk);
    }
    if (!unpacker.destroyed) unpacker.end();
    return undefined;
  } catch (error) {
    unpacker.destroy(new Error("the source failed"));
    return { error };
  }
}
