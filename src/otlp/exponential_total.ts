import { type Exponential, rescaledIndex } from "../aggregate/base2.ts";
import type { ExponentialHistogramDataPoint } from "./gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";

/** Filled buckets of one side, by index. */
export type FilledBuckets = ReadonlyMap<number, bigint>;

/**
 * Sum of exponential histograms. Only filled buckets are kept: an SDK gives one value the finest scale, where 1 ms and
 * 10 s are 14 million buckets apart.
 */
export interface ExponentialTotal {
  readonly kind: "exponential";
  readonly scale: number;
  readonly zeroCount: bigint;
  readonly positive: FilledBuckets;
  readonly negative: FilledBuckets;
}

/** Returns the total of one data point. */
export function totalOfPoint(point: ExponentialHistogramDataPoint): ExponentialTotal {
  const filled = (side: "positive" | "negative") => {
    const { offset = 0, bucketCounts = [] } = point[side] ?? {};
    const buckets = new Map<number, bigint>();
    bucketCounts.forEach((count, i) => {
      if (count > 0n) buckets.set(offset + i, count);
    });
    return buckets;
  };
  const { scale, zeroCount } = point;
  const [positive, negative] = [filled("positive"), filled("negative")];
  return { kind: "exponential", scale, zeroCount, positive, negative };
}

/** Brings a total to a lower scale (OTLP data model, "Exponential histogram": perfect subsetting). */
export function toScale(total: ExponentialTotal, scale: number): ExponentialTotal {
  if (scale === total.scale) return total;
  const merged = (side: FilledBuckets) => added(new Map(), side, total.scale, scale);
  return { ...total, scale, positive: merged(total.positive), negative: merged(total.negative) };
}

/** Adds two totals, at the lower scale of both. */
export function addExponentialTotals(a: ExponentialTotal, b: ExponentialTotal): ExponentialTotal {
  const scale = Math.min(a.scale, b.scale);
  const sum = (side: "positive" | "negative") =>
    added(added(new Map(), a[side], a.scale, scale), b[side], b.scale, scale);
  return {
    kind: "exponential",
    scale,
    zeroCount: a.zeroCount + b.zeroCount,
    positive: sum("positive"),
    negative: sum("negative"),
  };
}

function added(
  to: Map<number, bigint>,
  side: FilledBuckets,
  from: number,
  scale: number,
): Map<number, bigint> {
  for (const [own, count] of side) {
    const index = rescaledIndex(own, from, scale);
    to.set(index, (to.get(index) ?? 0n) + count);
  }
  return to;
}

/** Returns the histogram with all its buckets, at a scale low enough that neither side has more than `most`. */
export function withAllBuckets(total: ExponentialTotal, most: number): Exponential {
  let { scale } = total;
  const ends = [total.positive, total.negative].map(endsOf);
  const lengthAt = ({ first, last }: Ends) =>
    rescaledIndex(last, total.scale, scale) - rescaledIndex(first, total.scale, scale) + 1;
  while (ends.some((each) => lengthAt(each) > most)) scale--;
  const { zeroCount, positive, negative } = toScale(total, scale);
  return { scale, zeroCount, positive: allOf(positive), negative: allOf(negative) };
}

interface Ends {
  readonly first: number;
  readonly last: number;
}

/** Returns the lowest and the highest index of a side; of an empty one, those of no bucket. */
function endsOf(side: FilledBuckets): Ends {
  let first = Infinity;
  let last = -Infinity;
  for (const index of side.keys()) {
    first = Math.min(first, index);
    last = Math.max(last, index);
  }
  return first > last ? { first: 0, last: -1 } : { first, last };
}

function allOf(side: FilledBuckets): Exponential["positive"] {
  const { first: offset, last } = endsOf(side);
  const counts = Array.from({ length: last - offset + 1 }, (_, i) => side.get(offset + i) ?? 0n);
  return { offset, counts };
}
