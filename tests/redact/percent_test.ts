import assert from "node:assert/strict";
import { percentDecode } from "../../src/redact/percent.ts";

Deno.test("percentDecode() leaves anything that is not an escape of UTF-8 as it is", () => {
  assert.equal(percentDecode("a%20b%C3%BC"), "a bü");
  assert.equal(percentDecode("100%"), "100%");
  assert.equal(percentDecode("%ff"), "%ff");
});
