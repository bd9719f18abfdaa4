import assert from "node:assert/strict";
import { each } from "../support/cases.ts";
import { type Fixture, usageError } from "../support/fixture.ts";
import { objects } from "../support/lines.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { startTokenBucket } from "../support/token_bucket.ts";

const UNLIMITED = { capacity: 1e9, burstSeconds: 1 };

interface Steady {
  readonly name: string;
  readonly series: number;
  readonly rate: string;
  readonly more?: readonly string[];
  readonly shards?: number;
  /** Data points that 3 s make. */
  readonly points: number;
}

const steady: readonly Steady[] = [
  { name: "one process", series: 50, rate: "500", points: 1500 },
  {
    name: "requests of a given size",
    series: 50,
    rate: "500",
    more: ["--points-per-request", "50"],
    points: 1500,
  },
  { name: "four workers", series: 50, rate: "500", more: ["--workers", "4"], points: 1500 },
  { name: "three shards of two workers", series: 20, rate: "333", shards: 3, points: 999 },
];

each(
  steady,
  ({ name }) => `--point-rate sends exactly its points in ${name}`,
  async (load) => {
    const { series, rate, more = [], shards = 1, points } = load;
    await using receiver = startTokenBucket(UNLIMITED);
    const outcomes = await Promise.all(
      Array.from({ length: shards }, (_, shard) =>
        runProgram({
          args: [
            ...["--endpoint", receiver.url, "--output", "json", "--loop", "--duration", "3"],
            ...["--series", String(series), "--point-rate", rate, ...more],
            ...shards > 1 ? ["--shards", `${shards}`, "--shard", `${shard}`, "--workers", "2"] : [],
          ],
        })),
    );
    assert.equal(receiver.points, points);
    const counts = [...receiver.series.values()];
    assert.equal(counts.length, series);
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, "each series has its turn");
    let delivered = 0;
    for (const { status, stdout, stderr } of outcomes) {
      assert.deepEqual([status, stderr], [0, ""]);
      const lines = objects(stdout);
      const summary = lines.at(-1);
      assert.equal(summary?.["type"], "summary");
      assert.equal(summary["recorded"], summary["delivered"]);
      assert.ok(!("capacity" in summary));
      delivered += Number(summary["delivered"]);
      const sends = lines.filter(({ type }) => type === "send");
      assert.ok(sends.length >= 3 && sends.length <= 4, `${sends.length} send lines in 3 s`);
      assert.deepEqual(sends.map(({ iteration }) => iteration), sends.map((_, i) => i + 1));
      assert.equal(summary["sends"], sends.length);
    }
    assert.equal(delivered, receiver.measurements);
  },
);

Deno.test("--point-rate FROM..TO prints its result with --quiet, and nothing else", async () => {
  await using receiver = startTokenBucket(UNLIMITED);
  const { status, stdout, stderr } = await runProgram({
    args: [
      ...["--endpoint", receiver.url, "--quiet", "--loop", "--duration", "1"],
      ...["--series", "20", "--point-rate", "10..200"],
    ],
  });
  assert.match(
    stdout,
    /^Confirmed [\d.]+ points\/s in (50|4\d\.\d) requests\/s for 10 s \(2000 data points in 500 requests\), p50 [\d.,]+ ms, p99 [\d.,]+ ms; the rate did not rise further\n$/,
  );
  assert.deepEqual([status, stderr], [0, ""]);
});

Deno.test("--point-rate FROM..TO ends with 1 when no rate holds, and counts what was refused as dropped", async () => {
  await using receiver = startTokenBucket({ capacity: 0, burstSeconds: 0, status: 503 });
  const { status, stdout } = await runProgram({
    args: [
      ...["--endpoint", receiver.url, "--output", "json", "--loop", "--duration", "1"],
      ...["--series", "20", "--point-rate", "50..200"],
    ],
  });
  assert.equal(status, 1);
  const summary = objects(stdout).at(-1);
  assert.ok(summary !== undefined);
  const { recorded, delivered, rejected, dropped, pending, exitCode, capacity } = summary;
  assert.deepEqual([delivered, rejected, pending, exitCode], [0, 0, 0, 1]);
  assert.ok(Number(dropped) > 0);
  assert.equal(recorded, dropped);
  assert.ok(typeof capacity === "object" && capacity !== null);
  const { message, ...figures } = { message: "", ...capacity };
  assert.deepEqual(figures, {
    pointsPerSecond: 0,
    requestsPerSecond: 0,
    p99Ms: null,
    limitedBy: "status",
    p50Ms: null,
    points: 0,
    requests: 0,
  });
  assert.match(message, /^No rate was confirmed: none held for 10 s; at .* answered 503/);
});

