import assert from "node:assert/strict";
import { decimal } from "../../src/platform/number.ts";

Deno.test("decimal() takes decimal numbers alone", () => {
  const numbers = {
    "1": 1,
    "-2.5": -2.5,
    "+3": 3,
    " 4 ": 4,
    ".5": .5,
    "6.": 6,
    "1e3": 1000,
    "0": 0,
  };
  for (const [text, number] of Object.entries(numbers)) {
    assert.equal(decimal(text), number, text);
  }
  for (
    const text of [
      "",
      " ",
      "a",
      "1a",
      "0x10",
      "1_000",
      "1,5",
      "1 2",
      "Infinity",
      "NaN",
      "1e999",
      ".",
    ]
  ) {
    assert.ok(!Number.isFinite(decimal(text)), text);
  }
});
