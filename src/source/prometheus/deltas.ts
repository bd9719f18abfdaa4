import type { MeasuredHistogram } from "../../aggregate/measurement.ts";
import { clip } from "../../redact/clip.ts";
import {
  boundText,
  type CumulativeHistogram,
  describeSeries,
  type ScrapeReading,
} from "./cumulative.ts";

/** Histogram of the values that a target counted between two readings. */
export interface Delta extends MeasuredHistogram {
  /** The metric family. */
  readonly name: string;
}

/** Growth of a target between two readings, and what people should know of it. */
export interface Gain {
  /** One per series that counted something. */
  readonly deltas: readonly Delta[];
  /** Series that restarted. */
  readonly resets: number;
  /** A sentence for each series that was skipped in this reading. */
  readonly skipped: readonly string[];
  /** A sentence for each series, or family, that was not simply compared with the reading before. */
  readonly remarks: readonly string[];
}

/** Counts of a series that later ones are compared with. */
type BaseLine = Pick<CumulativeHistogram, "bounds" | "below" | "sum" | "created">;

interface Known {
  /** Undefined: the next good reading is the base line. */
  readonly base: BaseLine | undefined;
  /** The reading that last had the series. */
  readonly seen: number;
  /** How many readings in a row have lacked the same bounds of the base line. */
  readonly incomplete: number;
}

/** Base line of a series that was not there before. */
const NOTHING: BaseLine = { bounds: [], below: [0], sum: 0, created: undefined };

/** A series that lacks bounds in so many readings in a row has lost them for good. */
const MOST_INCOMPLETE = 10;

/** Forgotten series that are told from new ones at most: about 50 MB. */
const MOST_FORGOTTEN = 1_000_000;

/**
 * Turns readings, which hold what a target has counted since it began, into what it counted between two of them.
 *
 * - The first reading that is whole is the base line. A series that appears later was not there before, so all of it is
 *   new; one that is missing for a while goes on where it was.
 * - A series was reset, and counts from 0, when its `_created` moved forward, or when its count or the cumulative value at
 *   a bound of both readings fell. A bound that one of them lacks has the value of the next lower one there.
 * - A reading that lacks bounds or the sum of the base line, while its count did not fall, is incomplete. It is skipped like
 *   one that contradicts itself: the base line stays, so the next good reading brings all.
 * - Of more than `mostSeries`, those that were missing for longest are forgotten. They begin with a new base line when they
 *   come back.
 */
export class ScrapeDeltas {
  readonly #mostSeries: number;
  readonly #known = new Map<string, Known>();
  /** Hashes of the keys of forgotten series, at most MOST_FORGOTTEN. */
  readonly #forgotten = new Set<number>();
  /** More were forgotten than can be told from new ones. */
  #forgotMore = false;
  #readings = 0;
  /** Some reading was whole, so what it lacked had counted nothing. */
  #hasWhole = false;

  constructor(mostSeries: number) {
    this.#mostSeries = mostSeries;
  }

  /** `since`: when the reading before was made, ms since 1970. */
  next(reading: ScrapeReading, since: number): Gain {
    const deltas: Delta[] = [];
    const skipped = reading.unusable.map(({ problem }) => problem);
    const remarks: string[] = [];
    let resets = 0;
    for (const { key } of reading.unusable) {
      const known = this.#known.get(key);
      const base = known === undefined ? this.#firstBase(key) : known.base;
      this.#keep(key, base, known?.incomplete);
    }
    for (const histogram of reading.histograms) {
      const { key, name, attributes } = histogram;
      const known = this.#known.get(key);
      const series = () => describeSeries(name, attributes);
      let base = known === undefined ? this.#firstBase(key) : known.base;
      if (known === undefined && base !== undefined && isOlder(histogram, since)) {
        base = undefined;
        remarks.push(
          `${series()} started counting before it appeared (_created): its count so far is left out`,
        );
      }
      if (base === undefined) {
        this.#keep(key, histogram);
        continue;
      }
      if (reading.native.has(name)) {
        this.#keep(key, base);
        continue;
      }
      const missing = missingFrom(histogram, base);
      if (missing !== undefined) {
        const incomplete = (known?.incomplete ?? 0) + 1;
        if (incomplete < MOST_INCOMPLETE) {
          skipped.push(`${series()}: it lacks ${missing}, which it had before`);
          this.#keep(key, base, incomplete);
        } else {
          remarks.push(`${series()} lost ${missing}: the count in between is left out`);
          this.#keep(key, histogram);
        }
        continue;
      }
      this.#keep(key, histogram);
      const isReset = hasFallen(histogram, base);
      if (isReset) resets++;
      const { delta, isTorn } = difference(histogram, isReset ? NOTHING : base);
      if (isTorn) {
        remarks.push(
          `${series()} was read while it changed: its count is right, but a value may be in a neighbouring bucket`,
        );
      }
      if (delta.count > 0) deltas.push(delta);
    }
    for (const [family, hasValues] of reading.native) {
      if (hasValues) remarks.push(nativeText(family));
    }
    this.#hasWhole ||= reading.isWhole;
    this.#forget();
    if (this.#forgotMore) remarks.push(FORGOT_MORE);
    this.#readings++;
    return { deltas, resets, skipped, remarks };
  }

  /** The base line of a series that is not known; undefined when it may have counted before. */
  #firstBase(key: string): BaseLine | undefined {
    const isBack = this.#forgotten.delete(hashOf(key));
    return isBack || this.#forgotMore || !this.#hasWhole ? undefined : NOTHING;
  }

