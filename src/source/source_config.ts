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
import {
  type ConfiguredIdentity,
  OUTSIDE_IDENTITY,
  SAMPLE_IDENTITY,
} from "../aggregate/identity.ts";
import { type Conventions, unitSetting } from "../aggregate/metric_config.ts";
import type { Attributes } from "../aggregate/measurement.ts";
import { NANOSECONDS_OF } from "../aggregate/time_unit.ts";
import { REPLAY_FLAGS, type ReplayConfig, replayConfig } from "./replay/replay_config.ts";
import type { ScheduleConfig } from "../settings/schedule_config.ts";
import { type ScrapeConfig, scrapeConfig } from "./prometheus/scrape_config.ts";
import { invalid, numberSetting, type Setting, type Variables } from "../settings/setting.ts";
import { flagName, type SendFlags, settingOf, settingsOf } from "../settings/settings.ts";

/** Settings of the source of measurements; `kind` says which one it is. */
export type SourceConfig =
  | { readonly kind: "sample" }
  /** Nothing is recorded; only what the spool holds is sent. */
  | { readonly kind: "spool" }
  | ValuesConfig
  | SinceConfig
  | InputConfig
  | ScrapeConfig
  | ReplayConfig
  | SyntheticConfig
  | ScenarioConfig;

/** Settings of --value: measurements, and the attributes of each. */
export interface ValuesConfig {
  readonly kind: "values";
  readonly values: readonly number[];
  readonly attributes?: Attributes;
}

/** Identity of what a source measures, where neither the data nor the user name one. */
export function defaultIdentity({ kind }: SourceConfig): ConfiguredIdentity {
  return kind === "values" || kind === "since" || kind === "input" || kind === "scrape"
    ? OUTSIDE_IDENTITY
    : SAMPLE_IDENTITY;
}

/** Settings of --since, whose one measurement is the time that has passed. */
export interface SinceConfig {
  readonly kind: "since";
  /** When it began, ms since 1970. */
  readonly start: number;
  /** Milliseconds in the metric's unit. */
  readonly unitMs: number;
  readonly setting: Setting;
}

/** Lists the hints about metrics that a user gave an old name; the samples have one by default. */
export function oldNameHints(
  source: SourceConfig,
  { metric }: Pick<SendFlags, "metric">,
  conventions: Conventions | undefined,
): readonly string[] {
  if (source.kind === "sample") return [];
  const names = source.kind === "input"
    ? source.values.map((value) => value.metric?.name ?? metric)
    : [metric];
  return names.flatMap((name) =>
    (name === undefined ? undefined : conventions?.oldNameHint(name)) ?? []
  );
}

const SYNTHETIC = ["series", "count", "rate", "pointRate", "distribution", "seed"] as const;

/**
 * Reads the flags of the source. Throws a UsageError for two that choose different sources, and for one that would do
 * nothing.
 */
export function sourceConfig(
  flags: SendFlags,
  schedule: ScheduleConfig,
  hasSpool: boolean,
  find: Variables,
  conventions?: Conventions,
): SourceConfig {
  const { loop } = schedule;
  const presentOf = (keys: readonly (keyof SendFlags)[]) =>
    keys.filter((key) => flags[key] !== undefined);
  const sources = [
    ...presentOf(["value", "since", "input", "scrape", "replay", "scenario"]),
    ...flags.scenario === undefined
      ? presentOf(SYNTHETIC)
      : presentOf(["series", "pointRate", "distribution"]),
  ];
  const [first] = sources;
  const other = sources.find((key) => !sameSource(first, key));
  if (first !== undefined && other !== undefined) {
    throw new UsageError(
      `${flagName(first)} and ${flagName(other)} cannot be used together: choose one data source`,
    );
  }
  for (const key of flags.input === undefined ? presentOf(INPUT_FLAGS) : []) {
    throw new UsageError(
      `${flagName(key)} applies to an input: add --input FILE, or --input - for standard input`,
    );
  }
  if (flags.scrape === undefined && flags.scrapeHeader !== undefined) {
    throw new UsageError("--scrape-header applies to a Prometheus endpoint: add --scrape URL");
  }
  for (const key of flags.replay === undefined ? presentOf(REPLAY_FLAGS) : []) {
    throw new UsageError(`${flagName(key)} applies to a replay: add --replay FILE`);
  }
  for (const key of presentOf(METRIC_FLAGS)) {
    if (flags.scenario !== undefined) {
      throw new UsageError(
        `${
          flagName(key)
        } has no effect with --scenario, whose file describes its metrics: remove it`,
      );
    }
    if (flags.scrape !== undefined) {
      throw new UsageError(
        `${
          flagName(key)
        } has no effect with --scrape, whose endpoint names its metrics with their units and ` +
          "buckets: remove it",
      );
    }
  }
  const count = settingOf("count", flags);
  if (count !== undefined && decimal(count.value) === 0) {
    const idle = sources.find((key) => key !== "count");
    return spoolOnly(loop, hasSpool, idle ?? presentOf(["rate"])[0]);
  }
  if (flags.value !== undefined) {
    return { kind: "values", values: settingsOf("value", flags).map(measuredValue) };
  }
  const since = settingOf("since", flags);
  if (since !== undefined) return sinceConfig(flags, since, loop, conventions);
  if (flags.input !== undefined) return inputConfig(flags, schedule, find, conventions);
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
      "--count 0 sends only what is in the spool: set its directory with --spool or OTLP_HISTOGRAM_SPOOL",
    );
  }
  if (loop) throw new UsageError("--count 0 records nothing: remove --loop");
  if (idle !== undefined) {
    throw new UsageError(`--count 0 records nothing: remove ${flagName(idle)}`);
  }
  return { kind: "spool" };
}

function measuredValue(setting: Setting): number {
  return numberSetting(setting, "a number, 0 or more, for example 12.5", (n) => n >= 0);
}

const SINCE_EXPECTED =
  "seconds since 1970, as `date +%s` prints them, or a time such as 2026-01-31T12:00:00Z";

function sinceConfig(
  flags: SendFlags,
  since: Setting,
  loop: boolean,
  conventions: Conventions | undefined,
): SinceConfig {
  if (loop) throw new UsageError("--since is one measurement: remove --loop");
  const isNumber = !Number.isNaN(decimal(since.value));
  const start = parseTime(since.value, isNumber ? "s" : "rfc3339");
  if (typeof start === "string") throw invalid(since, SINCE_EXPECTED);
  const unit = unitSetting(flags, conventions);
  const nanoseconds = NANOSECONDS_OF.get(unit.value);
  if (nanoseconds === undefined) {
    throw new UsageError(
      `--since measures time, and ${unit.name} "${unit.value}" (${unit.source}) is not a unit of time: set --unit ` +
        `${[...NANOSECONDS_OF.keys()].join(", ").replace(/, (?=[^,]*$)/, " or ")}`,
    );
  }
  return { kind: "since", start, unitMs: nanoseconds / 1e6, setting: since };
}
