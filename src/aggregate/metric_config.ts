import { UsageError } from "../platform/errors.ts";
import { METRIC_NAME } from "../settings/metric_name.ts";
import { decimal } from "../platform/number.ts";
import type { Buckets } from "./aggregation.ts";
import type { Convention } from "./conventions.ts";
import { defaultBounds } from "./default_bounds.ts";
import { type ConfiguredIdentity, SAMPLE_IDENTITY } from "./identity.ts";
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

/** Name, unit, description and buckets of a metric. */
export interface MetricIdentity {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Upper bounds of the buckets, strictly increasing, in the metric's unit; or base-2 exponential ones. */
  readonly bounds: Buckets;
}

/** Metric to send, the identity of its sender, and the attributes of its data points. */
export interface MetricConfig extends MetricIdentity, ConfiguredIdentity {
  /** Most data points per send. */
  readonly maxSeries: number;
  /** Resource attributes that the user set; they override a scenario's and a scraped target's. */
  readonly userResource: Readonly<Record<string, string>>;
  /** Attributes on every data point; they override a measurement's own. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Semantic conventions, once they are loaded. */
export type Conventions = Pick<typeof import("./conventions.ts"), "conventionOf" | "oldNameHint">;

/** Loads the semantic conventions if a flag may name one of theirs: the default metric brings nothing. */
export async function conventionsFor(
  { metric, valueField = [] }: Pick<SendFlags, "metric" | "valueField">,
): Promise<Conventions | undefined> {
  const isNamed = metric !== undefined || valueField.some((text) => text.includes("="));
  return isNamed ? await import("./conventions.ts") : undefined;
}

/** Reads the unit of a metric: `--unit`, or that of the semantic conventions, or the default. */
export function unitSetting(
  flags: SendFlags,
  conventions: Conventions | undefined,
  name: string = settingOrDefault("metric", flags).value,
): Setting {
  const value = conventions?.conventionOf(name)?.unit;
  return flags.unit !== undefined || value === undefined
    ? settingOrDefault("unit", flags)
    : { name: "--unit", source: `semantic conventions for ${name}`, value };
}

/**
 * Reads the settings of the metric; throws a UsageError for an invalid one. The resource attributes that the user set
 * override those of `identity`.
 */
export function metricConfig(
  flags: SendFlags,
  find: Variables,
  conventions?: Conventions,
  identity: ConfiguredIdentity = SAMPLE_IDENTITY,
): MetricConfig {
  const name = settingOrDefault("metric", flags);
  if (!METRIC_NAME.test(name.value)) {
    throw invalid(
      name,
      "an OpenTelemetry instrument name: a letter, then up to 254 letters, digits or any of _ . - /",
    );
  }
  const userResource = readResource(flags, find);
  return {
    ...metricIdentity(name.value, { description: flags.description }, flags, find, conventions),
    maxSeries: maxSeriesOf(flags),
    resource: { ...identity.resource, ...userResource },
    scope: identity.scope,
    userResource,
    attributes: Object.fromEntries(settingsOf("attr", flags).map(keyValueSetting)),
  };
}

/**
 * Returns the identity of a metric with this name. Its own unit and description override the defaults of its name; without a unit
 * it has that of `--unit`, or else of the conventions, and without `--buckets` the bounds of its unit.
 */
export function metricIdentity(
  name: string,
  own: { readonly unit?: string | undefined; readonly description?: string | undefined },
  flags: SendFlags,
  find: Variables,
  conventions: Conventions | undefined,
): MetricIdentity {
  const unit = own.unit ?? unitSetting(flags, conventions, name).value;
  return {
    name,
    unit,
    description: own.description ?? defaultDescription(name),
    bounds: readBuckets(flags, find, unit, conventions?.conventionOf(name)),
  };
}

/** Greatest `--max-series`: each series is held in memory. */
export const MOST_SERIES = 1_000_000;

/** Reads `--max-series`, whose default rises to the series that `--series` asks for. */
function maxSeriesOf(flags: SendFlags): number {
  const most = wholeSetting(settingOrDefault("maxSeries", flags), 1, MOST_SERIES);
  if (flags.maxSeries !== undefined || flags.series === undefined) return most;
  // The source reports a --series that is not a number.
  const series = decimal(flags.series);
  return series > most && series <= MOST_SERIES ? series : most;
}

/** Warns if more series are generated than an explicit limit allows. */
export function mergeWarnings(
  { series, maxSeries }: Pick<SendFlags, "series" | "maxSeries">,
  metric: Pick<MetricConfig, "maxSeries">,
): readonly string[] {
  if (maxSeries === undefined || series === undefined) return [];
  if (Number(series) <= metric.maxSeries) return [];
  return [
    `--series ${series} is more than --max-series ${metric.maxSeries}: the extra series are merged into one data point; ` +
    "remove --max-series to send them all",
  ];
}

/** Returns the description of the default metric; any other one has none. */
function defaultDescription(name: string): string {
  return name === SETTINGS.metric.default ? SETTINGS.description.default : "";
}

function readBuckets(
  flags: SendFlags,
  find: Variables,
  unit: string,
  convention: Convention | undefined,
): MetricConfig["bounds"] {
  if (flags.exponential && flags.buckets !== undefined) {
    throw new UsageError("--buckets and --exponential cannot be used together: remove one of them");
  }
  if (flags.exponential) return "exponential";
  const aggregation = flags.buckets === undefined ? variableOf("exponential", find) : undefined;
  const kind = aggregation && choiceSetting(aggregation, [
    "explicit_bucket_histogram",
    "base2_exponential_bucket_histogram",
  ]);
  return kind === "base2_exponential_bucket_histogram"
    ? "exponential"
    : explicitBounds(flags, unit, convention);
}

/** Reads the upper bounds of `--buckets`; without it, those advised for this metric in this unit, or those of the unit. */
export function explicitBounds(
  flags: Pick<SendFlags, "buckets">,
  unit: string,
  convention: Convention | undefined,
): readonly number[] {
  const setting = settingOf("buckets", flags);
  if (setting !== undefined) return parseBounds(setting);
  const advised = convention?.unit === unit ? convention.bounds : undefined;
  return advised ?? defaultBounds(unit);
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
  const resource = {
    ...listed && Object.fromEntries(keyValueList(listed, "KEY=VALUE,KEY=VALUE,…")),
    ...service && { "service.name": service.value },
    ...Object.fromEntries(settingsOf("resource", flags).map(keyValueSetting)),
    ...flags.service !== undefined && { "service.name": flags.service },
  };
  // An empty name, of a script's unset variable, names no service.
  const { "service.name": name, ...others } = resource;
  return name === "" ? others : resource;
}
