import assert from "node:assert/strict";
import { expectedHistogram, knownValues } from "../../../src/commands/verify/canary.ts";
import { figureSteps } from "../../../src/commands/verify/steps.ts";
import type { ShownHistogram } from "../../../src/receivers/backend.ts";

const BOUNDS = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500];
const expected = expectedHistogram(knownValues(BOUNDS), BOUNDS);

function marks(shown: Partial<ShownHistogram>) {
  const histogram: ShownHistogram = {
    count: expected.count,
    sum: expected.sum,
    min: expected.min,
    max: expected.max,
    percentile: expected.median,
    buckets: undefined,
    metric: "m",
    dimensions: undefined,
    notes: {},
    ...shown,
  };
  const steps = figureSteps({ expected }, histogram, { cannot: {}, hasVagueExtremes: true });
  return Object.fromEntries(steps.map(({ name, ok }) => [name, ok]));
}

Deno.test("an extreme that is neither that of the data nor a bound differs", () => {
  assert.equal(marks({ min: 3 }).min, false);
  assert.equal(marks({ max: 1800 }).max, false);
  assert.equal(marks({ min: 5 }).min, null);
  assert.equal(marks({ max: 2500 }).max, null);
  assert.equal(marks({}).min, true);
});

Deno.test("an endless figure equals no number", () => {
  const { count, sum, min } = marks({ count: Infinity, sum: -Infinity, min: -Infinity });
  assert.deepEqual({ count, sum, min }, { count: false, sum: false, min: false });
});
