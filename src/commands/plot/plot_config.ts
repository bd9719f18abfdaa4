import { decimal } from "../../platform/number.ts";
import { explicitBounds, type MetricConfig, metricConfig } from "../../aggregate/metric_config.ts";
import { type OutputConfig, outputConfig } from "../../settings/output_config.ts";
import type { ScheduleConfig } from "../../settings/schedule_config.ts";
import { invalid, type Variables, wholeSetting } from "../../settings/setting.ts";
import { type PlotFlags, settingOf, variableOf } from "../../settings/settings.ts";
import { type SourceConfig, sourceConfig } from "../../source/source_config.ts";

/** Everything that `plot` does, from its settings. */
export interface PlotConfig {
  readonly source: SourceConfig;
  readonly metric: MetricConfig & { readonly bounds: readonly number[] };
  readonly output: Pick<OutputConfig, "format">;
  /** Whether to use colour, as far as the terminal supports it. */
  readonly color: boolean;
  /** Number of bounds to suggest, from 1 to 100; undefined suggests none. */
  readonly suggest: number | undefined;
  /** Whether the input grows, so that a terminal shows its state every second. */
  readonly follow: boolean;
  /** Warnings about settings that are odd but possible. */
  readonly warnings: readonly string[];
}

const MOST_SUGGESTED = 100;

/** Schedule that puts everything into one drawing, whenever it happened. */
const ONCE: Omit<ScheduleConfig, "loop"> = {
  intervalMs: 60_000,
  iterations: Infinity,
  durationMs: Infinity,
};

/** Turns settings into what `plot` does, or throws a UsageError. It reads nothing but its arguments. */
export function plotConfig(flags: PlotFlags, find: Variables): PlotConfig {
  const output = outputConfig(flags);
  const metric = metricConfig(flags, find);
  const count = settingOf("count", flags);
  if (count !== undefined && decimal(count.value) === 0) {
    throw invalid(count, "a whole number, 1 or more");
  }
  const suggest = settingOf("suggestBuckets", flags);
  const follow = flags.follow ?? false;
  return {
    source: sourceConfig(flags, { ...ONCE, loop: follow }, false, find),
    metric: { ...metric, bounds: explicitBounds(flags, metric.unit) },
    output,
    color: variableOf("noColor", find) === undefined,
    suggest: suggest && wholeSetting(suggest, 1, MOST_SUGGESTED),
    follow,
    warnings: metric.bounds === "exponential" ? exponentialWarnings(find) : [],
  };
}

/** Warns that `plot` ignores a variable that `send` obeys. */
function exponentialWarnings(find: Variables): readonly string[] {
  const name = variableOf("exponential", find)?.name;
  return [
    `${name} asks for exponential buckets; plot draws those of --buckets. What a send with exponential ones would ` +
    "hold is drawn by otlp-histogram --dry-run --plot",
  ];
}
