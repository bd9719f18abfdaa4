import {
  type Conventions,
  type MetricIdentity,
  metricIdentity,
} from "../../aggregate/metric_config.ts";
import { UsageError } from "../../platform/errors.ts";
import { METRIC_NAME } from "../../settings/metric_name.ts";
import { invalid, type Setting, type Variables } from "../../settings/setting.ts";
import { flagName, type SendFlags, settingOrDefault, settingsOf } from "../../settings/settings.ts";
import { SETTINGS } from "../../settings/settings_table.ts";

/** A field that holds a value, and its metric; undefined: that of `--metric`. */
export interface MeasuredField {
  readonly field: string;
  readonly metric: MetricIdentity | undefined;
}

/**
 * Reads `--value-field`: at most one field that names no metric, and any number that do. Throws a UsageError for an
 * invalid one, for a metric that comes twice, and for a flag that does not hold for all of the metrics.
 */
export function valueFields(
  flags: SendFlags,
  find: Variables,
  conventions?: Conventions,
): readonly MeasuredField[] {
  const settings = settingsOf("valueField", flags);
  if (settings.length === 0) return [{ field: SETTINGS.valueField.default, metric: undefined }];
  const fields = settings.map((setting) => measuredField(setting, flags, find, conventions));
  const plain = fields.filter(({ metric }) => metric === undefined);
  if (plain.length > 1) {
    throw new UsageError(
      `--value-field names ${plain.map(({ field }) => `"${field}"`).join(" and ")} for one ` +
        "metric: name a metric for each field, --value-field NAME=METRIC",
    );
  }
  if (flags.unit !== undefined && settings.every(({ value }) => HAS_UNIT.test(value))) {
    throw new UsageError(
      "--unit applies to metrics without their own unit, but each --value-field has one: " +
        "remove --unit",
    );
  }
  if (plain.length < fields.length) checkMetrics(fields, flags, find, conventions);
  return fields;
}

/** A value field with the unit of its metric. */
export const HAS_UNIT = /=[^:]*:/;
const EXPECTED =
  "the name of a field, or NAME=METRIC[:UNIT], for example request_time=nginx.request.duration:s";

function measuredField(
  setting: Setting,
  flags: SendFlags,
  find: Variables,
  conventions: Conventions | undefined,
): MeasuredField {
  const { value } = setting;
  const equals = value.indexOf("=");
  const field = (equals < 0 ? value : value.slice(0, equals)).trim();
  if (field === "") throw invalid(setting, EXPECTED);
  if (equals < 0) return { field: value, metric: undefined };
  const [, name = "", unit] = /^([^:]*)(?::(.+))?$/s.exec(value.slice(equals + 1).trim()) ?? [];
  if (!METRIC_NAME.test(name)) throw invalid(setting, EXPECTED);
  return { field, metric: metricIdentity(name, { unit }, flags, find, conventions) };
}

/** Checks fields of which at least one names its metric. */
function checkMetrics(
  fields: readonly MeasuredField[],
  flags: SendFlags,
  find: Variables,
  conventions: Conventions | undefined,
): void {
  const isAllNamed = fields.every(({ metric }) => metric !== undefined);
  for (const key of ["metric", "description"] as const) {
    if (!isAllNamed || flags[key] === undefined) continue;
    throw new UsageError(
      `${flagName(key)} applies to a --value-field without a metric, but each has one: remove ` +
        `${flagName(key)}, or add --value-field NAME`,
    );
  }
  const { value: own } = settingOrDefault("metric", flags);
  const metrics = fields.map(({ metric }) =>
    metric ?? metricIdentity(own, {}, flags, find, conventions)
  );
  const names = metrics.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) {
    throw new UsageError(
      `--value-field sets two fields for the metric "${twice}": name a different metric for each field`,
    );
  }
  const units = new Set(metrics.map(({ unit }) => unit));
  for (const key of ["buckets", "scale"] as const) {
    if (units.size < 2 || flags[key] === undefined) continue;
    throw new UsageError(
      `${flagName(key)} holds for every metric of --value-field, and these have different units (${
        [...units].map((unit) => `"${unit}"`).join(", ")
      }): leave it out${REMEDIES[key]}, or read the metrics of each unit in a separate run`,
    );
  }
}

const REMEDIES = {
  buckets: " for the bounds of each unit",
  scale: " and name the units that the fields have, --value-field NAME=METRIC:UNIT",
};
