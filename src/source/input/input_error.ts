import { messageOf } from "../../platform/errors.ts";

/**
 * Error that ends the reading of an input: the stream failed, or its bytes are damaged. Lines that were read before count.
 * Anything else that is thrown while an input is read and recorded is a UsageError or a fault of this program.
 */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** Reads the next chunk of a stream. Throws an InputError when the stream has failed. */
export async function readFrom(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    return await reader.read();
  } catch (thrown) {
    throw new InputError(messageOf(thrown));
  }
}

/** Whether an error is one of the operating system: no such file, no permission, a disk that fails. */
export function isSystemError(thrown: unknown): thrown is Error {
  // Deno has classes for some of them, and puts the code of the others beside a plain Error.
  return thrown instanceof Error &&
    ("code" in thrown && typeof thrown.code === "string" ||
      Object.values(Deno.errors).some((type) => thrown instanceof type));
}
