import assert from "node:assert/strict";
import type { Setup } from "../support/fixture.ts";
import { partialSuccess } from "../support/decode.ts";
import { type Program, startProgram } from "../support/program.ts";
import { runFixture } from "../support/run_fixture.ts";
import { DRIVES_A_TERMINAL } from "../support/terminal.ts";

/**
 * Text from outside that would colour and clear a terminal, turn its line around, break it, and be a command of a GitHub
 * workflow: at the start of a line of its own (`::`) and anywhere in one (`##[`). JSON.stringify() leaves most of it alone.
 */
const EVIL = "pwned\x1b[31m\x9b2J\u202e\u2028\n::error::pwned\n\u3000::error::pwned ##[error]pwned";
/** The same without line ends, for what is one line, and with half a character, which only JSON can spell. */
const LINE = EVIL.replaceAll("\n", " ");
const HALF = `"::error::pwned\\ud800${JSON.stringify(EVIL).slice(1)}`;

const WORKFLOW_COMMAND = /^\s*::|##\[/m;

function assertHarmless(text: string): void {
  assert.match(text, /pwned/, "what came from outside is shown");
  assert.doesNotMatch(text, DRIVES_A_TERMINAL);
  assert.doesNotMatch(text, WORKFLOW_COMMAND);
}

function assertJson(text: string): void {
  for (const line of text.split("\n")) if (line !== "") assert.doesNotThrow(() => JSON.parse(line));
}

const url = ["--endpoint", "{url}"];
const protobuf = { "content-type": "application/x-protobuf" };

interface Run extends Setup {
  readonly args: readonly string[];
  /** Where it is not both of them. */
  readonly formats?: readonly ("text" | "json")[];
}

const RUNS: Readonly<Record<string, Run>> = {
  "send: a value that is no number": {
    args: [...url, "--input", "-"],
    stdin: `{"value":${HALF}}\n`,
  },
  "send: an attribute with many values": {
    args: [...url, "--input", "-", "--attr-field", LINE],
    stdin: Array.from(
      { length: 1100 },
      (_, i) => `${JSON.stringify({ value: 1, [LINE]: `${i}${EVIL}` })}\n`,
    ).join(""),
  },
  "send: drawn names and values": {
    args: [...url, "--input", "-", "--plot", "--metric", "a", "--unit", LINE],
    stdin: `{"value":1,"attributes":{${HALF}:${HALF}}}\n`,
    formats: ["text"],
  },
  "send: a dry run": {
    args: ["--dry-run", "--input", "-", "--service", LINE],
    stdin: `{"value":1,"attributes":{${HALF}:${HALF}}}\n`,
    formats: ["text"],
  },
  "send: a refusal": { args: url, answers: [{ status: 400, body: EVIL }] },
  "send: a retry": { args: [...url, "--retry-for", "0"], answers: [{ status: 503, body: EVIL }] },
  "send: a partial success": {
    args: url,
    answers: [{ headers: protobuf, body: partialSuccess(1, EVIL) }],
  },
  "send: a warning of the receiver": {
    args: url,
    answers: [{ headers: protobuf, body: partialSuccess(0, EVIL) }],
  },
  "send: what --verbose shows": {
    args: [...url, "--verbose"],
    answers: [{ status: 400, body: EVIL }],
  },
  "send: a file in the spool": {
    args: [...url, "--spool", "kept"],
    files: { [`kept/${LINE.replaceAll("/", "")}`]: "" },
  },
  "send: the name of an input": { args: [...url, "--input", LINE] },
  "send: a replay": { args: [...url, "--replay", "-"], stdin: `${LINE}\n{"a":${HALF}}\n` },
  "send: a scenario": {
    args: [...url, "--scenario", "s.json"],
    files: { "s.json": `{"metrics":[{"name":${HALF},${HALF}:1}]}` },
  },
  "send: a scrape": {
    args: [...url, "--scrape", "{url}", "--loop", "--interval", "0.1", "--iterations", "1"],
    answers: [{
      status: 200,
      headers: { "content-type": "text/plain" },
      body: `# TYPE a histogram\na_bucket{le="+Inf",b="${LINE}"} 1\na_count{b="${LINE}"} 2\n`,
    }, { status: 404 }],
  },
  "send: a flag's value": { args: [...url, "--timeout", EVIL] },
  "send: a variable": { args: [], env: { DT_ENDPOINT: EVIL } },
  "send: a line of .env": { args: url, dotenv: `INTERVAL='${EVIL}'\n`, env: {} },
  "plot: a value that is no number": {
    args: ["plot", "--input", "-"],
    stdin: `{"value":${HALF}}\n`,
  },
  "plot: names, values and a unit": {
    args: ["plot", "--input", "-", "--metric", EVIL, "--unit", EVIL, "--suggest-buckets", "2"],
    stdin: `{"value":1,"attributes":{${HALF}:${HALF}}}\n{"value":7}\n`,
  },
  "plot: the name of an input": { args: ["plot", "--input", LINE] },
  "check: a refusal": { args: ["check", ...url], answers: [{ status: 400, body: EVIL }] },
  "check: a web page": {
    args: ["check", ...url],
    answers: [{ status: 200, headers: { "content-type": "text/plain" }, body: EVIL }],
  },
  "check: a canary that is refused": {
    args: ["check", "--canary", ...url],
    answers: [200, { status: 400, body: EVIL }],
  },
  "check: a URL": { args: ["check", "--endpoint", EVIL] },
  "receive: a flag": { args: ["receive", "--port", EVIL] },
  "receive: a file": { args: ["receive", "--token-file", LINE] },
};

