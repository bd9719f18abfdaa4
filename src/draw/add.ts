import { addExponential } from "../aggregate/base2.ts";
import type { PointBuckets, PointFigures } from "./figures.ts";

/** Maximum number of buckets on each side of zero (OpenTelemetry's metrics SDK specification, "MaxSize"). */
export const MOST_EXPONENTIAL_BUCKETS = 160;

const NOTHING = { offset: 0, counts: [] };

/** Merges exponential buckets until each side has at most MOST_EXPONENTIAL_BUCKETS; returns other figures unchanged. */
export function limitBuckets(figures: PointFigures): PointFigures {
  if (figures.kind === "number" || figures.buckets?.kind !== "exponential") return figures;
  const { scale } = figures.buckets;
  const empty = {
    kind: "exponential",
    scale,
    zeroCount: 0n,
    positive: NOTHING,
    negative: NOTHING,
  } as const;
  return { ...figures, buckets: addBuckets(figures.buckets, empty) };
}

/** Adds two deltas of one series that have the same bounds. A figure that only one of them has becomes undefined. */
export function addFigures(a: PointFigures, b: PointFigures): PointFigures {
  if (a.kind === "number" && b.kind === "number") {
    return { kind: "number", value: both(a.value, b.value, plus) };
  }
  if (a.kind === "number" || b.kind === "number") return b;
  // A delta of nothing has no extremes, and often no sum.
  if (b.count === 0n) return a;
  if (a.count === 0n) return b;
  return {
    kind: "distribution",
    count: a.count + b.count,
    sum: both(a.sum, b.sum, (x, y) => x + y),
    min: both(a.min, b.min, Math.min),
    max: both(a.max, b.max, Math.max),
    buckets: addBuckets(a.buckets, b.buckets),
  };
}

function addBuckets(
  a: PointBuckets | undefined,
  b: PointBuckets | undefined,
): PointBuckets | undefined {
  if (a?.kind === "exponential" && b?.kind === "exponential") {
    return { kind: "exponential", ...addExponential(a, b, MOST_EXPONENTIAL_BUCKETS) };
  }
  if (a?.kind === "explicit" && b?.kind === "explicit") {
    const counts = a.counts.map((count, i) => plus(count, b.counts[i] ?? 0));
    return { kind: "explicit", bounds: a.bounds, counts };
  }
  return undefined;
}

function plus(a: number | bigint, b: number | bigint): number | bigint {
  return typeof a === "bigint" && typeof b === "bigint" ? a + b : Number(a) + Number(b);
}

function both<T>(a: T | undefined, b: T | undefined, join: (a: T, b: T) => T): T | undefined {
  return a === undefined || b === undefined ? undefined : join(a, b);
}
