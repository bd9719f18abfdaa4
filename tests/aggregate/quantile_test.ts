import assert from "node:assert/strict";
import fc from "fast-check";
import { ExponentialHistogram } from "../../src/aggregate/exponential.ts";
import {
  base2Buckets,
  type Bucket,
  explicitBuckets,
  type Extremes,
  quantile,
} from "../../src/aggregate/quantile.ts";
import { SEED } from "../support/arbitrary.ts";

const UNKNOWN: Extremes = { min: undefined, max: undefined };
const near = (value: number) => Number(value.toPrecision(12));

function estimate(q: number, bounds: number[], counts: number[], extremes = UNKNOWN) {
  const found = quantile(q, explicitBuckets(bounds, counts), extremes);
  return found && [found.relation, near(found.value)];
}

Deno.test("quantile() gives what Prometheus' own tests expect of histogram_quantile", () => {
  // prometheus/promql/promqltest/testdata/histograms.test: testhistogram, start="positive" and "negative".
  const positive = (q: number) => estimate(q, [0.1, 0.2, 1], [5, 2, 4, 1]);
  assert.deepEqual(positive(0), ["about", 0]);
  assert.deepEqual(positive(0.2), ["about", 0.048]);
  assert.deepEqual(positive(0.5), ["about", 0.15]);
  assert.deepEqual(positive(0.8), ["about", 0.72]);
  // Beyond the last bound Prometheus gives that bound.
  assert.deepEqual(positive(1), ["above", 1]);
  const negative = (q: number) => estimate(q, [-0.2, -0.1, 0.3], [1, 1, 0, 1]);
  assert.deepEqual(negative(0.2), ["below", -0.2]);
  assert.deepEqual(negative(0.5), ["about", -0.15]);
  assert.deepEqual(negative(0.8), ["above", 0.3]);
});

Deno.test("quantile() ends buckets at min and max when they are known", () => {
  const extremes = { min: 20, max: 61.25 };
  const of = (q: number) => estimate(q, [10, 50, 100], [0, 2, 1, 0], extremes);
  assert.deepEqual(of(0), ["about", 20]);
  assert.deepEqual(of(0.5), ["about", 42.5]);
  assert.deepEqual(of(0.9), ["about", 57.875]);
  assert.deepEqual(of(1), ["about", 61.25]);
});

Deno.test("quantile() goes from min in the first bucket, and to max in the last", () => {
  const known = { min: -4, max: 9 };
  assert.deepEqual(estimate(0.25, [0, 1], [2, 0, 2], known), ["about", -2]);
  assert.deepEqual(estimate(0.75, [0, 1], [2, 0, 2], known), ["about", 5]);
  assert.deepEqual(estimate(0.5, [], [4], known), ["about", 2.5]);
  assert.deepEqual(estimate(0.99, [], [1], { min: 7, max: 7 }), ["about", 7]);
});

Deno.test("quantile() does not believe a min or max that contradicts the buckets", () => {
  const wrong = { min: 500, max: 3 };
  assert.deepEqual(estimate(0.5, [10, 50], [0, 2, 0], wrong), ["about", 30]);
  assert.deepEqual(estimate(0.5, [10, 50], [0, 2, 0], { min: NaN, max: Infinity }), [
    "about",
    30,
  ]);
});

Deno.test("quantile() gives nothing when there are no values, or nothing bounds them", () => {
  assert.equal(estimate(0.5, [1], [0, 0]), undefined);
  assert.equal(estimate(0.5, [], [3]), undefined);
  assert.equal(quantile(0.5, [], UNKNOWN), undefined);
});

Deno.test("explicitBuckets() gives none when bounds and counts make no sense", () => {
  assert.deepEqual(explicitBuckets([1, 2], [1, 2]), []);
  assert.deepEqual(explicitBuckets([2, 1], [1, 1, 1]), []);
  assert.deepEqual(explicitBuckets([1, 1], [1, 1, 1]), []);
  assert.deepEqual(explicitBuckets([NaN], [1, 1]), []);
  assert.equal(explicitBuckets([1, 2], [1n, 1n, 1n]).length, 3);
});

