import { keyOf } from "../../aggregate/attribute_key.ts";
import type { Attributes, MeasuredHistogram, Measurement } from "../../aggregate/measurement.ts";
import { PlottedSeries } from "./series.ts";

/** A metric whose measurements are drawn. */
export interface PlottedMetric {
  readonly name: string;
  readonly unit: string;
  /** Upper bounds of the buckets, strictly increasing, in the metric's unit. */
  readonly bounds: readonly number[];
  /** On every series; beats a measurement's own attribute of that name. */
  readonly attributes: Attributes;
}

/** How many attribute objects are recognised without a look inside. */
const MOST_OBJECTS = 100_000;

/** OpenTelemetry's metrics SDK specification, "Overflow attribute". */
const OVERFLOW: Attributes = { "otel.metric.overflow": true };

/** The series of one metric. Unlike those of a recorder they are not emptied by an interval. */
export class PlotTable {
  readonly metric: PlottedMetric;
  /** How many series all metrics may have together is asked for each new one. */
  readonly #hasRoom: () => boolean;
  readonly #byObject = new Map<Attributes, PlottedSeries>();
  readonly #byKey = new Map<string, PlottedSeries>();
  #overflow: readonly PlottedSeries[] = [];
  /** Measurements that no histogram can hold: negative, infinite or no number. */
  refused = 0;

  constructor(metric: PlottedMetric, hasRoom: () => boolean) {
    this.metric = metric;
    this.#hasRoom = hasRoom;
  }

  get series(): readonly PlottedSeries[] {
    return [...this.#byKey.values()];
  }

  /** Measurements that share a series because there are too many. */
  get folded(): number {
    return this.#overflow.reduce((sum, { count }) => sum + count, 0);
  }

  get size(): number {
    return this.#byKey.size;
  }

  record(batch: readonly Measurement[]): void {
    for (const { value, attributes } of batch) {
      if (!(value >= 0 && value < Infinity)) {
        this.refused++;
        continue;
      }
      // -0 + 0 is 0.
      (this.#byObject.get(attributes) ?? this.#seriesOf(attributes, this.metric.bounds))
        .add(value + 0);
    }
  }

  /** Histograms that were counted elsewhere; one with other bounds than the metric's is a series of its own. */
  recordHistograms(batch: readonly MeasuredHistogram[]): void {
    for (const histogram of batch) {
      const { attributes, bounds, count } = histogram;
      if (count > 0) this.#seriesOf(attributes, bounds).addHistogram(histogram);
    }
  }

  #seriesOf(attributes: Attributes, given: readonly number[]): PlottedSeries {
    const all = { ...attributes, ...this.metric.attributes };
    const bounds = equal(given, this.metric.bounds) ? this.metric.bounds : given;
    const key = this.#keyOf(all, bounds);
    const known = this.#byKey.get(key);
    const series = known ??
      (this.#hasRoom() ? this.#add(key, all, bounds) : this.#fold(bounds));
    // Of a limited number of series all are known by their objects, however many others are folded.
    if (bounds === this.metric.bounds && !this.#overflow.includes(series)) {
      if (this.#byObject.size >= MOST_OBJECTS) this.#byObject.clear();
      this.#byObject.set(attributes, series);
    }
    return series;
  }

  /** Key of a series: its attributes, and its bounds where they are not the metric's. */
  #keyOf(attributes: Attributes, bounds: readonly number[]): string {
    return keyOf(attributes) + (bounds === this.metric.bounds ? "" : ` ${bounds.join()}`);
  }

  #add(key: string, attributes: Attributes, bounds: readonly number[]): PlottedSeries {
    const sorted = Object.entries(attributes).sort(([a], [b]) => a < b ? -1 : 1);
    const series = new PlottedSeries(Object.fromEntries(sorted), bounds);
    this.#byKey.set(key, series);
    return series;
  }

  /** The series of what has none of its own. The first time the latest series gives up its place to it. */
  #fold(bounds: readonly number[]): PlottedSeries {
    const attributes = { ...this.metric.attributes, ...OVERFLOW };
    const key = this.#keyOf(attributes, bounds);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const latest = [...this.#byKey].findLast(([, series]) => series.bounds === bounds);
    if (latest !== undefined) {
      this.#byKey.delete(latest[0]);
      this.#byObject.clear();
    }
    const series = this.#add(key, attributes, bounds);
    if (latest !== undefined) series.merge(latest[1]);
    this.#overflow = [...this.#overflow, series];
    return series;
  }
}

/** Those with the most measurements first, equal ones in the order in which they came. */
export function largestFirst({ series }: PlotTable): readonly PlottedSeries[] {
  return series.toSorted((a, b) => b.count - a.count);
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((bound, i) => bound === b[i]));
}
