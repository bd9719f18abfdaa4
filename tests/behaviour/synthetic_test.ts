import assert from "node:assert/strict";
import { parseDistribution } from "../../src/source/generate/distribution.ts";
import { seededRandom } from "../../src/source/generate/random.ts";
import type { Point } from "../support/decode.ts";
import { inDirectory } from "../support/directory.ts";
import type { Fixture } from "../support/fixture.ts";
import { assertHistogram, onePoint } from "../support/histogram.ts";
import { measure, runFixture, testFixtures } from "../support/run_fixture.ts";
import { atLeastOne } from "../support/cases.ts";

const counts = (points: readonly Point[]) =>
  points.map(({ attributes, count }) => [attributes["series"], count]);

function drawn(spec: string, seed: string, count: number): readonly number[] {
  const parsed = parseDistribution(spec);
  assert.ok("draw" in parsed);
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => parsed.draw(random));
}

Deno.test("--series fills its data points in turn", async () => {
  const each = await measure({ args: ["--series", "3"] });
  assert.deepEqual(counts(each.points), [["1", 1], ["2", 1], ["3", 1]]);
  const more = await measure({ args: ["--series", "3", "--count", "7"] });
  assert.deepEqual(counts(more.points), [["1", 3], ["2", 2], ["3", 2]]);
  const fewer = await measure({ args: ["--series", "3", "--count", "2"] });
  assert.deepEqual(counts(fewer.points), [["1", 1], ["2", 1]]);
});

Deno.test("--series goes on in turn from send to send of a loop", async () => {
  const { points } = await measure({
    args: ["--series", "3", "--count", "4", "--loop", "--interval", "0", "--iterations", "3"],
  });
  assert.deepEqual(counts(points), [
    ...[["1", 2], ["2", 1], ["3", 1]],
    ...[["2", 2], ["3", 1], ["1", 1]],
    ...[["3", 2], ["1", 1], ["2", 1]],
  ]);
});

Deno.test("--series has the same names in every process, whatever their number", async () => {
  const [few, many] = await Promise.all([
    measure({ args: ["--series", "2", "--attr", "host=h"] }),
    measure({ args: ["--series", "12"] }),
  ]);
  assert.deepEqual(few.points.map(({ attributes }) => attributes), [
    { series: "1", host: "h" },
    { series: "2", host: "h" },
  ]);
  assert.deepEqual(
    many.points.map(({ attributes }) => attributes["series"]),
    Array.from({ length: 12 }, (_, i) => String(i + 1)),
  );
});

Deno.test("--count alone needs no attribute", async () => {
  const sent = await measure({
    args: ["--count", "20000", "--distribution", "constant(75)"],
    said: [/^rule one-bucket: .*all 20000 values/],
  });
  assert.deepEqual(onePoint(sent).attributes, {});
  assertHistogram(onePoint(sent), new Array<number>(20_000).fill(75));
});

for (
  const [spec, said] of [
    ["lognormal(40,400)", []],
    ["uniform(10,20)", [/^rule one-bucket: /]],
    ["normal(100,15)", []],
    ["exponential(30)", []],
    ["constant(3)", [/^rule one-bucket: /]],
    [" Uniform( 1 , 2 ) ", [/^rule one-bucket: /]],
  ] as const
) {
  Deno.test(`--distribution ${spec} draws what its seed says, in every process`, async () => {
    const sent = await measure({
      args: ["--distribution", spec, "--seed", "a seed", "--count", "1000"],
      said,
    });
    assertHistogram(onePoint(sent), drawn(spec, "a seed", 1000));
  });
}

Deno.test("--distribution is lognormal(40,400) when nothing is said", async () => {
  const sent = await measure({ args: ["--seed", "x", "--count", "500"] });
  assertHistogram(onePoint(sent), drawn("lognormal(40,400)", "x", 500));
});

