import { fileOf, resolvePath, unreadable } from "../../platform/paths.ts";
import type { System } from "../../platform/system.ts";
import { unpacked } from "../input/input.ts";
import { readFrom } from "../input/input_error.ts";
import { type LineReader, LineSplitter } from "../input/lines.ts";
import type { ReplayLine } from "./replay.ts";

/** Maximum length in bytes of a line that becomes a text: above OTLP's limit of 64 MiB, as JSON is longer. */
const MOST_LINE_BYTES = 256 * 2 ** 20;

/** File of kept requests, and the setting or argument that names it. */
export interface RequestFile {
  /** Path, or `-` for standard input. */
  readonly path: string;
  readonly setting: string;
}

/** Opens a file of kept requests, one per line, until `stop`. Throws a UsageError if it cannot be opened. */
export async function openRequestLines(
  { path, setting }: RequestFile,
  system: System,
  stop: AbortSignal,
): Promise<AsyncGenerator<ReplayLine>> {
  const opened = path === "-"
    ? { stream: system.stdin(), bytes: 0 }
    : await openFile(path, setting, system);
  return linesOf(opened, { path, setting }, stop);
}

interface Opened {
  readonly stream: ReadableStream<Uint8Array>;
  /** How long a file is; 0 for what has no length. */
  readonly bytes: number;
}

async function openFile(path: string, setting: string, system: System): Promise<Opened> {
  try {
    return await system.openFile(resolvePath(system.cwd, path));
  } catch (thrown) {
    throw unreadable(fileOf(setting, path), thrown, { stdin: `${setting} -` });
  }
}

/** The lines of a stream, unpacked when they are gzip, until `stop`. */
async function* linesOf(
  opened: Opened,
  { path, setting }: RequestFile,
  stop: AbortSignal,
): AsyncGenerator<ReplayLine> {
  const lines = new Lines();
  const splitter = new LineSplitter(lines, MOST_LINE_BYTES);
  try {
    const name = path === "-" ? "" : path;
    const options = { format: "text", ownArguments: [setting, "-"] } as const;
    for await (const chunk of unpacked(chunksOf(opened, stop), options, name)) {
      splitter.push(chunk);
      yield* lines.taken();
    }
  } catch (thrown) {
    // Cut short on purpose, gzip ends too early.
    if (!stop.aborted) throw thrown;
  }
  if (stop.aborted) return;
  splitter.end();
  yield* lines.taken();
}

/** No more than the file had when it was opened: who replays into the receiver that writes it would never end. */
async function* chunksOf(
  { stream, bytes }: Opened,
  stop: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  const cancel = () => void reader.cancel().catch(() => {}); // a failed stream is failed already
  stop.addEventListener("abort", cancel);
  try {
    for (let left = bytes === 0 ? Infinity : bytes; left > 0 && !stop.aborted;) {
      const { done, value } = await readFrom(reader);
      if (done) return;
      yield value.subarray(0, left);
      left -= value.length;
    }
  } finally {
    stop.removeEventListener("abort", cancel);
    cancel();
  }
}

/** Lines as texts, to be taken away chunk by chunk. */
class Lines implements LineReader {
  #lines: ReplayLine[] = [];
  #number = 0;

  lines(bytes: Uint8Array, from: number, to: number): void {
    // A byte order mark is dropped; bytes that are not UTF-8 cannot be JSON.
    const text = new TextDecoder().decode(bytes.subarray(from, to - 1));
    for (const line of text.split("\n")) this.#lines.push({ number: ++this.#number, text: line });
  }

  tooLong(): void {
    this.#lines.push({ number: ++this.#number, text: undefined });
  }

  end(): void {}

  taken(): readonly ReplayLine[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }
}
