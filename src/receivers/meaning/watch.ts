import { clip } from "../../redact/clip.ts";
import type { Problem } from "../problem.ts";
import { type CountedMetric, MEANING_RULES } from "./rules.ts";

/** Histogram data that are added to a metric's: one data point, or what a running total gained. */
export interface AddedValues {
  /** Upper bounds; undefined for a histogram without bounds and for an exponential one. */
  readonly bounds: readonly number[] | undefined;
  readonly counts: readonly (number | bigint)[];
  readonly count: number;
  readonly sum: number | undefined;
}

/** Approximate memory of everything that is counted, in bytes. */
const MOST_BYTES = 8 * 2 ** 20;
const BYTES_PER_LAYOUT = 300;
/** Maximum number of units and bounds under one metric name. */
const MOST_LAYOUTS = 20;
/** Length of a metric's name in a message, as in other problems. */
const LONGEST_NAME = 300;

/**
 * Counts histograms over a run and finds the rules of meaning that they break, each once per metric name. Metrics for
 * which there is no room are not judged.
 */
export class MeaningWatch {
  readonly #mostBytes: number;
  readonly #metrics = new Map<string, WatchedMetric>();
  readonly #changed = new Set<Layout>();
  #bytes = 0;

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** Adds values to a metric. */
  add(name: string, unit: string, added: AddedValues): void {
    const layout = this.#layoutOf(name, unit, added.bounds ?? []);
    if (layout === undefined) return;
    layout.add(added);
    this.#changed.add(layout);
  }

  /** Returns the rules that are broken since the last call. */
  take(): readonly Problem[] {
    const problems: Problem[] = [];
    for (const layout of this.#changed) {
      const { name, metric: { fired } } = layout;
      for (const { id, remedy, broken } of MEANING_RULES) {
        if (fired.has(id)) continue;
        const message = broken(layout);
        if (message === undefined) continue;
        fired.add(id);
        problems.push({
          rule: id,
          level: "warning",
          metric: clip(name, LONGEST_NAME),
          message: `${message}. Remedy: ${remedy}`,
        });
      }
    }
    this.#changed.clear();
    return problems;
  }

  #layoutOf(name: string, unit: string, bounds: readonly number[]): Layout | undefined {
    const known = this.#metrics.get(name);
    const same = known?.layouts.find((layout) => layout.fits(unit, bounds));
    if (same !== undefined) return same;
    const bytes = BYTES_PER_LAYOUT + 2 * (name.length + unit.length) + 24 * bounds.length;
    if (this.#bytes + bytes > this.#mostBytes || known?.layouts.length === MOST_LAYOUTS) {
      return undefined;
    }
    this.#bytes += bytes;
    const metric = known ?? { layouts: [], fired: new Set() };
    if (known === undefined) this.#metrics.set(name, metric);
    const layout = new Layout(name, unit, bounds, metric);
    metric.layouts.push(layout);
    return layout;
  }
}

interface WatchedMetric {
  readonly layouts: Layout[];
  /** Rules that were reported. */
  readonly fired: Set<string>;
}

/** Values of a metric in one unit and with the same bounds. */
class Layout implements CountedMetric {
  readonly name: string;
  readonly unit: string;
  readonly metric: WatchedMetric;
  readonly bounds: readonly number[];
  readonly counts: number[];
  count = 0;
  sum = 0;
  /** Bounds as they came: an infinite one at an end is not a bound. */
  readonly #bounds: readonly number[];
  /** Number of buckets before the first one, which end at -Infinity. */
  readonly #skipped: number;

  constructor(name: string, unit: string, bounds: readonly number[], metric: WatchedMetric) {
    this.name = name;
    this.unit = unit;
    this.metric = metric;
    this.#bounds = [...bounds];
    this.#skipped = bounds[0] === -Infinity ? 1 : 0;
    this.bounds = this.#bounds.slice(this.#skipped, bounds.at(-1) === Infinity ? -1 : undefined);
    this.counts = this.bounds.length === 0 ? [] : new Array(this.bounds.length + 1).fill(0);
  }

  fits(unit: string, bounds: readonly number[]): boolean {
    return unit === this.unit && bounds.length === this.#bounds.length &&
      bounds.every((bound, i) => bound === this.#bounds[i]);
  }

  add({ counts, count, sum }: AddedValues): void {
    this.count += count;
    this.sum += sum ?? NaN;
    const last = this.counts.length - 1;
    if (last < 0) return;
    for (let i = 0; i < counts.length; i++) {
      const bucket = Math.min(Math.max(i - this.#skipped, 0), last);
      this.counts[bucket] = (this.counts[bucket] ?? 0) + Number(counts[i]);
    }
  }
}
