import { UsageError } from "../platform/errors.ts";
import { secondsOr0Setting, secondsSetting, type Variables, wholeSetting } from "./setting.ts";
import { type SendFlags, settingOf, settingOrDefault } from "./settings.ts";

/** Times at which sends are due. */
export interface ScheduleConfig {
  readonly loop: boolean;
  readonly intervalMs: number;
  readonly iterations: number;
  readonly durationMs: number;
}

/** Reads when sends are due; adds to `warnings` settings that have no effect. */
export function scheduleConfig(
  flags: Pick<
    SendFlags,
    "loop" | "interval" | "iterations" | "duration" | "timeField" | "pointRate"
  >,
  find: Variables,
  warnings: string[],
): ScheduleConfig {
  const loop = flags.loop ?? false;
  const iterations = settingOf("iterations", flags);
  const duration = settingOf("duration", flags);
  for (const setting of [iterations, duration]) {
    if (setting !== undefined && !loop) {
      throw new UsageError(`${setting.name} ends a loop: add --loop, or remove it`);
    }
  }
  if (flags.interval !== undefined && !loop && flags.timeField === undefined) {
    warnings.push("--interval has no effect on a single send: add --loop to send repeatedly");
  }
  const isPointRate = flags.pointRate !== undefined;
  if (isPointRate && flags.interval !== undefined) {
    throw new UsageError(
      "--interval has no effect with --point-rate, which sends all the time and reports each second: leave it out",
    );
  }
  return {
    loop,
    intervalMs: isPointRate
      ? 1000
      : secondsOr0Setting(settingOrDefault("interval", flags, find), "0 for no pause"),
    iterations: iterations === undefined ? Infinity : wholeSetting(iterations, 1),
    durationMs: duration === undefined ? Infinity : secondsSetting(duration),
  };
}

/** Schedule of a replay: each request is a send, made as soon as it is due. */
export const REPLAY_SCHEDULE: ScheduleConfig = {
  loop: true,
  intervalMs: 0,
  iterations: Infinity,
  durationMs: Infinity,
};
