import type { System } from "../../platform/system.ts";
import { counted } from "../../console/plural.ts";
import type { ReplayConfig } from "./replay_config.ts";
import { Replay } from "./replay.ts";
import { openRequestLines } from "./request_lines.ts";

/** Maximum number of unusable lines that are reported one by one. */
const MOST_NAMED = 10;

/** Opens a file of kept requests, or standard input for `-`. */
export async function openReplay(
  { path, ...options }: ReplayConfig,
  system: System,
  warn: (message: string) => void,
): Promise<{ source: Replay; requests: Replay; close: () => void }> {
  let unnamed = 0;
  const reading = new AbortController();
  const stop = AbortSignal.any([reading.signal, system.stop]);
  const lines = await openRequestLines({ path, setting: "--replay" }, system, stop);
  const replay = new Replay(lines, {
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
