import { decimal } from "../../platform/number.ts";
import {
  type Conventions,
  explicitBounds,
  mergeWarnings,
  type MetricConfig,
  metricConfig,
} from "../../aggregate/metric_config.ts";
import type { Convention } from "../../aggregate/conventions.ts";
import type { ScheduleConfig } from "../../settings/schedule_config.ts";
import { UsageError } from "../../platform/errors.ts";
import { counted } from "../../console/plural.ts";
import { invalid, numberSetting, type Variables, wholeSetting } from "../../settings/setting.ts";
import {
  choiceOf,
  type PlotFlags,
  settingOf,
  settingsOf,
  variableOf,
} from "../../settings/settings.ts";
import { oldNameHints, type SourceConfig, sourceConfig } from "../../source/source_config.ts";

/** Everything that `plot` does, from its settings. */
export interface PlotConfig {
  readonly source: SourceConfig;
  readonly metric: MetricConfig & { readonly bounds: readonly number[] };
  readonly output: { readonly format: PlotFormat };
  /** Whether to use colour, as far as the terminal supports it. */
  readonly color: boolean;
  /** Bounds to suggest; undefined suggests none. */
  readonly suggest: SuggestConfig | undefined;
  /** Sentence about what the semantic conventions bring; undefined if they bring nothing. */
  readonly advice?: string | undefined;
  /** Whether the input grows, so that a terminal shows its state every second. */
  readonly follow: boolean;
  /** Warnings about settings that are odd but possible. */
  readonly warnings: readonly string[];
}

/** Form of the output of `plot`. */
export type PlotFormat = "text" | "json" | "scenario";

/** Bounds that `plot` suggests. */
export interface SuggestConfig {
  /** Maximum number of bounds, from 1 to 100. */
  readonly most: number;
  /** Bounds that must be among them, each once. */
  readonly keep: readonly number[];
}

const MOST_SUGGESTED = 100;

/** Schedule that puts everything into one drawing, whenever it happened. */
const ONCE: Omit<ScheduleConfig, "loop"> = {
  intervalMs: 60_000,
  iterations: Infinity,
  durationMs: Infinity,
};

/** Turns settings into what `plot` does, or throws a UsageError. It reads nothing but its arguments. */
export function plotConfig(
  flags: PlotFlags,
  find: Variables,
  conventions?: Conventions,
): PlotConfig {
  const metric = metricConfig(flags, find, conventions);
  const count = settingOf("count", flags);
  if (count !== undefined && decimal(count.value) === 0) {
    throw invalid(count, "a whole number, 1 or more");
  }
  const follow = flags.follow ?? false;
  // A drawing has a limit of series, also of a capture, which a send leaves as it is.
  const { maxSeries: _, ...others } = flags;
  const source = sourceConfig(
    flags.replay === undefined ? flags : others,
    { ...ONCE, loop: follow },
    false,
    find,
    conventions,
  );
  const convention = conventions?.conventionOf(metric.name);
  return {
    source: source.kind === "input"
      ? { ...source, ownArguments: ["plot", ...source.ownArguments ?? []] }
      : source,
    metric: { ...metric, bounds: explicitBounds(flags, metric.unit, convention) },
    advice: convention !== undefined ? adviceText(convention, flags) : undefined,
    output: { format: choiceOf("plotOutput", flags) },
    color: variableOf("noColor", find) === undefined,
    suggest: suggestConfig(flags),
    follow,
    warnings: [
      ...find.warnings ?? [],
      ...mergeWarnings(flags, metric),
      ...metric.bounds === "exponential" ? exponentialWarnings(find) : [],
      ...oldNameHints(source, flags, conventions),
    ],
  };
}

/** Names what a metric of the semantic conventions brings; undefined if flags override all of it. */
function adviceText(
  { name, unit, bounds }: Convention,
  flags: Pick<PlotFlags, "unit" | "buckets">,
): string | undefined {
  const isUnit = unit !== undefined && flags.unit === undefined;
  const isBounds = bounds !== undefined && flags.buckets === undefined &&
    (flags.unit === undefined || flags.unit === unit);
  const brought = [...isUnit ? [`the unit ${unit}`] : [], ...isBounds ? ["the bounds"] : []];
  return brought.length === 0 ? undefined : `${name} has ${brought.join(" and ")} of ` +
    "OpenTelemetry's semantic conventions. --unit and --buckets override them.";
}

function suggestConfig(flags: PlotFlags): SuggestConfig | undefined {
  const suggest = settingOf("suggestBuckets", flags);
  const kept = settingsOf("keepBound", flags);
  const keep = [
    ...new Set(
      kept.map((bound) =>
        numberSetting(bound, "a number, 0 or more, for example 500", (n) => n >= 0)
      ),
    ),
  ];
  const [first] = kept;
  if (suggest === undefined) {
    if (first === undefined) return undefined;
    throw new UsageError(
      `${first.name} ${first.value} (${first.source}) keeps a bound in a suggestion: add --suggest-buckets`,
    );
  }
  const most = wholeSetting(suggest, 1, MOST_SUGGESTED);
  if (keep.length > most) {
    throw new UsageError(
      `${first?.name} (${first?.source}) pins ${
        counted(keep.length, "bound")
      }, but ${suggest.name} suggests ` +
        `only ${most}: request ${keep.length} or more`,
    );
  }
  return { most, keep };
}

/** Warns that `plot` ignores a variable that `send` obeys. */
function exponentialWarnings(find: Variables): readonly string[] {
  const name = variableOf("exponential", find)?.name;
  return [
    `${name} requests exponential buckets, but plot draws the bounds of --buckets. To draw a send with exponential ` +
    "buckets, run otlp-histogram --dry-run --plot",
  ];
}
