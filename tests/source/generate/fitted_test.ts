import assert from "node:assert/strict";
import { FineHistogram } from "../../../src/aggregate/fine.ts";
import { parseDistribution } from "../../../src/source/generate/distribution.ts";
import { fitParts, type FittedPart } from "../../../src/source/generate/fitted.ts";
import { picker } from "../../../src/source/generate/picker.ts";
import { seededRandom } from "../../../src/source/generate/random.ts";
import { atLeastOne, each } from "../../support/cases.ts";

const COUNT = 20_000;

function drawn(distribution: string, random: () => number, count = COUNT): readonly number[] {
  const parsed = parseDistribution(distribution);
  assert.ok("draw" in parsed, distribution);
  return Array.from({ length: count }, () => parsed.draw(random));
}

function fitOf(values: readonly number[]): readonly FittedPart[] {
  const fine = new FineHistogram();
  for (const value of values) fine.add(value);
  return fitParts(fine.buckets());
}

/** Draws from the parts as a scenario does. */
function drawnFrom(parts: readonly FittedPart[]): readonly number[] {
  const random = seededRandom("parts");
  const pick = picker(parts);
  const draws = parts.map(({ distribution }) => {
    const parsed = parseDistribution(distribution);
    assert.ok("draw" in parsed, distribution);
    return parsed.draw;
  });
  return Array.from({ length: 100_000 }, () => draws[pick(random())]?.(random) ?? NaN);
}

function percentile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(q * values.length) - 1] ?? NaN;
}

function assertPercentiles(parts: readonly FittedPart[], values: readonly number[]): void {
  const again = drawnFrom(parts);
  for (const q of [0.5, 0.9, 0.99]) {
    const [truth, found] = [percentile(values, q), percentile(again, q)];
    // 5 % of the fit, and what drawing adds.
    assert.ok(Math.abs(found - truth) <= 0.08 * truth, `p${q * 100}: ${found} for ${truth}`);
  }
}

const KINDS = [
  "uniform(10,150)",
  "normal(100,10)",
  "lognormal(40,400)",
  "exponential(50)",
  "constant(7)",
];
each(KINDS, (text) => `fitParts() finds ${text} again`, (text) => {
  const values = drawn(text, seededRandom(text));
  const parts = fitOf(values);
  assert.equal(parts.length, 1);
  assert.equal(parts[0]?.distribution.split("(")[0], text.split("(")[0]);
  assert.equal(parts[0]?.weight, COUNT);
  assertPercentiles(parts, values);
});

const random = seededRandom("mixtures");
const MIXTURES: Readonly<Record<string, readonly number[]>> = {
  "two peaks": [
    ...drawn("lognormal(8,12)", random, 14_000),
    ...drawn("normal(300,20)", random, 6_000),
  ],
  "a heavy tail": Array.from({ length: COUNT }, () => 10 * (1 - random()) ** (-1 / 1.5)),
  "many zeros": [
    ...drawn("constant(0)", random, 9_000),
    ...drawn("uniform(20,30)", random, 11_000),
  ],
  "whole numbers": Array.from({ length: COUNT }, () => Math.floor(1 + 60 * random() ** 3)),
};
each(
  Object.entries(MIXTURES),
  ([name]) => `fitParts() meets p50, p90 and p99 of ${name}`,
  ([, values]) => {
    const parts = fitOf(values);
    assert.ok(parts.length > 1 && parts.length <= 8);
    assert.equal(parts.reduce((sum, { weight }) => sum + weight, 0), COUNT);
    assertPercentiles(parts, values);
  },
);

Deno.test("fitParts() repeats a few different values as they are", () => {
  assert.deepEqual(fitOf([0.1, 0.1, 0.1, 250]), [
    { weight: 3, distribution: "constant(0.1)" },
    { weight: 1, distribution: "constant(250)" },
  ]);
});

Deno.test("fitParts() divides the ranges of a histogram whose values are unknown", () => {
  const parts = fitParts([
    { count: 90, least: 0, greatest: 5 },
    { count: 9, least: 5, greatest: 10 },
    { count: 1, least: 100, greatest: 250 },
  ]);
  assertPercentiles(parts, [
    ...Array.from({ length: 900 }, (_, i) => (i + 1) / 180),
    ...Array.from({ length: 90 }, (_, i) => 5 + (i + 1) / 18),
    ...Array.from({ length: 10 }, (_, i) => 100 + 15 * (i + 1)),
  ]);
});

Deno.test("fitParts() writes distributions that a scenario takes, whatever the values", () => {
  const odd = [
    Array.from({ length: 50 }, (_, i) => i * 1e298),
    Array.from({ length: 50 }, (_, i) => i * Number.MIN_VALUE),
    [...Array.from({ length: 20 }, (_, i) => i * Number.MIN_VALUE), 1e300],
    Array.from({ length: 20 }, (_, i) => 1e-9 * 10 ** i),
  ];
  for (const values of odd) {
    for (const { distribution, weight } of atLeastOne(fitOf(values))) {
      assert.ok("draw" in parseDistribution(distribution), distribution);
      assert.ok(weight > 0);
    }
  }
});
