import { worstError } from "../../aggregate/accuracy.ts";
import { suggestBounds, type Suggestion } from "../../aggregate/suggestion.ts";
import { largestFirst, type PlotTable } from "./table.ts";

export interface Suggested {
  readonly suggestion: Suggestion;
  readonly worstErrorNow: number;
  /** The semantic conventions' bounds in this unit, where they do as well. */
  readonly conventional: Suggestion | undefined;
}

/** Bounds for request durations (OpenTelemetry's semantic conventions, http.server.request.duration), in s. */
const CONVENTIONAL_SECONDS = [
  0.005,
  0.01,
  0.025,
  0.05,
  0.075,
  0.1,
  0.25,
  0.5,
  0.75,
  1,
  2.5,
  5,
  7.5,
  10,
] as const;

/** How much worse the semantic conventions' bounds may be and yet do as well, as a share of the truth. */
const AS_WELL = 0.01;
/** Units of time, in parts of a second (UCUM). */
const PARTS: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["ms", 1e3],
  ["us", 1e6],
  ["ns", 1e9],
]);

/** Series beyond these would take longer than somebody waits; without --max-series there are no more. */
export const MOST_SUGGESTED_FOR = 10_000;

/**
 * The bounds that suit the series of a metric best, at most `most` bounds, and the largest series where they are many;
 * undefined where there are no values.
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
