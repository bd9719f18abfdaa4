import assert from "node:assert/strict";
import fc from "fast-check";
import { attributeKey, fingerprintOf } from "../../src/aggregate/attribute_key.ts";
import type { Attributes } from "../../src/aggregate/measurement.ts";
import { attributes, SEED } from "../support/arbitrary.ts";

/** Key that tells sets apart, made as plainly as possible. */
function plainKey(attributes: Attributes): string {
  return JSON.stringify(Object.keys(attributes).sort().map((key) => [key, attributes[key]]));
}

Deno.test("attributeKey() is the same for the same attributes in any order, and only for those", () => {
  fc.assert(
    fc.property(attributes, attributes, (a, b) => {
      const reversed = Object.fromEntries(Object.entries(a).reverse());
      assert.equal(attributeKey(a), attributeKey(reversed));
      assert.equal(attributeKey(a) === attributeKey(b), plainKey(a) === plainKey(b));
      assert.equal(fingerprintOf(a), fingerprintOf(reversed));
    }),
    { ...SEED, numRuns: 1000 },
  );
});

Deno.test("attributeKey() takes no part of one attribute for another's", () => {
  const sets: readonly Attributes[] = [
    {},
    { a: "" },
    { a: "b" },
    { a: true },
    { a: "true" },
    { a: 1 },
    { a: "1" },
    { a: "", b: "" },
    { 'a"0:': "" },
    { a1: "" },
    { a: '1"0:b' },
    { a: 1, b: 2 },
    { "a1;1:b": 2 },
    { a: '1;1"1:bc' },
  ];
  assert.equal(new Set(sets.map(attributeKey)).size, sets.length);
});

Deno.test("fingerprintOf() tells most sets apart, also those whose values have changed places", () => {
  const sets = Array.from({ length: 20_000 }, (_, n): Attributes => ({
    status: n % 7,
    method: n % 2 === 0 ? "GET" : "POST",
    id: (n * 2654435761 % 2 ** 32).toString(16),
  }));
  assert.ok(new Set(sets.map(fingerprintOf)).size > 19_990);
  assert.notEqual(fingerprintOf({ a: "x", b: "y" }), fingerprintOf({ a: "y", b: "x" }));
});
