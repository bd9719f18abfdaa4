import type { Counted } from "./aggregation.ts";

/** A bucket at an end that holds all values. */
export interface FullBucket {
  readonly bucket: "first" | "last";
  /** The value that is nearest to the bucket's only finite bound. */
  readonly nearest: number;
}

/** Watches whether all values of a metric fall into one bucket at an end of its bounds. */
export class EndBucketWatch {
  /** Whether a value fell elsewhere than into the first bucket, or the last. */
  #beyondFirst = false;
  #belowLast = false;
  #hasSeen = false;
  #least = Infinity;
  #greatest = -Infinity;

  /** Whether further values cannot change the answer any more. */
  get isDecided(): boolean {
    return this.#beyondFirst && this.#belowLast;
  }

  /** Looks at a histogram of the metric. */
  look({ kind, histogram }: Counted): void {
    if (kind !== "explicit") return;
    const { count, counts } = histogram;
    this.#hasSeen ||= counts.length > 1;
    this.#beyondFirst ||= counts[0] !== count;
    this.#belowLast ||= counts.at(-1) !== count;
    this.#least = Math.min(this.#least, histogram.min);
    this.#greatest = Math.max(this.#greatest, histogram.max);
  }

  /** The bucket at an end that all values so far fell into, if there is more than one bucket. */
  get fullBucket(): FullBucket | undefined {
    if (!this.#hasSeen) return undefined;
    if (!this.#beyondFirst) return { bucket: "first", nearest: this.#greatest };
    return this.#belowLast ? undefined : { bucket: "last", nearest: this.#least };
  }
}
