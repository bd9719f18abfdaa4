/** One side of a base-2 exponential histogram. */
export interface ExponentialSide {
  readonly offset: number;
  readonly counts: readonly (number | bigint)[];
}

/** Base-2 exponential histogram: the counts of its buckets on both sides of zero. */
export interface Exponential {
  readonly scale: number;
  readonly zeroCount: number | bigint;
  /** Width of the zero bucket: values up to it, of either sign, count as zero. */
  readonly zeroThreshold?: number;
  readonly positive: ExponentialSide;
  readonly negative: ExponentialSide;
}

/** Lower bound of the bucket with that index (OTLP data model, "Exponential Scale"). */
export function base2Bound(index: number, scale: number): number {
  return index === 0 ? 1 : 2 ** (index * 2 ** -scale);
}

/** Removes the empty buckets at both ends of a side. */
export function trimSide({ offset, counts }: ExponentialSide): ExponentialSide {
  const first = counts.findIndex((count) => count > 0);
  if (first < 0) return { offset: 0, counts: [] };
  const last = counts.findLastIndex((count) => count > 0);
  return { offset: offset + first, counts: counts.slice(first, last + 1) };
}

/**
 * Adds two histograms, at the lower scale of both or below, so that neither side has more than `most` buckets (OTLP
 * data model, "Exponential histogram": perfect subsetting).
 */
export function addExponential(a: Exponential, b: Exponential, most: number): Exponential {
  const positive = [onScale(a, "positive"), onScale(b, "positive")];
  const negative = [onScale(a, "negative"), onScale(b, "negative")];
  let scale = Math.min(a.scale, b.scale);
  while (extent(positive, scale) > most || extent(negative, scale) > most) scale--;
  return {
    scale,
    zeroCount: addCounts(a.zeroCount, b.zeroCount),
    zeroThreshold: Math.max(a.zeroThreshold ?? 0, b.zeroThreshold ?? 0),
    positive: merged(positive, scale),
    negative: merged(negative, scale),
  };
}

/** Adds two counts of values, exactly when one of them is a bigint. */
export function addCounts(a: number | bigint, b: number | bigint): number | bigint {
  return typeof a === "bigint" || typeof b === "bigint" ? BigInt(a) + BigInt(b) : a + b;
}

interface Scaled extends ExponentialSide {
  readonly scale: number;
}

function onScale(histogram: Exponential, side: "positive" | "negative"): Scaled {
  return { ...trimSide(histogram[side]), scale: histogram.scale };
}

/**
 * Returns the index of a bucket at the lower scale `to`. An index is an offset of 32 bits and a number of buckets, which
 * together may need more; none outlasts more halvings than are made here.
 */
export function rescaledIndex(index: number, from: number, to: number): number {
  return Math.floor(index / 2 ** Math.min(from - to, 60));
}

function range(sides: readonly Scaled[], scale: number): { first: number; last: number } {
  let first = Infinity;
  let last = -Infinity;
  for (const { offset, counts, scale: own } of sides) {
    if (counts.length === 0) continue;
    first = Math.min(first, rescaledIndex(offset, own, scale));
    last = Math.max(last, rescaledIndex(offset + counts.length - 1, own, scale));
  }
  return { first, last };
}

function extent(sides: readonly Scaled[], scale: number): number {
  const { first, last } = range(sides, scale);
  return last < first ? 0 : last - first + 1;
}

function merged(sides: readonly Scaled[], scale: number): ExponentialSide {
  const size = extent(sides, scale);
  if (size === 0) return { offset: 0, counts: [] };
  const { first: offset } = range(sides, scale);
  const counts: (number | bigint)[] = Array.from({ length: size }, () => 0);
  for (const side of sides) {
    side.counts.forEach((count, i) => {
      const to = rescaledIndex(side.offset + i, side.scale, scale) - offset;
      counts[to] = addCounts(counts[to] ?? 0, count);
    });
  }
  return { offset, counts };
}
