import { base2Bound, type Exponential, trimSide } from "./base2.ts";

/** Values above `lower`, up to and with `upper`; at the ends of a histogram these may be infinite. */
export interface Bucket {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

/** The least and the greatest value, where they are known. */
export interface Extremes {
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** `above` and `below`: it lies in a bucket that has no end on that side, and `value` is the other end. */
export interface Estimate {
  readonly value: number;
  readonly relation: "about" | "above" | "below";
}

/** Spread of the values in a bucket: even, or even on a logarithmic scale. */
export type Interpolation = "linear" | "exponential";

const NO_EXTREMES: Extremes = { min: undefined, max: undefined };

/** Share of an estimate by which another one may differ from it and still says the same. */
const SAME = 0.1;

/** Both estimates of a percentile. */
export interface Estimates {
  /** Estimate held to min and max. */
  readonly held: Estimate;
  /** Estimate from buckets alone, as a backend makes it; undefined where nothing bounds the values. */
  readonly alone: Estimate | undefined;
  /** Whether the two differ by more than 10%. */
  readonly isFarOff: boolean;
  /** The last bound, if the percentile lies above it. */
  readonly above: number | undefined;
}

/**
 * Estimates the value that a share `q` of all values does not exceed in both ways. From buckets alone, exponential ones
 * are interpolated as Prometheus' histogram_quantile does for native histograms.
 */
export function bothEstimates(
  q: number,
  buckets: readonly Bucket[],
  extremes: Extremes,
  between: Interpolation = "linear",
): Estimates | undefined {
  const held = quantile(q, buckets, extremes);
  if (held === undefined) return undefined;
  const alone = quantile(q, buckets, NO_EXTREMES, between);
  return {
    held,
    alone,
    isFarOff: alone !== undefined &&
      Math.abs(alone.value - held.value) > SAME * Math.abs(held.value),
    above: alone?.relation === "above" ? alone.value : undefined,
  };
}

/**
 * Estimates the value that a share `q` of all values does not exceed. As Prometheus' histogram_quantile: the first
 * bucket in which the cumulative count reaches q × count, its values taken as evenly spread, and a first bucket without
 * a lower bound begins at 0 if its upper bound is greater. Beyond Prometheus, a bucket ends where min and max say that
 * no value is. Undefined when there are no values, or nothing bounds them.
 */
export function quantile(
  q: number,
  buckets: readonly Bucket[],
  extremes: Extremes = NO_EXTREMES,
  between: Interpolation = "linear",
): Estimate | undefined {
  const filled = buckets.filter(({ count }) => count > 0);
  const rank = q * filled.reduce((total, { count }) => total + count, 0);
  let before = 0;
  for (const bucket of filled) {
    if (before + bucket.count >= rank || bucket === filled.at(-1)) {
      const share = Math.min((rank - before) / bucket.count, 1);
      return inside(bucket, share, extremes, between);
    }
    before += bucket.count;
  }
  return undefined;
}

function inside(
  bucket: Bucket,
  share: number,
  extremes: Extremes,
  between: Interpolation,
): Estimate | undefined {
  const { lower, upper } = narrowed(bucket, extremes);
  if (Number.isFinite(lower) && Number.isFinite(upper)) {
    if (between === "exponential" && lower * upper > 0) {
      return { value: lower * (upper / lower) ** share, relation: "about" };
    }
    const width = upper - lower;
    const value = Number.isFinite(width)
      ? lower + width * share
      : lower * (1 - share) + upper * share;
    return { value, relation: "about" };
  }
  if (Number.isFinite(lower)) return { value: lower, relation: "above" };
  return Number.isFinite(upper) ? { value: upper, relation: "below" } : undefined;
}

/** An extreme that contradicts the bucket is not believed. */
function narrowed({ lower, upper }: Bucket, { min, max }: Extremes) {
  const from = isFiniteNumber(min) && min > lower && min <= upper ? min : lower;
  const to = isFiniteNumber(max) && max < upper && max >= from ? max : upper;
  return { lower: from === -Infinity && to > 0 && to !== Infinity ? 0 : from, upper: to };
}

function isFiniteNumber(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}

/** The buckets of an explicit histogram; none when its bounds and counts make no sense. */
export function explicitBuckets(
  bounds: readonly number[],
  counts: readonly (number | bigint)[],
): readonly Bucket[] {
  const rising = bounds.every((bound, i) => bound > (bounds[i - 1] ?? -Infinity) || i === 0);
  if (counts.length !== bounds.length + 1 || !rising || bounds.some(Number.isNaN)) return [];
  return counts.map((count, i) => ({
    lower: bounds[i - 1] ?? -Infinity,
    upper: bounds[i] ?? Infinity,
    count: Number(count),
  }));
}

/**
 * The buckets of a base-2 exponential histogram, lowest first. The zero bucket reaches to the side on which there are
 * other values only (as Prometheus takes it for native histograms).
 */
export function base2Buckets(histogram: Exponential): readonly Bucket[] {
  const { scale, zeroCount, zeroThreshold = 0 } = histogram;
  const negative = trimSide(histogram.negative);
  const positive = trimSide(histogram.positive);
  const bound = (index: number) => base2Bound(index, scale);
  return [
    ...negative.counts.map((count, i) => ({
      lower: -bound(negative.offset + i + 1),
      upper: -bound(negative.offset + i),
      count: Number(count),
    })).toReversed(),
    {
      lower: negative.counts.length > 0 ? -zeroThreshold : 0,
      upper: positive.counts.length > 0 ? zeroThreshold : 0,
      count: Number(zeroCount),
    },
    ...positive.counts.map((count, i) => ({
      lower: bound(positive.offset + i),
      upper: bound(positive.offset + i + 1),
      count: Number(count),
    })),
  ];
}
