import { bucketIndex } from "../../aggregate/exponential.ts";
import type { FineBucket } from "../../aggregate/fine.ts";

/** 16 buckets per octave: the greatest value of a bucket is 4.4% above its least. */
const SCALE = 4;
/** Octaves of the first and the last bound: 0.125 ms and 262 s. */
const [FIRST, LAST] = [-3, 18];

/** Explicit histogram of latencies in ms. */
export interface LatencyHistogram {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** Counts latencies in buckets that are the same in every process, so that the counts of many can be added. */
export function latencyHistogram(buckets: readonly FineBucket[]): LatencyHistogram {
  const bounds = Array.from(
    { length: (LAST - FIRST << SCALE) + 1 },
    (_, i) => Number((2 ** (FIRST + i / 2 ** SCALE)).toPrecision(5)),
  );
  const counts = Array<number>(bounds.length + 1).fill(0);
  for (const { count, greatest } of buckets) {
    const index = bucketIndex(greatest, SCALE) + 1 - (FIRST << SCALE);
    const at = Math.min(Math.max(index, 0), bounds.length);
    counts[at] = (counts[at] ?? 0) + count;
  }
  return { bounds, counts };
}
