import type { CardinalityLimit } from "./cardinality_limit.ts";
import { type Overflow, OverflowCount } from "./overflow.ts";
import type { Attributes, Measurement } from "../measurements/measurement.ts";

/** Counts the values of one series in one interval. */
export interface Histogram {
  readonly count: number;
  /** Counts one value, which must be finite and not negative. */
  add(value: number): void;
  /** Forgets all values: the next interval begins. */
  clear(): void;
}

export interface Series<H> {
  /** As they stand in a data point: encoded once, sent in every interval that has values. */
  readonly attributes: Uint8Array;
  histogram: H;
  readonly key: string;
  /** The interval that the histogram's values belong to. */
  interval: number;
  /** The attributes as they came last; undefined when the series is forgotten. */
  object: Attributes | undefined;
  /** What was measured after it the last time. */
  next: Series<H> | undefined;
}

/** What an instrument gives to its series. */
export interface SeriesKind<H> {
  readonly histogram: () => H;
  readonly encode: (attributes: Attributes) => Uint8Array;
}

/** One interval of one instrument. */
export interface Drained<H> {
  /** The series that have values, in the order of their first one. */
  readonly series: readonly Series<H>[];
  readonly overflow: Overflow;
  /** Measurements whose value cannot stand in a histogram. */
  readonly refused: number;
}

/** OpenTelemetry's metrics SDK specification, "Overflow attribute". */
const OVERFLOW: Attributes = { "otel.metric.overflow": true };

/** How many attribute objects are recognised without a look inside. */
const MOST_OBJECTS = 1_000_000;

/** The series of one instrument: gathers an interval's data until `drain()`. */
export class SeriesTable<H extends Histogram> {
  readonly #kind: SeriesKind<H>;
  readonly #fixed: Attributes;
  readonly #cardinality: CardinalityLimit;
  /** A measurement's attributes are often an object seen before: that saves making their key. */
  readonly #byObject = new Map<Attributes, Series<H>>();
  readonly #byKey = new Map<string, Series<H>>();
  readonly #folding = new OverflowCount();
  readonly #overflow: { readonly key: string; readonly attributes: Attributes };
  #active: Series<H>[] = [];
  #refused = 0;

  /** `fixed` attributes are on every data point and beat a measurement's own. */
  constructor(kind: SeriesKind<H>, fixed: Attributes, cardinality: CardinalityLimit) {
    this.#kind = kind;
    this.#fixed = fixed;
    this.#cardinality = cardinality;
    const overflow = { ...fixed, ...OVERFLOW };
    this.#overflow = { key: keyOf(overflow), attributes: overflow };
  }

  /**
   * Adds measurements, but refuses a value that is negative, infinite or no number. The attributes must not be changed
   * afterwards.
   */
  record(batch: readonly Measurement[]): void {
    const { interval } = this.#cardinality;
    let last: Series<H> | undefined;
    for (const { value, attributes } of batch) {
      if (!(value >= 0 && value < Infinity)) {
        this.#refused++;
        continue;
      }
      // Many batches have the order of the one before, and looking there is faster than any map.
      const expected = last?.next;
      const known = expected?.object === attributes ? expected : this.#byObject.get(attributes);
      const series = known?.interval === interval ? known : this.#begun(attributes, known);
      if (last !== undefined) last.next = series;
      last = series;
      // -0 + 0 is 0: JSON has no -0, and nobody measures it.
      series.histogram.add(value + 0);
    }
  }

  /**
   * What the interval gathered. A histogram is used again once the next interval has a value for it: read it before.
   * The cardinality's interval must be ended by the caller.
   */
  drain(): Drained<H> {
    const drained = {
      series: this.#active,
      overflow: this.#folding.drain(),
      refused: this.#refused,
    };
    this.#active = [];
    this.#refused = 0;
    if (this.#byKey.size > 2 * this.#cardinality.most + 1) this.#forgetUnused();
    return drained;
  }

  /** Where a value with these attributes is counted in this interval. */
  #begun(attributes: Attributes, known: Series<H> | undefined): Series<H> {
    if (known !== undefined) return this.#begin(known);
    const all = { ...attributes, ...this.#fixed };
    const key = keyOf(all);
    let series = this.#byKey.get(key);
    if (series !== undefined) {
      this.#recognise(attributes, series);
      return this.#begin(series);
    }
    if (!this.#cardinality.reserve()) return this.#fold(key);
    series = this.#add(key, all);
    this.#recognise(attributes, series);
    return this.#activate(series);
  }

  #begin(series: Series<H>): Series<H> {
    if (series.interval === this.#cardinality.interval) return series;
    return this.#cardinality.reserve() ? this.#activate(series) : this.#fold(series.key);
  }

  /**
   * The series of what has none of its own. The first time in an interval the latest series gives up its place to it, so
   * that nothing is folded as long as there are not more series than the limit.
   */
  #fold(key: string): Series<H> {
    this.#folding.note(key);
    const overflow = this.#overflow;
    const series = this.#byKey.get(overflow.key) ?? this.#add(overflow.key, overflow.attributes);
    if (series.interval === this.#cardinality.interval) return series;
    const latest = this.#active.at(-1);
    if (latest === undefined) return this.#activate(series);
    this.#folding.note(latest.key, latest.histogram.count);
    [series.histogram, latest.histogram] = [latest.histogram, series.histogram];
    series.interval = latest.interval;
    latest.interval = -1;
    this.#active[this.#active.length - 1] = series;
    return series;
  }

  #activate(series: Series<H>): Series<H> {
    series.histogram.clear();
    series.interval = this.#cardinality.interval;
    this.#active.push(series);
    return series;
  }

  #add(key: string, attributes: Attributes): Series<H> {
    const series: Series<H> = {
      attributes: this.#kind.encode(attributes),
      histogram: this.#kind.histogram(),
      key,
      interval: -1,
      object: undefined,
      next: undefined,
    };
    this.#byKey.set(key, series);
    return series;
  }

  #recognise(attributes: Attributes, series: Series<H>): void {
    if (this.#byObject.size >= Math.min(2 * this.#cardinality.most, MOST_OBJECTS)) {
      this.#byObject.clear();
    }
    this.#byObject.set(attributes, series);
    series.object = attributes;
  }

  /** A live stream may bring new series for ever: those without a value in this interval go. */
  #forgetUnused(): void {
    for (const [key, series] of this.#byKey) {
      if (series.interval === this.#cardinality.interval) continue;
      this.#byKey.delete(key);
      series.object = undefined;
    }
    this.#byObject.clear();
  }
}

/** The same for the same attributes in any order; the SDK tells series apart by the same key. */
export function keyOf(attributes: Attributes): string {
  return JSON.stringify(Object.keys(attributes).sort().map((key) => [key, attributes[key]]));
}