  /** Keeps the numbers alone: labels would hold the text of the reading in memory. */
  #keep(key: string, base: BaseLine | undefined, incomplete = 0): void {
    // In the order of when they were last seen, for the oldest to go first.
    this.#known.delete(key);
    const kept = base && {
      bounds: base.bounds,
      below: base.below,
      sum: base.sum,
      created: base.created,
    };
    this.#known.set(key, { base: kept, seen: this.#readings, incomplete });
  }

  #forget(): void {
    for (const [key, { seen }] of this.#known) {
      if (this.#known.size <= this.#mostSeries || seen === this.#readings) break;
      this.#known.delete(key);
      if (this.#forgotten.size < MOST_FORGOTTEN) this.#forgotten.add(hashOf(key));
      else this.#forgotMore = true;
    }
  }
}

/** Whether a series that appears says that it has counted since before the last reading. */
function isOlder({ created }: CumulativeHistogram, since: number): boolean {
  return created !== undefined && created < since;
}

function isNewer(now: BaseLine, base: BaseLine): boolean {
  return now.created !== undefined && base.created !== undefined && now.created > base.created;
}

function countOf({ below }: BaseLine): number {
  return below.at(-1) ?? 0;
}

/** The bounds, or the sum, of the base line that a reading lacks although it is not smaller; undefined when it is complete. */
function missingFrom(now: BaseLine, base: BaseLine): string | undefined {
  if (isNewer(now, base) || countOf(now) < countOf(base)) return undefined;
  const bounds = new Set(now.bounds);
  const missing = base.bounds.filter((bound) => !bounds.has(bound));
  if (missing.length > 0) return `le="${missing.slice(0, 3).map(boundText).join('", le="')}"`;
  return now.sum === undefined && base.sum !== undefined && countOf(base) > 0
    ? "its sum"
    : undefined;
}

/** Whether the process behind a histogram restarted. */
function hasFallen(now: BaseLine, base: BaseLine): boolean {
  if (isNewer(now, base) || countOf(now) < countOf(base)) return true;
  const before = new Map(base.bounds.map((bound, i) => [bound, base.below[i] ?? 0]));
  return now.bounds.some((bound, i) => (now.below[i] ?? 0) < (before.get(bound) ?? 0));
}

/**
 * The difference of two readings. It is torn when cumulative values did not grow in step, since one reading was made while
 * the target counted: it is made to fit the count then.
 */
function difference(
  { name, attributes, bounds, below, sum }: CumulativeHistogram,
  base: BaseLine,
): { readonly delta: Delta; readonly isTorn: boolean } {
  const count = (below.at(-1) ?? 0) - countOf(base);
  const counts: number[] = [];
  let isTorn = false;
  let reached = 0;
  let at = 0;
  for (const [i, value] of below.entries()) {
    const bound = bounds[i] ?? Infinity;
    while (at < base.bounds.length && (base.bounds[at] ?? Infinity) <= bound) at++;
    const before = bound === Infinity ? countOf(base) : at === 0 ? 0 : base.below[at - 1] ?? 0;
    const grown = Math.min(Math.max(value - before, reached), count);
    isTorn ||= grown !== value - before;
    counts.push(grown - reached);
    reached = grown;
  }
  const gained = sum === undefined || base.sum === undefined ? NaN : sum - base.sum;
  return {
    delta: {
      name,
      attributes,
      bounds,
      counts,
      count,
      // A sum that fell has negative values in it: no sum then (OTLP, HistogramDataPoint).
      sum: Number.isFinite(gained) && gained >= 0 ? gained : undefined,
      min: undefined,
      max: undefined,
    },
    isTorn,
  };
}

/** Makes the delta of all that a histogram holds, as a batch job left it. */
export function fromNothing(histogram: CumulativeHistogram): Delta {
  return difference(histogram, NOTHING).delta;
}

const FORGOT_MORE =
  `more than ${MOST_FORGOTTEN} series appeared and disappeared: the first counts of new ones are left out. ` +
  "Raise --max-series";

/** Explains why a family is left out whose histograms have no bounds. */
export function nativeText(family: string): string {
  return `${clip(family, 80)} is a native histogram, or has no bounds: it is left out. ` +
    "Let the target expose classic buckets as well";
}

/** Hash of 53 bits. */
function hashOf(text: string): number {
  let high = 0x9e3779b9;
  let low = 0x85ebca6b;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x5bd1e995);
    low ^= low >>> 15;
  }
  high ^= high >>> 13;
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0);
}
