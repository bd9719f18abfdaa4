import { cumulative, type FineBucket, measured } from "./fine.ts";
import { explicitBuckets, type Extremes, quantile } from "./quantile.ts";

/** The percentiles that buckets are judged by, and that a histogram is drawn with. */
export const PERCENTILES = [50, 90, 99] as const;

/** A percentile of the values themselves beside what a receiver makes of the buckets; `error` is a share of the truth. */
export interface Compared {
  readonly percent: number;
  readonly measured: number;
  readonly estimated: number;
  readonly error: number;
}

/** A share of the truth, 0 or more. Where the truth is 0, any other estimate is wrong altogether: 1. */
export function relativeError(estimate: number, truth: number): number {
  if (estimate === truth) return 0;
  return truth === 0 ? 1 : Math.abs(estimate - truth) / truth;
}

/** Of one series: the percentiles of its values beside those estimated from its buckets, min and max. */
export function compared(
  fine: readonly FineBucket[],
  bounds: readonly number[],
  counts: readonly number[],
): readonly Compared[] {
  const buckets = explicitBuckets(bounds, counts);
  const extremes = extremesOf(fine);
  return PERCENTILES.flatMap((percent) => {
    const truth = measured(percent / 100, fine);
    const estimate = quantile(percent / 100, buckets, extremes);
    if (truth === undefined || estimate === undefined) return [];
    const error = relativeError(estimate.value, truth.value);
    return [{ percent, measured: truth.value, estimated: estimate.value, error }];
  });
}

/** The greatest error of the percentiles of all series, had they been counted with these bounds. */
export function worstError(
  series: readonly (readonly FineBucket[])[],
  bounds: readonly number[],
): number {
  return series.reduce((worst, fine) => {
    const upTo = [...cumulative(fine, bounds), countOf(fine)];
    const counts = upTo.map((count, i) => count - (upTo[i - 1] ?? 0));
    return Math.max(worst, ...compared(fine, bounds, counts).map(({ error }) => error));
  }, 0);
}

export function countOf(fine: readonly FineBucket[]): number {
  return fine.reduce((total, { count }) => total + count, 0);
}

export function extremesOf(fine: readonly FineBucket[]): Extremes {
  return { min: fine.at(0)?.least, max: fine.at(-1)?.greatest };
}
