import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { measure, runFixture } from "../support/run_fixture.ts";
import { startProgram } from "../support/program.ts";
import { type TestCase, testCases } from "../support/cases.ts";
import { missing, tool } from "../support/tools.ts";

// The rules of meaning as a user meets them: what real SDKs send, and what this program is about to send.

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const CLIENTS = new URL("../support/clients/", import.meta.url);

/** Clients by SDK: the command that sends once. */
const SDKS: Readonly<Record<string, (...args: readonly string[]) => Deno.Command>> = {
  Python: (...args) =>
    new Deno.Command(tool("PREDECESSOR_PYTHON"), {
      args: [fileURLToPath(new URL("meaning.py", CLIENTS)), ...args],
      clearEnv: true,
      stdout: "inherit",
      stderr: "inherit",
    }),
  JavaScript: (...args) =>
    new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--frozen", "--no-prompt", "--allow-all", "--config", CONFIG],
        ...[fileURLToPath(new URL("meaning.ts", CLIENTS)), ...args],
      ],
      env: { OTEL_DENO: "false" },
      stdout: "inherit",
      stderr: "inherit",
    }),
};

const FIRED = ["bounds-unit job.duration", "one-bucket job.duration"];

testCases(
  Object.entries(SDKS).flatMap(([name, client]) =>
    [
      { buckets: "default", temporality: "delta", rules: "otlp" },
      { buckets: "default", temporality: "cumulative", rules: "otlp" },
      { buckets: "default", temporality: "delta", rules: "dynatrace" },
      { buckets: "view", temporality: "delta", rules: "otlp" },
      { buckets: "advice", temporality: "cumulative", rules: "otlp" },
    ].map(({ buckets, temporality, rules }): TestCase => ({
      name: `receive --rules ${rules} finds ${
        buckets === "default" ? "seconds in bounds for milliseconds" : "nothing"
      } in what the SDK for ${name} sends with buckets by ${buckets}, ${temporality}`,
      ignore: name === "Python" ? missing("PREDECESSOR_PYTHON") : undefined,
      async run() {
        const isFired = buckets === "default";
        await using receiver = await startProgram({
          args: [
            ...["receive", "--port", "0", "--output", "json", "--requests", "1"],
            ...["--fail-on", "warning", "--rules", rules],
          ],
        });
        const said = await receiver.waitForStderr(/"listening".*\n/);
        const url = /"url":"([^"]+)"/.exec(said)?.[1] ?? "";
        const { code } = await client(url, buckets, temporality).output();
        assert.equal(code, 0);
        const { status, stdout } = await receiver.finished;
        const [request, summary] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
        const found: { rule: string; level: string; metric: string }[] = request.problems;
        const meaning = found.filter(({ rule }) => rule !== "bucket-limit");
        assert.deepEqual(
          meaning.map(({ rule, metric }) => `${rule} ${metric}`),
          isFired ? FIRED : [],
        );
        assert.equal(summary.warnings, found.length);
        assert.equal(status, isFired ? 1 : 0);
        const percentiles: {
          readonly metric: string;
          readonly p50: { readonly estimated: number; readonly bucketsAlone: number };
        }[] = request.percentiles;
        const { p50 } = percentiles.find(({ metric }) => metric === "job.duration") ??
          assert.fail();
        // The median of 0.1, 0.103, … 0.397.
        assert.ok(Math.abs(p50.estimated - 0.2485) < 0.002, `${p50.estimated}`);
        assert.equal(p50.bucketsAlone, isFired ? 2.5 : p50.estimated);
      },
    }))
  ),
);

const SECONDS_IN_MS = [
  ...["--metric", "job.duration", "--unit", "s"],
  ...["--buckets", "0,5,10,25,50,75,100,250,500,750,1000,2500,5000,7500,10000"],
];
const TENTHS = Array.from({ length: 20 }, (_, i) => ["--value", String(0.1 + i / 100)]).flat();

