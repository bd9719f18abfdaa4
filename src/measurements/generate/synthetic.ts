import type { Distribution } from "./distribution.ts";
import { NO_ATTRIBUTES } from "../input/attribute_cache.ts";
import type { Attributes, Measurement } from "../measurement.ts";

/** The attribute that tells series apart. */
const SERIES = "series";

/** A batch is at most this long, so that a large count needs no large memory. */
const MOST_IN_BATCH = 8192;

/**
 * The attributes of so many series: `series` is "1", "2", …, the same in every process and whatever their number is, so
 * without leading zeros. Without a number there is one series, which needs no attribute.
 */
export function seriesAttributes(count: number | undefined): readonly Attributes[] {
  if (count === undefined) return [NO_ATTRIBUTES];
  return Array.from({ length: count }, (_, i) => Object.freeze({ [SERIES]: String(i + 1) }));
}

/**
 * Draws values and deals them to the series in turn, beginning where the last call ended: as many as there are series
 * fill each.
 */
export class Synthetic {
  readonly #series: readonly Attributes[];
  readonly #draw: Distribution;
  readonly #random: () => number;
  #next = 0;

  constructor(series: readonly Attributes[], draw: Distribution, random: () => number) {
    this.#series = series;
    this.#draw = draw;
    this.#random = random;
  }

  /** `count` measurements, in batches that are made when they are asked for. */
  *batches(count: number): Generator<readonly Measurement[]> {
    for (let left = count; left > 0; left -= MOST_IN_BATCH) {
      yield this.#batch(Math.min(left, MOST_IN_BATCH));
    }
  }

  #batch(count: number): readonly Measurement[] {
    const batch: Measurement[] = [];
    for (let i = 0; i < count; i++) {
      const attributes = this.#series[this.#next] ?? NO_ATTRIBUTES;
      this.#next = this.#next + 1 < this.#series.length ? this.#next + 1 : 0;
      batch.push({ value: this.#draw(this.#random), attributes });
    }
    return batch;
  }
}
