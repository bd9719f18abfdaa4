import assert from "node:assert/strict";
import { runInTerminal, uncolored } from "../support/terminal.ts";
import { decode, partialSuccess } from "../support/decode.ts";
import { inDirectory } from "../support/directory.ts";
import { type Expectation, type Setup, TOKEN, usageError } from "../support/fixture.ts";
import { normalized, repeated } from "../support/lines.ts";
import { startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { runFixture, testFixtures } from "../support/run_fixture.ts";
import { SPLITTABLE_ARGS } from "../support/sample.ts";
import { afterSend, beforeSendOfOwn, partialMessage, textOf } from "../support/wording.ts";

const VALUES = ["--buckets", "10,50,100", "--value", "20", "--value", "40", "--value", "61.25"];
const RESOURCE = "  resource service.name=unknown_service:otlp-histogram";
const NAME = "  http.server.duration (ms)";
/** Drawing of these values, 80 characters wide. */
const DRAWN = [
  RESOURCE,
  NAME,
  "    count 3, min 20, max 61.25, sum 121.25",
  "    estimated p50 42.5, p90 57.875, p99 60.9125",
  "    from buckets only, as a backend shows: p50 40, p90 85, p99 98.5",
  "     (-∞, 10] 0",
  `     (10, 50] ${"█".repeat(64)} 2`,
  `    (50, 100] ${"█".repeat(32)} 1`,
  "    (100, +∞) 0",
];
const BEFORE = beforeSendOfOwn();
const AFTER = afterSend(3);

/** Sends with --plot and gives the lines that were printed. */
async function plotted({ args = VALUES, ...rest }: Setup & Expectation = {}) {
  const { stdout, requests } = await runFixture({
    posts: 1,
    stdout: "any",
    ...rest,
    args: ["--endpoint", "{url}", "--plot", ...args],
  });
  return { stdout: stdout.trimEnd().split("\n"), requests };
}

const isDrawn = (line: string) => line.startsWith("  ");

Deno.test("--plot draws after a send what was accepted, without colour where there is no terminal", async () => {
  await plotted({ stdout: [...BEFORE, ...AFTER, "", ...DRAWN] });
});

Deno.test("without --plot nothing is drawn", async () => {
  await runFixture({
    args: ["--endpoint", "{url}", ...VALUES],
    posts: 1,
    stdout: [...BEFORE, ...AFTER],
  });
});

Deno.test("--plot draws the same when the request is not compressed", async () => {
  const { stdout } = await plotted({ args: [...VALUES, "--compression", "none"] });
  assert.deepEqual(stdout.filter(isDrawn), DRAWN);
});

/** Three series, of 1, 3 and 2 measurements. */
const SERIES = {
  args: ["--input", "-", "--attr-field", "path", "--buckets", "10"],
  stdin: "value,path\n5,/a\n6,/b\n6,/b\n7,/b\n8,/c\n20,/c\n",
};
const LARGE_SERIES = { ...SERIES, args: [...SERIES.args, ...SPLITTABLE_ARGS] };
const titles = (lines: readonly string[]) => lines.filter((line) => line.startsWith(NAME));

Deno.test("--plot draws one block a series, the largest first", async () => {
  const { stdout } = await plotted(SERIES);
  assert.deepEqual(titles(stdout), [`${NAME} path=/b`, `${NAME} path=/c`, `${NAME} path=/a`]);
  assert.equal(stdout.filter((line) => line.startsWith("    estimated p50 ")).length, 3);
});

Deno.test("--plot draws in one what was sent in halves, and of it only what was accepted", async () => {
  const halved = /^WARNING: 413 Content Too Large: resending it in two halves$/;
  const split = await plotted({
    ...LARGE_SERIES,
    answers: [413, 200, 200],
    posts: 3,
    stderr: [halved],
  });
  assert.deepEqual(titles(split.stdout), [`${NAME} path=/b`, `${NAME} path=/c`, `${NAME} path=/a`]);

  const half = await plotted({
    ...LARGE_SERIES,
    answers: [413, 200, 400],
    posts: 3,
    status: 1,
    stderr: [halved, textOf("ERROR", partialMessage(/400/, 6))],
  });
  const accepted = decode(half.requests[1]?.content ?? new Uint8Array()).metrics[0]?.points ?? [];
  const largest = accepted.toSorted((a, b) => Number(b.count) - Number(a.count));
  assert.deepEqual(titles(half.stdout), largest.map((it) => `${NAME} path=${it.attributes.path}`));
  assert.ok(largest.length === 2);
});

for (
  const [what, answers] of [
    ["rejected", [400]],
    ["not delivered", [503]],
  ] as const
) {
  Deno.test(`--plot draws nothing of what was ${what}`, async () => {
    await plotted({
      args: [...VALUES, "--retry-for", "0"],
      answers,
      status: 1,
      stdout: BEFORE,
      stderr: [/^ERROR: 3 measurements not delivered/, repeated(/^ {2}Hint: /)],
    });
  });
}

Deno.test("--plot draws what is delivered late under its own line, once", async () => {
  const { stdout } = await plotted({
    args: [...VALUES, "--loop", "--interval", "0.5", "--iterations", "2", "--retry-for", "0"],
    answers: [503],
    posts: 3,
    stderr: [/^ERROR: 3 measurements not delivered yet: 503 /, repeated(/^ {2}Hint: /)],
  });
  // Before what a loop says at its end of its requests.
  assert.deepEqual(stdout.slice(-2 * DRAWN.length - 5, -1), [
    "[TIME] Iteration 2: Recording measurements...",
    "[TIME] ✓ Sent 3 measurements of iteration 1",
    ...DRAWN,
    "[TIME] ✓ Sent 3 measurements",
    ...DRAWN,
    "Delivered 6 of 6 measurements in 2 sends.",
  ]);
  assert.equal(titles(stdout).length, 2);
});

Deno.test("--plot says that some of what it draws was rejected", async () => {
  const { stdout } = await plotted({
    ...SERIES,
    status: 3,
    stderr: [textOf("ERROR", partialMessage(/rejected 1 of 3 data points: no$/, 6))],
    answers: [{
      headers: { "content-type": "application/x-protobuf" },
      body: partialSuccess(1, "no"),
    }],
  });
  assert.equal(titles(stdout).length, 3);
  assert.equal(
    stdout.at(-1),
    "  (the receiver rejected 1 of these data points without naming them)",
  );
});

Deno.test("--plot draws exponential histograms too", async () => {
  const { stdout } = await plotted({ args: ["--exponential", ...VALUES.slice(2)] });
  assert.deepEqual(stdout.filter(isDrawn).slice(0, 3), DRAWN.slice(0, 3));
  const [, p50, p90, p99] = /^ {4}estimated p50 (\S+), p90 (\S+), p99 (\S+)$/m
    .exec(stdout.join("\n"))?.map(Number) ?? [];
  assert.ok(p50 !== undefined && Math.abs(p50 - 40) < 0.5, `p50 ${p50}`);
  assert.ok(p90 !== undefined && Math.abs(p90 - 61.25) < 0.5, `p90 ${p90}`);
  assert.ok(p99 !== undefined && Math.abs(p99 - 61.25) < 0.5 && p99 <= 61.25, `p99 ${p99}`);
});

Deno.test("--plot draws what the spool held", () =>
  inDirectory(async (cwd) => {
    await using receiver = await startReceiver({ answers: [503] });
    const args = ["--endpoint", "{url}", "--spool", "spool", "--plot"];
    await runFixture({
      args: [...args, "--retry-for", "0", ...VALUES],
      posts: 1,
      status: 1,
      stdout: BEFORE,
      stderr: [/^ERROR: 3 measurements not delivered, kept in spool/, repeated(/^ {2}Hint: /)],
    }, { cwd, receiver });
    const { stdout } = await runFixture({
      args: [...args, "--count", "0"],
      posts: 1,
      stdout: "any",
    }, { cwd, receiver });
    assert.deepEqual(stdout.split("\n").filter(isDrawn), DRAWN);
  }));

Deno.test("--plot shows no token that is among the attributes", async () => {
  const { stdout } = await plotted({ args: [...VALUES, "--attr", `token=${TOKEN}`] });
  assert.match(stdout.join("\n"), /http\.server\.duration \(ms\) token=\S*\*\*\*/);
});

const usage = (args: readonly string[], line: RegExp) =>
  usageError(
    `${args.join(" ")} is a usage error`,
    { args: ["--endpoint", "{url}", ...args] },
    line,
  );

testFixtures([
  usage(["--plot", "--output", "json"], /--plot draws text: remove --output json/),
  usage(["--plot", "--quiet"], /^ERROR: --plot and --quiet cannot be used together/),
  usage(["--plot", "--dry-run", "--output", "json"], /--plot draws text: remove --output json/),
  {
    name: "--plot with --dry-run draws what would be sent on standard error, beside the document",
    args: ["--endpoint", "{url}", "--plot", "--dry-run", ...VALUES],
    requests: 0,
    stdout: "any",
    stderr: DRAWN,
    check({ stdout }) {
      assert.deepEqual(Object.keys(JSON.parse(stdout)), ["resourceMetrics"]);
    },
  },
  {
    name: "--plot with --dry-run draws exponential buckets, too",
    args: ["--plot", "--dry-run", "--exponential", ...VALUES.slice(2)],
    requests: 0,
    stdout: "any",
    stderr: [
      RESOURCE,
      NAME,
      ...DRAWN.slice(2, 3),
      /^ {4}estimated /,
      repeated(/^ +([(].* \d|⋮ \d+ empty buckets)$/, 3),
    ],
  },
  {
    name: "--plot with --dry-run of nothing draws nothing",
    args: ["--plot", "--dry-run", "--input", "-"],
    stdin: "",
    requests: 0,
    stdout: "any",
  },
]);

/** Sends with --plot in a terminal; only what is drawn. */
async function inTerminal(columns: number, options: Pick<Setup, "env" | "dotenv"> = {}) {
  await using receiver = await startReceiver();
  const args = ["--endpoint", receiver.url, "--plot", ...VALUES];
  const { status, lines } = await runInTerminal({ columns, args, ...options });
  assert.equal(status, 0, lines.join("\n"));
  const sent = lines.findIndex((line) => line.includes("Metrics exported"));
  return lines.slice(sent + 2);
}

Deno.test("--plot fills the terminal's width, whatever it is, and goes not beyond it", async () => {
  for (const columns of [40, 100]) {
    const lines = uncolored(await inTerminal(columns));
    assert.equal(Math.max(...lines.map((line) => line.length)), columns);
    assert.ok(lines.includes(`     (10, 50] ${"█".repeat(columns - 16)} 2`), lines.join("\n"));
  }
});

Deno.test("--plot has colours in a terminal, and the text is the same as without", async () => {
  const lines = await inTerminal(80);
  const plain = uncolored(lines);
  assert.deepEqual(plain, DRAWN);
  assert.ok(lines.every((line, i) => [2, 3, 4].includes(i) || line !== plain[i]));
});

Deno.test("--plot has no colours in a terminal when NO_COLOR is set, in .env too", async () => {
  assert.deepEqual(await inTerminal(80, { env: { NO_COLOR: "1" } }), DRAWN);
  assert.deepEqual(await inTerminal(80, { dotenv: "NO_COLOR=1\n" }), DRAWN);
});

Deno.test("--plot takes a NO_COLOR that is empty for one that is not set", async () => {
  const lines = await inTerminal(80, { env: { NO_COLOR: "" } });
  assert.ok(lines.some((line) => line.includes("\x1b[36m█")));
});

Deno.test("demo draws within a terminal's width, without colours when NO_COLOR is set", async () => {
  const { status, lines } = await runInTerminal({
    columns: 50,
    args: ["demo"],
    env: { NO_COLOR: "1" },
  });
  assert.equal(status, 0);
  const drawn = lines.filter(isDrawn);
  assert.ok(drawn.length > 40);
  assert.equal(Math.max(...drawn.map((line) => line.length)), 50);
  assert.deepEqual(lines.filter((line) => line.includes("\x1b")), []);
});

/** Prints of `receive` for requests that are sent to it with these flags, one run after the other. */
async function received(args: readonly string[], ...sends: readonly (readonly string[])[]) {
  await using receiver = await startProgram({
    args: ["receive", "--port", "0", "--requests", String(sends.length), ...args],
  });
  const json = args.includes("json");
  const said =
    await (json
      ? receiver.waitForStderr(/"listening".*\n/)
      : receiver.waitForStdout(/Listening on .*\n/));
  const url = /http:[^\s"]+/.exec(said)?.[0] ?? "";
  for (const flags of sends) {
    await runFixture({
      args: ["--endpoint", url, "--retry-for", "0", ...flags],
      requests: 0,
      // It is the receiver that is looked at.
      status: "any",
      stdout: "any",
      stderr: "any",
    });
  }
  const { status, stdout } = await receiver.finished;
  assert.equal(status, 0);
  return normalized(stdout).trimEnd().split("\n");
}

Deno.test("receive ends with totals over all requests that it answered with 200", async () => {
  const lines = await received(["--respond", "200,503,200"], VALUES, VALUES, VALUES);
  const from = lines.indexOf("Totals of 2 requests:");
  assert.deepEqual(lines.slice(from), [
    "Totals of 2 requests:",
    RESOURCE,
    NAME,
    "    count 6, min 20, max 61.25, sum 242.5",
    ...DRAWN.slice(3, 6),
    `     (10, 50] ${"█".repeat(64)} 4`,
    `    (50, 100] ${"█".repeat(32)} 2`,
    "    (100, +∞) 0",
    "Received 3 requests: 2 data points, 6 measurements, 0 data points rejected",
  ]);
  // Each request is drawn as well, also the one that was turned away.
  assert.equal(lines.filter((line) => line === DRAWN[2]).length, 3);
});

Deno.test("receive adds exponential histograms up as well", async () => {
  const one = ["--exponential", "--value", "1", "--value", "2"];
  const lines = await received([], one, ["--exponential", "--value", "1000"]);
  const from = lines.indexOf("Totals of 2 requests:");
  assert.ok(from > 0);
  assert.equal(lines[from + 3], "    count 3, min 1, max 1000, sum 1003");
  const counts = lines.slice(from + 5, -1).map((line) => / (\d+)$/.exec(line)?.[1] ?? "0");
  assert.equal(counts.reduce((sum, count) => sum + Number(count), 0), 3);
});

Deno.test("receive prints no totals of a single request, and none as JSON", async () => {
  assert.doesNotMatch((await received([], VALUES)).join("\n"), /Totals/);
  const json = await received(["--output", "json"], VALUES, VALUES);
  assert.deepEqual(json.map((line) => JSON.parse(line).type), ["request", "request", "summary"]);
});
