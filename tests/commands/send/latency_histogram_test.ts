import assert from "node:assert/strict";
import { FineHistogram } from "../../../src/aggregate/fine.ts";
import { latencyHistogram } from "../../../src/commands/send/latency_histogram.ts";

/** Values -> the histogram of them. */
function histogramOf(...values: readonly number[]) {
  const fine = new FineHistogram();
  for (const value of values) fine.add(value);
  return latencyHistogram(fine.buckets());
}

Deno.test("latencyHistogram() has the same rising bounds whatever the values, 4.5% apart", () => {
  const { bounds, counts } = histogramOf();
  assert.deepEqual(bounds, histogramOf(0.3, 7, 99_000).bounds);
  assert.equal(counts.length, bounds.length + 1);
  assert.deepEqual([bounds[0], bounds.at(-1)], [0.125, 262_140]);
  for (const [i, bound] of bounds.slice(1).entries()) {
    const growth = bound / (bounds[i] ?? NaN);
    assert.ok(growth > 1.04 && growth < 1.045, `${bound} is ${growth} of the bound before`);
  }
});

Deno.test("latencyHistogram() counts each value between its bounds, and all of them", () => {
  // Zero, below the first bound, at a bound, just above it, above the last bound, and more than are kept singly.
  const values = [0, 0.01, 0.125, 8, 8.001, 300_000, 1, 2, 3, 4, 5, 6, 7, 1000, 12.3, 12.3];
  const { bounds, counts } = histogramOf(...values);
  assert.equal(counts.reduce((sum, count) => sum + count), values.length);
  const expected = counts.map((_, i) =>
    values.filter((value) =>
      value > (bounds[i - 1] ?? -Infinity) && value <= (bounds[i] ?? Infinity)
    ).length
  );
  assert.deepEqual(counts, expected);
});
