import { gunzip, GzipError } from "../../platform/gunzip.ts";
import { InputError } from "./input_error.ts";

/** Unpacks an input that is gzip; throws an InputError, after everything that was unpacked before, if it is damaged. */
export async function* unpackInput(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* gunzip(packed);
  } catch (thrown) {
    if (!(thrown instanceof GzipError)) throw thrown;
    throw new InputError(`Cannot unpack the gzip input: ${thrown.message}`);
  }
}
