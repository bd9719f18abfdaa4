import type { Attributes } from "./measurement.ts";
import { ExplicitHistogram } from "./explicit.ts";
import { ExponentialHistogram } from "./exponential.ts";
import { OverflowCount } from "./overflow.ts";

/** Upper bounds of buckets, finite and strictly increasing; or none to choose, with base-2 exponential ones. */
export type Buckets = readonly number[] | "exponential";

/** What is told apart by attributes and buckets, for as long as it is remembered. */
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

/** One series in one interval. */
export type Point = ExplicitPoint | ExponentialPoint;
export type ExplicitPoint = PointOf<"explicit", ExplicitHistogram>;
export type ExponentialPoint = PointOf<"exponential", ExponentialHistogram>;

interface PointOf<Kind, H> {
  readonly kind: Kind;
  readonly layout: Layout;
  readonly histogram: H;
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
  readonly buckets: Buckets;
  readonly #spare: Point[] = [];

  constructor(buckets: Buckets) {
    this.buckets = buckets;
  }

  /** A data point without values, nobody's yet. */
  point(): Point {
    const point = this.#spare.pop();
    if (point === undefined) return this.#made();
    point.histogram.clear();
    return point;
  }

  /** The data point must be read before the next one is asked for. */
  recycle(point: Point): void {
    point.series = undefined;
    this.#spare.push(point);
  }

  #made(): Point {
    const { buckets } = this;
    return buckets === "exponential"
      ? {
        kind: buckets,
        layout: this,
        histogram: new ExponentialHistogram(),
        attributes: NO_BYTES,
        series: undefined,
      }
      : {
        kind: "explicit",
        layout: this,
        histogram: new ExplicitHistogram(buckets),
        attributes: NO_BYTES,
        series: undefined,
      };
  }
}
