import assert from "node:assert/strict";
import { testCases } from "../support/cases.ts";
import { figure } from "../support/figure.ts";
import { type Finished, runProgram, sourceOnly, startProgram } from "../support/program.ts";
import { missing } from "../support/tools.ts";

const CLIENTS = new URL("../support/clients", import.meta.url).pathname;
const GATE = ["--rules", "dynatrace", "--fail-on", "error", "--expect", "client.duration"];

/** Runs `receive -- COMMAND` with JSON output; returns its last line. */
function summaryOf({ stderr }: Finished): Record<string, unknown> {
  return JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "");
}

/** Posts a data point to the receiver, in the shell. */
const POST =
  `curl -sf "$OTEL_EXPORTER_OTLP_ENDPOINT/v1/metrics" -H 'content-type: application/json' -d '
  {"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"job.duration","unit":"ms","histogram":
  {"aggregationTemporality":1,"dataPoints":[{"count":"1","sum":12.5,"bucketCounts":["0","1"],
  "explicitBounds":[10],"startTimeUnixNano":"1","timeUnixNano":"2"}]}}]}]}]}'`;

interface Case {
  readonly name: string;
  readonly flags: readonly string[];
  readonly command: readonly string[];
  readonly variable?: string;
  readonly status: number;
  readonly said: readonly RegExp[];
  readonly env?: Readonly<Record<string, string>>;
  readonly stdout?: string;
}

const shell = (script: string) => ["sh", "-c", script];

const CASES: readonly Case[] = [
  ...(["JavaScript", "Python"] as const).flatMap((language): Case[] => {
    const isPython = language === "Python";
    const client = (temporality: string) =>
      isPython
        ? [
          ...["env", `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=${temporality}`],
          Deno.env.get("PROMETHEUS_PYTHON") ?? "",
          ...["-m", "pytest", "-q", "-p", "no:cacheprovider", `${CLIENTS}/signals.py`],
        ]
        : [
          Deno.execPath(),
          "run",
          "-q",
          "--cached-only",
          "-A",
          `${CLIENTS}/signals.ts`,
          temporality,
        ];
    const others = [
      /^also receiving traces: discarded$/m,
      /^also receiving logs: discarded$/m,
    ];
    const elsewhere = {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://nobody.invalid/",
      OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: "nonsense",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20secret",
    };
    const needs = isPython ? { variable: "PROMETHEUS_PYTHON" } : {};
    return [
      {
        name: `0 for all signals of the ${language} SDK with deltas`,
        flags: GATE,
        command: client("delta"),
        ...needs,
        env: elsewhere,
        status: 0,
        said: [...others, /^Received 1 request: 1 data point, 1 measurement, /m],
      },
      {
        name: `1 for all signals of the ${language} SDK with cumulative metrics`,
        flags: GATE,
        command: client("cumulative"),
        ...needs,
        status: 1,
        said: [...others, /^✗ --fail-on error: 1 error$/m, /^✗ --expect "client.duration": /m],
      },
    ];
  }),
  {
    name: "0 when the command ends with 0, and has the streams",
    flags: [],
    command: shell("echo hello; echo trouble >&2"),
    status: 0,
    stdout: "hello\n",
    said: [/^trouble$/m, /^Listening on http:\/\/127\.0\.0\.1:(?!4318)\d+\/v1\/metrics$/m],
  },
  {
    name: "1 when no metrics arrived for --fail-on",
    flags: ["--fail-on", "error"],
    command: ["true"],
    status: 1,
    said: [/^✗ --fail-on error: no metrics arrived\. Check /m],
  },
  {
    name: "1 when no metrics arrived for --expect",
    flags: ["--expect", "job.duration"],
    command: ["true"],
    status: 1,
    said: [/^✗ --expect "job\.duration": /m],
  },
  {
    name: "the command's status, though the gate fails too",
    flags: ["--expect", "job.duration"],
    command: shell("exit 3"),
    status: 3,
    said: [/^✗ "sh" ended with exit code 3$/m, /^✗ --expect "job\.duration": /m],
  },
  {
    name: "137 when the command is killed",
    flags: [],
    command: shell("kill -KILL $$"),
    status: 137,
    said: [/^✗ "sh" was ended by SIGKILL: exit code 137$/m],
  },
  {
    name: "127 when the command does not exist",
    flags: [],
    command: ["no-such-command"],
    status: 127,
    said: [/^✗ Cannot run "no-such-command": no directory in PATH holds a program of that name$/m],
  },
  {
    name: "126 when the command is not executable",
    flags: [],
    command: ["./.env"],
    status: 126,
    said: [/^✗ Cannot run "\.\/\.env": it is not an executable file\. /m],
  },
  {
    name: "1 when --wait is over, and the command gets SIGTERM",
    flags: ["--wait", "0.3"],
    command: shell("trap 'echo terminated; exit 0' TERM; sleep 20 & wait"),
    status: 1,
    stdout: "terminated\n",
    said: [/^✗ --wait was over before "sh" ended; it got SIGTERM$/m],
  },
  {
    name: "2 for --requests",
    flags: ["--requests", "1"],
    command: ["echo", "ran"],
    status: 2,
    said: [/^ERROR: --requests .*: remove --requests$/m],
  },
  {
    name: "2 without a command after --",
    flags: [],
    command: [],
    status: 2,
    said: [/^ERROR: -- has no command after it: add one/m],
  },
  {
    name: "its own status, whatever flags the command has",
    flags: ["--expect", "job.duration"],
    command: shell(`${POST} && [ "$1 $2 $3" = "--help --output json" ]`).concat(
      "sh",
      "--help",
      "--output",
      "json",
    ),
    status: 0,
    said: [/^Received 1 request: 1 data point/m],
    stdout: "{}",
  },
  {
    name: "0 when the command leaves a process behind",
    flags: ["--expect", "job.duration"],
    command: shell(`sleep 30 >/dev/null 2>&1 </dev/null & ${POST}`),
    status: 0,
    stdout: "{}",
    said: [/^Received 1 request: 1 data point/m],
  },
];