Deno.test("send warns of the rules of meaning before it sends, and --strict does not end it", async () => {
  await measure({
    args: [...SECONDS_IN_MS, ...TENTHS, "--strict"],
    said: [/^rule bounds-unit: job\.duration: /, /^rule one-bucket: job\.duration: all 20 values/],
  });
});

Deno.test("send counts over a loop, and warns once per metric", async () => {
  const { sends } = await measure({
    args: ["--value", "3", ...["--loop", "--interval", "0", "--iterations", "45"]],
    said: [/^rule one-bucket: http\.server\.duration: all 20 values/],
  });
  assert.equal(sends.length, 45);
});

Deno.test("send warns of another unit than that of the semantic conventions", async () => {
  await measure({
    args: ["--metric", "http.server.request.duration", "--unit", "ms", "--value", "45"],
    said: [/^rule convention-unit: .*show 45 ms as 45 s\. Remedy: /],
  });
  await measure({
    args: ["--metric", "http.server.request.duration", "--unit", "s", "--value", "1"],
  });
});

Deno.test("send --replay warns of the rules that a file's requests break together", async () => {
  const line = JSON.stringify({
    resourceMetrics: [{
      scopeMetrics: [{
        metrics: [{
          name: "job.duration",
          unit: "ms",
          histogram: {
            aggregationTemporality: 1,
            dataPoints: [{
              startTimeUnixNano: "1",
              timeUnixNano: "2",
              count: "10",
              sum: 10,
              bucketCounts: ["10", "0"],
              explicitBounds: [5],
            }],
          },
        }],
      }],
    }],
  });
  await measure({
    args: ["--replay", "in.jsonl"],
    files: { "in.jsonl": `${line}\n${line}\n${line}\n` },
    posts: 3,
    said: [/^rule one-bucket: job\.duration: all 20 values/],
  });
});

Deno.test("plot warns of the rules of meaning, and shows both estimates", async () => {
  await runFixture({
    args: ["plot", ...SECONDS_IN_MS, ...TENTHS],
    requests: 0,
    stdout: [
      "  job.duration (s)",
      "    count 20, min 0.1, max 0.29, sum 3.9",
      "         measured  estimated  off by",
      /^ {4}p50 .* 0\.195 /,
      /^ {4}p90 .* 0\.271 /,
      /^ {4}p99 .* 0\.2881 /,
      "    from buckets only, as a backend shows: p50 2.5, p90 4.5, p99 4.95",
      "    (-∞, 0] 0",
      /^ {5}\(0, 5\] █+ 20$/,
      "    (5, 10] 0",
      /^ {2}With these buckets, percentile estimates are off by up to /,
      "Total: 20 measurements in 1 series",
    ],
    stderr: [/^WARNING: rule bounds-unit: job\.duration: /, /^WARNING: rule one-bucket: job\.dur/],
  });
});

Deno.test("plot shows a percentile above the last bound as such", async () => {
  await runFixture({
    args: ["plot", "--buckets", "10", "--value", "5", "--value", "20", "--value", "30"],
    requests: 0,
    stdout: [
      "  http.server.duration (ms)",
      "    count 3, min 5, max 30, sum 55",
      "         measured  estimated  off by",
      "    p50        20       > 10",
      "    p90        30       > 10",
      "    p99        30       > 10",
      /^ {4}\(-∞, 10\] /,
      /^ {4}\(10, \+∞\) /,
      /^ {2}With these buckets, percentile estimates are off by up to /,
      "Total: 3 measurements in 1 series",
    ],
  });
});

Deno.test("plot judges no bounds that stand in for exponential buckets", async () => {
  const scenario = {
    metrics: [{
      name: "size",
      unit: "By",
      exponential: true,
      mix: [{ distribution: "constant(9)" }],
    }],
  };
  await runFixture({
    args: ["plot", "--scenario", "./s.json", "--count", "200", "--output", "json"],
    files: { "s.json": JSON.stringify(scenario) },
    requests: 0,
    stdout: "any",
    stderr: [/plot cannot draw exponential buckets/],
  });
});
