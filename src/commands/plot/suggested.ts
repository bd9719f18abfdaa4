import { CONVENTIONAL_SECONDS } from "../../aggregate/default_bounds.ts";
import { worstError } from "../../aggregate/accuracy.ts";
import { suggestBounds, type Suggestion } from "../../aggregate/suggestion.ts";
import { NANOSECONDS_OF } from "../../aggregate/time_unit.ts";
import type { SuggestConfig } from "./plot_config.ts";
import { largestOf, type PlotTable } from "./table.ts";

/** Suggested bounds for a metric, and the error of its present ones. */
export interface Suggested {
  readonly suggestion: Suggestion;
  readonly worstErrorNow: number;
  /** Bounds of the semantic conventions in this unit, if they are about as good. */
  readonly conventional: Suggestion | undefined;
  /** The least and the greatest value that were weighed. */
  readonly least: number;
  readonly greatest: number;
  /** Number of series that were left out because they have too few values. */
  readonly leftOut: number;
}

/** Values that a series needs to be weighed, if any other has as many: the p99 of fewer is one of the last values. */
export const ENOUGH_VALUES = 100;

/** Extra relative error up to which the semantic conventions' bounds count as equally good. */
const AS_WELL = 0.01;

/** Maximum number of series to weigh: more would take too long. Without --max-series there are no more. */
export const MOST_SUGGESTED_FOR = 10_000;

/**
 * Finds the best bounds for the series of a metric, whose tables are of one phase each, from the largest series if there are many, and only from those with
 * enough values if there are any. Undefined if no values are known.
 */
export function suggestedFor(
  tables: readonly PlotTable[],
  { most, keep }: SuggestConfig,
): Suggested | undefined {
  const [{ metric: { bounds, unit } } = { metric: { bounds: [], unit: "" } }] = tables;
  const measured = largestOf(
    tables.flatMap((table) =>
      [...table.series].filter((series) =>
        series.bounds === table.metric.bounds && series.isMeasured
      )
    ),
  );
  const large = measured.filter(({ count }) => count >= ENOUGH_VALUES);
  const considered = large.length > 0 ? large : measured;
  const weighed = considered.slice(0, MOST_SUGGESTED_FOR);
  const fine = weighed.map((series) => series.fine() ?? []);
  const worstErrorNow = weighed.reduce(
    (worst, series) => Math.max(worst, series.worst()?.error ?? 0),
    0,
  );
  const suggestion = suggestBounds(fine, most, { bounds, worstError: worstErrorNow }, keep);
  if (suggestion === undefined) return undefined;
  const conventional = conventionalIn(unit);
  const error = worstError(fine, conventional);
  const isAsGood = conventional.length > 0 &&
    keep.every((bound) => conventional.includes(bound)) &&
    error <= suggestion.worstError + AS_WELL;
  return {
    suggestion,
    worstErrorNow,
    conventional: isAsGood ? { bounds: conventional, worstError: error } : undefined,
    least: Math.min(...weighed.map(({ min }) => min ?? Infinity)),
    greatest: Math.max(...weighed.map(({ max }) => max ?? -Infinity)),
    leftOut: measured.length - considered.length,
  };
}

/** Bounds of the semantic conventions in a unit of time up to the second; none in any other. */
function conventionalIn(unit: string): readonly number[] {
  const parts = 1e9 / (NANOSECONDS_OF.get(unit) ?? Infinity);
  return parts < 1 ? [] : CONVENTIONAL_SECONDS.map((seconds) => seconds * parts);
}
