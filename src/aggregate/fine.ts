import { bucketIndex } from "./exponential.ts";

/** 64 buckets an octave: the greatest value of a bucket is less than 1.1 % above its least. */
const SCALE = 6;
/** Buckets are kept in runs of 16, a quarter of an octave, so that an outlier costs no more than a run. */
const RUN_BITS = 4;
const RUN = 1 << RUN_BITS;
/** Numbers kept per bucket: its count, its least and its greatest value. */
const FIELDS = 3;
/** Parts in which a series of values is counted: a program that was asleep for a month has missed billions of sends. */
const MOST_OF_SERIES = 10_000;
/** Different values up to which each is kept by itself: a million series with a value each need little memory. */
const MOST_SINGLE = 8;

/** Arithmetic series of values: `first`, `first + step`, and so on; `step` is not negative. */
export interface ValueSeries {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** Run of neighbouring values that are counted as one. */
export interface FineBucket {
  readonly count: number;
  readonly least: number;
  readonly greatest: number;
}

/** Measured percentile; `uncertainty` is how far off it may be, as a share of the truth, 0 where it is exact. */
export interface Measured {
  readonly value: number;
  readonly uncertainty: number;
}

/**
 * The values of one series in so fine buckets that its percentiles are those of the values themselves, to 1 %. It
 * grows with the range of the values, not with their number.
 */
export class FineHistogram {
  count = 0;
  #zeros = 0;
  /** The first few positive values, each followed by its count; undefined once there are more. */
  #single: number[] | undefined = [];
  #runs: Map<number, Float64Array> | undefined;

  /** Counts one value, which must be finite and not negative. */
  add(value: number): void {
    this.#put(1, value, value);
  }

  /** Counts values, each `step` above the one before; beyond 10,000 of them neighbours are counted as one. */
  addSeries({ first, step, count }: ValueSeries): void {
    const size = Math.ceil(count / MOST_OF_SERIES);
    for (let from = 0; from < count; from += size) {
      const values = Math.min(size, count - from);
      this.#put(values, first + from * step, first + (from + values - 1) * step);
    }
  }

  /** Adds the values of another histogram. */
  merge(other: FineHistogram): void {
    for (const { count, least, greatest } of other.buckets()) this.#put(count, least, greatest);
  }

  clear(): void {
    this.count = 0;
    this.#zeros = 0;
    this.#single = [];
    this.#runs = undefined;
  }

  #put(count: number, least: number, greatest: number): void {
    this.count += count;
    if (greatest === 0) {
      this.#zeros += count;
      return;
    }
    if (this.#single === undefined || !putSingle(this.#single, count, least, greatest)) {
      this.#putInRun(count, least, greatest);
    }
  }

  #putInRun(count: number, least: number, greatest: number): void {
    const single = this.#single ?? [];
    this.#single = undefined;
    for (let at = 0; at < single.length; at += 2) {
      const [value = 0, times = 0] = [single[at], single[at + 1]];
      this.#putInRun(times, value, value);
    }
    const index = bucketIndex(greatest, SCALE);
    const run = this.#run(index >> RUN_BITS);
    const at = (index & RUN - 1) * FIELDS;
    const before = run[at] ?? 0;
    run[at] = before + count;
    if (before === 0 || least < (run[at + 1] ?? 0)) run[at + 1] = least;
    if (greatest > (run[at + 2] ?? 0)) run[at + 2] = greatest;
  }

  #run(key: number): Float64Array {
    const runs = this.#runs ??= new Map();
    const known = runs.get(key);
    if (known !== undefined) return known;
    const run = new Float64Array(RUN * FIELDS);
    runs.set(key, run);
    return run;
  }

  /** Buckets that hold values, lowest first. */
  buckets(): readonly FineBucket[] {
    const buckets: FineBucket[] = [];
    if (this.#zeros > 0) buckets.push({ count: this.#zeros, least: 0, greatest: 0 });
    const single = this.#single ?? [];
    for (let at = 0; at < single.length; at += 2) {
      const [value = 0, count = 0] = [single[at], single[at + 1]];
      buckets.push({ count, least: value, greatest: value });
    }
    if (single.length > 0) return buckets.sort((a, b) => a.least - b.least);
    for (const [, run] of [...this.#runs ?? []].sort(([a], [b]) => a - b)) {
      for (let at = 0; at < run.length; at += FIELDS) {
        const [count = 0, least = 0, greatest = 0] = run.subarray(at, at + FIELDS);
        if (count > 0) buckets.push({ count, least, greatest });
      }
    }
    return buckets;
  }
}

/** Counts a value among few others; false if it is a range of values, or one too many. */
function putSingle(single: number[], count: number, least: number, greatest: number): boolean {
  if (least !== greatest) return false;
  for (let at = 0; at < single.length; at += 2) {
    if (single[at] !== least) continue;
    single[at + 1] = (single[at + 1] ?? 0) + count;
    return true;
  }
  if (single.length === 2 * MOST_SINGLE) return false;
  single.push(least, count);
  return true;
}

/** How far a measured percentile may be off, as a share. */
const MOST_OFF = 0.01;

/**
 * Finds the least value up to which at least `q` × count values lie: the rank of `quantile()`, with a measured value in
 * place of an estimate. Undefined without values.
 */
export function measureQuantile(q: number, buckets: readonly FineBucket[]): Measured | undefined {
  const rank = q * buckets.reduce((total, { count }) => total + count, 0);
  let before = 0;
  for (const bucket of buckets) {
    if (before + bucket.count >= rank || bucket === buckets.at(-1)) {
      return within(bucket, Math.max(1, Math.ceil(rank - before)));
    }
    before += bucket.count;
  }
  return undefined;
}

/** The value at a place of a bucket, counted from 1: the first and the last are known. */
function within({ count, least, greatest }: FineBucket, place: number): Measured {
  if (least === greatest || place <= 1) return { value: least, uncertainty: 0 };
  if (place >= count) return { value: greatest, uncertainty: 0 };
  const spread = least + (greatest - least) * ((place - 1) / (count - 1));
  // However unevenly the bucket's values lie: no further than this from any of them.
  const value = Math.min(Math.max(spread, greatest * (1 - MOST_OFF)), least * (1 + MOST_OFF));
  return { value, uncertainty: Math.max(value - least, greatest - value) / value };
}

/** Counts, for each of the rising bounds, the values not above it; a bucket that it divides is taken as even. */
export function cumulative(
  buckets: readonly FineBucket[],
  bounds: readonly number[],
): Float64Array {
  const counts = new Float64Array(bounds.length);
  let before = 0;
  let i = 0;
  bounds.forEach((bound, at) => {
    let bucket = buckets[i];
    while (bucket !== undefined && bucket.greatest <= bound) {
      before += bucket.count;
      bucket = buckets[++i];
    }
    counts[at] = before + (bucket === undefined ? 0 : below(bucket, bound));
  });
  return counts;
}

/** The division of a share that is a whole number may miss it by so much. */
const ROUNDING = 1e-9;

/** How many of the bucket's values are not above a bound below its greatest, spread as `within()` spreads them. */
function below({ count, least, greatest }: FineBucket, bound: number): number {
  if (bound < least) return 0;
  return 1 + Math.floor((count - 1) * ((bound - least) / (greatest - least)) + ROUNDING);
}
