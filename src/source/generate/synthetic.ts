import type { Distribution } from "./distribution.ts";
import { NO_ATTRIBUTES } from "../input/attribute_cache.ts";
import type { Attributes, Measurement } from "../../aggregate/measurement.ts";
import { seriesIn, type Share, WHOLE } from "./share.ts";

/** The attribute that tells series apart. */
const SERIES = "series";

/** A batch is at most this long: its objects are used again, and stay in the processor's cache. */
const MOST_IN_BATCH = 1024;

interface Drawn {
  value: number;
  attributes: Attributes;
}

/**
 * The attributes of so many series, as far as they are in the share: `series` is "1", "2", …, the same in every process
 * and whatever their number is, so without leading zeros. Without a number there is one series, which needs no attribute.
 */
export function seriesAttributes(
  count: number | undefined,
  share: Share = WHOLE,
): readonly Attributes[] {
  const own = seriesIn(share, count ?? 1);
  if (count === undefined) return own === 0 ? [] : [NO_ATTRIBUTES];
  return Array.from(
    { length: own },
    (_, i) => Object.freeze({ [SERIES]: String(i * share.of + share.index + 1) }),
  );
}

/**
 * Draws values and deals them to the series in turn, beginning where the last call ended: as many as there are series
 * fill each. Of what all shares make together it gives its own.
 */
export class Synthetic {
  readonly #series: number;
  readonly #own: readonly Attributes[];
  readonly #share: Share;
  readonly #drawsAll: boolean;
  readonly #draw: Distribution;
  readonly #random: () => number;
  #next = 0;
  /** Used again for every batch. */
  readonly #drawn: Drawn[] = [];

  /** `drawsAll`: the random numbers are the same in all shares, so that the values of the others are also drawn. */
  constructor(
    series: number | undefined,
    draw: Distribution,
    random: () => number,
    share: Share = WHOLE,
    drawsAll = false,
  ) {
    this.#series = series ?? 1;
    this.#own = seriesAttributes(series, share);
    this.#share = share;
    // A whole has nothing to leave out.
    this.#drawsAll = drawsAll || share.of === 1;
    this.#draw = draw;
    this.#random = random;
  }

  /**
   * Its own of the next `count` measurements of all shares, in batches that are made when they are asked for. A batch is
   * good until the next one is asked for: its objects are used again, which makes no garbage.
   */
  *batches(count: number): Generator<readonly Measurement[]> {
    const most = MOST_IN_BATCH * (this.#drawsAll ? 1 : this.#share.of);
    for (let left = count; left > 0; left -= most) {
      const some = Math.min(left, most);
      const own = this.#drawsAll ? this.#drawOwnOfAll(some) : this.#drawOwn(some);
      yield own === this.#drawn.length ? this.#drawn : this.#drawn.slice(0, own);
    }
  }

  /** Draws them, and tells how many there are. */
  #drawOwnOfAll(count: number): number {
    const { index, of } = this.#share;
    let own = 0;
    for (let i = 0; i < count; i++) {
      const value = this.#draw(this.#random);
      if (this.#next % of === index) this.#put(own++, value);
      this.#next = this.#next + 1 < this.#series ? this.#next + 1 : 0;
    }
    return own;
  }

  #drawOwn(count: number): number {
    const { index, of } = this.#share;
    let own = 0;
    for (let left = count; left > 0;) {
      // Skips to the next series of the share, or to the end of the row.
      const others = (index - this.#next % of + of) % of;
      const skipped = Math.min(others, this.#series - this.#next, left);
      left -= skipped;
      this.#next += skipped;
      if (left > 0 && this.#next < this.#series) {
        this.#put(own++, this.#draw(this.#random));
        left--;
        this.#next++;
      }
      if (this.#next >= this.#series) this.#next = 0;
    }
    return own;
  }

  /** Puts a value of the next series into the batch. */
  #put(place: number, value: number): void {
    const attributes = this.#own[Math.floor(this.#next / this.#share.of)] ?? NO_ATTRIBUTES;
    const drawn = this.#drawn[place];
    if (drawn === undefined) this.#drawn.push({ value, attributes });
    else {
      drawn.value = value;
      drawn.attributes = attributes;
    }
  }
}
