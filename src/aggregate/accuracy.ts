import { cumulative, type FineBucket, measureQuantile } from "./fine.ts";
import { explicitBuckets, type Extremes, quantile } from "./quantile.ts";

/** The percentiles that buckets are judged by, and that a histogram is drawn with. */
export const PERCENTILES = [50, 90, 99] as const;

/** Percentile of the values beside a receiver's estimate from the buckets; `error` is a share of the truth. */
export interface PercentileComparison {
  readonly percent: number;
  readonly measured: number;
  readonly estimated: number;
  readonly error: number;
}

/** Error of an estimate as a share of the truth, 0 or more and finite; 1 for any other estimate of 0. */
export function relativeError(estimate: number, truth: number): number {
  if (estimate === truth) return 0;
  return truth === 0 ? 1 : Math.min(Math.abs(estimate - truth) / truth, Number.MAX_VALUE);
}

/** Compares the percentiles of one series' values with those that its buckets, min and max give. */
export function comparePercentiles(
  fine: readonly FineBucket[],
  bounds: readonly number[],
  counts: readonly number[],
): readonly PercentileComparison[] {
  const buckets = explicitBuckets(bounds, counts);
  const extremes = extremesOf(fine);
  return PERCENTILES.flatMap((percent) => {
    const truth = measureQuantile(percent / 100, fine);
    const estimate = quantile(percent / 100, buckets, extremes);
    if (truth === undefined || estimate === undefined) return [];
    const error = relativeError(estimate.value, truth.value);
    return [{ percent, measured: truth.value, estimated: estimate.value, error }];
  });
}

/** Greatest error of the percentiles of all series, had they been counted with these upper bounds. */
export function worstError(
  series: readonly (readonly FineBucket[])[],
  bounds: readonly number[],
): number {
  return series.reduce((worst, fine) => {
    const upTo = [...cumulative(fine, bounds), countValues(fine)];
    const counts = upTo.map((count, i) => count - (upTo[i - 1] ?? 0));
    return Math.max(worst, ...comparePercentiles(fine, bounds, counts).map(({ error }) => error));
  }, 0);
}

/** Counts the values of one series. */
export function countValues(fine: readonly FineBucket[]): number {
  return fine.reduce((total, { count }) => total + count, 0);
}

/** Least and greatest value of one series; undefined without values. */
export function extremesOf(fine: readonly FineBucket[]): Extremes {
  return { min: fine.at(0)?.least, max: fine.at(-1)?.greatest };
}
