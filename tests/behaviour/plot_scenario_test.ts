import assert from "node:assert/strict";
import type { Fixture } from "../support/fixture.ts";
import { usageError } from "../support/fixture.ts";
import { measure, runFixture, testFixtures } from "../support/run_fixture.ts";

const LOG = Array.from(
  { length: 300 },
  (_, i) => `${JSON.stringify({ ms: 10 + i % 50, route: i % 3 === 0 ? "/a" : "/b c" })}\n`,
).join("");
const INPUT = ["--input", "log.ndjson", "--value-field", "ms", "--attr-field", "route"];
const files = { "log.ndjson": LOG };

Deno.test("send takes what plot --output scenario prints, unchanged", async () => {
  const { stdout } = await runFixture({
    args: ["plot", ...INPUT, "--metric", "job.time", "--attr", "team=x", "--output", "scenario"],
    files,
    stdout: "any",
    requests: 0,
  });
  const { metrics, summary } = await measure({
    args: ["--scenario", "s.json", "--count", "3000", "--seed", "1"],
    files: { "s.json": stdout },
  });
  assert.equal(summary["recorded"], 3000);
  const [metric, ...others] = metrics;
  assert.deepEqual([others, metric?.name, metric?.unit], [[], "job.time", "ms"]);
  assert.ok(metric?.data.case === "histogram");
  const counts = metric.data.value.dataPoints.map(({ attributes, count }) =>
    [
      Object.fromEntries(attributes.map(({ key, value }) => [key, value?.value.value])),
      Number(count),
    ] as const
  ).sort(([, a], [, b]) => b - a);
  assert.deepEqual(counts.map(([attributes]) => attributes), [
    { route: "/b c", team: "x" },
    { route: "/a", team: "x" },
  ]);
  assert.ok(Math.abs((counts[0]?.[1] ?? 0) - 2000) < 100, JSON.stringify(counts));
});

const refused = (name: string, args: readonly string[], ...lines: readonly string[]) =>
  usageError(name, { args: ["plot", "--value", "3", ...args] }, ...lines);

const rows: readonly Fixture[] = [
  refused(
    "--keep-bound without --suggest-buckets is refused",
    ["--keep-bound", "3"],
    "ERROR: --keep-bound 3 (command line) keeps a bound in a suggestion: add --suggest-buckets",
  ),
  refused(
    "more kept bounds than suggested ones are refused",
    ["--suggest-buckets", "1", "--keep-bound", "3", "--keep-bound", "4"],
    "ERROR: --keep-bound (command line) pins 2 bounds, but --suggest-buckets suggests only 1: request 2 or more",
  ),
  refused(
    "--keep-bound that is no number is refused",
    ["--suggest-buckets", "--keep-bound", "500ms"],
    'ERROR: Invalid --keep-bound "500ms" (command line): expected a number, 0 or more, for example 500',
  ),
  usageError(
    "--output scenario is of plot alone",
    { args: ["--endpoint", "{url}", "--value", "3", "--output", "scenario"] },
    'ERROR: Invalid --output "scenario" (command line): expected "text" or "json"',
  ),
  {
    name: "plot of a --count that a signal cuts short ends with 1",
    args: [
      ...["plot", "--count", "1000000000", "--series", "3", "--max-series", "2"],
      ...["--output", "json"],
    ],
    requests: 0,
    status: 1,
    async meanwhile({ program }) {
      await program.waitForStderr("--max-series 2");
      program.signal("SIGINT");
    },
    stdout: "any",
    stderr: "any",
    check({ stderr }) {
      const { type, message } = JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "");
      assert.equal(type, "error");
      assert.match(message, /^stopped before the end: \d+ of 1000000000 measurements were made;/);
    },
  },
];

testFixtures(rows);
