/** The values of one series in one interval, counted in buckets with explicit bounds. */
export class ExplicitHistogram {
  /** Upper bounds of the buckets, inclusive, strictly increasing. */
  readonly #bounds: readonly number[];
  count = 0;
  sum = 0;
  min = Infinity;
  max = -Infinity;
  /** One more than bounds: the last is for what is above them all. */
  readonly counts: number[];

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Counts one value, which must be finite and not negative. */
  add(value: number): void {
    this.count++;
    this.sum += value;
    this.min = Math.min(value, this.min);
    this.max = Math.max(value, this.max);
    const bucket = bucketOf(this.#bounds, value);
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
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
