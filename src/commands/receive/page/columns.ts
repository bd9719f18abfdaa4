import {
  bothEstimates,
  type Bucket,
  type Estimates,
  type Extremes,
} from "../../../aggregate/quantile.ts";

/** Estimates quantiles of counts between bounds; undefined where nothing is known. Runs in the browser too. */
export function estimates(
  shares: readonly number[],
  bounds: readonly number[],
  counts: ArrayLike<number | null>,
  extremes: Extremes,
): readonly (Estimates | undefined)[] {
  const buckets: Bucket[] = [];
  for (let i = 0; i <= bounds.length; i++) {
    const count = counts[i] ?? 0;
    if (count === 0) continue;
    buckets.push({ lower: bounds[i - 1] ?? -Infinity, upper: bounds[i] ?? Infinity, count });
  }
  return shares.map((share) => bothEstimates(share, buckets, extremes));
}

/** Estimates quantiles held to min and max. */
export function quantiles(
  ...of: Parameters<typeof estimates>
): readonly (number | undefined)[] {
  return estimates(...of).map((each) => each?.held.value);
}
