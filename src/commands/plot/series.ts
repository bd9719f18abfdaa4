import {
  comparePercentiles,
  type PercentileComparison,
  PERCENTILES,
} from "../../aggregate/accuracy.ts";
import { ExplicitHistogram } from "../../aggregate/explicit.ts";
import { type FineBucket, FineHistogram } from "../../aggregate/fine.ts";
import { explicitBuckets, quantile } from "../../aggregate/quantile.ts";
import type { Counted } from "../../aggregate/aggregation.ts";
import type { Attributes, MeasuredHistogram } from "../../aggregate/measurement.ts";

/** Percentile of a series; `measured` is undefined if only buckets are known and no values. */
export interface Percentile {
  readonly percent: number;
  readonly measured: number | undefined;
  readonly estimated: number | undefined;
  /** Error of the estimate, as a share of the measured value. */
  readonly error: number | undefined;
}

/** One series, in the buckets that would be sent and in fine ones that show the true values. */
export class PlottedSeries {
  readonly attributes: Attributes;
  readonly bounds: readonly number[];
  readonly #explicit: ExplicitHistogram;
  readonly #fine = new FineHistogram();
  /** Measurements that came in buckets, so that their values are unknown. */
  #counted = 0;
  #knowsMin = true;
  #knowsMax = true;
  #knowsSum = true;

  constructor(attributes: Attributes, bounds: readonly number[]) {
    this.attributes = attributes;
    this.bounds = bounds;
    this.#explicit = new ExplicitHistogram(bounds);
  }

  /** Counts one value, which must be finite and not negative. */
  add(value: number): void {
    this.#explicit.add(value);
    this.#fine.add(value);
  }

  /** Counts a histogram with the same bounds. */
  addHistogram({ count, sum, min, max, counts }: MeasuredHistogram): void {
    this.#add({ count, sum, min, max, counts });
    this.#counted += count;
  }

  /** Adds another series with the same bounds. */
  merge(other: PlottedSeries): void {
    this.#add(other);
    this.#fine.merge(other.#fine);
    this.#counted += other.#counted;
  }

  #add({ count, sum, min, max, counts }: Omit<MeasuredHistogram, "attributes" | "bounds">): void {
    const explicit = this.#explicit;
    explicit.count += count;
    explicit.sum += sum ?? 0;
    explicit.min = Math.min(explicit.min, min ?? Infinity);
    explicit.max = Math.max(explicit.max, max ?? -Infinity);
    this.#knowsSum &&= sum !== undefined;
    this.#knowsMin &&= min !== undefined;
    this.#knowsMax &&= max !== undefined;
    counts.forEach((more, i) => explicit.counts[i] = (explicit.counts[i] ?? 0) + more);
  }

  get count(): number {
    return this.#explicit.count;
  }

  get counts(): readonly number[] {
    return this.#explicit.counts;
  }

  /** Its sum; undefined if it is unknown or beyond the largest double. */
  get sum(): number | undefined {
    const { sum } = this.#explicit;
    return this.#knowsSum && Number.isFinite(sum) ? sum : undefined;
  }

  get min(): number | undefined {
    return this.#knowsMin ? this.#explicit.min : undefined;
  }

  get max(): number | undefined {
    return this.#knowsMax ? this.#explicit.max : undefined;
  }

  /** Its histogram as a send would count it. */
  get counted(): Counted {
    return { kind: "explicit", histogram: this.#explicit };
  }

  /** Whether all of its values are known, and not only histograms of them. */
  get isMeasured(): boolean {
    return this.#counted === 0;
  }

  /** Returns its values in fine buckets; undefined if some are unknown. */
  fine(): readonly FineBucket[] | undefined {
    return this.isMeasured ? this.#fine.buckets() : undefined;
  }

  /**
   * Returns its values in the ranges of its buckets, no further than min and max; those above the last bound of which
   * no more is known count as that bound. Empty if there are no buckets.
   */
  ranges(): readonly FineBucket[] {
    const { bounds, counts, min, max } = this;
    return counts.flatMap((count, i) => {
      const lower = bounds[i - 1] ?? min ?? Math.min(0, bounds[0] ?? NaN);
      const upper = bounds[i] ?? max ?? lower;
      if (count === 0 || Number.isNaN(upper)) return [];
      const least = Math.min(Math.max(lower, min ?? lower), upper);
      return [{ count, least, greatest: Math.max(least, Math.min(upper, max ?? upper)) }];
    });
  }

  percentiles(): readonly Percentile[] {
    const fine = this.fine();
    if (fine !== undefined) return comparePercentiles(fine, this.bounds, this.counts);
    const buckets = explicitBuckets(this.bounds, this.counts);
    return PERCENTILES.map((percent) => ({
      percent,
      measured: undefined,
      estimated: quantile(percent / 100, buckets, { min: this.min, max: this.max })?.value,
      error: undefined,
    }));
  }

  /** Returns the percentile whose estimate has the largest error. */
  worst(): PercentileComparison | undefined {
    const fine = this.fine();
    if (fine === undefined) return undefined;
    return comparePercentiles(fine, this.bounds, this.counts).reduce<
      PercentileComparison | undefined
    >(
      (worst, each) => worst === undefined || each.error > worst.error ? each : worst,
      undefined,
    );
  }
}
