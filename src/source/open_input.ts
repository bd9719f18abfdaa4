import type { InputConfig } from "../config/source_config.ts";
import { inputSource, type Source } from "./source.ts";
import type { System } from "../base/system.ts";
import type { Followed } from "../delivery/spool/spool_file.ts";
import {
  followInput,
  type Input,
  type InputOptions,
  readInput,
} from "../measurements/input/input.ts";
import { fileOf, resolvePath, unreadable } from "../base/paths.ts";
import { progressLine } from "./progress.ts";

/** So many lines that cannot be used are named one by one. */
const MOST_NAMED = 10;
const PROGRESS_EVERY_MS = 500;
const CLEAR_LINE = "\r\x1b[K";

/** Opens a file, or standard input for `-`, and reads it as it is recorded. `from`: how far a followed one was read. */
export async function openInput(
  { path, follow, ...options }: InputConfig,
  system: System,
  warn: (message: string) => void,
  from?: Followed,
): Promise<{ source: Source; clearProgress: () => void; close: () => void }> {
  const controller = new AbortController();
  let unnamed = 0;
  const told: InputOptions = {
    ...options,
    signal: controller.signal,
    onInvalid(line, reason) {
      if (input.progress.invalid > MOST_NAMED) return void unnamed++;
      clearProgress();
      warn(`line ${line} not used: ${reason}`);
    },
  };
  const absolute = resolvePath(system.cwd, path);
  const opened = follow ? undefined : await openStream(path, system);
  const input = opened === undefined
    ? await following(absolute, path, told, system, warn, from)
    : readInput([{ name: path === "-" ? "" : path, stream: opened.stream }], told);
  let shown = false;
  const clearProgress = () => {
    if (shown) system.stderr(CLEAR_LINE);
    shown = false;
  };
  const began = system.clock.monotonic();
  const timer = system.stderrIsTerminal
    ? setInterval(() => {
      const seconds = (system.clock.monotonic() - began) / 1000;
      system.stderr(`${CLEAR_LINE}${progressLine(input.progress, seconds, opened?.bytes)}`);
      shown = true;
    }, PROGRESS_EVERY_MS)
    : undefined;
  const source = inputSource(input, system.clock, follow ? absolute : undefined);
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

async function following(
  path: string,
  shown: string,
  options: InputOptions,
  { clock, stop }: System,
  warn: (message: string) => void,
  from: Followed | undefined,
): Promise<Input> {
  const { FollowedFile } = await import("./followed_file.ts");
  const place = from?.path === path ? from.place : undefined;
  return await followInput(async (consumer) => {
    const file = new FollowedFile({ path, shown, from: place, clock, stop, warn, consumer });
    await file.start();
    return file;
  }, options);
}

async function openStream(path: string, system: System) {
  if (path === "-") return { stream: system.stdin(), bytes: undefined };
  try {
    return await system.openFile(resolvePath(system.cwd, path));
  } catch (thrown) {
    throw unreadable(fileOf("--input", path), thrown);
  }
}
