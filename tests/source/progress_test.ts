import assert from "node:assert/strict";
import { progressLine } from "../../src/source/progress.ts";

const at = (lines: number, bytes = 0) => ({
  lines,
  bytes,
  measurements: lines,
  histograms: 0,
  invalid: 0,
  skipped: 0,
});

Deno.test("progressLine() tells lines, lines a second and the share", () => {
  assert.equal(
    progressLine(at(1_234_567, 250), 2, 1000),
    "1,234,567 lines, 617,284 lines/s, 25%",
  );
});

Deno.test("progressLine() leaves the share out where the length is unknown or nothing", () => {
  assert.equal(progressLine(at(10, 5), 4, undefined), "10 lines, 3 lines/s");
  assert.equal(progressLine(at(10, 5), 4, 0), "10 lines, 3 lines/s");
});

Deno.test("progressLine() never shows more than 100%, nor 100% too early", () => {
  assert.match(progressLine(at(1, 1001), 1, 1000), /, 100%$/);
  assert.match(progressLine(at(1, 999), 1, 1000), /, 99%$/);
});

Deno.test("progressLine() has no rate before time has passed", () => {
  assert.equal(progressLine(at(10), 0, undefined), "10 lines, 0 lines/s");
});
