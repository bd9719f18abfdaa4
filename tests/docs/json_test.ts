import assert from "node:assert/strict";
import { startDynatrace } from "../support/fake_dynatrace.ts";
import { freePort } from "../support/process.ts";
import { type ProgramOptions, runProgram, startProgram } from "../support/program.ts";
import { startReceiver } from "../support/receiver.ts";
import { documentedLines, problemsOf } from "./json_page.ts";
import { fileOf } from "./markdown.ts";

type Line = Readonly<Record<string, unknown>>;

/** Keys that follow in the steps of `check`: a table of docs/json.md of its own. */
const CHECK_FACTS =
  "url setting source proxy timeoutMs host addresses port connections status server histogramBuckets"
    .split(" ");

function linesOf(text: string): readonly Line[] {
  return text.split("\n").filter((line) => line !== "").map((line): Line => JSON.parse(line));
}

/** Runs the program, and compares each line that it prints with docs/json.md; returns the kinds of lines. */
async function compare(
  options: ProgramOptions & { readonly args: readonly string[] },
): Promise<ReadonlySet<string>> {
  const { stdout, stderr } = await runProgram({
    ...options,
    args: [...options.args, "--output", "json"],
  });
  const command = commandOf(options.args);
  return compareLines(command, linesOf(stdout + stderr));
}

function commandOf([first = ""]: readonly string[]): string {
  return first.startsWith("-") ? "send" : first;
}

async function compareLines(command: string, lines: readonly Line[]): Promise<ReadonlySet<string>> {
  const documented = await documentedLines();
  const kinds = new Set<string>();
  for (const line of lines) {
    const type = String(line["type"]);
    const name = documented.has(`${command} ${type}`) ? `${command} ${type}` : type;
    const keys = documented.get(name);
    assert.ok(keys !== undefined, `docs/json.md has no line ${command} ${type}`);
    assert.deepEqual(problemsOf(line, keys, name === "check step" ? CHECK_FACTS : []), [], name);
    kinds.add(name);
  }
  return kinds;
}

const TOKEN = `dt0c01.${"A".repeat(24)}.${"B".repeat(64)}`;

Deno.test("docs/json.md has the lines of send", async () => {
  await using receiver = await startReceiver({ answers: [503] });
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
  const retry = ["--retry-for", "0", "--loop", "--interval", "0.5", "--iterations", "2"];
  // Twenty values in one bucket get a warning.
  const values = Array.from({ length: 20 }, () => ["--value", "1"]).flat();
  const kinds = await compare({ args: [...values, ...retry], env });
  const expected = ["error", "note", "send late", "send send", "send summary", "warning"];
  assert.deepEqual([...kinds].sort(), expected);
  assert.ok((await compare({ args: ["--value", "1", "--verbose"], env })).has("debug"));
  const phases = ["--scenario", "latency-incident", "--seed", "1"];
  assert.deepEqual([...await compare({ args: phases, env })].sort(), ["send send", "send summary"]);
});

Deno.test("docs/json.md has the lines of check, with the facts of its steps", async () => {
  await using receiver = await startReceiver();
  const kinds = await compare({
    args: ["check"],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
  });
  assert.deepEqual([...kinds].sort(), ["check step", "check summary"]);
  const page = await Deno.readTextFile(fileOf("docs/json.md"));
  for (const fact of CHECK_FACTS) assert.ok(page.includes(`\`${fact}\``), fact);
});

Deno.test("docs/json.md has the lines of verify, alone and repeated", async () => {
  await using environment = startDynatrace();
  const env = {
    DT_ENDPOINT: `${environment.url}/api/v2/otlp`,
    DT_API_TOKEN: TOKEN,
    DT_QUERY_TOKEN: TOKEN.replace("dt0c01", "dt0s16"),
  };
  const args = ["verify", "--backend", "grail", "--query-url", environment.url];
  const LINES = ["verify step", "verify summary"];
  for (
    const [more, expected] of [
      [[], LINES],
      [["--repeat", "2", "--interval", "0.1"], LINES],
      [["--verbose"], ["verify answer", "verify query", ...LINES]],
    ] as const
  ) {
    const kinds = await compare({ args: [...args, ...more], env, timeoutMs: 60_000 });
    assert.deepEqual([...kinds].sort(), expected);
  }
  const down = ["verify", "--verbose", "--query-url", `http://127.0.0.1:${freePort()}`];
  const kinds = await compare({ args: down, env, timeoutMs: 60_000 });
  assert.deepEqual([...kinds].sort(), [
    "error",
    "verify answer",
    "verify query",
    "verify summary",
  ]);
});

Deno.test("docs/json.md has the lines of receive, of a gate and of an exam", async () => {
  for (
    const flags of [["--fail-on", "error", "--ignore", "path", "--ui"], ["--exam", "--wait", "2"]]
  ) {
    await using receiver = await startProgram({
      args: ["receive", "--port", "0", "--output", "json", ...flags],
    });
    const started = await receiver.waitForStderr(/http:\/\/\S+\/v1\/metrics/);
    const [url = ""] = /http:\/\/[^\s"]+\/v1\/metrics/.exec(started) ?? [];
    for (const path of ["", "x"]) {
      const response = await fetch(url + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":' +
          '{"dataPoints":[{"asInt":"7","timeUnixNano":"1"}]}}]}]}]}',
      });
      await response.body?.cancel();
    }
    receiver.signal("SIGTERM");
    const { stdout, stderr } = await receiver.finished;
    const kinds = await compareLines("receive", linesOf(stdout + stderr));
    const expected = ["receive listening", "receive request", "receive summary"];
    assert.deepEqual(
      [...kinds].sort(),
      flags.includes("--exam") ? ["receive exam", ...expected] : expected,
    );
  }
});

Deno.test("docs/json.md has the lines of plot and diff", async () => {
  const plotted = await compare({
    args: ["plot", "--input", fileOf("examples/jobs.csv"), "--value-field", "duration_ms"]
      .concat("--suggest-buckets"),
  });
  assert.deepEqual([...plotted].sort(), ["plot histogram", "plot suggestion", "warning"]);
  assert.deepEqual(
    [...await compare({ args: ["plot", "--scenario", "latency-incident", "--seed", "1"] })],
    ["plot histogram"],
  );
  const request = (count: number) =>
    JSON.stringify({
      resourceMetrics: [{
        scopeMetrics: [{
          metrics: [{
            name: "m",
            histogram: {
              aggregationTemporality: 1,
              dataPoints: [{ count, bucketCounts: [count, 0], explicitBounds: [5] }],
            },
          }],
        }],
      }],
    });
  const compared = await compare({
    args: ["diff", "a.jsonl", "b.jsonl"],
    files: { "a.jsonl": request(1), "b.jsonl": request(2) },
  });
  assert.deepEqual([...compared].sort(), ["diff difference", "diff summary"]);
});

Deno.test("docs/json.md has the line of merge-summaries", async () => {
  await using receiver = await startReceiver();
  const { stdout } = await runProgram({
    args: ["--value", "1", "--output", "json"],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
  });
  const merged = await runProgram({
    args: ["merge-summaries", "a.log", "--output", "json"],
    files: { "a.log": stdout },
  });
  const documented = await documentedLines();
  const keys = new Map([
    ...documented.get("send summary") ?? [],
    ...documented.get("merge-summaries summary") ?? [],
  ]);
  const [line = {}] = linesOf(merged.stdout);
  // Its processes may have no histogram and no start in common.
  assert.deepEqual(problemsOf({ ...line, shard: null }, keys), []);
});
