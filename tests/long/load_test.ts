import assert from "node:assert/strict";
import { decode, type Point } from "../support/decode.ts";
import { type Fixture, usageError } from "../support/fixture.ts";
import { like, objects, warning } from "../support/lines.ts";
import type { Outcome } from "../support/outcome.ts";
import { runProgram } from "../support/program.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { measure, testFixtures } from "../support/run_fixture.ts";
import { SENDS_AND_SUMMARY } from "../support/wording.ts";
import { runInTerminal } from "../support/terminal.ts";

const SHARDS = 8;

const pointsIn = ({ requests }: Pick<Receiver, "requests">) =>
  requests.flatMap(({ content }) => decode(content).metrics.flatMap(({ points }) => points));

interface Count {
  readonly measurements: number;
  readonly sum: number;
}

/** By series how much of it came. */
function bySeries(points: readonly Point[]): ReadonlyMap<string, Count> {
  const found = new Map<string, Count>();
  for (const { attributes, count, sum = NaN } of points) {
    const key = JSON.stringify(
      attributes,
      (_, value) => typeof value === "bigint" ? `${value}n` : value,
    );
    const before = found.get(key) ?? { measurements: 0, sum: 0 };
    found.set(key, { measurements: before.measurements + count, sum: before.sum + sum });
  }
  return new Map([...found].sort(([a], [b]) => a < b ? -1 : 1));
}

/** The counts are equal, and the sums as far as the order of adding up lets them be. */
function assertSame(is: ReadonlyMap<string, Count>, expected: ReadonlyMap<string, Count>): void {
  assert.deepEqual([...is.keys()], [...expected.keys()]);
  for (const [series, { measurements, sum }] of expected) {
    const found = is.get(series);
    assert.equal(found?.measurements, measurements, series);
    assert.ok(Math.abs(found.sum - sum) < 1e-9 * sum, `${series}: ${found.sum}, not ${sum}`);
  }
}

/** Each shard's outcome, all against the receiver at once. */
async function inShards(
  args: readonly string[],
  receiver: Receiver,
  said: "any" | readonly string[] = [],
): Promise<readonly Outcome[]> {
  return await Promise.all(
    Array.from({ length: SHARDS }, (_, shard) =>
      measure({
        args: [...args, "--shards", String(SHARDS)],
        env: { JOB_COMPLETION_INDEX: String(shard) },
        said,
        // Requests of the others come in between.
        check: () => {},
        ambiguous: true,
      }, { receiver })),
  );
}

