import assert from "node:assert/strict";
import type { Point } from "./decode.ts";

export const DEFAULT_BOUNDS = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000] as const;

/** The only data point. */
export function onePoint({ points }: { readonly points: readonly Point[] }): Point {
  const [point] = points;
  assert.ok(point !== undefined && points.length === 1, `${points.length} data points`);
  return point;
}

/** A histogram of these values, as it should come. */
export function histogramOf(
  values: readonly number[],
  bounds: readonly number[] = DEFAULT_BOUNDS,
): Pick<Point, "count" | "sum" | "min" | "max" | "counts"> {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    // Upper bounds are inclusive.
    const bucket = bounds.findIndex((bound) => value <= bound);
    const index = bucket < 0 ? bounds.length : bucket;
    counts[index] = (counts[index] ?? 0) + 1;
    sum += value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return { count: values.length, sum, min, max, counts };
}

export function assertHistogram(
  { count, sum, min, max, counts }: Point,
  values: readonly number[],
  bounds?: readonly number[],
): void {
  assert.deepEqual({ count, sum, min, max, counts }, histogramOf(values, bounds));
}

/** A data point that is consistent in itself. */
export function assertWhole(
  { count, counts, bounds, sum = NaN, min = sum / count, max = sum / count }: Point,
) {
  assert.equal(counts.length, bounds.length + 1);
  assert.equal(counts.reduce((total, n) => total + n, 0), count);
  const slack = 1e-9 * Math.abs(sum);
  assert.ok(count * min <= sum + slack && sum <= count * max + slack, `${min}, ${sum}, ${max}`);
}
