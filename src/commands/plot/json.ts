import { escapeJson } from "../../console/escape.ts";
import type { Attributes } from "../../aggregate/measurement.ts";
import type { Hide } from "../../redact/secrets.ts";
import type { Suggestion } from "../../aggregate/suggestion.ts";
import type { PlottedSeries } from "./series.ts";
import type { PlottedMetric } from "./table.ts";

/**
 * Formats a series as the line of JSON that docs/json.md describes, without its line end. Unknown figures are null. A metric
 * that shares its name with another has its `origin` in it, one of a phase its `phase`.
 */
export function seriesJson(
  { name, unit, phase, origin }: PlottedMetric & { readonly origin?: Attributes | undefined },
  series: PlottedSeries,
  hide: Hide,
): string {
  const { attributes, count, sum, min, max, bounds, counts } = series;
  const quantiles = series.percentiles().map(({ percent, measured, estimated }) => [
    `p${percent}`,
    { measured: measured ?? null, estimated: estimated ?? null },
  ]);
  return escapeJson({
    type: "histogram",
    metric: hide(name),
    unit: hide(unit),
    ...phase !== undefined && { phase: hide(phase) },
    ...origin && { origin: hiddenAttributes(origin, hide) },
    attributes: hiddenAttributes(attributes, hide),
    count,
    sum: sum ?? null,
    min: min ?? null,
    max: max ?? null,
    bounds,
    counts,
    quantiles: Object.fromEntries(quantiles),
  });
}

/** Attributes of a series, without the secrets in them. */
export function hiddenAttributes(attributes: Attributes, hide: Hide): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [
      hide(key),
      typeof value === "string" ? hide(value) : value,
    ]),
  );
}

/** Formats suggested bounds as a line of JSON; `metric` is set if there are several. */
export function suggestionJson(
  { bounds, worstError }: Suggestion,
  worstErrorNow: number,
  metric: string | undefined,
): string {
  return escapeJson({
    type: "suggestion",
    ...metric === undefined ? {} : { metric },
    buckets: bounds,
    worstError,
    worstErrorNow,
  });
}
