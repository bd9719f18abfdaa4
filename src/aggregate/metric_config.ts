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

/** Metric to send: its name, unit and buckets, and the attributes of its resource and data points. */
export interface MetricConfig {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Upper bounds of the buckets, strictly increasing, in the metric's unit; or base-2 exponential ones. */
  readonly bounds: Buckets;
  /** Most data points per send. */
  readonly maxSeries: number;
  readonly resource: Readonly<Record<string, string>>;
  /** Resource attributes that the user set; they override a scenario's. */
  readonly userResource: Readonly<Record<string, string>>;
  /** Attributes on every data point; they override a measurement's own. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Resource attributes without any setting. */
export const DEFAULT_RESOURCE: Readonly<Record<string, string>> = {
  "service.name": SETTINGS.service.default,
  ...Object.fromEntries([
    keyValueSetting({ name: "--resource", source: "default", value: SETTINGS.resource.default }),
  ]),
};

/** Reads the settings of the metric; throws a UsageError for an invalid one. */
export function metricConfig(flags: SendFlags, find: Variables): MetricConfig {
  const name = settingOrDefault("metric", flags);
  if (!METRIC_NAME.test(name.value)) {
    throw invalid(
      name,
      "an OpenTelemetry instrument name: a letter, then up to 254 letters, digits or any of _ . - /",
    );
  }
  const userResource = readResource(flags, find);
  const unit = settingOrDefault("unit", flags).value;
  return {
    name: name.value,
    unit,
    description: descriptionOf(flags, name.value),
    bounds: readBuckets(flags, find, unit),
    maxSeries: maxSeriesOf(flags),
    resource: { ...DEFAULT_RESOURCE, ...userResource },
    userResource,
    attributes: Object.fromEntries(settingsOf("attr", flags).map(keyValueSetting)),
  };
}

/** Each series is held in memory. */
const MOST_SERIES = 1_000_000;

/** Reads `--max-series`, whose default rises to the series that `--series` asks for. */
function maxSeriesOf(flags: SendFlags): number {
  const most = wholeSetting(settingOrDefault("maxSeries", flags), 1, MOST_SERIES);
  if (flags.maxSeries !== undefined || flags.series === undefined) return most;
  // The source reports a --series that is not a number.
  const series = decimal(flags.series);
  return series > most && series <= MOST_SERIES ? series : most;
}

/** Reads the description, whose default describes the default metric and no other. */
function descriptionOf(flags: SendFlags, name: string): string {
  const isDefault = name === SETTINGS.metric.default;
  return flags.description ?? (isDefault ? SETTINGS.description.default : "");
}

function readBuckets(flags: SendFlags, find: Variables, unit: string): MetricConfig["bounds"] {
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

/** Reads the upper bounds of `--buckets`; without it, those of the unit apply. */
export function explicitBounds(
  flags: Pick<SendFlags, "buckets">,
  unit: string,
): readonly number[] {
  const setting = settingOf("buckets", flags);
  return setting === undefined ? defaultBounds(unit) : parseBounds(setting);
}

function parseBounds(setting: Setting): readonly number[] {
  const bounds = setting.value.split(",").map(decimal);
  const increasing = bounds.every((bound, i) =>
    Number.isFinite(bound) && (i === 0 || bound > (bounds[i - 1] ?? NaN))
  );
  if (!increasing) {
    throw invalid(setting, "numbers in strictly increasing order, for example 5,10,25.5,100");
  }
  return bounds;
}

function readResource(flags: SendFlags, find: Variables): Readonly<Record<string, string>> {
  const listed = variableOf("resource", find);
  const service = variableOf("service", find);
  return {
    ...listed && Object.fromEntries(keyValueList(listed, "KEY=VALUE,KEY=VALUE,…")),
    ...service && { "service.name": service.value },
    ...Object.fromEntries(settingsOf("resource", flags).map(keyValueSetting)),
    ...flags.service !== undefined && { "service.name": flags.service },
  };
}