for (const [name, { formats = ["text", "json"], ...run }] of Object.entries(RUNS)) {
  for (const format of formats) {
    Deno.test(`foreign text does nothing to a terminal or a workflow: ${name}, ${format}`, async () => {
      const { program } = await runFixture({
        ...run,
        args: [...run.args, ...format === "json" ? ["--output", "json"] : []],
        status: "any",
        stdout: "any",
        stderr: "any",
        posts: "any",
        ambiguous: true,
        foreign: true,
      });
      const printed = program.stdout + program.stderr;
      assertHarmless(printed);
      if (name.endsWith("a value that is no number")) assert.match(printed, /\\ud800/);
      if (format === "json") assertJson(printed);
    });
  }
}

for (const format of ["text", "json"] as const) {
  for (const annotates of [false, true]) {
    const where = annotates ? "in GitHub Actions" : "elsewhere";
    Deno.test(`foreign text does nothing to a terminal or a workflow: receive, ${format}, ${where}`, async () => {
      const args = ["receive", "--port", "0", "--requests", "2", "--fail-on", "warning"];
      await using program = await startProgram({
        args: [...args, "--expect", EVIL, "--output", format],
        env: annotates ? { GITHUB_ACTIONS: "true" } : {},
      });
      const target = await listening(program, format);
      const json = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":${HALF},"unit":${HALF},
        "histogram":{"aggregationTemporality":1,"dataPoints":[{"count":"1","sum":1,"bucketCounts":["1"],
        "attributes":[{"key":${HALF},"value":{"stringValue":${HALF}}}]}]}}]}]}]}`;
      for (const path of ["", `/${encodeURIComponent(LINE)}##[error]pwned`]) {
        const response = await fetch(target + path, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: json,
        });
        await response.body?.cancel();
      }
      const { status, stdout, stderr } = await program.finished;
      assert.equal(status, 1);
      const all = (stdout + stderr).split("\n");
      const annotations = all.filter((line) => /^::(error|warning) title=[^:]*::/.test(line));
      assert.equal(annotations.length > 0, annotates);
      assert.doesNotMatch(annotations.join("\n"), DRIVES_A_TERMINAL);
      const others = all.filter((line) => !annotations.includes(line)).join("\n");
      assertHarmless(others);
      if (format === "json") assertJson(others);
    });
  }
}

async function listening(program: Program, format: "text" | "json"): Promise<string> {
  const text = format === "json"
    ? await program.waitForStderr("listening")
    : await program.waitForStdout("Listening on");
  return /https?:\/\/[^\s"]+/.exec(text)?.[0] ?? "";
}