Deno.test("base2Buckets() takes zeros as zero, whatever the buckets beside them", () => {
  const zeros = { scale: 0, zeroCount: 9n, negative: { offset: 0, counts: [] } };
  const buckets = base2Buckets({ ...zeros, positive: { offset: 2, counts: [1n] } });
  const at = (q: number) => quantile(q, buckets, UNKNOWN);
  assert.deepEqual(at(0.5), { value: 0, relation: "about" });
  assert.deepEqual(at(0.95), { value: 6, relation: "about" });
  assert.deepEqual(at(1), { value: 8, relation: "about" });
});

Deno.test("base2Buckets() lists negative buckets from the lowest up", () => {
  const buckets = base2Buckets({
    scale: 1,
    zeroCount: 2,
    zeroThreshold: 0.5,
    positive: { offset: 0, counts: [] },
    negative: { offset: 0, counts: [3, 0, 4] },
  });
  const edges = buckets.filter(({ count }) => count > 0).map((
    { lower, upper, count },
  ) => [near(lower), near(upper), count]);
  assert.deepEqual(edges, [
    [near(-(2 ** 1.5)), -2, 4],
    [near(-Math.SQRT2), -1, 3],
    [-0.5, 0, 2],
  ]);
});

/** No subnormal ones: they are in the bucket below the least normal value, as the data model wants it. */
const value = fc.oneof(
  fc.double({ min: 0, max: 2000, noNaN: true }).filter((n) => n === 0 || n >= 2 ** -1022),
  fc.constantFrom(0, 5, 10, 1e300),
);
const values = fc.array(value, { minLength: 1, maxLength: 60 });
const SHARES = [0.01, 0.25, 0.5, 0.9, 0.99, 1];

/** The estimate lies where the true percentile lies: in its bucket, and rising with q. */
function assertNear(sorted: readonly number[], buckets: readonly Bucket[], slack: number) {
  const extremes = { min: sorted[0], max: sorted.at(-1) };
  let before = -Infinity;
  for (const q of SHARES) {
    const found = quantile(q, buckets, extremes);
    const truth = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
    assert.ok(found !== undefined && truth !== undefined);
    assert.equal(found.relation, "about");
    const home = buckets.find(({ lower, upper, count }) =>
      count > 0 && lower <= truth && truth <= upper * (1 + slack)
    );
    assert.ok(home !== undefined, `${truth} is in no bucket`);
    const [low, high] = [home.lower * (1 - slack), home.upper * (1 + slack)];
    assert.ok(found.value >= low && found.value <= high, `${found.value} for ${truth} at ${q}`);
    assert.ok(found.value >= (sorted[0] ?? 0) * (1 - slack));
    assert.ok(found.value <= (sorted.at(-1) ?? 0) * (1 + slack));
    assert.ok(found.value >= before * (1 - slack));
    before = found.value;
  }
}

Deno.test("quantile() lies in the true percentile's bucket for any explicit histogram", () => {
  const bounds = [0, 5, 10, 25, 100, 1000];
  fc.assert(
    fc.property(values, (measured) => {
      const sorted = measured.toSorted((a, b) => a - b);
      const counts = [...bounds, Infinity].map((bound, i) =>
        sorted.filter((value) => value <= bound && value > (bounds[i - 1] ?? -Infinity)).length
      );
      assertNear(sorted, explicitBuckets(bounds, counts), 1e-12);
    }),
    SEED,
  );
});

Deno.test("quantile() lies in the true percentile's bucket for any exponential histogram", () => {
  fc.assert(
    fc.property(values, (measured) => {
      const histogram = new ExponentialHistogram();
      for (const value of measured) histogram.add(value);
      const { scale, offset, zeroCount, buckets } = histogram;
      const counts = Array.from({ length: buckets }, (_, i) => histogram.countAt(i));
      const negative = { offset: 0, counts: [] };
      const listed = base2Buckets({ scale, zeroCount, positive: { offset, counts }, negative });
      assertNear(measured.toSorted((a, b) => a - b), listed, 1e-9);
    }),
    SEED,
  );
});
