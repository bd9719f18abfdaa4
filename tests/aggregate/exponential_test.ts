import assert from "node:assert/strict";
import fc from "fast-check";
import { bucketIndex, ExponentialHistogram } from "../../src/aggregate/exponential.ts";
import { SEED, value } from "../support/arbitrary.ts";

function histogramOf(values: readonly number[]): ExponentialHistogram {
  const histogram = new ExponentialHistogram();
  for (const each of values) histogram.add(each);
  return histogram;
}

function countsOf(histogram: ExponentialHistogram): readonly number[] {
  return Array.from({ length: histogram.buckets }, (_, i) => histogram.countAt(i));
}

Deno.test("bucketIndex() puts powers of two on the upper, inclusive bound of their bucket", () => {
  for (const scale of [1, 3, 20]) {
    for (const exponent of [-1021, -1, 0, 1, 10, 1023]) {
      assert.equal(bucketIndex(2 ** exponent, scale), exponent * 2 ** scale - 1);
      assert.equal(
        bucketIndex(2 ** exponent * (1 + 1e-5), scale),
        Math.floor((exponent + 1e-5 * Math.LOG2E) * 2 ** scale),
      );
    }
  }
  assert.deepEqual([0.5, 0.6, 1, 1.1, 2, 2.1, 4].map((n) => bucketIndex(n, 0)), [
    -2,
    -1,
    -1,
    0,
    0,
    1,
    1,
  ]);
  assert.deepEqual([1, 1.1, 4, 4.1, 16].map((n) => bucketIndex(n, -1)), [-1, 0, 0, 1, 1]);
});

Deno.test("bucketIndex() has subnormal values in the bucket below the least normal one", () => {
  for (const scale of [0, 1, 20]) {
    const index = bucketIndex(2 ** -1022, scale);
    assert.equal(index, -1022 * 2 ** scale - 1);
    assert.equal(bucketIndex(5e-324, scale), index);
  }
  assert.equal(bucketIndex(5e-324, -4), bucketIndex(2 ** -1022, -4));
});

Deno.test("ExponentialHistogram keeps one value at the finest scale", () => {
  const histogram = histogramOf([1]);
  assert.deepEqual([histogram.scale, histogram.offset, countsOf(histogram)], [20, -1, [1]]);
});

Deno.test("ExponentialHistogram counts zeros apart, at scale 0 while there is nothing else", () => {
  const histogram = histogramOf([0, 0, -0]);
  assert.equal(histogram.zeroCount, 3);
  assert.deepEqual([histogram.scale, histogram.offset, histogram.buckets], [0, 0, 0]);
  histogram.add(3);
  assert.equal(histogram.zeroCount, 3);
  assert.equal(histogram.scale, 20);
});

Deno.test("ExponentialHistogram halves its scale until the values fit into 160 buckets", () => {
  const close = histogramOf([1, 2]);
  // From 1 to 2 there are 2^scale buckets, and one for 1 itself: 128 + 1 fit, 256 + 1 do not.
  assert.equal(close.scale, 7);
  assert.equal(close.buckets, 129);
  const far = histogramOf([5e-324, Number.MAX_VALUE]);
  // 2,046 powers of two: 128 buckets of 16 each and one for what is below.
  assert.equal(far.scale, -4);
  assert.equal(far.buckets, 128);
  assert.equal(countsOf(far).reduce((sum, count) => sum + count, 0), 2);
});

Deno.test("ExponentialHistogram holds every value in the bucket whose bounds enclose it", () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (values) => {
      const histogram = histogramOf(values);
      const { scale, offset, buckets } = histogram;
      const expected = new Map<number, number>();
      for (const each of values.filter((each) => each > 0)) {
        const index = bucketIndex(each, scale);
        expected.set(index, (expected.get(index) ?? 0) + 1);
        // log2 of a bound, compared with room for rounding; subnormal values are told below.
        const log = Math.log2(Math.max(each, 2 ** -1022)) * 2 ** scale;
        const room = 1e-12 * Math.abs(log) + 1e-9;
        assert.ok(
          log > index - room && log <= index + 1 + room,
          `${each} in bucket ${index} of scale ${scale}`,
        );
      }
      assert.ok(buckets <= 160);
      for (let i = 0; i < buckets; i++) {
        assert.equal(histogram.countAt(i), expected.get(offset + i) ?? 0);
        expected.delete(offset + i);
      }
      assert.equal(expected.size, 0, "no value outside");
      assert.equal(histogram.count, values.length);
      assert.equal(histogram.zeroCount, values.filter((each) => each === 0).length);
      assert.equal(histogram.sum, values.reduce((sum, each) => sum + each, 0));
      assert.equal(histogram.min + 0, Math.min(...values) + 0);
      assert.equal(histogram.max + 0, Math.max(...values) + 0);
    }),
    SEED,
  );
});

Deno.test("ExponentialHistogram is as new after clear()", () => {
  const used = histogramOf([5e-324, 1, Number.MAX_VALUE, 0]);
  used.clear();
  for (const each of [1, 1.001, 7]) used.add(each);
  const fresh = histogramOf([1, 1.001, 7]);
  assert.deepEqual(
    [
      used.scale,
      used.offset,
      countsOf(used),
      used.count,
      used.sum,
      used.min,
      used.max,
      used.zeroCount,
    ],
    [fresh.scale, fresh.offset, countsOf(fresh), 3, fresh.sum, 1, 7, 0],
  );
});
