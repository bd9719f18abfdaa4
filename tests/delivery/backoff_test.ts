import assert from "node:assert/strict";
import { backoffMs } from "../../src/delivery/backoff.ts";

Deno.test("backoffMs() doubles its bound with each failure, up to 5 s", () => {
  const most = [1, 2, 3, 4, 5, 50, 1e6].map((failures) => backoffMs(failures, () => 1));
  assert.deepEqual(most, [1000, 2000, 4000, 5000, 5000, 5000, 5000]);
});

Deno.test("backoffMs() is anything from 0 to its bound: full jitter", () => {
  assert.equal(backoffMs(3, () => 0), 0);
  assert.equal(backoffMs(3, () => 0.25), 1000);
});
