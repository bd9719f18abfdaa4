import { UsageError } from "../platform/errors.ts";
import { decimal } from "../platform/number.ts";
import { parseTime } from "./input/time.ts";
import {
  type ScenarioConfig,
  scenarioConfig,
  type SyntheticConfig,
  syntheticConfig,
} from "./generate/generated_config.ts";
import { INPUT_FLAGS, type InputConfig, inputConfig, METRIC_FLAGS } from "./input/input_config.ts";
import { MILLISECONDS_OF } from "../aggregate/time_unit.ts";
import { REPLAY_FLAGS, type ReplayConfig, replayConfig } from "./replay/replay_config.ts";
import type { ScheduleConfig } from "../settings/schedule_config.ts";
import { type ScrapeConfig, scrapeConfig } from "./prometheus/scrape_config.ts";
import { invalid, numberSetting, type Setting, type Variables } from "../settings/setting.ts";
import {
  flagName,
  type SendFlags,
  settingOf,
  settingOrDefault,
  settingsOf,
} from "../settings/settings.ts";

/** Settings of the source of measurements; `kind` says which one it is. */
export type SourceConfig =
  | { readonly kind: "sample" }
  /** Nothing is recorded; only what the spool holds is sent. */
  | { readonly kind: "spool" }
  | { readonly kind: "values"; readonly values: readonly number[] }
  | SinceConfig
  | InputConfig
  | ScrapeConfig
  | ReplayConfig
  | SyntheticConfig
  | ScenarioConfig;

/** Settings of --since, whose one measurement is the time that has passed. */
export interface SinceConfig {
  readonly kind: "since";
  /** When it began, ms since 1970. */
  readonly start: number;
  /** Milliseconds in the metric's unit. */
  readonly unitMs: number;
  readonly setting: Setting;
}

const SYNTHETIC = ["series", "count", "rate", "distribution", "seed"] as const;

/**
 * Reads the flags of the source. Throws a UsageError for two that choose different sources, and for one that would do
 * nothing.
 */
export function sourceConfig(
  flags: SendFlags,
  schedule: ScheduleConfig,
  hasSpool: boolean,
  find: Variables,
): SourceConfig {
  const { loop } = schedule;
  const presentOf = (keys: readonly (keyof SendFlags)[]) =>
    keys.filter((key) => flags[key] !== undefined);
  const sources = [
    ...presentOf(["value", "since", "input", "scrape", "replay", "scenario"]),
    ...flags.scenario === undefined ? presentOf(SYNTHETIC) : presentOf(["series", "distribution"]),
  ];
  const [first] = sources;
  const other = sources.find((key) => !sameSource(first, key));
  if (first !== undefined && other !== undefined) {
    throw new UsageError(
      `${flagName(first)} and ${
        flagName(other)
      } name two sources of measurements: give one of them`,
    );
  }
  for (const key of flags.input === undefined ? presentOf(INPUT_FLAGS) : []) {
    throw new UsageError(
      `${flagName(key)} describes an input: name it with --input FILE, or - for standard input`,
    );
  }
  if (flags.scrape === undefined && flags.scrapeHeader !== undefined) {
    throw new UsageError("--scrape-header is sent to a Prometheus endpoint: name it with --scrape");
  }
  for (const key of flags.replay === undefined ? presentOf(REPLAY_FLAGS) : []) {
    throw new UsageError(`${flagName(key)} says how to replay a file: name it with --replay FILE`);
  }
  for (const key of presentOf(METRIC_FLAGS)) {
    if (flags.scenario !== undefined) {
      throw new UsageError(
        `${
          flagName(key)
        } has no effect with --scenario, whose file describes its metrics: leave it out`,
      );
    }
    if (flags.scrape !== undefined) {
      throw new UsageError(
        `${
          flagName(key)
        } has no effect with --scrape, whose endpoint names its metrics with their units and ` +
          "buckets: leave it out",
      );
    }
  }
  const count = settingOf("count", flags);
  if (count !== undefined && decimal(count.value) === 0) {
    const idle = sources.find((key) => key !== "count");
    return spoolOnly(loop, hasSpool, idle ?? (flags.rate === undefined ? undefined : "rate"));
  }
  if (flags.value !== undefined) {
    return { kind: "values", values: settingsOf("value", flags).map(measuredValue) };
  }
  const since = settingOf("since", flags);
  if (since !== undefined) return sinceConfig(flags, since, loop);
  if (flags.input !== undefined) return inputConfig(flags, schedule);
  const scrape = settingOf("scrape", flags);
  if (scrape !== undefined) return scrapeConfig(flags, scrape, schedule, find);
  const replay = settingOf("replay", flags);
  if (replay !== undefined) return replayConfig(flags, replay, loop);
  if (flags.scenario !== undefined) return scenarioConfig(flags, flags.scenario, loop);
  return sources.length > 0 ? syntheticConfig(flags, loop) : { kind: "sample" };
}

function sameSource(a: keyof SendFlags | undefined, b: keyof SendFlags): boolean {
  const isSynthetic = (key: keyof SendFlags | undefined) => SYNTHETIC.some((name) => name === key);
  return a === b || (isSynthetic(a) && isSynthetic(b));
}

/** `idle`: a flag that says what to record, though nothing is. */
function spoolOnly(
  loop: boolean,
  hasSpool: boolean,
  idle: keyof SendFlags | undefined,
): SourceConfig {
  if (!hasSpool) {
    throw new UsageError(
      "--count 0 sends only what the spool holds: name its directory with --spool or OTLP_HISTOGRAM_SPOOL",
    );
  }
  if (loop) throw new UsageError("--count 0 records nothing: leave out --loop");
  if (idle !== undefined) {
    throw new UsageError(`--count 0 records nothing: leave out ${flagName(idle)}`);
  }
  return { kind: "spool" };
}

function measuredValue(setting: Setting): number {
  return numberSetting(setting, "a number, 0 or more, for example 12.5", (n) => n >= 0);
}

const SINCE_EXPECTED =
  "seconds since 1970, as `date +%s` prints them, or a time such as 2026-01-31T12:00:00Z";

function sinceConfig(flags: SendFlags, since: Setting, loop: boolean): SinceConfig {
  if (loop) throw new UsageError("--since is one measurement: leave out --loop");
  const isNumber = !Number.isNaN(decimal(since.value));
  const start = parseTime(since.value, isNumber ? "s" : "rfc3339");
  if (typeof start === "string") throw invalid(since, SINCE_EXPECTED);
  const unit = settingOrDefault("unit", flags);
  const unitMs = MILLISECONDS_OF.get(unit.value);
  if (unitMs === undefined) {
    throw new UsageError(
      `--since measures time, and ${unit.name} "${unit.value}" (${unit.source}) is no unit of it: give --unit ` +
        `${[...MILLISECONDS_OF.keys()].join(", ").replace(/, (?=[^,]*$)/, " or ")}`,
    );
  }
  return { kind: "since", start, unitMs, setting: since };
}
