import type { Attributes, MeasuredHistogram, Measurement } from "./measurement.ts";
import { attributeKey, fingerprintOf } from "./attribute_key.ts";
import type { CardinalityLimit } from "./cardinality_limit.ts";
import { boundsKey, type Buckets } from "./aggregation.ts";
import { IntervalDelta, type Point, PointPool, type Series } from "./delta.ts";
import { EndBucketWatch, type FullBucket } from "./end_bucket.ts";
import { type Overflow, OverflowCount } from "./overflow.ts";

/** Encodes attributes as a data point of that kind holds them. */
export type EncodeAttributes = (attributes: Attributes, kind: Point["kind"]) => Uint8Array;

/** Data points of one instrument in one interval, and what was merged. */
export interface Drained {
  /** Points with values, in the order of their first value. Read them before anything is recorded again. */
  readonly points: readonly Point[];
  readonly overflow: Overflow;
  /** Attribute sets that have more than one data point, because histograms with other bounds were recorded. */
  readonly unequalBounds: number;
}

/** Parts that a series table is made of. */
export interface SeriesTableOptions {
  readonly buckets: Buckets;
  /** Attributes on every data point; they override a measurement's own. */
  readonly fixed: Attributes;
  readonly cardinality: CardinalityLimit;
  readonly encode: EncodeAttributes;
  /** Whether series beyond the limit may be merged into one now; without it, they may always. */
  readonly mayFold?: () => boolean;
}

/** OpenTelemetry's metrics SDK specification, "Overflow attribute". */
const OVERFLOW: Attributes = { "otel.metric.overflow": true };

/** How many attribute objects are recognised without a look inside. */
const MOST_OBJECTS = 1_000_000;

/** The series of one instrument: begins the delta of an interval, records into it, and drains it. */
export class SeriesTable {
  readonly #own: PointPool;
  /** Pools for histograms that came with other bounds than the instrument's, by key. */
  readonly #others = new Map<string, PointPool>();
  /** Pool without bounds: histograms with unequal bounds that are merged keep their count, sum, min and max. */
  readonly #boundless = new PointPool([]);
  readonly #fixed: Attributes;
  readonly #hasFixed: boolean;
  readonly #cardinality: CardinalityLimit;
  readonly #encode: EncodeAttributes;
  /** A measurement's attributes are often an object seen before: that saves making their key. */
  readonly #byObject = new Map<Attributes, Series>();
  readonly #byKey = new Map<string, Series>();
  /** Fingerprints of all series with a key: a set whose fingerprint is not here is new, and needs no key to know it. */
  readonly #fingerprints = new Set<number>();
  /** Deltas that are not drained. */
  readonly #deltas = new Set<IntervalDelta>();
  readonly #overflowKey: string;
  #overflow: Series | undefined;
  readonly #ends = new EndBucketWatch();
  /** Values came, not only histograms, whose bounds nobody here chose. */
  #hasValues = false;
  readonly #mayFold: () => boolean;

  constructor({ buckets, fixed, cardinality, encode, mayFold = () => true }: SeriesTableOptions) {
    this.#own = new PointPool(buckets);
    this.#mayFold = mayFold;
    this.#fixed = fixed;
    this.#hasFixed = Object.keys(fixed).length > 0;
    this.#cardinality = cardinality;
    this.#encode = encode;
    this.#overflowKey = attributeKey({ ...fixed, ...OVERFLOW });
  }

  begin(): IntervalDelta {
    const delta = new IntervalDelta();
    this.#deltas.add(delta);
    return delta;
  }

  /** The bucket at an end that all values so far fell into, if there is more than one bucket. */
  get endBucket(): FullBucket | undefined {
    return this.#ends.fullBucket;
  }

  /**
   * Adds the measurements `from` to `to` to the delta; returns where it stopped, which is before `to` only when there
   * was no room and nothing may be folded. Values must be finite and not negative; attributes must not be changed
   * afterwards.
   */
  add(batch: readonly Measurement[], delta: IntervalDelta, from = 0, to = batch.length): number {
    let last: Series | undefined;
    this.#hasValues = true;
    for (let i = from; i < to; i++) {
      const measurement = batch[i];
      if (measurement === undefined) return i;
      const { value, attributes } = measurement;
      if (!(value >= 0 && value < Infinity)) {
        throw new RangeError(`No histogram can hold ${value}`);
      }
      // Many batches have the order of the one before, and looking there is faster than any map.
      const expected = last?.next;
      const known = expected?.object === attributes ? expected : this.#byObject.get(attributes);
      const series = known?.delta === delta ? known : this.#seriesOf(attributes, known, delta);
      if (series === undefined) return i;
      if (last !== undefined) last.next = series;
      last = series;
      // -0 + 0 is 0: JSON has no -0, and nobody measures it.
      series.point.histogram.add(value + 0);
    }
    return to;
  }

