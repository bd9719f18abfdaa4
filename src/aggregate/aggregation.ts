import { ExplicitHistogram } from "./explicit.ts";
import { ExponentialHistogram } from "./exponential.ts";

/**
 * All aggregations, in the order in which a metric's data points are sent. Another one is a name here, its histogram, a
 * value of `Buckets` that `aggregationOf` knows, and its encoding in otlp/points.ts.
 */
export const AGGREGATION_KINDS = ["explicit", "exponential"] as const;

/** Name of an aggregation in code. */
export type AggregationKind = typeof AGGREGATION_KINDS[number];

/** Histograms by the kind of their aggregation. */
export interface Histograms {
  readonly explicit: ExplicitHistogram;
  readonly exponential: ExponentialHistogram;
}

/** Aggregation as an instrument asks for it: upper bounds, finite and strictly increasing, or base-2 exponential buckets. */
export type Buckets = readonly number[] | "exponential";

/** Histogram with its kind. */
export type Counted = {
  [Kind in AggregationKind]: { readonly kind: Kind; readonly histogram: Histograms[Kind] };
}[AggregationKind];

/** Way to count the values of a series. */
export interface Aggregation {
  readonly kind: AggregationKind;
  /** Identity of the buckets: equal for equal buckets, and for no others. */
  readonly key: string;
  /** Makes a histogram without values. */
  newHistogram(): Counted;
}

/** The aggregation that an instrument asks for. */
export function aggregationOf(buckets: Buckets): Aggregation {
  const bounds = explicitBoundsOf(buckets);
  if (bounds === undefined) {
    const kind = "exponential";
    return {
      kind,
      key: kind,
      newHistogram: () => ({ kind, histogram: new ExponentialHistogram() }),
    };
  }
  const kind = "explicit";
  return {
    kind,
    key: boundsKey(bounds),
    newHistogram: () => ({ kind, histogram: new ExplicitHistogram(bounds) }),
  };
}

/** The upper bounds of buckets that have them; undefined for buckets that values choose. */
export function explicitBoundsOf(buckets: Buckets): readonly number[] | undefined {
  return buckets === "exponential" ? undefined : buckets;
}

/** Key of an aggregation with these upper bounds. */
export function boundsKey(bounds: readonly number[]): string {
  return bounds.join();
}
