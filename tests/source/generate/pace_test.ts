import assert from "node:assert/strict";
import { rising, steady } from "../../../src/source/generate/pace.ts";

for (
  const [name, pace, total] of [
    ["steady()", steady(250), 2500],
    ["rising()", rising(100, 400, 10), 2500],
    ["rising() from 0", rising(0, 500, 10), 2500],
  ] as const
) {
  Deno.test(`${name} has all due by the end, and each at its time`, () => {
    assert.equal(pace.due(0), 0);
    assert.ok(Math.abs(pace.due(10) - total) < 1e-9);
    for (let number = 0; number < 2 * total; number += 7) {
      const due = pace.due(pace.secondsOf(number));
      assert.ok(Math.abs(due - (number + 1)) < 1e-9 * (number + 1), `${due} for ${number}`);
    }
  });
}

Deno.test("rising() has the rate that it says, and stays at the last", () => {
  const pace = rising(100, 400, 10);
  for (const [seconds, rate] of [[0, 100], [5, 250], [10, 400], [20, 400]] as const) {
    assert.equal(pace.rateAt(seconds), rate);
    assert.ok(Math.abs((pace.due(seconds + 1e-3) - pace.due(seconds)) * 1000 - rate) < 0.1);
  }
  assert.equal(pace.text, "100..400");
});
