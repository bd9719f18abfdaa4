import assert from "node:assert/strict";
import { atLeastOne, each, testCases } from "./cases.ts";

Deno.test("atLeastOne() gives the items when there are some, and throws when there are none", () => {
  assert.deepEqual(atLeastOne([1, 2]), [1, 2]);
  assert.throws(() => atLeastOne([]), /the list is empty/);
});

Deno.test("testCases() and each() throw when there is nothing to test", () => {
  assert.throws(() => testCases([]), /the list is empty/);
  assert.throws(() => each([], String, () => {}), /the list is empty/);
});
