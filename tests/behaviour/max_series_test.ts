import assert from "node:assert/strict";
import type { Fixture } from "../support/fixture.ts";
import { assertHistogram } from "../support/histogram.ts";
import { measure, testFixtures } from "../support/run_fixture.ts";

const OVERFLOW = { "otel.metric.overflow": true };
/** A CSV of one attribute, a column for it and one for values. */
const csv = (...names: readonly string[]) =>
  `a,value\n${names.map((name, i) => `${name},${i + 1}\n`).join("")}`;
const folded = (measurements: string, series: string) => [
  `${measurements} of ${series} series were merged into one data point (otel.metric.overflow=true): there are more series than --max-series`,
];

Deno.test("--max-series folds what is beyond into one data point, and says so", async () => {
  const sent = await measure({
    args: ["--input", "-", "--attr-field", "a", "--max-series", "3"],
    //     values: 1    2    3    4    5    6    7
    stdin: csv("v", "w", "x", "y", "v", "z", "y"),
    said: folded("4 measurements", "3"),
  });
  // x gave its place up for what is merged: with it there are 3.
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
  // Nothing is lost: everything is counted and delivered.
  assert.equal(sent.summary["delivered"], 7);
});

Deno.test("--max-series folds nothing when there are exactly so many", async () => {
  const sent = await measure({
    args: ["--input", "-", "--attr-field", "a", "--max-series", "3"],
    stdin: csv("v", "w", "x", "v", "x"),
  });
  assert.deepEqual(sent.points.map(({ attributes }) => attributes["a"]), ["v", "w", "x"]);
});

Deno.test("--max-series 1 leaves one data point", async () => {
  const sent = await measure({
    args: ["--input", "-", "--attr-field", "a", "--max-series", "1", "--attr", "host=h"],
    stdin: csv("v", "w"),
    said: folded("2 measurements", "2"),
  });
  assert.deepEqual(sent.points.map(({ attributes }) => attributes), [{ host: "h", ...OVERFLOW }]);
});

Deno.test("--max-series counts anew in every send of a loop", async () => {
  const sent = await measure({
    args: [
      ...["--series", "6", "--count", "4", "--max-series", "3"],
      ...["--loop", "--interval", "0", "--iterations", "3"],
    ],
    said: [
      /^--series 6 is more than --max-series 3: the extra series are merged/,
      ...[1, 2, 3].flatMap(() => folded("2 measurements", "2")),
    ],
  });
  // 1 2 3 4, 5 6 1 2, 3 4 5 6: four series in each.
  const series = sent.points.map(({ attributes }) => attributes["series"] ?? "rest");
  assert.deepEqual(series, ["1", "2", "rest", "5", "6", "rest", "3", "4", "rest"]);
});

Deno.test("10,000 series are the most when nothing is said", async () => {
  const values = Array.from({ length: 10_001 }, (_, i) => `v${i}`);
  const more = await measure({
    args: ["--input", "-", "--attr-field", "a"],
    stdin: csv(...values),
    said: [
      /more than 1,000 different values/,
      /^rule overflow-bucket: /,
      ...folded("2 measurements", "2"),
    ],
  });
  assert.equal(more.points.length, 10_000);
});

Deno.test("--series raises --max-series: so many are sent as are asked for", async () => {
  const sent = await measure({ args: ["--series", "10001"] });
  assert.equal(sent.points.length, 10_001);
});

Deno.test("--series with a lower --max-series says before it sends that it folds", async () => {
  const sent = await measure({
    args: ["--series", "10", "--max-series", "9"],
    said: [/--series 10 is more than --max-series 9/, ...folded("2 measurements", "2")],
  });
  assert.equal(sent.points.length, 9);
});

testFixtures(["0", "-1", "2.5", "many", "1000001"].map((value): Fixture => ({
  name: `--max-series ${value} is refused`,
  args: ["--endpoint", "{url}", `--max-series=${value}`],
  status: 2,
  stderr: [
    `ERROR: Invalid --max-series "${value}" (command line): expected a whole number from 1 to 1000000`,
  ],
  requests: 0,
})));
