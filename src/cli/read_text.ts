import { ByteBuffer } from "../base/byte_buffer.ts";
import { systemClock } from "../base/clock.ts";
import { deadline } from "../base/deadline.ts";

/** How long reading a file of settings may take, in ms. */
const LONGEST_READ_MS = 5000;
/** And how large one may be, in bytes. */
const LARGEST_TEXT = 16 * 2 ** 20;

/**
 * The text of a file of settings or a token. A pipe may be one, but neither one that nobody writes to nor one that never
 * ends; reading may go on nevertheless.
 */
export async function readText(path: string, signal?: AbortSignal): Promise<string> {
  const giveUp = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (why: string) => {
    giveUp.abort();
    reject(new Error(why));
  };
  const interrupted = () => end("interrupted");
  const timeout = deadline(LONGEST_READ_MS);
  const late = () => end(`it came to no end within ${LONGEST_READ_MS / 1000} s`);
  timeout.signal.addEventListener("abort", late);
  signal?.addEventListener("abort", interrupted);
  try {
    const bytes = await Promise.race([readAll(path, giveUp.signal), ended]);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  } finally {
    timeout.signal.removeEventListener("abort", late);
    timeout.clear();
    signal?.removeEventListener("abort", interrupted);
  }
}

async function readAll(path: string, giveUp: AbortSignal): Promise<Uint8Array> {
  const isPipe = await Deno.stat(path).then(({ isFifo }) => isFifo === true, (thrown) => {
    // The usual `.env`: opening it would only say the same.
    if (thrown instanceof Deno.errors.NotFound) throw thrown;
    return false;
  });
  const kept = new ByteBuffer();
  for await (const chunk of isPipe ? pipeChunks(path, giveUp) : fileChunks(path)) {
    if (kept.length + chunk.length > LARGEST_TEXT) {
      throw new Error(`it is larger than ${LARGEST_TEXT / 2 ** 20} MiB`);
    }
    kept.append(chunk);
  }
  return kept.bytes;
}

const CHUNK = 65_536;

async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path);
  const chunk = new Uint8Array(CHUNK);
  for (let read = await file.read(chunk); read !== null; read = await file.read(chunk)) {
    yield chunk.subarray(0, read);
  }
}

/** How often a pipe is looked at, in ms. */
const LOOK_MS = 10;

/**
 * Opening a pipe waits for somebody who writes, in Deno 2.6 with all that the process does; not so with O_NONBLOCK, and
 * then reading has to ask again and again.
 */
async function* pipeChunks(path: string, giveUp: AbortSignal): AsyncGenerator<Uint8Array> {
  const [{ open }, { constants }] = await Promise.all([
    import("node:fs/promises"),
    import("node:fs"),
  ]);
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const chunk = new Uint8Array(CHUNK);
    // Before somebody has written, there is no end: nobody may have opened it yet.
    for (let begun = false; !giveUp.aborted;) {
      const read = await readSome(file, chunk);
      if (read === 0 && begun) return;
      begun ||= (read ?? 0) > 0;
      if (read) yield chunk.subarray(0, read);
      else await systemClock.sleep(LOOK_MS, giveUp);
    }
  } finally {
    await file.close();
  }
}

/** How many bytes; undefined when there is nothing for now. */
async function readSome(
  file: {
    read(buffer: Uint8Array, offset: number, length: number): Promise<{ bytesRead: number }>;
  },
  into: Uint8Array,
): Promise<number | undefined> {
  try {
    return (await file.read(into, 0, into.length)).bytesRead;
  } catch (thrown) {
    const isEmpty = thrown instanceof Error && "code" in thrown && thrown.code === "EAGAIN";
    if (isEmpty) return undefined;
    throw thrown;
  }
}
