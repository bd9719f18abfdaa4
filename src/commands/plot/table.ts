import { attributeKey } from "../../aggregate/attribute_key.ts";
import type { Identity } from "../../aggregate/identity.ts";
import type { Attributes, MeasuredHistogram, Measurement } from "../../aggregate/measurement.ts";
import { EndBucketWatch } from "../../aggregate/end_bucket.ts";
import { OverflowCount } from "../../aggregate/overflow.ts";
import { countFindings, type DataFinding } from "../../aggregate/snapshot.ts";
import { PlottedSeries } from "./series.ts";

/** Metric whose measurements are drawn. */
export interface PlottedMetric {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Whether a send would count it in base-2 exponential buckets, which are not drawn. */
  readonly exponential: boolean;
  /** Upper bounds of the buckets, strictly increasing, in the metric's unit. */
  readonly bounds: readonly number[];
  /** Attributes of every series; they override a measurement's own. */
  readonly attributes: Attributes;
  /** Scope and resource, where the data name them. */
  readonly identity?: Identity | undefined;
  /** Phase of a scenario that it was measured in. */
  readonly phase?: string | undefined;
}

/** Maximum number of attribute objects that are recognised without comparing their content. */
const MOST_OBJECTS = 100_000;

/** Attributes of the merged series (OpenTelemetry's metrics SDK specification, "Overflow attribute"). */
const OVERFLOW: Attributes = { "otel.metric.overflow": true };

/** Series of one metric. Unlike those of a recorder they keep their measurements across intervals. */
export class PlotTable {
  readonly metric: PlottedMetric;
  /** Whether the limit of series, which all metrics share, allows another one. */
  readonly #hasRoom: () => boolean;
  readonly #byObject = new Map<Attributes, PlottedSeries>();
  readonly #byKey = new Map<string, PlottedSeries>();
  #overflow: readonly PlottedSeries[] = [];
  readonly #merged = new OverflowCount();
  /** Number of measurements that no histogram can hold: negative, infinite or not a number. */
  refused = 0;

  constructor(metric: PlottedMetric, hasRoom: () => boolean) {
    this.metric = metric;
    this.#hasRoom = hasRoom;
  }

  get series(): IteratorObject<PlottedSeries> {
    return this.#byKey.values();
  }

  /** Findings that a send of the same measurements would report. */
  get findings(): readonly DataFinding[] {
    const { name, bounds } = this.metric;
    const ends = new EndBucketWatch();
    const keys = new Set<string>();
    const unequal = new Set<string>();
    const isMixed = this.series.some((series) => series.bounds !== bounds);
    for (const series of this.series) {
      if (series.bounds === bounds) ends.look(series.counted);
      if (!isMixed || this.#overflow.includes(series)) continue;
      const key = attributeKey(series.attributes);
      if (keys.has(key)) unequal.add(key);
      keys.add(key);
    }
    const { fullBucket } = ends;
    const bound = bounds.at(fullBucket?.bucket === "first" ? 0 : -1);
    return [
      ...countFindings(this.#merged.total, unequal.size),
      ...fullBucket === undefined || bound === undefined
        ? []
        : [{ type: "end-bucket", endBucket: { metric: name, ...fullBucket, bound } } as const],
    ];
  }

  /** Number of its measurements. */
  get count(): number {
    return this.series.reduce((sum, { count }) => sum + count, 0);
  }

  get size(): number {
    return this.#byKey.size;
  }

  record(batch: readonly Measurement[]): void {
    const { bounds } = this.metric;
    for (const { value, attributes } of batch) {
      if (!(value >= 0 && value < Infinity)) {
        this.refused++;
        continue;
      }
      // -0 + 0 is 0.
      (this.#byObject.get(attributes) ?? this.#seriesOf(attributes, bounds, 1)).add(value + 0);
    }
  }

  /**
   * Records histograms that were counted elsewhere. One with other bounds than the metric's becomes a series of its
   * own.
   */
  recordHistograms(batch: readonly MeasuredHistogram[]): void {
    for (const histogram of batch) {
      const { attributes, bounds, count } = histogram;
      if (count > 0) this.#seriesOf(attributes, bounds, count).addHistogram(histogram);
    }
  }

  /** Finds the series that gets so many measurements. */
  #seriesOf(
    attributes: Attributes,
    candidate: readonly number[],
    count: number,
  ): PlottedSeries {
    const all = { ...attributes, ...this.metric.attributes };
    const bounds = equal(candidate, this.metric.bounds) ? this.metric.bounds : candidate;
    const key = this.#keyOf(all, bounds);
    const known = this.#byKey.get(key);
    const series = known ??
      (this.#hasRoom() ? this.#add(key, all, bounds) : this.#fold(all, bounds, count));
    // Merged measurements do not push the limited number of series out of the cache.
    if (bounds === this.metric.bounds && !this.#overflow.includes(series)) {
      if (this.#byObject.size >= MOST_OBJECTS) this.#byObject.clear();
      this.#byObject.set(attributes, series);
    }
    return series;
  }

  /** Key of a series: its attributes, and its bounds where they are not the metric's. */
  #keyOf(attributes: Attributes, bounds: readonly number[]): string {
    return attributeKey(attributes) + (bounds === this.metric.bounds ? "" : ` ${bounds.join()}`);
  }

  #add(key: string, attributes: Attributes, bounds: readonly number[]): PlottedSeries {
    const sorted = Object.entries(attributes).sort(([a], [b]) => a < b ? -1 : 1);
    const series = new PlottedSeries(Object.fromEntries(sorted), bounds);
    this.#byKey.set(key, series);
    return series;
  }

  /** Returns the merged series. The first time, the newest series gives up its place to it. */
  #fold(all: Attributes, bounds: readonly number[], count: number): PlottedSeries {
    this.#merged.note(attributeKey(all), count);
    const attributes = { ...this.metric.attributes, ...OVERFLOW };
    const key = this.#keyOf(attributes, bounds);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const latest = [...this.#byKey].findLast(([, series]) => series.bounds === bounds);
    if (latest !== undefined) {
      this.#byKey.delete(latest[0]);
      this.#merged.note(attributeKey(latest[1].attributes), latest[1].count);
      this.#byObject.clear();
    }
    const series = this.#add(key, attributes, bounds);
    if (latest !== undefined) series.merge(latest[1]);
    this.#overflow = [...this.#overflow, series];
    return series;
  }
}

/** Lists the series, largest first, equal ones in order of arrival. */
export function largestFirst({ series }: PlotTable): readonly PlottedSeries[] {
  return largestOf([...series]);
}

/** Sorts series, largest first, equal ones in the order given. */
export function largestOf(series: readonly PlottedSeries[]): readonly PlottedSeries[] {
  return series.toSorted((a, b) => b.count - a.count);
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((bound, i) => bound === b[i]));
}
