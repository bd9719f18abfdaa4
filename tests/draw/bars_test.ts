import assert from "node:assert/strict";
import { bar, exponentialBuckets, plot } from "../../src/draw/bars.ts";

const BOUNDS = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000];

Deno.test("plot() draws bars in proportion, with one empty bucket at each end", () => {
  assert.deepEqual(plot({ bounds: BOUNDS, counts: [0, 0, 0, 2, 1, 0, 4, 0, 0, 0, 0, 0] }, 20), [
    "  (10, 25] 0",
    "  (25, 50] ████ 2",
    "  (50, 75] ██ 1",
    " (75, 100] 0",
    "(100, 250] ████████ 4",
    "(250, 500] 0",
  ]);
});

Deno.test("plot() stays within the width when its labels leave room", () => {
  const counts = [1, 20, 300, 4000, 50000, 7, 7, 7, 7, 7, 7, 123456];
  for (const width of [40, 60, 80, 120]) {
    const lines = plot({ bounds: BOUNDS, counts }, width);
    assert.equal(Math.max(...lines.map((line) => line.length)), width);
  }
});

Deno.test("plot() shows a bucket of one beside a bucket of a million", () => {
  assert.deepEqual(plot({ bounds: [1], counts: [1, 1_000_000n] }, 30), [
    "(-∞, 1] ▏ 1",
    "(1, +∞) ██████████████ 1000000",
  ]);
});

Deno.test("plot() keeps short gaps and folds long ones into a line that says how long", () => {
  assert.deepEqual(plot({ bounds: [1, 2, 3, 4], counts: [1, 0, 0, 0, 1] }, 17), [
    "(-∞, 1] ████████ 1",
    " (1, 2] 0",
    " (2, 3] 0",
    " (3, 4] 0",
    "(4, +∞) ████████ 1",
  ]);
  const bounds = Array.from({ length: 30 }, (_, i) => i + 1);
  const counts = bounds.map((bound) => bound === 1 || bound === 30 ? 3 : 0).concat(0);
  assert.deepEqual(plot({ bounds, counts }, 20), [
    " (-∞, 1] █████████ 3",
    "       ⋮ 28 empty buckets",
    "(29, 30] █████████ 3",
    "(30, +∞) 0",
  ]);
});

Deno.test("plot() draws one bucket when there are no bounds, and says when all are empty", () => {
  assert.deepEqual(plot({ bounds: [], counts: [5] }, 20), ["(-∞, +∞) █████████ 5"]);
  assert.deepEqual(plot({ bounds: [1], counts: [0, 0] }, 20), ["(no measurements)"]);
  assert.deepEqual(plot({ bounds: [], counts: [] }, 20), ["(no measurements)"]);
});

Deno.test("plot() merges neighbours when there are thousands of buckets, and loses no count", () => {
  const bounds = Array.from({ length: 99_999 }, (_, i) => i);
  const lines = plot({ bounds, counts: Array.from({ length: 100_000 }, () => 1) }, 60);
  assert.equal(lines.length, 200);
  const total = lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  assert.equal(total, 100_000);
  assert.match(lines[1] ?? "", /^ *\(499, 999\] /);
});

Deno.test("bar() is exact to an eighth", () => {
  assert.equal(bar(1, 3), "███");
  assert.equal(bar(0.5, 3), "█▌");
  assert.equal(bar(1 / 24, 3), "▏");
  assert.equal(bar(1e-9, 3), "▏");
  assert.equal(bar(0, 3), "");
  assert.equal(bar(7, 3), "███");
});

Deno.test("exponentialBuckets() gives powers of the base, zero and negative values included", () => {
  assert.deepEqual(
    exponentialBuckets({
      scale: 0,
      zeroCount: 3n,
      positive: { offset: 1, counts: [1n, 0n, 2n] },
      negative: { offset: 0, counts: [4n, 5n] },
    }),
    { bounds: [-4, -2, -1, 2, 4, 8, 16], counts: [0, 5n, 4n, 3n, 1n, 0n, 2n, 0] },
  );
});

Deno.test("exponentialBuckets() merges pairs until there are few, aligned to the lower scale", () => {
  const { bounds, counts } = exponentialBuckets({
    scale: 1,
    zeroCount: 0,
    positive: { offset: -1, counts: [1, 2, 3, 4] },
    negative: { offset: 0, counts: [] },
  }, 3);
  // Index -1 of scale 1 belongs to index -1 of scale 0; 0 and 1 to 0; 2 to 1.
  assert.deepEqual(bounds, [0.5, 1, 2, 4]);
  assert.deepEqual(counts, [0, 1, 5, 4, 0]);
});

Deno.test("exponentialBuckets() keeps every count at scales that a double cannot express", () => {
  const extremes: [number, number][] = [
    [20, -1_000_000],
    [20, 2 ** 31 - 10],
    [-10, 5],
    [
      -10,
      -5,
    ],
    [-2147483648, 0],
    [2147483647, 0],
  ];
  for (const [scale, offset] of extremes) {
    const { bounds, counts } = exponentialBuckets({
      scale,
      zeroCount: 1,
      positive: { offset, counts: [1, 2, 3] },
      negative: { offset, counts: [4, 5] },
    });
    assert.equal(counts.reduce<number>((sum, count) => sum + Number(count), 0), 16);
    assert.equal(counts.length, bounds.length + 1);
    assert.ok(
      bounds.every((bound, i) => Number.isFinite(bound) && bound > (bounds[i - 1] ?? -Infinity)),
    );
  }
});
