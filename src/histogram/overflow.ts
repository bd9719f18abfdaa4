/** What did not get a data point of its own in an interval. */
export interface Overflow {
  readonly measurements: number;
  readonly series: number;
  /** There were more series than are told apart. */
  readonly more: boolean;
}

export const NO_OVERFLOW: Overflow = { measurements: 0, series: 0, more: false };

/** How many series are told apart in one interval, and how long their keys may be together. */
const MOST_KEYS = 100_000;
const MOST_CHARACTERS = 8_000_000;

/** Counts what is folded in one interval, in bounded memory. */
export class OverflowCount {
  #measurements = 0;
  #keys = new Set<string>();
  #characters = 0;
  #more = false;

  /** Measurements of the series with this key. */
  note(key: string, measurements = 1): void {
    this.#measurements += measurements;
    if (this.#keys.has(key)) return;
    this.#characters += key.length;
    if (this.#keys.size < MOST_KEYS && this.#characters <= MOST_CHARACTERS) this.#keys.add(key);
    else this.#more = true;
  }

  /** What was folded since the last time; begins anew. */
  drain(): Overflow {
    if (this.#measurements === 0) return NO_OVERFLOW;
    const overflow = {
      measurements: this.#measurements,
      series: this.#keys.size,
      more: this.#more,
    };
    this.#measurements = 0;
    this.#keys = new Set();
    this.#characters = 0;
    this.#more = false;
    return overflow;
  }
}

export function addOverflow(a: Overflow, b: Overflow): Overflow {
  return {
    measurements: a.measurements + b.measurements,
    series: a.series + b.series,
    more: a.more || b.more,
  };
}
