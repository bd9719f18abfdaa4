import assert from "node:assert/strict";
import { bytesOf, type Options, readChunks } from "./reading.ts";

async function read(line: object | string, options: Options = {}) {
  const text = typeof line === "string" ? line : JSON.stringify(line);
  const { histograms, measurements, invalid, input } = await readChunks([bytesOf(text)], {
    format: "ndjson",
    ...options,
  });
  assert.deepEqual(measurements, []);
  return { histograms, invalid: invalid.map(([, reason]) => reason), progress: input.progress };
}

const GOOD = { bounds: [5, 10], counts: [1, 2, 3], sum: 60, min: 2, max: 20 };

Deno.test("readInput() takes a line of NDJSON that holds a histogram", async () => {
  const { histograms, progress } = await read({ ...GOOD, attributes: { route: "/a", n: 1 } });
  assert.deepEqual(histograms, [{ ...GOOD, count: 6, attributes: { route: "/a", n: 1 } }]);
  assert.deepEqual([progress.lines, progress.histograms, progress.measurements], [1, 1, 0]);
  assert.deepEqual((await read({ bounds: [], counts: [3] })).histograms, [
    {
      bounds: [],
      counts: [3],
      count: 3,
      sum: undefined,
      min: undefined,
      max: undefined,
      attributes: {},
    },
  ]);
});

Deno.test("readInput() takes attributes, time, scale and conditions of a histogram as of a value", async () => {
  const line = { ...GOOD, count: 6, min: null, max: null, route: "/a", t: "2026-01-31T12:00:00Z" };
  const options: Options = {
    attrFields: [{ name: "route", key: "http.route" }],
    timeField: "t",
    scale: 1000,
    where: [{ field: "route", holds: (text) => text === "/a" }],
  };
  assert.deepEqual((await read(line, options)).histograms, [{
    bounds: [5000, 10_000],
    counts: [1, 2, 3],
    count: 6,
    sum: 60_000,
    min: undefined,
    max: undefined,
    attributes: { "http.route": "/a" },
    time: Date.UTC(2026, 0, 31, 12),
  }]);
  assert.equal((await read({ ...line, route: "/b" }, options)).progress.skipped, 1);
  assert.deepEqual((await read({ ...line, t: "x" }, options)).invalid, ['"t" is not a time: "x"']);
});

Deno.test("readInput() takes a line with bounds and a value for a value", async () => {
  const text = JSON.stringify({ ...GOOD, value: 7 });
  const { measurements, histograms } = await readChunks([bytesOf(text)], { format: "ndjson" });
  assert.deepEqual([measurements, histograms], [[[7, {}]], []]);
});

for (
  const [change, reason] of [
    [{ bounds: 5 }, '"bounds" is not a list of finite numbers'],
    [{ bounds: ["5", 10] }, '"bounds" is not a list of finite numbers'],
    [{ bounds: [5, null] }, '"bounds" is not a list of finite numbers'],
    [{ bounds: [10, 5] }, '"bounds" do not increase at 5'],
    [{ bounds: [5, 5] }, '"bounds" do not increase at 5'],
    [{ counts: [1, 2] }, "2 counts for 2 bounds: there must be one more"],
    [{ counts: [1, 2, 3, 0] }, "4 counts for 2 bounds: there must be one more"],
    [{ bounds: [5], counts: [3] }, "1 count for 1 bound: there must be one more"],
    [{ counts: "123" }, '"counts" is not a list of whole numbers, 0 or more'],
    [{ counts: [1, -2, 3] }, '"counts" is not a list of whole numbers, 0 or more'],
    [{ counts: [1, 2.5, 3] }, '"counts" is not a list of whole numbers, 0 or more'],
    [{ counts: [2 ** 53 - 1, 1, 1] }, '"counts" add up to more than 2^53'],
    [{ count: 7 }, '"count" is 7, but the counts add up to 6'],
    [{ count: "6" }, '"count" is "6", but the counts add up to 6'],
    [{ sum: "60" }, '"sum" is not a finite number'],
    [{ sum: -1 }, '"sum" is negative: -1'],
    [{ sum: 11 }, '"sum" is 11, less than 6 times "min", 2'],
    [{ sum: 121 }, '"sum" is 121, more than 6 times "max", 20'],
    [
      { sum: 0, counts: [0, 0, 0], min: undefined, max: undefined, count: 1 },
      '"count" is 1, but the counts add up to 0',
    ],
    [{ sum: 5, counts: [0, 0, 0] }, '"sum" is 5, but count is 0'],
    [{ min: -1 }, '"min" is negative: -1'],
    [{ min: 21 }, '"min" is 21, above "max", 20'],
    [{ min: 6 }, '"min" is 6, which is not in the first bucket that has values'],
    [{ max: 9 }, '"max" is 9, which is not in the last bucket that has values'],
    [{ max: {} }, '"max" is not a finite number'],
    [{ bounds: [-5, 10] }, "a bucket up to -5 has negative values"],
    [{ attributes: [] }, '"attributes" is not an object'],
  ] as const
) {
  Deno.test(`readInput() finds the contradiction in a histogram with ${JSON.stringify(change)}`, async () =>
    assert.deepEqual((await read({ ...GOOD, ...change })).invalid, [reason]));
}

Deno.test("readInput() finds bounds that are not finite, or only their scale makes so", async () => {
  assert.deepEqual((await read('{"bounds":[1e999],"counts":[1,2]}')).invalid, [
    '"bounds" has a number that is not finite',
  ]);
  assert.deepEqual((await read('{"bounds":[1e308],"counts":[1,2]}', { scale: 1000 })).invalid, [
    '"bounds" has a number that is not finite',
  ]);
});

Deno.test("readInput() takes a sum that is off by roundings, and a histogram of nothing", async () => {
  const tenths = { bounds: [1], counts: [3, 0], sum: 0.1 + 0.1 + 0.1, min: 0.1, max: 0.1 };
  assert.equal((await read(tenths)).histograms.length, 1);
  assert.equal((await read({ bounds: [1], counts: [0, 0], sum: 0 })).histograms.length, 1);
});
