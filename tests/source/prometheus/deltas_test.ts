import assert from "node:assert/strict";
import type { CumulativeHistogram } from "../../../src/source/prometheus/cumulative.ts";
import { ScrapeDeltas } from "../../../src/source/prometheus/deltas.ts";

function cumulative(
  counts: readonly number[],
  different: Partial<CumulativeHistogram> = {},
): CumulativeHistogram {
  const count = counts.reduce((sum, one) => sum + one, 0);
  return {
    name: "h",
    attributes: {},
    bounds: counts.slice(1).map((_, i) => i + 1),
    counts,
    count,
    sum: 2 * count,
    created: undefined,
    ...different,
  };
}

/** The counts and sums of the deltas of scrapes one after the other. */
function deltas(most: number, ...scrapes: readonly (readonly CumulativeHistogram[])[]) {
  const state = new ScrapeDeltas(most);
  return scrapes.map((scrape, i) =>
    state.next(scrape, (i - 1) * 1000).map(({ attributes, counts, sum }) => [
      Object.values(attributes).join(),
      counts,
      sum,
    ])
  );
}

Deno.test("ScrapeDeltas takes the first scrape as the base line and then sends what was added", () => {
  assert.deepEqual(
    deltas(9, [cumulative([1, 2])], [cumulative([1, 5])], [cumulative([1, 5])], [
      cumulative([2, 5]),
    ]),
    [[], [["", [0, 3], 6]], [], [["", [1, 0], 2]]],
  );
});

Deno.test("ScrapeDeltas counts from 0 after a reset: a lower count, a lower bucket, other bounds, a later start", () => {
  const before = [cumulative([5, 5], { created: 100 })];
  const resets = {
    count: cumulative([1, 2], { created: 100 }),
    bucket: cumulative([1, 20], { created: 100 }),
    bounds: cumulative([6, 6, 0], { created: 100 }),
    start: cumulative([6, 6], { created: 200 }),
  };
  for (const [name, after] of Object.entries(resets)) {
    assert.deepEqual(
      deltas(9, before, [after])[1],
      [["", after.counts, after.sum]],
      name,
    );
  }
});

Deno.test("ScrapeDeltas takes a series that appears as new, unless it says that it is older", () => {
  const b = (created: number | undefined) =>
    cumulative([3, 0], { attributes: { s: "b" }, created });
  const a = cumulative([1, 1]);
  assert.deepEqual(deltas(9, [a], [a, b(undefined)])[1], [["b", [3, 0], 6]]);
  assert.deepEqual(deltas(9, [a], [a], [a, b(1500)])[2], [["b", [3, 0], 6]]);
  assert.deepEqual(deltas(9, [a], [a], [a, b(10)])[2], []);
});

Deno.test("ScrapeDeltas goes on with a series that was missing for a while", () => {
  const a = cumulative([1, 1]);
  const b = (counts: number[]) => cumulative(counts, { attributes: { s: "b" } });
  assert.deepEqual(deltas(9, [a, b([1, 0])], [a], [a, b([4, 0])]), [[], [], [["b", [3, 0], 6]]]);
});

Deno.test("ScrapeDeltas forgets what was missing for longest, and does not send it twice when it returns", () => {
  const s = (name: string, count: number) => cumulative([count, 0], { attributes: { s: name } });
  assert.deepEqual(
    deltas(2, [s("a", 9), s("b", 9)], [s("b", 9), s("c", 1)], [s("a", 10), s("b", 10)]),
    [[], [["c", [1, 0], 2]], [["b", [1, 0], 2]]],
  );
});

Deno.test("ScrapeDeltas gives no sum where values were negative", () => {
  const delta = deltas(9, [cumulative([1, 1], { sum: 5 })], [cumulative([1, 2], { sum: 3 })])[1];
  assert.deepEqual(delta, [["", [0, 1], undefined]]);
});
