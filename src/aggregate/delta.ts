import type { Attributes } from "./measurement.ts";
import { type Aggregation, aggregationOf, type Buckets, type Counted } from "./aggregation.ts";
import { OverflowCount } from "./overflow.ts";

/** Series of an instrument, told apart by attributes and buckets, for as long as it is remembered. */
export interface Series {
  readonly key: string;
  /** Key of its attributes alone. */
  readonly set: string;
  /** Fingerprint of its attributes. */
  readonly fingerprint: number;
  readonly pool: PointPool;
  /** Attributes as a data point holds them: encoded once, sent in every interval that has values. */
  readonly attributes: Uint8Array;
  /** The delta that it was last in, drained or not. */
  delta: IntervalDelta | undefined;
  /** Its data point there; used again when that delta is drained. */
  point: Point;
  /** The attributes as they came last; undefined when the series is forgotten. */
  object: Attributes | undefined;
  /** Series that was measured after this one the last time. */
  next: Series | undefined;
}

/** Data point: the histogram of one series in one interval. */
export type Point = Counted & PointParts;

interface PointParts {
  readonly pool: PointPool;
  attributes: Uint8Array;
  /** Its series; undefined while the point waits to be reused. */
  series: Series | undefined;
}

/** Data points of one instrument in one interval, until its table drains them. */
export class IntervalDelta {
  /** Points in the order of their first values. */
  points: Point[] = [];
  overflow = new OverflowCount();
  /** The data points of series that have gone on to another delta. */
  readonly left = new Map<Series, Point>();
  drained = false;
}

const NO_BYTES = new Uint8Array();

/** Pool of data points with equal buckets: makes them, and reuses those that were sent. */
export class PointPool {
  readonly aggregation: Aggregation;
  readonly #spare: Point[] = [];

  constructor(buckets: Buckets) {
    this.aggregation = aggregationOf(buckets);
  }

  /** Returns a data point without values and without a series. */
  point(): Point {
    const point = this.#spare.pop();
    if (point === undefined) return this.#newPoint();
    point.histogram.clear();
    return point;
  }

  /** Takes a data point back, which must have been read by the next call of `point()`. */
  recycle(point: Point): void {
    point.series = undefined;
    this.#spare.push(point);
  }

  #newPoint(): Point {
    const { aggregation } = this;
    return {
      ...aggregation.newHistogram(),
      pool: this,
      attributes: NO_BYTES,
      series: undefined,
    };
  }
}
