import assert from "node:assert/strict";
import { assertHistogram, measure } from "./measured.ts";
import { type Row, testRows } from "./table.ts";

const OVERFLOW = { "otel.metric.overflow": true };
/** A CSV of one attribute, a column for it and one for values. */
const csv = (...names: readonly string[]) =>
  `a,value\n${names.map((name, i) => `${name},${i + 1}\n`).join("")}`;
const said = (measurements: string, series: string) => [
  `${measurements} of ${series} series share one data point (otel.metric.overflow=true): there are more series than --max-series`,
];

Deno.test("--max-series folds what is beyond into one data point, and says so", async () => {
  const sent = await measure({
    args: ["--input", "-", "--max-series", "3"],
    //     values: 1    2    3    4    5    6    7
    stdin: csv("v", "w", "x", "y", "v", "z", "y"),
  });
  // x gave its place up for what is folded: with it there are 3.
  assert.deepEqual(sent.points.map(({ attributes }) => attributes), [
    { a: "v" },
    { a: "w" },
    OVERFLOW,
  ]);
  const [v, w, rest] = sent.points;
  assert.ok(v !== undefined && w !== undefined && rest !== undefined);
  assertHistogram(v, [1, 5]);
  assertHistogram(w, [2]);
  assertHistogram(rest, [3, 4, 6, 7]);
  assert.deepEqual(sent.said, said("4 measurements", "3"));
  // Nothing is lost: everything is counted and delivered.
  assert.equal(sent.status, 0);
  assert.equal(sent.summary["delivered"], 7);
});

Deno.test("--max-series folds nothing when there are exactly so many", async () => {
  const sent = await measure({
    args: ["--input", "-", "--max-series", "3"],
    stdin: csv("v", "w", "x", "v", "x"),
  });
  assert.deepEqual(sent.said, []);
  assert.deepEqual(sent.points.map(({ attributes }) => attributes["a"]), ["v", "w", "x"]);
});

Deno.test("--max-series 1 leaves one data point", async () => {
  const sent = await measure({
    args: ["--input", "-", "--max-series", "1", "--attr", "host=h"],
    stdin: csv("v", "w"),
  });
  assert.deepEqual(sent.points.map(({ attributes }) => attributes), [{ host: "h", ...OVERFLOW }]);
  assert.deepEqual(sent.said, said("2 measurements", "2"));
});

Deno.test("--max-series counts anew in every send of a loop", async () => {
  const sent = await measure({
    args: [
      ...["--series", "6", "--count", "4", "--max-series", "3"],
      ...["--loop", "--interval", "0", "--iterations", "3"],
    ],
  });
  // 1 2 3 4, 5 6 1 2, 3 4 5 6: four series in each.
  const series = sent.points.map(({ attributes }) => attributes["series"] ?? "rest");
  assert.deepEqual(series, ["1", "2", "rest", "5", "6", "rest", "3", "4", "rest"]);
  assert.deepEqual(sent.said, [1, 2, 3].flatMap(() => said("2 measurements", "2")));
});

Deno.test("10,000 series are the most when nothing is said", async () => {
  const all = await measure({ args: ["--series", "10000"] });
  assert.deepEqual([all.points.length, all.said], [10_000, []]);
  const more = await measure({ args: ["--series", "10001"] });
  assert.deepEqual([more.points.length, more.said], [10_000, said("2 measurements", "2")]);
  const allowed = await measure({ args: ["--series", "10001", "--max-series", "20000"] });
  assert.deepEqual([allowed.points.length, allowed.said], [10_001, []]);
});

testRows(["0", "-1", "2.5", "many", "1000001"].map((value): Row => ({
  name: `--max-series ${value} is refused`,
  args: ["--endpoint", "{url}", `--max-series=${value}`],
  status: 2,
  stdout: [],
  stderr: [
    `ERROR: Invalid --max-series "${value}" (command line): expected a whole number from 1 to 1000000`,
  ],
  requests: 0,
})));
