import assert from "node:assert/strict";
import { backoffMs } from "../../src/delivery/backoff.ts";

Deno.test("backoffMs() doubles its bounds with each failure, up to 5 s", () => {
  const failures = [1, 2, 3, 4, 5, 6, 50, 1e6];
  const least = failures.map((count) => backoffMs(count, () => 0));
  const most = failures.map((count) => backoffMs(count, () => 1));
  assert.deepEqual(least, [250, 500, 1000, 2000, 4000, 4000, 4000, 4000]);
  assert.deepEqual(most, [500, 1000, 2000, 4000, 5000, 5000, 5000, 5000]);
});

Deno.test("backoffMs() is anything between its bounds: jitter", () => {
  assert.equal(backoffMs(3, () => 0.25), 1250);
});
