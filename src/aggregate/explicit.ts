import type { MeasuredHistogram } from "./measurement.ts";

/** The values of one series in one interval, counted in buckets with explicit bounds. */
export class ExplicitHistogram {
  /** Upper bounds of the buckets, inclusive, strictly increasing. */
  readonly bounds: readonly number[];
  count = 0;
  /** Sum of the values; like `min` and `max`, NaN once a histogram without it was added. */
  sum = 0;
  min = Infinity;
  max = -Infinity;
  /** Counts of the buckets, one more than bounds: the last holds the values above them all. */
  readonly counts: number[];

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Counts one value, which must be finite and not negative. */
  add(value: number): void {
    this.count++;
    this.sum += value;
    this.min = Math.min(value, this.min);
    this.max = Math.max(value, this.max);
    const bucket = bucketOf(this.bounds, value);
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
  }

  /** Adds the values of another histogram; its buckets are lost when this one has no bounds. */
  merge(other: Omit<MeasuredHistogram, "attributes" | "bounds">): void {
    this.count += other.count;
    this.sum += other.sum ?? NaN;
    this.min = Math.min(this.min, other.min ?? NaN);
    this.max = Math.max(this.max, other.max ?? NaN);
    const last = this.counts.length - 1;
    other.counts.forEach((count, i) => {
      const bucket = Math.min(i, last);
      this.counts[bucket] = (this.counts[bucket] ?? 0) + count;
    });
  }

  /** Forgets all values; the next interval begins. */
  clear(): void {
    this.count = 0;
    this.sum = 0;
    this.min = Infinity;
    this.max = -Infinity;
    for (let i = 0; i < this.counts.length; i++) this.counts[i] = 0;
  }
}

/** The index of the first bound that is not below the value, or the number of bounds. */
export function bucketOf(bounds: readonly number[], value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bounds[middle] ?? Infinity) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