  /** Adds histograms in the same way. Their bounds stand in place of the instrument's; one without values adds nothing. */
  addHistograms(
    batch: readonly MeasuredHistogram[],
    delta: IntervalDelta,
    from = 0,
    to = batch.length,
  ): number {
    for (let i = from; i < to; i++) {
      const measured = batch[i];
      if (measured === undefined) return i;
      const { bounds, counts } = measured;
      if (counts.length !== bounds.length + 1) {
        throw new RangeError(`${counts.length} counts do not fit ${bounds.length} bounds`);
      }
      if (measured.count === 0) continue;
      const series = this.#seriesWith(measured, delta);
      if (series === undefined) return i;
      this.#merge(measured, series, delta);
    }
    return to;
  }

  /** Takes the data points out of a delta, which is not used again. The caller releases its room under the limit. */
  drain(delta: IntervalDelta): Drained {
    const { points } = delta;
    const drained = {
      points,
      overflow: delta.overflow.total,
      unequalBounds: this.#others.size > 0 ? unequalBounds(points, this.#overflow) : 0,
    };
    for (const point of points) {
      if (!this.#hasValues || this.#ends.isDecided) break;
      if (point.pool === this.#own) this.#ends.look(point);
    }
    if (this.#byKey.size > 2 * this.#cardinality.most + 1) this.#forgetUnused();
    for (const [series, point] of delta.left) {
      // A series reuses its own point by itself.
      if (series.point !== point) point.pool.recycle(point);
    }
    this.#deltas.delete(delta);
    delta.drained = true;
    delta.points = [];
    delta.overflow = new OverflowCount();
    delta.left.clear();
    return drained;
  }

  /** Finds the series that counts a value with these attributes. */
  #seriesOf(
    attributes: Attributes,
    known: Series | undefined,
    delta: IntervalDelta,
  ): Series | undefined {
    if (known !== undefined) return this.#enter(known, delta);
    const all = this.#withFixed(attributes);
    if (this.#cardinality.isReached && delta.overflow.isMore && this.#mayFold()) {
      // Identifiers, most likely: their keys would take most of the time.
      if (!this.#fingerprints.has(fingerprintOf(all))) return this.#fold("", delta);
    }
    const set = attributeKey(all);
    const series = this.#byKey.get(set);
    if (series !== undefined) {
      this.#recognise(attributes, series);
      return this.#enter(series, delta);
    }
    if (!this.#cardinality.reserve()) return this.#foldIfAllowed(set, delta, 1);
    const begun = this.#begin(set, set, all, this.#own, delta);
    this.#recognise(attributes, begun);
    return begun;
  }

  /** Finds the series that counts a histogram: that of its attributes and bounds. */
  #seriesWith(
    { bounds, attributes, count }: MeasuredHistogram,
    delta: IntervalDelta,
  ): Series | undefined {
    const all = this.#withFixed(attributes);
    const set = attributeKey(all);
    const buckets = boundsKey(bounds);
    const own = buckets === this.#own.aggregation.key;
    const key = own ? set : `${buckets}|${set}`;
    const series = this.#byKey.get(key);
    if (series !== undefined) return this.#enter(series, delta, count);
    if (!this.#cardinality.reserve()) return this.#foldIfAllowed(set, delta, count);
    let pool = own ? this.#own : this.#others.get(buckets);
    if (pool === undefined) {
      pool = new PointPool(bounds);
      this.#others.set(buckets, pool);
    }
    return this.#begin(key, set, all, pool, delta);
  }

  #withFixed(attributes: Attributes): Attributes {
    return this.#hasFixed ? { ...attributes, ...this.#fixed } : attributes;
  }

  /** Gives a known series its data point in this delta, for a number of measurements. */
  #enter(series: Series, delta: IntervalDelta, count = 1): Series | undefined {
    if (series.delta === delta) return series;
    const left = delta.left.size > 0 ? delta.left.get(series) : undefined;
    if (left === undefined && !this.#cardinality.reserve()) {
      return this.#foldIfAllowed(series.set, delta, count);
    }
    this.#move(series, delta, left ?? this.#place(emptyPoint(series), series, delta));
    return series;
  }

  #foldIfAllowed(set: string, delta: IntervalDelta, count: number): Series | undefined {
    return this.#mayFold() ? this.#fold(set, delta, count) : undefined;
  }

  /**
   * Returns the series that others are merged into. The first time in a delta it takes the latest data point, so that
   * nothing is merged until there are more series than the limit.
   */
  #fold(set: string, delta: IntervalDelta, count = 1): Series {
    delta.overflow.note(set, count);
    const series = this.#overflow ?? this.#byKey.get(this.#overflowKey);
    if (series?.delta === delta) return series;
    const left = series === undefined ? undefined : delta.left.get(series);
    const point = left ?? this.#latestOf(delta) ?? this.#kept(delta);
    const overflow = series ?? this.#add(
      this.#overflowKey,
      this.#overflowKey,
      { ...this.#fixed, ...OVERFLOW },
      this.#own,
      point,
    );
    this.#overflow = overflow;
    if (left === undefined) this.#give(point, overflow);
    this.#move(overflow, delta, point);
    return overflow;
  }

