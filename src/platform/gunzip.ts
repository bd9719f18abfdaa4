import { ByteBuffer } from "./byte_buffer.ts";
import { messageOf } from "./errors.ts";

/** Error about bytes that are not gzip; its message is the reason alone. */
export class GzipError extends Error {
  override readonly name = "GzipError";
}

/** Packed bytes per step: one step unpacks to 4 MiB at most, and damage costs what one step unpacks to at most. */
const STEP = 4096;

/** Flags of a member's header (RFC 1952, 2.3.1). */
const [HAS_CRC, HAS_EXTRA, HAS_NAME, HAS_COMMENT] = [2, 4, 8, 16];
const FIXED_HEADER = 10;
const TRAILER = 8;

/**
 * Unpacks gzip, of one member or several (RFC 1952, 2.2), a little at a time. It throws a GzipError when the bytes are
 * not gzip, end too early, do not match their checksum, or are followed by others, after everything that was unpacked
 * before; and what their source throws. node:zlib's own gunzip forgets what it unpacked when it finds the damage.
 */
export async function* gunzip(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const zlib = await import("node:zlib");
  const source = new PackedBytes(packed);
  try {
    for (let member = 0; !await source.isAtEnd(); member++) {
      // Tapes and some tools fill the last block with zeros.
      if (member > 0 && await source.isPadding()) return;
      await readHeader(source, member);
      let checksum = 0;
      let length = 0;
      for await (const piece of inflate(source, zlib.createInflateRaw())) {
        checksum = zlib.crc32(piece, checksum);
        length += piece.length;
        yield piece;
      }
      const trailer = await source.take(TRAILER);
      const view = new DataView(trailer.buffer, trailer.byteOffset, TRAILER);
      if (view.getUint32(0, true) !== checksum || view.getUint32(4, true) !== length % 2 ** 32) {
        throw damaged("its checksum does not match");
      }
    }
  } finally {
    await source.close();
  }
}

async function readHeader(source: PackedBytes, member: number): Promise<void> {
  const begin = await source.peek(2);
  if (begin[0] !== 0x1f || begin[1] !== 0x8b) {
    throw damaged(member === 0 ? "it is not gzip" : "other bytes follow it");
  }
  const header = await source.take(FIXED_HEADER);
  if (header[2] !== 8) throw damaged("it uses an unknown method");
  const flags = header[3] ?? 0;
  if (flags & HAS_EXTRA) {
    const [low = 0, high = 0] = await source.take(2);
    await source.take(low + 256 * high);
  }
  if (flags & HAS_NAME) await source.skipText();
  if (flags & HAS_COMMENT) await source.skipText();
  if (flags & HAS_CRC) await source.take(2);
}

function damaged(reason: string): GzipError {
  return new GzipError(reason);
}

interface Inflater {
  readonly bytesWritten: number;
  write(chunk: Uint8Array, done: (error?: unknown) => void): unknown;
  destroy(): unknown;
  on(event: "data", listener: (piece: Uint8Array) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  on(event: "error", listener: (error: unknown) => void): unknown;
}

/** One member's contents; what of the source is behind them stays there. */
async function* inflate(source: PackedBytes, inflater: Inflater): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let outcome: "open" | "ended" | { readonly error: unknown } = "open";
  let wake = () => {};
  inflater.on("data", (piece) => pieces.push(piece));
  inflater.on("end", () => {
    outcome = "ended";
    wake();
  });
  inflater.on("error", (error) => {
    outcome = { error };
    wake();
  });
  const step = async (chunk: Uint8Array): Promise<typeof outcome> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    inflater.write(chunk, (error) => {
      if (error) outcome = { error };
      resolve();
    });
    await promise;
    return outcome;
  };
  try {
    for (let taken = 0;;) {
      const chunk = await source.some(STEP);
      const after = await step(chunk);
      const found = pieces;
      pieces = [];
      yield* found;
      if (typeof after === "object") throw damaged(messageOf(after.error));
      source.drop(inflater.bytesWritten - taken);
      taken = inflater.bytesWritten;
      if (after === "ended") return;
    }
  } finally {
    inflater.destroy();
  }
}

/** The bytes of a source, looked at before they are taken. */
class PackedBytes {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #held = new ByteBuffer();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  async isAtEnd(): Promise<boolean> {
    return !await this.#fill(1);
  }

  /** Whether nothing but zeros follows; they are taken. */
  async isPadding(): Promise<boolean> {
    while (await this.#fill(1)) {
      if (this.#held.bytes.some((byte) => byte !== 0)) return false;
      this.#held.clear();
    }
    return true;
  }

  /** At least one byte and at most `most`, which stay until they are dropped. */
  async some(most: number): Promise<Uint8Array> {
    return (await this.peek(1)).subarray(0, most);
  }

  /** All bytes at hand, at least `count`. */
  async peek(count: number): Promise<Uint8Array> {
    if (!await this.#fill(count)) throw damaged("it ends too early");
    return this.#held.bytes;
  }

  async take(count: number): Promise<Uint8Array> {
    const taken = (await this.peek(count)).slice(0, count);
    this.drop(count);
    return taken;
  }

  /** Takes a text up to its final zero. */
  async skipText(): Promise<void> {
    for (;;) {
      const bytes = await this.peek(1);
      const end = bytes.indexOf(0);
      this.drop(end < 0 ? bytes.length : end + 1);
      if (end >= 0) return;
    }
  }

  drop(count: number): void {
    this.#held.drop(count);
  }

  async #fill(count: number): Promise<boolean> {
    while (this.#held.length < count) {
      const { done, value } = await this.#iterator.next();
      if (done === true) return false;
      this.#held.append(value);
    }
    return true;
  }
}
