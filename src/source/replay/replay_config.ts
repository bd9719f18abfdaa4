import { UsageError } from "../../platform/errors.ts";
import { invalid, numberSetting, type Setting } from "../../settings/setting.ts";
import { flagName, type SendFlags, settingOf } from "../../settings/settings.ts";

/** Settings of --replay, which sends kept requests again, one line of OTLP/JSON each. */
export interface ReplayConfig {
  readonly kind: "replay";
  /** `-` is standard input. */
  readonly path: string;
  /** The first request is moved to now, and the others by as much. */
  readonly retime: boolean;
  /** How many times as fast as they were made they are sent; undefined: one right after the other. */
  readonly speed: number | undefined;
}

/** Flags that belong to --replay alone. */
export const REPLAY_FLAGS = ["retime", "speed"] as const;

/** Flags without effect, as a kept request has its own values of them. */
const SAID_BY_REQUEST = [
  "metric",
  "unit",
  "description",
  "buckets",
  "exponential",
  "service",
  "resource",
  "attr",
  "maxSeries",
] as const;

/** Reads --replay and its flags; throws a UsageError for an invalid one, and for flags without effect. */
export function replayConfig(flags: SendFlags, replay: Setting, loop: boolean): ReplayConfig {
  if (replay.value.trim() === "") throw invalid(replay, "a file, or - for standard input");
  if (loop) throw new UsageError("--replay sends every request of its file once: remove --loop");
  const idle = SAID_BY_REQUEST.find((key) => flags[key] !== undefined);
  if (idle !== undefined) {
    throw new UsageError(
      `${flagName(idle)} has no effect with --replay, which sends requests unchanged: remove it`,
    );
  }
  const speed = settingOf("speed", flags);
  return {
    kind: "replay",
    path: replay.value,
    retime: flags.retime ?? false,
    speed: speed && numberSetting(
      speed,
      "a number above 0: 1 keeps the rhythm, 2 is twice as fast",
      (n) => n > 0,
    ),
  };
}
