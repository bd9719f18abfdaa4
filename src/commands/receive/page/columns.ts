import { type Bucket, type Extremes, quantile } from "../../../aggregate/quantile.ts";

/** Estimates quantiles of counts between bounds; undefined where nothing is known. Runs in the browser too. */
export function quantiles(
  shares: readonly number[],
  bounds: readonly number[],
  counts: ArrayLike<number | null>,
  extremes: Extremes,
): readonly (number | undefined)[] {
  const buckets: Bucket[] = [];
  for (let i = 0; i <= bounds.length; i++) {
    const count = counts[i] ?? 0;
    if (count === 0) continue;
    buckets.push({ lower: bounds[i - 1] ?? -Infinity, upper: bounds[i] ?? Infinity, count });
  }
  return shares.map((share) => quantile(share, buckets, extremes)?.value);
}
