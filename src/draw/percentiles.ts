import { PERCENTILES } from "../aggregate/accuracy.ts";
import {
  base2Buckets,
  bothEstimates,
  type Estimate,
  type Estimates,
  explicitBuckets,
  type Extremes,
} from "../aggregate/quantile.ts";
import { type PointBuckets, roundToSixDigits } from "./figures.ts";

/** Estimates of one percentile. */
export interface EstimatedPercentile extends Estimates {
  readonly percent: number;
}

/** Estimates p50, p90 and p99 in both ways; leaves out those that nothing bounds. */
export function percentilesOf(
  buckets: PointBuckets,
  extremes: Extremes,
): readonly EstimatedPercentile[] {
  const isExplicit = buckets.kind === "explicit";
  const listed = isExplicit
    ? explicitBuckets(buckets.bounds, buckets.counts)
    : base2Buckets(buckets);
  return PERCENTILES.flatMap((percent) => {
    const estimates = bothEstimates(
      percent / 100,
      listed,
      extremes,
      isExplicit ? "linear" : "exponential",
    );
    return estimates === undefined ? [] : [{ percent, ...estimates }];
  });
}

/** Formats an estimate of a percentile; `> 10` in the last bucket, which has no end. */
export function estimateText({ value, relation }: Estimate): string {
  return `${{ about: "", above: "> ", below: "≤ " }[relation]}${roundToSixDigits(value)}`;
}

/** The estimate to show first: held to min and max, unless it lies above the last bound, where it would be a guess. */
export function shownEstimate({ held, alone, above }: Estimates): Estimate {
  return above === undefined || alone === undefined ? held : alone;
}

/** Formats percentiles as a line, and a line of those from buckets alone if one differs by more than 10%. */
export function estimateLines(percentiles: readonly EstimatedPercentile[]): string[] {
  if (percentiles.length === 0) return [];
  const words = percentiles.map((each) => `p${each.percent} ${estimateText(shownEstimate(each))}`);
  return [`estimated ${words.join(", ")}`, ...aloneLines(percentiles)];
}

/** Formats the percentiles from buckets alone as a line, if one differs by more than 10% from the estimate shown. */
export function aloneLines(percentiles: readonly EstimatedPercentile[]): string[] {
  if (!percentiles.some(({ isFarOff, above }) => isFarOff && above === undefined)) return [];
  const words = percentiles.flatMap(({ percent, alone }) =>
    alone === undefined ? [] : [`p${percent} ${estimateText(alone)}`]
  );
  return [`from buckets only, as a backend shows: ${words.join(", ")}`];
}
