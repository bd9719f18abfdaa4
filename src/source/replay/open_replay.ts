import { fileOf, resolvePath, unreadable } from "../../platform/paths.ts";
import type { System } from "../../platform/system.ts";
import { counted } from "../../console/plural.ts";
import type { ReplayConfig } from "./replay_config.ts";
import { unpacked } from "../input/input.ts";
import { readFrom } from "../input/input_error.ts";
import { type LineReader, LineSplitter } from "../input/lines.ts";
import { Replay, type ReplayLine } from "./replay.ts";

/** Maximum number of unusable lines that are reported one by one. */
const MOST_NAMED = 10;
/** Maximum length in bytes of a line that becomes a text: above OTLP's limit of 64 MiB, as JSON is longer. */
const MOST_LINE_BYTES = 256 * 2 ** 20;

/** Opens a file of kept requests, or standard input for `-`. */
export async function openReplay(
  { path, ...options }: ReplayConfig,
  system: System,
  warn: (message: string) => void,
): Promise<{ source: Replay; requests: Replay; close: () => void }> {
  let unnamed = 0;
  const opened = path === "-" ? { stream: system.stdin(), bytes: 0 } : await openFile(path, system);
  const reading = new AbortController();
  const stop = AbortSignal.any([reading.signal, system.stop]);
  const replay = new Replay(linesOf(opened, path, stop), {
    ...options,
    clock: system.clock,
    onInvalid(line, reason) {
      if (replay.status.invalid > MOST_NAMED) return void unnamed++;
      warn(`line ${line} not used: ${reason}`);
    },
  });
  return {
    source: replay,
    requests: replay,
    close() {
      reading.abort();
      if (unnamed > 0) {
        warn(`${counted(unnamed, "more line was", "more lines were")} not used`);
      }
    },
  };
}

interface Opened {
  readonly stream: ReadableStream<Uint8Array>;
  /** How long a file is; 0 for what has no length. */
  readonly bytes: number;
}

async function openFile(path: string, system: System): Promise<Opened> {
  try {
    return await system.openFile(resolvePath(system.cwd, path));
  } catch (thrown) {
    throw unreadable(fileOf("--replay", path), thrown, { stdin: "--replay -" });
  }
}

/** The lines of a stream, unpacked when they are gzip, until `stop`. */
async function* linesOf(
  opened: Opened,
  path: string,
  stop: AbortSignal,
): AsyncGenerator<ReplayLine> {
  const lines = new Lines();
  const splitter = new LineSplitter(lines, MOST_LINE_BYTES);
  try {
    const name = path === "-" ? "" : path;
    for await (const chunk of unpacked(chunksOf(opened, stop), { format: "text" }, name)) {
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
    // A byte order mark goes, what is no UTF-8 makes no JSON.
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