  /** The latest data point, taken from its series. */
  #latestOf(delta: IntervalDelta): Point | undefined {
    const latest = delta.points.at(-1);
    const series = latest?.series;
    if (latest === undefined || series === undefined) return undefined;
    delta.overflow.note(series.set, latest.histogram.count);
    if (series.delta === delta) series.delta = undefined;
    delta.left.delete(series);
    return latest;
  }

  #kept(delta: IntervalDelta): Point {
    this.#cardinality.reserveKept();
    const point = this.#own.point();
    delta.points.push(point);
    return point;
  }

  #begin(key: string, set: string, all: Attributes, pool: PointPool, delta: IntervalDelta): Series {
    const point = pool.point();
    const series = this.#add(key, set, all, pool, point);
    this.#move(series, delta, this.#place(point, series, delta));
    return series;
  }

  #place(point: Point, series: Series, delta: IntervalDelta): Point {
    delta.points.push(point);
    this.#give(point, series);
    return point;
  }

  #give(point: Point, series: Series): void {
    point.series = series;
    // Merged measurements may be in a data point of another kind than the instrument's.
    point.attributes = series.pool.aggregation.kind === point.kind
      ? series.attributes
      : this.#encode({ ...this.#fixed, ...OVERFLOW }, point.kind);
  }

  #move(series: Series, delta: IntervalDelta, point: Point): void {
    const former = series.delta;
    if (former !== undefined && !former.drained) former.left.set(series, series.point);
    series.delta = delta;
    series.point = point;
  }

  #add(key: string, set: string, all: Attributes, pool: PointPool, point: Point): Series {
    const series: Series = {
      key,
      set,
      pool,
      fingerprint: fingerprintOf(all),
      attributes: this.#encode(all, pool.aggregation.kind),
      delta: undefined,
      point,
      object: undefined,
      next: undefined,
    };
    this.#byKey.set(key, series);
    this.#fingerprints.add(series.fingerprint);
    return series;
  }

  #merge(measured: MeasuredHistogram, series: Series, delta: IntervalDelta): void {
    const { point } = series;
    if (point.kind === "explicit" && isEqual(point.histogram.bounds, measured.bounds)) {
      point.histogram.merge(measured);
      return;
    }
    // Only merged histograms meet bounds other than their own.
    const flat = this.#flattened(point, series, delta);
    if (flat.kind === "explicit") flat.histogram.merge(withoutBuckets(measured));
  }

  /** The data point without its buckets, in its place. */
  #flattened(point: Point, series: Series, delta: IntervalDelta): Point {
    if (point.pool === this.#boundless) return point;
    const flat = this.#boundless.point();
    if (flat.kind === "explicit") flat.histogram.merge(withoutBuckets(point.histogram));
    delta.points[delta.points.indexOf(point)] = flat;
    this.#give(flat, series);
    series.point = flat;
    point.pool.recycle(point);
    return flat;
  }

  #recognise(attributes: Attributes, series: Series): void {
    if (this.#byObject.size >= Math.min(2 * this.#cardinality.most, MOST_OBJECTS)) {
      this.#byObject.clear();
    }
    this.#byObject.set(attributes, series);
    series.object = attributes;
  }

  /** A live stream may bring new series endlessly: those without a data point go. */
  #forgetUnused(): void {
    const used = new Set<Series>();
    for (const { points } of this.#deltas) {
      for (const { series } of points) if (series !== undefined) used.add(series);
    }
    const pools = new Set<PointPool>();
    this.#fingerprints.clear();
    for (const [key, series] of this.#byKey) {
      if (used.has(series)) {
        pools.add(series.pool);
        this.#fingerprints.add(series.fingerprint);
        continue;
      }
      this.#byKey.delete(key);
      series.object = undefined;
      if (series === this.#overflow) this.#overflow = undefined;
    }
    for (const [key, pool] of this.#others) {
      if (!pools.has(pool)) this.#others.delete(key);
    }
    this.#byObject.clear();
  }
}

/** Empty point for a series: its own again if that was sent, so that both stay side by side in memory. */
function emptyPoint(series: Series): Point {
  const { point, pool, delta } = series;
  const free = delta?.drained === true && point.series === series && point.pool === pool;
  if (!free) return pool.point();
  point.histogram.clear();
  return point;
}

function isEqual(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((bound, i) => bound === b[i]));
}

type Figures = Pick<MeasuredHistogram, "count" | "sum" | "min" | "max">;

function withoutBuckets({ count, sum, min, max }: Figures) {
  return { count, sum, min, max, counts: [count] };
}

function unequalBounds(points: readonly Point[], overflow: Series | undefined): number {
  if (points.every(({ pool }) => pool === points[0]?.pool)) return 0;
  const seen = new Set<string>();
  const unequal = new Set<string>();
  for (const { series } of points) {
    if (series === undefined || series === overflow) continue;
    if (seen.has(series.set)) unequal.add(series.set);
    seen.add(series.set);
  }
  return unequal.size;
}
