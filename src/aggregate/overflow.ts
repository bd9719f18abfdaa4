/** Measurements without a data point of their own in an interval, and the number of their series. */
export interface Overflow {
  readonly measurements: number;
  readonly series: number;
  /** There were more series than were counted. */
  readonly more: boolean;
}

/** Overflow of an interval in which every series had its data point. */
export const NO_OVERFLOW: Overflow = { measurements: 0, series: 0, more: false };

/** Most series that are counted in one interval, and the most characters of their keys together. */
const MOST_KEYS = 100_000;
const MOST_CHARACTERS = 8_000_000;

/** Counts what is folded in one interval, in bounded memory. */
export class OverflowCount {
  #measurements = 0;
  readonly #keys = new Set<string>();
  #characters = 0;
  /** Number of series when there were too many to count; 0 before. */
  #atLeast = 0;

  /** Whether further series are not counted any more. */
  get isMore(): boolean {
    return this.#atLeast > 0;
  }

  /** Measurements of the series with this key, which is of no use when `isMore`. */
  note(key: string, measurements = 1): void {
    this.#measurements += measurements;
    if (this.#atLeast > 0 || this.#keys.has(key)) return;
    this.#characters += key.length;
    if (this.#keys.size < MOST_KEYS && this.#characters <= MOST_CHARACTERS) {
      this.#keys.add(key);
    } else {
      // The first key alone may be too long; it is one series all the same.
      this.#atLeast = Math.max(1, this.#keys.size);
      this.#keys.clear();
    }
  }

  /** Sums up everything that was merged. */
  get total(): Overflow {
    if (this.#measurements === 0) return NO_OVERFLOW;
    return {
      measurements: this.#measurements,
      series: this.#atLeast > 0 ? this.#atLeast : this.#keys.size,
      more: this.#atLeast > 0,
    };
  }
}

/** Adds the overflow of two intervals or instruments. */
export function addOverflow(a: Overflow, b: Overflow): Overflow {
  return {
    measurements: a.measurements + b.measurements,
    series: a.series + b.series,
    more: a.more || b.more,
  };
}