for (
  const args of [
    ["--series", "27", "--count", "1001", "--seed", "same", "--distribution", "normal(10,20)"],
    ["--scenario", "scenario.json", "--count", "2000", "--seed", "same"],
  ]
) {
  Deno.test(`Eight shards of ${args.slice(0, 2).join(" ")} send exactly what one process sends`, async () => {
    const web = await Deno.readTextFile(new URL("../../examples/web-shop.json", import.meta.url));
    // Explicit buckets alone, which the decoder of the tests reads.
    const scenario = web.replaceAll(
      '"exponential": true',
      '"buckets": [1000, 10000, 30000, 100000, 1000000]',
    );
    const directory = await Deno.makeTempDir();
    await Deno.writeTextFile(`${directory}/scenario.json`, scenario);
    const full = args.map((arg) => arg === "scenario.json" ? `${directory}/${arg}` : arg);
    try {
      const one = await measure({ args: full });
      await using receiver = await startReceiver();
      await inShards(full, receiver);
      const points = pointsIn(receiver);
      const all = bySeries(points);
      assertSame(all, bySeries(one.points));
      assert.equal(points.length, all.size, "each series in one shard");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

Deno.test("Eight shards of a scenario with phases and churn send exactly what one process sends", async () => {
  const entry = {
    distribution: "lognormal(40,400)",
    attributes: { route: { values: 7 }, pod: { values: 5, churn: "1s" } },
    during: { busy: { distribution: "lognormal(400,4000)" } },
  };
  const scenario = {
    phases: [{ name: "calm", seconds: 1 }, { name: "busy", seconds: 1 }],
    metrics: [{ name: "m", unit: "ms", mix: [entry] }],
  };
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/s.json`, JSON.stringify(scenario));
    const args = [
      ...["--scenario", `${directory}/s.json`, "--seed", "same"],
      ...["--rate", "1000", "--count", "3000"],
    ];
    const one = await measure({ args });
    await using receiver = await startReceiver();
    await inShards(args, receiver);
    const points = pointsIn(receiver);
    const all = bySeries(points);
    assertSame(all, bySeries(one.points));
    assert.ok(all.size > 7 * 5, "pods were replaced");
    assert.equal(points.length, all.size, "each series in one shard");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Eight shards at a rate send in a loop exactly the counts of one process", async () => {
  await using receiver = await startReceiver();
  const outcomes = await inShards(
    [
      ...["--series", "5", "--rate", "333", "--loop", "--interval", "0.3", "--duration", "1.5"],
    ],
    receiver,
    "any",
  );
  // 333/s in 1.5 s, dealt to five series in turn; three shards have none.
  const counts = [...bySeries(pointsIn(receiver)).values()];
  assert.deepEqual(counts.map(({ measurements }) => measurements), [100, 100, 100, 100, 99]);
  const idle = outcomes.filter(({ stderr }) => stderr.includes("sends nothing"));
  assert.equal(idle.length, 3);
  for (const { status } of outcomes) assert.equal(status, 0);
});

for (const interval of ["0.05", "0"]) {
  Deno.test(`A shard counts the sends of a loop in which others have all measurements, with --interval ${interval}`, async () => {
    const { points, requests } = await measure({
      args: [
        ...["--series", "3", "--count", "1", "--loop", "--interval", interval],
        ...["--iterations", "6", "--shards", "3", "--shard", "1"],
      ],
    });
    assert.equal(requests.length, 2, "of six sends, one measurement each, every third is its own");
    assert.ok(points.every(({ attributes, count }) => attributes["series"] === "2" && count === 1));
    assert.equal(points[1]?.start, points[0]?.end, "its intervals join");
  });
}

Deno.test("--workers sends what one connection would, in intervals that join, over as many connections", async () => {
  const args = ["--series", "20", "--count", "101", "--seed", "s", "--loop", "--interval", "0"];
  const loop = [...args, "--iterations", "6"];
  const one = await measure({ args: loop });
  let underWay = 0;
  let most = 0;
  const decide = async () => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, 20));
    underWay--;
    return 200;
  };
  const eight = await measure({
    args: [...loop, "--workers", "8"],
    answers: Array.from({ length: 48 }, () => decide),
    check: ({ receiver }) => assert.equal(receiver.connections, 8),
  });
  assert.equal(eight.requests.length, 48);
  assert.equal(most, 8);
  assertSame(bySeries(eight.points), bySeries(one.points));
  const sends = objects(eight.stdout).filter(({ type }) => type === "send");
  assert.equal(sends.length, 6, "a line an iteration");
  const ends = new Map<string, bigint>();
  for (const { attributes, start, end } of eight.points) {
    const series = String(attributes["series"]);
    const before = ends.get(series);
    if (before !== undefined) assert.equal(start, before, `series ${series}`);
    ends.set(series, end);
  }
  assert.equal(ends.size, 20);
});

Deno.test("--workers keeps in the spool what no connection delivers, and the next start sends it", async () => {
  const cwd = await Deno.makeTempDir();
  try {
    const args = ["--series", "9", "--workers", "3", "--spool", "spool"];
    await measure({
      args: [...args, "--retry-for", "0"],
      answers: [503, 503, 503],
      status: 1,
      said: "any",
    }, { cwd });
    const later = await measure({ args: ["--count", "0", "--spool", "spool"] }, { cwd });
    assert.equal(later.requests.length, 3);
    assert.equal(bySeries(later.points).size, 9);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});

Deno.test("A receiver that stalls for two seconds is seen in p99, though few requests were under way", async () => {
  await using receiver = await startReceiver({
    answers: [...new Array<number>(20).fill(200), { delayMs: 2000 }],
  });
  const { stdout } = await runProgram({
    args: [
      ...["--endpoint", receiver.url, "--output", "json", "--series", "2"],
      ...["--loop", "--interval", "0.05", "--duration", "6"],
    ],
  });
  const summary = objects(stdout).at(-1);
  const latency = summary?.["latencyMs"];
  assert.ok(
    typeof latency === "object" && latency !== null && "p99" in latency && "p50" in latency,
  );
  const { p99, p50 } = latency;
  assert.ok(typeof p99 === "number" && p99 > 1500, `p99 ${p99}`);
  assert.ok(typeof p50 === "number" && p50 < 1000, `p50 ${p50}`);
});

Deno.test("Shards of a loop wait a part of the interval, which a signal ends", async () => {
  await using receiver = await startReceiver();
  const waited: number[] = [];
  const { stdout, status } = await runProgram({
    args: [
      ...["--endpoint", receiver.url, "--series", "3", "--shards", "3", "--shard", "0"],
      ...["--loop", "--interval", "0.4", "--iterations", "1"],
    ],
  });
  assert.equal(status, 0);
  const [, seconds] = /^The first send waits (\d\.\d) s, so that shards do not send together\.$/m
    .exec(stdout) ?? [];
  waited.push(Number(seconds));
  assert.ok(waited.every((each) => each <= 0.4), stdout);
});

Deno.test("A loop that is quiet has one live line on a terminal, and none elsewhere", async () => {
  await using receiver = await startReceiver();
  const args = [
    ...["--endpoint", receiver.url, "--rate", "200", "--loop", "--interval", "0.5"],
    ...["--duration", "2.4", "--quiet"],
  ];
  const { status, lines } = await runInTerminal({ columns: 100, args });
  assert.equal(status, 0);
  const clear = "\r\x1b[K";
  const shown = lines.join("").split(clear).filter((text) => text !== "");
  assert.ok(shown.length >= 1 && shown.length <= 3, lines.join("\n"));
  for (const text of shown) {
    assert.match(text, /^\d+ s, [\d,.]+ points\/s, \d+ unsent, 0 failures, p99 ([\d,.]+ ms|-)$/);
  }
  assert.ok(lines.join("").endsWith(clear), "it is taken away");
  const piped = await runProgram({ args });
  assert.deepEqual([piped.stdout, piped.stderr], ["", ""]);
});

const refused = (
  name: string,
  args: readonly string[],
  line: string | RegExp,
  env: Readonly<Record<string, string>> = {},
): Fixture =>
  usageError(
    name,
    { args: ["--endpoint", "{url}", ...args], env },
    typeof line === "string" ? `ERROR: ${line}` : line,
  );

testFixtures([
  {
    name: "a signal ends the wait of a shard",
    args: [
      ...["--endpoint", "{url}", "--series", "3", "--shards", "3", "--shard", "0", "--loop"],
      ...["--interval", "3600"],
    ],
    meanwhile: async ({ program }) => {
      await program.waitForStdout("The first send waits");
      program.signal("SIGTERM");
    },
    stdout: "any",
    requests: 0,
    check: ({ stdout }) => assert.match(stdout, /Nothing to send: no measurement was recorded\./),
  },
  {
    name: "a shard without series ends with 0, and says so",
    args: [
      ...["--endpoint", "{url}", "--output", "json", "--series", "2", "--shards", "4"],
      ...["--shard", "3", "--loop"],
    ],
    stdout: [like({ type: "summary", recorded: 0, exitCode: 0 })],
    stderr: [warning("there are 2 series for 4 shards: shard 3 has none and sends nothing")],
    requests: 0,
  },
  {
    name: "--workers more than there are series need no more connections",
    args: ["--endpoint", "{url}", "--output", "json", "--series", "2", "--workers", "16"],
    stdout: SENDS_AND_SUMMARY,
    posts: 2,
  },
  refused(
    "--shard needs --shards",
    ["--series", "3", "--shard", "1"],
    "--shard is the index of this process among several: add --shards N, their number",
  ),
  refused(
    "--shards needs to know which",
    ["--series", "3", "--shards", "4"],
    /^ERROR: --shards 4 needs the number of this process: add --shard I, from 0 to 3, or .*JOB_COMPLETION_INDEX$/,
  ),
  refused(
    "--shard is one of them",
    ["--series", "3", "--shards", "4", "--shard", "4"],
    'Invalid --shard "4" (command line): expected a whole number from 0 to 3, for --shards 4',
  ),
  refused(
    "JOB_COMPLETION_INDEX is a number",
    ["--series", "3", "--shards", "4"],
    'Invalid JOB_COMPLETION_INDEX "one" (environment): expected a whole number from 0 to 3, for --shards 4',
    { JOB_COMPLETION_INDEX: "one" },
  ),
  ...(["--workers", "--shards"] as const).map((flag) =>
    refused(
      `${flag} divides generated measurements`,
      ["--value", "3", flag, "2", ...flag === "--shards" ? ["--shard", "0"] : []],
      `${flag} requires generated measurements: add --series, --count, --rate, --distribution or --scenario, or remove it`,
    )
  ),
]);
