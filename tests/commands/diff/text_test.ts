import assert from "node:assert/strict";
import { compareTotals } from "../../../src/commands/diff/compare.ts";
import { comparisonLines } from "../../../src/commands/diff/text.ts";
import { canvasOf } from "../../../src/console/canvas.ts";
import type { BucketTotal, SeriesTotal } from "../../../src/otlp/capture_totals.ts";

const EXPONENTIAL = {
  kind: "exponential" as const,
  scale: 0,
  zeroCount: 0n,
  positive: new Map<number, bigint>(),
  negative: new Map<number, bigint>(),
};

/** Totals of a file with one series, whose values lie in the positive buckets from `offset` on. */
function fileOf(
  offset: number,
  counts: readonly bigint[],
  zeroCount = 0n,
): ReadonlyMap<string, SeriesTotal> {
  const positive = new Map(counts.map((count, i) => [offset + i, count] as const));
  const buckets: BucketTotal = { ...EXPONENTIAL, zeroCount, positive };
  return new Map([["s", {
    ...{ metric: "m", origin: "", attributes: [], resource: [], units: new Set([""]) },
    count: counts.reduce((sum, count) => sum + count, zeroCount),
    ...{ sum: 1, min: undefined, max: undefined },
    buckets: new Map([["exponential", buckets]]),
  }]]);
}

/** Rows of bars without the bars: label, side, count and mark. */
function rows(a: ReadonlyMap<string, SeriesTotal>, b: ReadonlyMap<string, SeriesTotal>) {
  const lines = comparisonLines(compareTotals(a, b), canvasOf({ columns: 60, env: () => "1" }));
  return lines.filter((line) => / [AB] /.test(line) && !/:/.test(line))
    .map((line) => line.replace(/[█▉▊▋▌▍▎▏]+ /, "").trim());
}

Deno.test("comparisonLines() draws exponential histograms that begin at different buckets", () => {
  assert.deepEqual(rows(fileOf(0, [10n]), fileOf(1, [10n])), [
    "(1, 2] A 10",
    "B 0  ≠",
    "(2, 4] A 0",
    "B 10  ≠",
  ]);
  assert.deepEqual(rows(fileOf(3, [4n], 2n), fileOf(-1, [3n, 0n], 3n)), [
    "(-∞, 0.5] A 2",
    "B 3  ≠",
    "(0.5, 1] A 0",
    "B 3  ≠",
    "(8, 16] A 4",
    "B 0  ≠",
  ]);
  // 64 buckets are drawn as 16, unless the difference lies within one of those.
  const full = new Array<bigint>(64).fill(4n);
  const marked = rows(fileOf(0, full), fileOf(0, [3n, 5n, ...full.slice(2)]))
    .filter((row) => row.endsWith("≠"));
  assert.deepEqual(marked, ["B 3  ≠", "B 5  ≠"]);
});

Deno.test("comparisonLines() draws the buckets that differ where they are too many to draw all", () => {
  const file = (...indices: readonly number[]) => {
    const [[key, series] = []] = fileOf(0, []);
    assert.ok(key !== undefined && series !== undefined);
    const positive = new Map(indices.map((index) => [index, 5n]));
    const buckets: BucketTotal = { ...EXPONENTIAL, scale: 20, positive };
    return new Map([[key, { ...series, count: 1n, buckets: new Map([["exponential", buckets]]) }]]);
  };
  // 1 and 8.00001, or 8.00002.
  const marked = rows(file(0, 3 * 2 ** 20 + 1), file(0, 3 * 2 ** 20 + 3));
  assert.deepEqual(marked.filter((row) => row.endsWith("≠")), ["B 0  ≠", "B 5  ≠"]);
});
