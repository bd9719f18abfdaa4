import type { Attributes, MeasuredHistogram } from "../../aggregate/measurement.ts";
import type { CumulativeHistogram } from "./cumulative.ts";

/** What a scrape adds to the one before it. */
export interface Delta extends MeasuredHistogram {
  /** The metric family. */
  readonly name: string;
}

interface Known {
  readonly histogram: CumulativeHistogram;
  readonly seen: number;
}

/**
 * Turns what a target has counted since it began into what it counted between two scrapes. The first scrape is the base
 * line. A series that appears later was not there before, so all of it is new; a counter that fell was reset, and counts
 * from 0; a series that is missing for a while goes on where it was. Of more than `most` series, those that were missing
 * for longest are forgotten, and are a base line again when they come back.
 */
export class ScrapeDeltas {
  readonly #most: number;
  #known = new Map<string, Known>();
  /** Series that were forgotten: what comes back is not new. */
  #forgot = false;
  #scrapes = 0;
  resets = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether there is a base line yet. */
  get started(): boolean {
    return this.#scrapes > 0;
  }

  /** The deltas since the scrape before, without those that counted nothing. `since`: when that one was, ms since 1970. */
  next(histograms: readonly CumulativeHistogram[], since: number): readonly Delta[] {
    const deltas: Delta[] = [];
    for (const histogram of histograms) {
      const key = keyOf(histogram);
      const before = this.#known.get(key)?.histogram;
      // In the order of when they were last seen, for the oldest to go first.
      this.#known.delete(key);
      this.#known.set(key, { histogram, seen: this.#scrapes });
      if (this.#scrapes === 0) continue;
      const delta = before === undefined
        ? this.#appeared(histogram, since)
        : this.#grown(histogram, before);
      if (delta !== undefined && delta.count > 0) deltas.push(delta);
    }
    this.#scrapes++;
    for (const [key, { seen }] of this.#known) {
      if (this.#known.size <= this.#most || seen === this.#scrapes - 1) break;
      this.#known.delete(key);
      this.#forgot = true;
    }
    return deltas;
  }

  #appeared(histogram: CumulativeHistogram, since: number): Delta | undefined {
    if (histogram.created !== undefined && histogram.created < since) return undefined;
    return this.#forgot && histogram.created === undefined ? undefined : fromNothing(histogram);
  }

  #grown(now: CumulativeHistogram, before: CumulativeHistogram): Delta {
    if (isReset(now, before)) {
      this.resets++;
      return fromNothing(now);
    }
    const { name, attributes, bounds } = now;
    return {
      name,
      attributes,
      bounds,
      counts: now.counts.map((count, i) => count - (before.counts[i] ?? 0)),
      count: now.count - before.count,
      sum: difference(now.sum, before.sum),
      min: undefined,
      max: undefined,
    };
  }
}

/** The process behind it began anew: it says so, or has other buckets, or counted less than before. */
function isReset(now: CumulativeHistogram, before: CumulativeHistogram): boolean {
  return (now.created !== undefined && before.created !== undefined &&
    now.created > before.created) ||
    now.count < before.count || now.bounds.length !== before.bounds.length ||
    now.bounds.some((bound, i) => bound !== before.bounds[i]) ||
    now.counts.some((count, i) => count < (before.counts[i] ?? 0));
}

/** All that a histogram holds: what a batch job left, or what was counted since a reset. */
export function fromNothing(
  { name, attributes, bounds, counts, count, sum }: CumulativeHistogram,
): Delta {
  return {
    name,
    attributes,
    bounds,
    counts,
    count,
    sum: notNegative(sum),
    min: undefined,
    max: undefined,
  };
}

/** A sum that fell has negative values in it: no sum then (OTLP, HistogramDataPoint). */
function difference(now: number | undefined, before: number | undefined): number | undefined {
  return now === undefined || before === undefined ? undefined : notNegative(now - before);
}

function notNegative(sum: number | undefined): number | undefined {
  return sum === undefined || sum < 0 ? undefined : sum;
}

function keyOf(
  { name, attributes }: { readonly name: string; readonly attributes: Attributes },
): string {
  return JSON.stringify([name, Object.entries(attributes).sort(([a], [b]) => a < b ? -1 : 1)]);
}