Deno.test("--point-rate obeys a signal although it is behind and nothing of it ever waits", async () => {
  await using program = await startProgram({
    // Fetch refuses this port without asking the network.
    args: [
      ...["--endpoint", "http://127.0.0.1:9", "--loop"],
      ...["--series", "1000", "--point-rate", "1000000"],
    ],
  });
  await program.waitForStdout("Iteration 2: ");
  program.signal("SIGINT");
  const { status, stdout } = await program.finished;
  assert.equal(status, 1);
  assert.match(stdout, /^Delivered 0 of \d+ measurements /m);
});

const LOAD = ["--series", "10", "--point-rate", "100", "--loop"];
const RISE = ["--series", "10", "--point-rate", "10..100", "--loop", "--duration", "5"];

const refused = (name: string, args: readonly string[], line: string): Fixture =>
  usageError(name, { args: ["--endpoint", "{url}", ...args] }, `ERROR: ${line}`);

const RATE = "data points per second, for example 5000, or FROM..TO with TO above FROM, for " +
  "example 1000..50000";

testFixtures([
  ...["0", "-1", "fast", "5..5", "9..5", "..5", "5..", "1..2..3"].map((rate) =>
    refused(
      `--point-rate ${rate} is refused`,
      ["--series", "10", `--point-rate=${rate}`, "--loop", "--duration", "5"],
      `Invalid --point-rate "${rate}" (command line): expected ${RATE}`,
    )
  ),
  ...["100..900", "9..5"].map((rate) =>
    refused(
      `--rate ${rate} names --point-rate`,
      ["--rate", rate, "--loop"],
      `Invalid --rate "${rate}" (command line): expected a number of measurements per second above 0; for a rising rate, use --point-rate FROM..TO`,
    )
  ),
  refused(
    "--point-rate needs series",
    ["--point-rate", "100", "--loop"],
    "--point-rate requires --series N and --loop",
  ),
  refused(
    "--point-rate needs a loop",
    ["--series", "10", "--point-rate", "100"],
    "--point-rate requires --series N and --loop",
  ),
  refused(
    "--interval with --point-rate is refused",
    [...LOAD, "--interval", "5"],
    "--interval has no effect with --point-rate, which sends all the time and reports each second: leave it out",
  ),
  ...["rate", "count"].map((flag) =>
    refused(
      `--${flag} with --point-rate is refused`,
      [...LOAD, `--${flag}`, "5"],
      `--point-rate and --${flag} cannot be used together: remove one of them`,
    )
  ),
  refused(
    "--point-rate and --scenario are two sources",
    ["--scenario", "s.json", "--point-rate", "5", "--loop"],
    "--scenario and --point-rate cannot be used together: choose one data source",
  ),
  ...["slo", "points-per-request"].map((flag) =>
    refused(
      `--${flag} needs --point-rate`,
      ["--series", "10", "--loop", `--${flag}`, "5"],
      `--${flag} has no effect without --point-rate: add it, or remove --${flag}`,
    )
  ),
  refused(
    "--slo needs a rate that rises",
    [...LOAD, "--slo", "5"],
    "--slo requires a rising rate: add --point-rate FROM..TO, or remove it",
  ),
  refused(
    "--point-rate FROM..TO needs a time",
    ["--series", "10", "--point-rate", "10..100", "--loop"],
    "--point-rate 10..100 rises over a time: add --duration SECONDS",
  ),
  refused(
    "--point-rate FROM..TO ends by itself",
    [...RISE, "--iterations", "5"],
    "--point-rate 10..100 ends when a rate is confirmed: remove --iterations",
  ),
  refused(
    "--point-rate FROM..TO keeps nothing",
    [...RISE, "--spool", "spool"],
    "--point-rate 10..100 does not retry or keep data: remove --spool",
  ),
]);
