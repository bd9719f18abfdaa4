import { decimal } from "../../platform/number.ts";
import { explicitBounds, type MetricConfig, metricConfig } from "../../aggregate/metric_config.ts";
import { type OutputConfig, outputConfig } from "../../settings/output_config.ts";
import type { ScheduleConfig } from "../../settings/schedule_config.ts";
import { invalid, type Variables, wholeSetting } from "../../settings/setting.ts";
import { type PlotFlags, settingOf, variableOf } from "../../settings/settings.ts";
import { type SourceConfig, sourceConfig } from "../../source/source_config.ts";

/** What the command `plot` does. */
export interface PlotConfig {
  readonly source: SourceConfig;
  readonly metric: MetricConfig & { readonly bounds: readonly number[] };
  readonly output: Pick<OutputConfig, "format">;
  /** As far as a terminal shows it. */
  readonly color: boolean;
  /** How many bounds to suggest, from 1 to 100; undefined: none. */
  readonly suggest: number | undefined;
  /** The input grows: a terminal shows how it stands, anew each second. */
  readonly follow: boolean;
  /** What is odd, but can be done. */
  readonly warnings: readonly string[];
}

const MOST_SUGGESTED = 100;

/** Everything is drawn together, whenever it happened. */
const ONCE: Omit<ScheduleConfig, "loop"> = {
  intervalMs: 60_000,
  iterations: Infinity,
  durationMs: Infinity,
};

/** Settings -> what `plot` does, or a UsageError. Reads nothing but its arguments. */
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

/** A variable that `send` obeys is not passed over in silence. */
function exponentialWarnings(find: Variables): readonly string[] {
  const name = variableOf("exponential", find)?.name;
  return [
    `${name} asks for exponential buckets; plot draws those of --buckets. What a send with exponential ones would ` +
    "hold is drawn by otlp-histogram --dry-run --plot",
  ];
}