Deno.test("--seed goes on from send to send; another gives other numbers, as none does", async () => {
  const loop = ["--loop", "--interval", "0", "--iterations", "2", "--count", "100"];
  const [one, other, ...without] = await Promise.all([
    measure({ args: ["--seed", "1", ...loop] }),
    measure({ args: ["--seed", "2", ...loop] }),
    measure({ args: loop }),
    measure({ args: loop }),
  ]);
  const [first, second] = one.points;
  assert.ok(first !== undefined && second !== undefined && one.points.length === 2);
  const values = drawn("lognormal(40,400)", "1", 200);
  assertHistogram(first, values.slice(0, 100));
  assertHistogram(second, values.slice(100));
  const sums = [one, other, ...without].flatMap(({ points }) => points.map(({ sum }) => sum));
  assert.equal(new Set(sums).size, 8);
});

Deno.test("--rate spreads measurements over the intervals of a loop", async () => {
  const sent = await measure({
    args: ["--rate", "1000", "--series", "2", "--loop", "--interval", "0.2", "--duration", "1"],
    said: [
      /^--rate 1000 makes 2 data points per interval of 0\.2 s, one per series: for data points per second, use --point-rate$/,
    ],
  });
  const { recorded = 0, sends = 0 } = sent.summary;
  assert.ok(recorded > 0 && recorded <= 1002, `${recorded}`);
  assert.ok(sends >= 1 && sends <= 5, `${sends} sends`);
  for (const { measurements } of atLeastOne(sent.sends)) {
    // A busy machine may be late for one interval, whose measurements come with the next.
    const intervals = Math.round(Number(measurements) / 200);
    assert.ok(intervals > 0 && Math.abs(Number(measurements) - 200 * intervals) <= 2);
  }
  const [one = 0, two = 0] = ["1", "2"].map((series) =>
    sent.points.filter(({ attributes }) => attributes["series"] === series)
      .reduce((sum, { count }) => sum + count, 0)
  );
  assert.ok(one - two === 0 || one - two === 1, `${one} and ${two}`);
});

Deno.test("--rate goes on while the receiver takes its time", async () => {
  const sent = await measure({
    args: ["--rate", "2000", "--loop", "--interval", "0.1", "--duration", "1"],
    said: [/^--rate 2000 makes 1 data point per interval of 0\.1 s/],
    answers: [{ delayMs: 450 }, { delayMs: 300 }],
  });
  const { recorded = 0 } = sent.summary;
  // Stopped by the receiver, it would have measured for a quarter of the time.
  assert.ok(recorded <= 2002 && recorded > 1000, `${recorded}`);
});

Deno.test("--rate ends with as many sends as --iterations says", async () => {
  const sent = await measure({
    args: ["--rate", "1000", "--loop", "--interval", "0.15", "--iterations", "2"],
    said: [/^--rate 1000 makes 1 data point /],
  });
  assert.equal(sent.summary["sends"], 2);
  assert.ok((sent.summary["recorded"] ?? 0) >= 298, `${sent.summary["recorded"]}`);
});

Deno.test("--rate counts the interval that a signal cuts short", async () => {
  const sent = await measure({
    args: ["--rate", "100000", "--loop", "--interval", "0.5"],
    said: [/^--rate 100000 makes 1 data point /],
    async meanwhile({ program }) {
      await program.waitForStdout('"iteration":1');
      program.signal("SIGTERM");
    },
  });
  const counts = sent.sends.map(({ measurements }) => Number(measurements));
  const cutShort = counts.at(-1) ?? 0;
  assert.ok(counts.length >= 2 && cutShort > 0, counts.join());
  for (const whole of atLeastOne(counts.slice(0, -1))) {
    const intervals = Math.round(whole / 50_000);
    assert.ok(intervals > 0 && Math.abs(whole - 50_000 * intervals) < 500, counts.join());
  }
});

