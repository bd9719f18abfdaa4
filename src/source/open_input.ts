import type { InputConfig } from "../config/source_config.ts";
import { UsageError } from "../base/errors.ts";
import { type Feed, inputFeed } from "./source.ts";
import type { Io } from "../base/system.ts";
import { readInput } from "../measurements/input/input.ts";
import { resolvePath, unreadable } from "../base/paths.ts";
import { progressLine } from "./progress.ts";

/** So many lines that cannot be used are named one by one. */
const MOST_NAMED = 10;
const PROGRESS_EVERY_MS = 500;
const CLEAR_LINE = "\r\x1b[K";

/** Opens a file, or standard input for `-`, and reads it as it is recorded. */
export async function openInput(
  { path, ...options }: InputConfig,
  io: Io,
  warn: (message: string) => void,
): Promise<{ feed: Feed; clearProgress: () => void; close: () => void }> {
  const { stream, bytes } = path === "-"
    ? { stream: io.stdin(), bytes: undefined }
    : await openFile(path, io);
  const controller = new AbortController();
  let unnamed = 0;
  const input = readInput(stream, {
    ...options,
    gzip: path.endsWith(".gz"),
    signal: controller.signal,
    onInvalid(line, reason) {
      if (input.progress.invalid > MOST_NAMED) return void unnamed++;
      clearProgress();
      warn(`line ${line} not used: ${reason}`);
    },
  });
  let shown = false;
  const clearProgress = () => {
    if (shown) io.stderr(CLEAR_LINE);
    shown = false;
  };
  const began = io.clock.monotonic();
  const timer = io.stderrIsTerminal
    ? setInterval(() => {
      const seconds = (io.clock.monotonic() - began) / 1000;
      io.stderr(`${CLEAR_LINE}${progressLine(input.progress, seconds, bytes)}`);
      shown = true;
    }, PROGRESS_EVERY_MS)
    : undefined;
  const feed = inputFeed(input, io.clock);
  return {
    feed,
    clearProgress,
    close() {
      clearInterval(timer);
      clearProgress();
      controller.abort();
      if (unnamed > 0) {
        warn(`${unnamed} more ${unnamed === 1 ? "line was" : "lines were"} not used`);
      }
    },
  };
}

async function openFile(path: string, io: Io) {
  try {
    return await io.openFile(resolvePath(io.cwd, path));
  } catch (thrown) {
    throw new UsageError(`Cannot read the file of --input, "${path}": ${unreadable(thrown)}`);
  }
}