testCases(CASES.map((it) => ({
  name: `receive -- COMMAND ends with ${it.name}`,
  ignore: it.variable && missing(it.variable),
  async run() {
    const { flags, command, env = {}, status, stdout = "", said } = it;
    const finished = await runProgram({
      args: ["receive", ...flags, "--", ...command],
      env,
      dotenv: "",
      timeoutMs: 40_000,
    });
    const text = `${finished.stdout}\n${finished.stderr}`;
    assert.equal(finished.status, status, text);
    if (it.variable === undefined) assert.equal(finished.stdout, stdout, text);
    for (const line of said) assert.match(finished.stderr, line);
  },
})));

Deno.test("receive -- COMMAND prints its JSON on standard error, with the exit code", async () => {
  const finished = await runProgram({
    args: ["receive", "--output", "json", "--", "sh", "-c", "cat; exit 5"],
    stdin: "from stdin",
  });
  assert.deepEqual([finished.status, finished.stdout], [5, "from stdin"]);
  const { type, requests, otherSignals, exitCode } = summaryOf(finished);
  assert.deepEqual({ type, requests, otherSignals, exitCode }, {
    type: "summary",
    requests: 0,
    otherSignals: 0,
    exitCode: 5,
  });
});

testCases((["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const).map((signal) => ({
  name: `receive -- COMMAND passes ${signal} on each time, and waits for the command`,
  async run() {
    const name = signal.slice(3);
    // Once it answers, the receiver listens to signals too.
    const script =
      `curl -s -o /dev/null "$OTEL_EXPORTER_OTLP_ENDPOINT/readyz"; n=0; trap 'echo got; n=$((n + 1))' ${name}; echo ready
      while [ $n -lt 2 ]; do sleep 0.05; done; exit 6`;
    await using program = await startProgram({ args: ["receive", "--", "sh", "-c", script] });
    await program.waitForStdout("ready");
    program.signal(signal);
    await program.waitForStdout(/^got$/m);
    program.signal(signal);
    assert.equal((await program.finished).status, 6);
  },
})));

Deno.test("receive -- COMMAND ends soon after the command", async () => {
  const finished = await runProgram({
    args: ["receive", "--", "sh", "-c", "date +%s%3N"],
  });
  const ms = Date.now() - Number(finished.stdout);
  assert.ok(ms >= 0);
  await figure(
    `receive -- COMMAND${sourceOnly ? ", from source" : ""}: ${ms} ms after its command`,
  );
});
