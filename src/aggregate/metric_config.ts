import { UsageError } from "../platform/errors.ts";
import { METRIC_NAME } from "../settings/metric_name.ts";
import { decimal } from "../platform/number.ts";
import type { Buckets } from "./aggregation.ts";
import { defaultBounds } from "./default_bounds.ts";
import {
  choiceSetting,
  invalid,
  keyValueList,
  keyValueSetting,
  type Setting,
  type Variables,
  wholeSetting,
} from "../settings/setting.ts";
import {
  type SendFlags,
  settingOf,
  settingOrDefault,
  settingsOf,
  variableOf,
} from "../settings/settings.ts";
import { SETTINGS } from "../settings/settings_table.ts";

export interface MetricConfig {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Upper bounds of the buckets, strictly increasing, in the metric's unit; or base-2 exponential ones. */
  readonly bounds: Buckets;
  /** Data points a send at most. */
  readonly maxSeries: number;
  readonly resource: Readonly<Record<string, string>>;
  /** What of it the user gave: it beats a scenario's. */
  readonly resourceGiven: Readonly<Record<string, string>>;
  /** On every data point; beats a measurement's own attribute of that name. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What the resource says of itself when nothing else is given. */
export const DEFAULT_RESOURCE: Readonly<Record<string, string>> = {
  "service.name": SETTINGS.service.default,
  ...Object.fromEntries([
    keyValueSetting({ name: "--resource", source: "default", value: SETTINGS.resource.default }),
  ]),
};

export function metricConfig(flags: SendFlags, find: Variables): MetricConfig {
  const name = settingOrDefault("metric", flags);
  if (!METRIC_NAME.test(name.value)) {
    throw invalid(
      name,
      "an OpenTelemetry instrument name: a letter, then up to 254 letters, digits or any of _ . - /",
    );
  }
  const resourceGiven = givenResource(flags, find);
  const unit = settingOrDefault("unit", flags).value;
  return {
    name: name.value,
    unit,
    description: descriptionOf(flags, name.value),
    bounds: boundsOf(flags, find, unit),
    maxSeries: maxSeriesOf(flags),
    resource: { ...DEFAULT_RESOURCE, ...resourceGiven },
    resourceGiven,
    attributes: Object.fromEntries(settingsOf("attr", flags).map(keyValueSetting)),
  };
}

/** Each series is held in memory. */
const MOST_SERIES = 1_000_000;

/** Series that are asked for with --series raise what holds when nothing is said. */
function maxSeriesOf(flags: SendFlags): number {
  const most = wholeSetting(settingOrDefault("maxSeries", flags), 1, MOST_SERIES);
  if (flags.maxSeries !== undefined || flags.series === undefined) return most;
  // Where it is no number, the source says so.
  const series = decimal(flags.series);
  return series > most && series <= MOST_SERIES ? series : most;
}

/** The default one describes the default metric, and no other. */
function descriptionOf(flags: SendFlags, name: string): string {
  const isDefault = name === SETTINGS.metric.default;
  return flags.description ?? (isDefault ? SETTINGS.description.default : "");
}

function boundsOf(flags: SendFlags, find: Variables, unit: string): MetricConfig["bounds"] {
  if (flags.exponential && flags.buckets !== undefined) {
    throw new UsageError("--buckets and --exponential contradict each other: give one of them");
  }
  if (flags.exponential) return "exponential";
  const aggregation = flags.buckets === undefined ? variableOf("exponential", find) : undefined;
  const kind = aggregation && choiceSetting(aggregation, [
    "explicit_bucket_histogram",
    "base2_exponential_bucket_histogram",
  ]);
  return kind === "base2_exponential_bucket_histogram"
    ? "exponential"
    : explicitBounds(flags, unit);
}

/** The bounds of `--buckets`, or the default ones of the unit. */
export function explicitBounds(
  flags: Pick<SendFlags, "buckets">,
  unit: string,
): readonly number[] {
  const given = settingOf("buckets", flags);
  return given === undefined ? defaultBounds(unit) : boundsSetting(given);
}

function boundsSetting(setting: Setting): readonly number[] {
  const bounds = setting.value.split(",").map(decimal);
  const increasing = bounds.every((bound, i) =>
    Number.isFinite(bound) && (i === 0 || bound > (bounds[i - 1] ?? NaN))
  );
  if (!increasing) {
    throw invalid(setting, "numbers in strictly increasing order, for example 5,10,25.5,100");
  }
  return bounds;
}

function givenResource(flags: SendFlags, find: Variables): Readonly<Record<string, string>> {
  const listed = variableOf("resource", find);
  const service = variableOf("service", find);
  return {
    ...listed && Object.fromEntries(keyValueList(listed, "KEY=VALUE,KEY=VALUE,…")),
    ...service && { "service.name": service.value },
    ...Object.fromEntries(settingsOf("resource", flags).map(keyValueSetting)),
    ...flags.service !== undefined && { "service.name": flags.service },
  };
}
