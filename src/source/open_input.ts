import type { InputConfig } from "../config/source_config.ts";
import { inputSource, type Source } from "./source.ts";
import type { System } from "../base/system.ts";
import { readInput } from "../measurements/input/input.ts";
import { fileOf, resolvePath, unreadable } from "../base/paths.ts";
import { progressLine } from "./progress.ts";

/** So many lines that cannot be used are named one by one. */
const MOST_NAMED = 10;
const PROGRESS_EVERY_MS = 500;
const CLEAR_LINE = "\r\x1b[K";

/** Opens a file, or standard input for `-`, and reads it as it is recorded. */
export async function openInput(
  { path, ...options }: InputConfig,
  system: System,
  warn: (message: string) => void,
): Promise<{ source: Source; clearProgress: () => void; close: () => void }> {
  const { stream, bytes } = path === "-"
    ? { stream: system.stdin(), bytes: undefined }
    : await openFile(path, system);
  const controller = new AbortController();
  let unnamed = 0;
  const input = readInput([{ name: path === "-" ? "" : path, stream }], {
    ...options,
    signal: controller.signal,
    onInvalid(line, reason) {
      if (input.progress.invalid > MOST_NAMED) return void unnamed++;
      clearProgress();
      warn(`line ${line} not used: ${reason}`);
    },
  });
  let shown = false;
  const clearProgress = () => {
    if (shown) system.stderr(CLEAR_LINE);
    shown = false;
  };
  const began = system.clock.monotonic();
  const timer = system.stderrIsTerminal
    ? setInterval(() => {
      const seconds = (system.clock.monotonic() - began) / 1000;
      system.stderr(`${CLEAR_LINE}${progressLine(input.progress, seconds, bytes)}`);
      shown = true;
    }, PROGRESS_EVERY_MS)
    : undefined;
  const source = inputSource(input, system.clock);
  return {
    source,
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

async function openFile(path: string, system: System) {
  try {
    return await system.openFile(resolvePath(system.cwd, path));
  } catch (thrown) {
    throw unreadable(fileOf("--input", path), thrown);
  }
}
