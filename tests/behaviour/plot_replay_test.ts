import assert from "node:assert/strict";
import { testCases } from "../support/cases.ts";
import { inDirectory } from "../support/directory.ts";
import { usageError } from "../support/fixture.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { gzip } from "../support/gzip.ts";

/** Saves what three sends of generated data bring to `receive`, as `capture.jsonl`. */
async function capture(cwd: string): Promise<void> {
  await using receiver = await startProgram({
    args: ["receive", "--port", "0", "--save", "capture.jsonl"],
    cwd,
  });
  const said = await receiver.waitForStdout("Listening on");
  const url = /http:\S+(?=\/v1)/.exec(said)?.[0] ?? "";
  const send = async (...flags: readonly string[]) => {
    const { status, stderr } = await runProgram({ args: ["--endpoint", url, ...flags], cwd });
    assert.equal(status, 0, stderr);
  };
  await send("--metric", "explicit", "--value", "7", "--value", "70");
  await send("--metric", "explicit", "--value", "7");
  await send("--metric", "exponential", "--exponential", "--value", "3", "--value", "200");
  receiver.signal("SIGTERM");
  assert.equal((await receiver.finished).status, 0);
}

const FIGURES = [
  { metric: "explicit", count: 3, sum: 84, min: 7, max: 70 },
  { metric: "exponential", count: 2, sum: 203, min: 3, max: 200 },
];

function figuresOf(stdout: string): unknown {
  return stdout.trimEnd().split("\n").map((line) => {
    const { metric, count, sum, min, max } = JSON.parse(line);
    return { metric, count, sum, min, max };
  });
}

testCases([
  {
    name: "plot --replay draws what receive --save kept: a file, gzip, standard input",
    run: () =>
      inDirectory(async (cwd) => {
        await capture(cwd);
        const kept = await Deno.readFile(`${cwd}/capture.jsonl`);
        await Deno.writeFile(`${cwd}/capture.jsonl.gz`, await gzip(kept));
        const json = ["--output", "json"];
        for (
          const options of [
            { args: ["plot", "--replay", "capture.jsonl", ...json], cwd },
            { args: ["plot", "--replay", "capture.jsonl.gz", ...json], cwd },
            { args: ["plot", "--replay", "-", ...json], cwd, stdin: kept },
          ]
        ) {
          const { status, stdout, stderr } = await runProgram(options);
          assert.deepEqual({ status, stderr, figures: figuresOf(stdout) }, {
            status: 0,
            stderr: "",
            figures: FIGURES,
          });
        }
        const { stdout } = await runProgram({ args: ["plot", "--replay", "capture.jsonl"], cwd });
        assert.match(stdout, /^ {2}explicit \(ms\)\n {4}count 3, min 7, max 70, sum 84$/m);
        assert.match(stdout, /^ {2}exponential \(ms\)\n {4}count 2, min 3, max 200, sum 203$/m);
        assert.match(stdout, /^ +\(5, 10\] █+ 2$/m);
        assert.match(stdout, /^Total: 5 measurements in 2 series$/m);
      }),
  },
  {
    name: "plot --replay suggests no buckets, and makes a scenario of histograms",
    run: () =>
      inDirectory(async (cwd) => {
        await capture(cwd);
        const replay = ["plot", "--replay", "capture.jsonl"];
        const suggested = await runProgram({ args: [...replay, "--suggest-buckets"], cwd });
        assert.match(
          suggested.stderr,
          /^WARNING: no buckets are suggested: the input has histograms instead of values\n$/,
        );
        const { status, stdout } = await runProgram({
          args: [...replay, "--output", "scenario"],
          cwd,
        });
        assert.equal(status, 0);
        const { metrics } = JSON.parse(stdout);
        assert.deepEqual(
          metrics.map(({ name, unit, exponential }: Record<string, unknown>) => ({
            ...{ name, unit, exponential },
          })),
          [
            { name: "explicit", unit: "ms", exponential: undefined },
            { name: "exponential", unit: "ms", exponential: true },
          ],
        );
      }),
  },
]);

testFixtures([
  {
    name: "plot --replay names a line that it cannot use, and ends with 1",
    args: ["plot", "--replay", "capture.jsonl"],
    files: { "capture.jsonl": "not JSON\n" },
    status: 1,
    requests: 0,
    stdout: ["Total: 0 measurements in 0 series, 1 line invalid"],
    stderr: [
      /^WARNING: line 1 not used: it is not an OTLP\/JSON metrics request/,
      "WARNING: there are no measurements to draw",
    ],
  },
  usageError(
    "plot --replay refuses a unit",
    { args: ["plot", "--replay", "capture.jsonl", "--unit", "s"] },
    /^ERROR: --unit has no effect with --replay, which sends requests unchanged: remove it$/,
  ),
  usageError(
    "plot --replay names a file that does not exist",
    { args: ["plot", "--replay", "capture.jsonl"] },
    /^ERROR: Cannot read the file of --replay, "capture.jsonl": it does not exist/,
  ),
]);
