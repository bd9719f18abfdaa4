import assert from "node:assert/strict";
import fc from "fast-check";
import { addExponential, type Exponential } from "../../src/aggregate/base2.ts";
import { ExponentialHistogram } from "../../src/aggregate/exponential.ts";
import { SEED, value } from "../support/arbitrary.ts";

const NONE = { offset: 0, counts: [] };

function histogramOf(values: readonly number[]): Exponential {
  const histogram = new ExponentialHistogram();
  for (const value of values) histogram.add(value);
  const { scale, offset, buckets, zeroCount } = histogram;
  const counts = Array.from({ length: buckets }, (_, i) => histogram.countAt(i));
  return { scale, zeroCount, positive: { offset, counts }, negative: NONE };
}

Deno.test("addExponential() of two parts equals the histogram of the whole", () => {
  const part = fc.array(value, { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(part, part, (one, other) => {
      const whole = histogramOf([...one, ...other]);
      const sum = addExponential(histogramOf(one), histogramOf(other), 160);
      assert.equal(sum.zeroCount, whole.zeroCount);
      if (one.every(isZero) || other.every(isZero)) {
        // A part of nothing but zeros has scale 0: the sum is as coarse as that.
        assert.equal(total(sum), one.length + other.length);
      } else {
        assert.deepEqual(sum.positive, whole.positive);
        assert.equal(sum.scale, whole.scale);
      }
    }),
    SEED,
  );
});

const isZero = (value: number) => value === 0;

function total({ zeroCount, positive, negative }: Exponential): number {
  return [zeroCount, ...positive.counts, ...negative.counts].reduce<number>(
    (sum, count) => sum + Number(count),
    0,
  );
}

Deno.test("addExponential() adds both sides, each aligned to the lower scale", () => {
  const a = {
    scale: 1,
    zeroCount: 1n,
    zeroThreshold: 0.1,
    positive: { offset: -1, counts: [1n, 2n, 3n] },
    negative: { offset: 4, counts: [5n] },
  };
  const b = {
    scale: 0,
    zeroCount: 2n,
    positive: { offset: 0, counts: [10n] },
    negative: { offset: 1, counts: [7n, 0n] },
  };
  assert.deepEqual(addExponential(a, b, 160), {
    scale: 0,
    zeroCount: 3n,
    zeroThreshold: 0.1,
    // Index -1 of scale 1 belongs to index -1 of scale 0; 0 and 1 to 0. On the other side 4 belongs to 2.
    positive: { offset: -1, counts: [1n, 15n] },
    negative: { offset: 1, counts: [7n, 5n] },
  });
});

Deno.test("addExponential() keeps few buckets and every count when indices are far apart", () => {
  const at = (scale: number, offset: number): Exponential => ({
    scale,
    zeroCount: 0,
    positive: { offset, counts: [1, 2] },
    negative: { offset, counts: [3] },
  });
  for (const [scale, offset] of [[20, -(2 ** 31)], [20, 2 ** 31 - 2], [-(2 ** 31), 5]] as const) {
    const sum = addExponential(at(20, 3), at(scale, offset), 160);
    assert.ok(sum.positive.counts.length <= 160 && sum.negative.counts.length <= 160);
    assert.equal(total(sum), 12);
  }
});
