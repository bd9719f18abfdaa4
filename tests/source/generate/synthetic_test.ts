import assert from "node:assert/strict";
import { seriesAttributes, Synthetic } from "../../../src/source/generate/synthetic.ts";
import type { Measurement } from "../../../src/aggregate/measurement.ts";

const counter = () => {
  let n = 0;
  return () => n++;
};

function flat(batches: Iterable<readonly Measurement[]>): readonly (readonly [number, unknown])[] {
  // A batch is good until the next one is asked for.
  return Array.from(
    batches,
    (batch) => batch.map(({ value, attributes }) => [value, attributes.series] as const),
  ).flat();
}

Deno.test("Synthetic fills its series in turn, from batch to batch", () => {
  const synthetic = new Synthetic(3, (random) => random(), counter());
  assert.deepEqual(flat(synthetic.batches(4)), [[0, "1"], [1, "2"], [2, "3"], [3, "1"]]);
  assert.deepEqual(flat(synthetic.batches(2)), [[4, "2"], [5, "3"]]);
  assert.deepEqual(flat(synthetic.batches(0)), []);
  assert.deepEqual(flat(synthetic.batches(1)), [[6, "1"]]);
});

Deno.test("Synthetic fills each series evenly when the count is large, in bounded batches", () => {
  const synthetic = new Synthetic(1000, () => 1, counter());
  const filled = new Map<unknown, number>();
  for (const batch of synthetic.batches(250_000)) {
    assert.ok(batch.length <= 8192);
    for (const { attributes } of batch) filled.set(attributes, (filled.get(attributes) ?? 0) + 1);
  }
  // By the object itself: each series has one.
  assert.equal(filled.size, 1000);
  assert.deepEqual(new Set(filled.values()), new Set([250]));
});

Deno.test("seriesAttributes() names a series alike whatever their number is", () => {
  assert.deepEqual(seriesAttributes(2), [{ series: "1" }, { series: "2" }]);
  assert.deepEqual(seriesAttributes(20_000).slice(0, 2), seriesAttributes(2));
  assert.deepEqual(seriesAttributes(20_000).at(-1), { series: "20000" });
  assert.deepEqual(seriesAttributes(undefined), [{}]);
});