for (const args of [["--count", "90000000000"], ["--rate", "100", "--count", "100000"]]) {
  const count = args.at(-1);
  Deno.test(`a signal cuts ${args.join(" ")} short: exit status 1, no ✓, and how far it came`, async () => {
    await runFixture({
      args: ["--endpoint", "{url}", ...args],
      async meanwhile({ program }) {
        await program.waitForStdout("Sending");
        program.signal("SIGINT");
      },
      posts: "any",
      status: 1,
      stdout: "any",
      stderr: [
        new RegExp(
          `^ERROR: stopped before the end: (nothing was recorded|\\d+ of ${count} measurements (was|were) made)$`,
        ),
      ],
      check: ({ stdout }) => assert.doesNotMatch(stdout, /✓/),
    });
  });
}

Deno.test("--rate with --count ends when so many were due", async () => {
  const sent = await measure({ args: ["--rate", "2000", "--count", "1000"] });
  assert.equal(sent.summary["recorded"], 1000);
  assert.equal(sent.summary["sends"], 1);
  assert.ok(sent.durationMs >= 499, `${sent.durationMs} ms`);
});

Deno.test("--rate says when it cannot keep up", async () => {
  const sent = await measure({
    args: ["--rate", "1e10", "--loop", "--interval", "1.2", "--iterations", "1"],
    said: [
      /^--rate 10000000000 makes 1 data point /,
      /^cannot keep up with --rate 10000000000: \d+ measurements behind schedule$/,
    ],
  });
  assert.equal(sent.summary["sends"], 1);
});

Deno.test("--count 0 sends what the spool holds, and measures nothing", () =>
  inDirectory(async (cwd) => {
    const args = ["--spool", "spool"];
    const kept = await measure({
      args: [...args, "--value", "1", "--value", "2", "--retry-for", "0"],
      answers: [503],
      status: 1,
      said: [/^2 measurements not delivered, kept in spool/],
    }, { cwd });
    assert.equal(kept.summary["pending"], 2);
    const sent = await measure({ args: [...args, "--count", "0"] }, { cwd });
    assertHistogram(onePoint(sent), [1, 2]);
    const empty = await measure({ args: [...args, "--count", "0"], posts: 0 }, { cwd });
    assert.equal(empty.summary["recorded"], 0);
  }));

const refused = (args: readonly string[], message: string): Fixture => ({
  name: `${args.join(" ")} is refused`,
  args: ["--endpoint", "{url}", ...args],
  status: 2,
  stderr: [`ERROR: ${message}`],
  requests: 0,
});
const invalid = (flag: string, value: string, expected: string) =>
  refused([flag, value], `Invalid ${flag} "${value}" (command line): expected ${expected}`);
const KINDS =
  "constant(x), uniform(a,b), normal(mean,stddev), lognormal(median,p99), exponential(mean), for example lognormal(40,400)";

const rows: readonly Fixture[] = [
  invalid("--distribution", "pareto(1)", KINDS),
  invalid("--distribution", "lognormal(400,40)", "lognormal(median,p99) with 0 < median ≤ p99"),
  invalid("--series", "0", "a whole number from 1 to 1000000"),
  invalid("--count", "1.5", "a whole number, 1 or more"),
  refused(
    ["--rate", "0", "--loop"],
    'Invalid --rate "0" (command line): expected a number of measurements per second above 0; for a rising rate, use --point-rate FROM..TO',
  ),
  refused(
    ["--rate", "5"],
    "--rate requires an end in a single send: add --count N, or --loop to send every interval",
  ),
  refused(
    ["--rate", "5", "--count", "3", "--loop"],
    "--rate and --count both set the number of measurements per send of a loop: remove one of them",
  ),
  refused(
    ["--count", "0"],
    "--count 0 sends only what is in the spool: set its directory with --spool or OTLP_HISTOGRAM_SPOOL",
  ),
  refused(
    ["--count", "0", "--spool", "s", "--series", "5"],
    "--count 0 records nothing: remove --series",
  ),
];
testFixtures(rows);
