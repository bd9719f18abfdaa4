import { CONVENTIONAL_SECONDS } from "../../aggregate/default_bounds.ts";
import { worstError } from "../../aggregate/accuracy.ts";
import { suggestBounds, type Suggestion } from "../../aggregate/suggestion.ts";
import { largestFirst, type PlotTable } from "./table.ts";

/** Suggested bounds for a metric, and the error of its present ones. */
export interface Suggested {
  readonly suggestion: Suggestion;
  readonly worstErrorNow: number;
  /** Bounds of the semantic conventions in this unit, if they are about as good. */
  readonly conventional: Suggestion | undefined;
}

/** Extra relative error up to which the semantic conventions' bounds count as equally good. */
const AS_WELL = 0.01;
/** Units of time (UCUM), as parts of a second. */
const PARTS: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["ms", 1e3],
  ["us", 1e6],
  ["ns", 1e9],
]);

/** Maximum number of series to weigh: more would take too long. Without --max-series there are no more. */
export const MOST_SUGGESTED_FOR = 10_000;

/**
 * Finds the best bounds for the series of a metric, at most `most` bounds, from the largest series if there are many.
 * Undefined if no values are known.
 */
export function suggestedFor(table: PlotTable, most: number): Suggested | undefined {
  const { metric: { bounds, unit } } = table;
  const weighed = largestFirst(table).slice(0, MOST_SUGGESTED_FOR);
  const fine = weighed.flatMap((series) => {
    const values = series.bounds === bounds ? series.fine() : undefined;
    return values === undefined ? [] : [values];
  });
  const worstErrorNow = weighed.reduce(
    (worst, series) => Math.max(worst, series.worst()?.error ?? 0),
    0,
  );
  const suggestion = suggestBounds(fine, most, { bounds, worstError: worstErrorNow });
  if (suggestion === undefined) return undefined;
  const parts = PARTS.get(unit);
  const conventional = parts === undefined ? [] : CONVENTIONAL_SECONDS.map((s) => s * parts);
  const error = worstError(fine, conventional);
  const isAsGood = conventional.length > 0 && error <= suggestion.worstError + AS_WELL;
  return {
    suggestion,
    worstErrorNow,
    conventional: isAsGood ? { bounds: conventional, worstError: error } : undefined,
  };
}
