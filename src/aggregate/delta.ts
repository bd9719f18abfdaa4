import type { Attributes } from "./measurement.ts";
import { type Aggregation, aggregationOf, type Buckets, type Counted } from "./aggregation.ts";
import { OverflowCount } from "./overflow.ts";

/** Series of an instrument, told apart by attributes and buckets, for as long as it is remembered. */
export interface Series {
  readonly key: string;
  /** The key of its attributes alone. */
  readonly set: string;
  /** Of its attributes. */
  readonly fingerprint: number;
  readonly layout: Layout;
  /** As they stand in a data point: encoded once, sent in every interval that has values. */
  readonly attributes: Uint8Array;
  /** The delta that it was last in, drained or not. */
  delta: Delta | undefined;
  /** Its data point there; used again when that delta is drained. */
  point: Point;
  /** The attributes as they came last; undefined when the series is forgotten. */
  object: Attributes | undefined;
  /** What was measured after it the last time. */
  next: Series | undefined;
}

/** Data point: the histogram of one series in one interval. */
export type Point = Counted & PointParts;

interface PointParts {
  readonly layout: Layout;
  attributes: Uint8Array;
  /** Whose it is; nobody's when it waits to be used again. */
  series: Series | undefined;
}

/** What one instrument measured in one interval, until its table drains it. */
export class Delta {
  /** In the order of their first values. */
  points: Point[] = [];
  overflow = new OverflowCount();
  /** The data points of series that have gone on to another delta. */
  readonly left = new Map<Series, Point>();
  drained = false;
}

const NO_BYTES = new Uint8Array();

/** Makes data points with the same buckets, and uses those again that are done with. */
export class Layout {
  readonly aggregation: Aggregation;
  readonly #spare: Point[] = [];

  constructor(buckets: Buckets) {
    this.aggregation = aggregationOf(buckets);
  }

  /** A data point without values, nobody's yet. */
  point(): Point {
    const point = this.#spare.pop();
    if (point === undefined) return this.#newPoint();
    point.histogram.clear();
    return point;
  }

  /** The data point must be read before the next one is asked for. */
  recycle(point: Point): void {
    point.series = undefined;
    this.#spare.push(point);
  }

  #newPoint(): Point {
    const { aggregation } = this;
    return {
      ...aggregation.newHistogram(),
      layout: this,
      attributes: NO_BYTES,
      series: undefined,
    };
  }
}
