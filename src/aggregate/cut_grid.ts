import { countValues, PERCENTILES, relativeError } from "./accuracy.ts";
import { cumulative, type FineBucket, measureQuantile } from "./fine.ts";

/** Percentile of a series that buckets should show. */
interface Target {
  readonly series: number;
  /** How many of the series' values are not above it, at least. */
  readonly rank: number;
  readonly truth: number;
  readonly uncertainty: number;
  readonly min: number;
  readonly max: number;
}

/** The percentiles of all series, lowest first. */
export function targetsOf(series: readonly (readonly FineBucket[])[]): readonly Target[] {
  return series.flatMap((fine, index) => {
    const count = countValues(fine);
    const [min, max] = [fine.at(0)?.least ?? 0, fine.at(-1)?.greatest ?? 0];
    return PERCENTILES.flatMap((percent) => {
      const truth = measureQuantile(percent / 100, fine);
      if (truth === undefined) return [];
      const { value, uncertainty } = truth;
      return [{
        series: index,
        rank: percent / 100 * count,
        truth: value,
        uncertainty,
        min,
        max,
      }];
    });
  }).sort((a, b) => a.truth - b.truth);
}

/**
 * Places where bounds may stand, numbered from 1 in rising order; 0 is the end below them all, `end` that above. The
 * cost of a bucket between two of them depends only on these two.
 */
export class CutGrid {
  readonly end: number;
  readonly #places: readonly number[];
  readonly #targets: readonly Target[];
  /** Values of each series up to each place: all of the first series, then all of the second, … */
  readonly #upTo: Float64Array;
  readonly #series: number;
  /** How many targets are not above each place. */
  readonly #first: Int32Array;
  /** The last pinned place below each place, or 0: no bucket may begin before it. */
  readonly #earliest: Int32Array;

  /** `places` rise strictly. A bound stands at each of them that is `pinned`. */
  constructor(
    series: readonly (readonly FineBucket[])[],
    targets: readonly Target[],
    places: readonly number[],
    pinned: readonly number[] = [],
  ) {
    this.end = places.length + 1;
    this.#places = places;
    this.#targets = targets;
    this.#series = series.length;
    this.#upTo = new Float64Array(series.length * (this.end + 1));
    series.forEach((fine, index) => {
      const row = index * (this.end + 1);
      this.#upTo.set(cumulative(fine, places), row + 1);
      this.#upTo[row + this.end] = countValues(fine);
    });
    this.#first = new Int32Array(this.end + 1);
    let passed = 0;
    for (let place = 1; place <= this.end; place++) {
      const bound = places[place - 1] ?? Infinity;
      while (passed < targets.length && (targets[passed]?.truth ?? Infinity) <= bound) passed++;
      this.#first[place] = passed;
    }
    this.#earliest = new Int32Array(this.end + 1);
    for (let place = 1; place <= this.end; place++) {
      const isPinned = place > 1 && pinned.includes(this.valueAt(place - 1));
      this.#earliest[place] = isPinned ? place - 1 : this.#earliest[place - 1] ?? 0;
    }
  }

  valueAt(place: number): number {
    return this.#places[place - 1] ?? (place <= 0 ? -Infinity : Infinity);
  }

  /** The number of a place that the grid was made with. */
  placeOf(value: number): number {
    return this.#places.indexOf(value) + 1;
  }

  /** The share of values up to each place, the mean over all series. */
  shares(): Float64Array {
    const row = this.end + 1;
    const shares = new Float64Array(row);
    for (let at = 0; at < this.#upTo.length; at += row) {
      const count = this.#upTo[at + this.end] ?? 1;
      for (let place = 0; place < row; place++) {
        shares[place] = (shares[place] ?? 0) + (this.#upTo[at + place] ?? 0) / count / this.#series;
      }
    }
    return shares;
  }

  /** The greatest error of the percentiles in a bucket; Infinity, and sooner known, when it is above `limit`. */
  cost(from: number, to: number, limit: number): number {
    return this.#cost(from, to, limit, this.#first[from] ?? 0).cost;
  }

  /** Every bucket that costs no more than `limit`, by its upper end. */
  affordable(limit: number): GridBuckets {
    const from: number[] = [];
    const cost: number[] = [];
    const starts = new Int32Array(this.end + 2);
    // A percentile that one bucket tells badly is mostly told badly by the next wider one, so it is asked first.
    const suspects = this.#first.slice();
    for (let to = 1; to <= this.end; to++) {
      starts[to] = from.length;
      for (let at = this.#earliest[to] ?? 0; at < to; at++) {
        const found = this.#cost(at, to, limit, suspects[at] ?? 0);
        suspects[at] = found.suspect;
        if (found.cost > limit) continue;
        from.push(at);
        cost.push(found.cost);
      }
    }
    starts[this.end + 1] = from.length;
    return { starts, from: Int32Array.from(from), cost: Float64Array.from(cost) };
  }

  #cost(
    from: number,
    to: number,
    limit: number,
    suspect: number,
  ): { readonly cost: number; readonly suspect: number } {
    const first = this.#first[from] ?? 0;
    const last = this.#first[to] ?? 0;
    const lower = this.valueAt(from);
    const upper = this.valueAt(to);
    if (suspect < last && this.#error(suspect, from, to, lower, upper) > limit) {
      return { cost: Infinity, suspect };
    }
    let cost = 0;
    for (let target = first; target < last; target++) {
      const error = this.#error(target, from, to, lower, upper);
      if (error > limit) return { cost: Infinity, suspect: target };
      if (error > cost) cost = error;
    }
    return { cost, suspect: first };
  }

  /** Error of one target as `quantile()` estimates it: the bucket's values are taken as even, between min and max. */
  #error(index: number, from: number, to: number, lower: number, upper: number): number {
    const target = this.#targets[index];
    if (target === undefined) return 0;
    const { series, rank, truth, min, max } = target;
    const row = series * (this.end + 1);
    const before = this.#upTo[row + from] ?? 0;
    const inside = (this.#upTo[row + to] ?? 0) - before;
    const share = inside > 0 ? Math.min(Math.max((rank - before) / inside, 0), 1) : 0;
    const low = Math.max(lower, min);
    const high = Math.min(upper, max);
    return relativeError(low + (high - low) * share, truth);
  }
}

/** Buckets of a grid with their costs; those that end at a place `to` are at `starts[to]` to `starts[to + 1]`. */
export interface GridBuckets {
  readonly starts: Int32Array;
  readonly from: Int32Array;
  readonly cost: Float64Array;
}
