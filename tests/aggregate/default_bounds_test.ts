import assert from "node:assert/strict";
import { defaultBounds } from "../../src/aggregate/default_bounds.ts";

const MS = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000];

Deno.test("defaultBounds() fits units of time, and gives every other unit the bounds of ms", () => {
  const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
  assert.deepEqual(defaultBounds("s"), seconds);
  assert.deepEqual(defaultBounds("us"), MS.map((bound) => bound * 1000));
  assert.deepEqual(defaultBounds("ns"), MS.map((bound) => bound * 1_000_000));
  for (const unit of ["ms", "", "By", "1", "S", "min", "constructor", "__proto__"]) {
    assert.deepEqual(defaultBounds(unit), MS, unit);
  }
});

Deno.test("defaultBounds() has eleven increasing bounds for every unit", () => {
  for (const unit of ["s", "ms", "us", "ns"]) {
    const bounds = defaultBounds(unit);
    assert.equal(bounds.length, 11);
    bounds.slice(1).forEach((bound, i) => assert.ok(bound > (bounds[i] ?? Infinity)));
  }
});
