import assert from "node:assert/strict";
import { each, testCases } from "../support/cases.ts";
import { decode } from "../support/decode.ts";
import { lockFile } from "../../src/platform/older_deno.ts";
import { figure } from "../support/figure.ts";
import { type Finished, runProgram, sourceOnly, startProgram } from "../support/program.ts";
import { namedUnless, noLinux } from "../support/tools.ts";
import { type ExportAnswer, type ReceivedRequest, startReceiver } from "../support/receiver.ts";

const BOUNDS = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14400];

interface Ran extends Finished {
  readonly requests: readonly ReceivedRequest[];
}

/** Runs `exec` against a receiver that gives these answers. */
async function exec(
  command: readonly string[],
  { answers = [], flags = [], env = {}, ...options }: {
    readonly answers?: readonly ExportAnswer[];
    readonly flags?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly stdin?: string;
    readonly dotenv?: string;
    readonly files?: Readonly<Record<string, string>>;
  } = {},
): Promise<Ran> {
  await using receiver = await startReceiver({ answers });
  const finished = await runProgram({
    args: ["exec", ...flags, "--", ...command],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env },
    ...options,
  });
  return { ...finished, requests: receiver.requests };
}

/** The one data point of the one metric that was sent. */
function sent({ requests: [request] }: Ran) {
  assert.ok(request !== undefined, "nothing was sent");
  const { metrics: [metric] } = decode(request.content);
  const [point] = metric?.points ?? [];
  assert.ok(metric !== undefined && point !== undefined);
  return { metric, point };
}

const shell = (script: string) => ["sh", "-c", script];

Deno.test("exec sends how long the command took, and prints nothing of its own", async () => {
  const ran = await exec(shell("cat; echo trouble >&2; sleep 0.3; exit 3"), { stdin: "text" });
  assert.deepEqual([ran.status, ran.stdout, ran.stderr], [3, "text", "trouble\n"]);
  assert.equal(ran.requests.length, 1);
  const { metric, point } = sent(ran);
  assert.deepEqual([metric.name, metric.unit, metric.temporality], [
    "process.command.duration",
    "s",
    "delta",
  ]);
  assert.deepEqual(point.attributes, {
    "process.executable.name": "sh",
    "process.exit.code": 3n,
  });
  assert.deepEqual(point.bounds, BOUNDS);
  assert.equal(point.count, 1);
  assert.ok(point.sum !== undefined && point.sum >= 0.3, String(point.sum));
});

Deno.test("exec has --metric, --buckets, --attr and --service as send has", async () => {
  const ran = await exec(["/bin/sh", "-c", "exit 0"], {
    flags: ["--metric=job.duration", "--buckets=1,2", "--attr=job=nightly", "--service=backup"],
  });
  const { metric, point } = sent(ran);
  assert.deepEqual([ran.status, ran.stdout, ran.stderr, metric.name, metric.unit], [
    0,
    "",
    "",
    "job.duration",
    "s",
  ]);
  assert.deepEqual(point.bounds, [1, 2]);
  assert.deepEqual(point.attributes, {
    "process.executable.name": "sh",
    "process.exit.code": 0n,
    job: "nightly",
  });
});

testCases([
  { command: shell("kill -KILL $$"), status: 137, said: /^$/ },
  { command: shell("kill -TERM $$"), status: 143, said: /^$/ },
  {
    command: ["no-such-command"],
    status: 127,
    said:
      /^ERROR: Cannot run "no-such-command": no directory in PATH holds a program of that name$/m,
  },
  {
    command: ["./data.txt"],
    status: 126,
    said: /^ERROR: Cannot run "\.\/data\.txt": it is not an executable file\. /m,
  },
].map(({ command, status, said }) => ({
  name: `exec ends with ${status} after ${command.join(" ")}, and sends it`,
  async run() {
    const ran = await exec(command, { files: { "data.txt": "" } });
    assert.equal(ran.status, status);
    assert.match(ran.stderr, said);
    assert.equal(sent(ran).point.attributes["process.exit.code"], BigInt(status));
  },
})));

Deno.test("exec runs a script that names no interpreter, as a shell does", async () => {
  await using directory = await temporary();
  const path = `${directory.path}/script`;
  await Deno.writeTextFile(path, 'echo "ran $1"\n', { mode: 0o755 });
  const ran = await exec([path, "a b"]);
  assert.deepEqual([ran.status, ran.stdout, ran.stderr], [0, "ran a b\n", ""]);
});

async function temporary() {
  const path = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

each(
  [
    ["no endpoint", [], {}, /^WARNING: .*not sent: Please set DT_ENDPOINT and DT_API_TOKEN/m],
    ["no token", [], { DT_ENDPOINT: "http://127.0.0.1:1" }, /^WARNING: .*DT_API_TOKEN/m],
    ["a flag that makes no sense", ["--retry-for=x"], {}, /^WARNING: .*Invalid --retry-for "x"/m],
    ["an output that makes no sense", ["--output=x"], {}, /^WARNING: .*Invalid --output "x"/m],
    ["no --env-file", ["--env-file=none"], {}, /^WARNING: .*"none": it does not exist/m],
    ["no token file", ["--token-file=none", "--endpoint=http://127.0.0.1:1"], {}, /^WARNING: /m],
    [
      "nobody who listens",
      ["--endpoint=http://127.0.0.1:1", "--retry-for=0"],
      {},
      /^WARNING: 1 measurement not delivered and lost: /m,
    ],
    [
      "nobody who listens, as JSON",
      ["--endpoint=http://127.0.0.1:1", "--retry-for=0", "--output=json"],
      {},
      /^\{"type":"warning","message":"1 measurement not delivered and lost: /m,
    ],
  ] as const,
  ([what]) => `exec runs the command and ends with its status with ${what}, which is a warning`,
  async ([, flags, env, said]) => {
    const ran = await runProgram({
      args: ["exec", ...flags, "--", "sh", "-c", "echo ran; exit 7"],
      env,
    });
    assert.deepEqual([ran.status, ran.stdout], [7, "ran\n"]);
    assert.match(ran.stderr, said);
    assert.doesNotMatch(ran.stderr, /ERROR|"type":"error"/);
  },
);

each(
  [
    [401, /^WARNING: 1 measurement not delivered: 401/m, "15"],
    [400, /^WARNING: 1 measurement not delivered: 400/m, "15"],
    [
      "hang",
      /^WARNING: 1 measurement not delivered and lost: no response before --retry-for was over/m,
      "0.5",
    ],
    // The answer takes longer: 10 ms per byte.
    ["trickle", /WARNING: /, "0.2"],
  ] as const,
  ([answer]) => `exec changes no status when the receiver answers with ${answer}`,
  async ([answer, said, seconds]) => {
    const ran = await exec(shell("exit 9"), {
      answers: Array.from({ length: 20 }, () => answer),
      flags: ["--retry-for", seconds, "--timeout", "60"],
    });
    assert.equal(ran.status, 9);
    assert.match(ran.stderr, said);
  },
);

Deno.test("exec keeps the measurement in --spool, and sends it after the next command", async () => {
  await using directory = await temporary();
  const flags = ["--spool", directory.path, "--retry-for", "0"];
  const first = await exec(["true"], { flags, answers: [503] });
  assert.equal(first.status, 0);
  assert.match(first.stderr, /^WARNING: 1 measurement not delivered, kept in /m);
  const second = await exec(["false"], { flags });
  assert.deepEqual([second.status, second.stderr, second.requests.length], [1, "", 2]);
});

Deno.test("exec sends without a --spool that another process uses, with a warning", async () => {
  await using directory = await temporary();
  const lock = await lockFile(`${directory.path}/lock`);
  assert.ok(lock !== undefined);
  const ran = await exec(["false"], { flags: ["--spool", directory.path] });
  lock.close();
  assert.deepEqual([ran.status, ran.requests.length], [1, 1]);
  assert.match(
    ran.stderr,
    /^WARNING: Another process uses the spool .*\. The data is sent without it\n$/,
  );
});

Deno.test("exec prints nothing about variables that are meant for the command", async () => {
  const ran = await exec(["true"], {
    env: { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    dotenv: "DATABASE_URL=db\n",
  });
  assert.deepEqual([ran.status, ran.stderr, ran.requests.length], [0, "", 1]);
  const bad = await exec(["true"], { dotenv: "no assignment\n" });
  assert.deepEqual([bad.status, bad.requests.length], [0, 1]);
  assert.match(bad.stderr, /^WARNING: line 1 of \.env cannot be read: expected NAME=VALUE\n$/);
});

each(
  [["INTERVAL", "5m"], ["OTLP_HISTOGRAM_HEALTH", "nonsense"]] as const,
  ([name]) => `exec leaves ${name} to the commands that have it`,
  async ([name, value]) => {
    const ran = await exec(["true"], { env: { [name]: value } });
    assert.deepEqual([ran.status, ran.stderr, ran.requests.length], [0, "", 1]);
  },
);

Deno.test("exec prints its JSON on standard error", async () => {
  const ran = await exec(["echo", "hello"], { flags: ["--output", "json"] });
  assert.deepEqual([ran.status, ran.stdout], [0, "hello\n"]);
  const types = ran.stderr.trimEnd().split("\n").map((line) => JSON.parse(line).type);
  assert.deepEqual(types.filter((type) => type !== "note"), ["send", "summary"]);
  const quiet = await exec(["true"], { flags: ["--output", "json", "--quiet"] });
  const shown = quiet.stderr.trimEnd().split("\n").map((line) => JSON.parse(line).type);
  assert.deepEqual(shown.filter((type) => type !== "note"), ["summary"]);
});

each(
  [["true"], [], ["--metric", "a"], ["--"]],
  (args) => `exec needs a command after --: it refuses ${JSON.stringify(args)}`,
  async (args) => {
    const { status, stdout, stderr } = await runProgram({ args: ["exec", ...args] });
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /^ERROR: .*(requires a command after --|has no command after it)/);
  },
);

Deno.test("exec refuses an unknown flag before it runs anything", async () => {
  const { status, stdout, stderr } = await runProgram({
    args: ["exec", "--metrics", "a", "--", "echo", "ran"],
  });
  assert.deepEqual([status, stdout], [2, ""]);
  assert.match(stderr, /^ERROR: Unknown flag --metrics\. Did you mean --metric\?/);
});

/** Part of a script that ends when the program that runs it listens to signals (proc(5), SigCgt: bit 14 is SIGTERM). */
const LISTENING =
  "until [ $((0x$(sed -n 's/^SigCgt:.//p' /proc/$PPID/status) & 0x4000)) -ne 0 ]; " +
  "do sleep 0.02; done";

Deno.test({
  ...namedUnless(noLinux, "exec passes SIGTERM on each time, waits for the command, and sends"),
  async fn() {
    await using receiver = await startReceiver();
    const script = `n=0; trap 'echo got; n=$((n + 1))' TERM; ${LISTENING}; echo ready
    while [ $n -lt 2 ]; do sleep 0.05; done; exit 6`;
    await using program = await startProgram({
      args: ["exec", "--endpoint", receiver.url, "--", "sh", "-c", script],
    });
    await program.waitForStdout("ready");
    program.signal("SIGTERM");
    await program.waitForStdout(/^got$/m);
    program.signal("SIGTERM");
    const { status, stderr } = await program.finished;
    assert.deepEqual([status, stderr, receiver.requests.length], [6, "", 1]);
  },
});

Deno.test("exec ends with the status of its command when a signal ends a send that hangs", async () => {
  await using receiver = await startReceiver({ answers: ["hang", "hang"] });
  await using program = await startProgram({
    args: ["exec", "--endpoint", receiver.url, "--retry-for", "60", "--", "sh", "-c", "exit 6"],
  });
  await receiver.waitForRequests(1);
  program.signal("SIGTERM");
  program.signal("SIGTERM");
  const { status, stderr } = await program.finished;
  assert.equal(status, 6);
  assert.match(stderr, /^WARNING: 1 measurement not delivered and lost: /m);
});

Deno.test({
  ...namedUnless(noLinux, "exec leaves a command alone that ignores SIGHUP, as below nohup"),
  async fn() {
    await using receiver = await startReceiver();
    await using program = await startProgram({
      args: [
        "exec",
        "--endpoint",
        receiver.url,
        "--",
        "sh",
        "-c",
        `${LISTENING}; echo ready; read line; exit 5`,
      ],
      through: ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"],
      stdin: { open: true },
    });
    await program.waitForStdout("ready");
    program.signal("SIGHUP");
    await program.closeStdin();
    assert.equal((await program.finished).status, 5);
  },
});

Deno.test("exec ends soon after its command", async () => {
  const ran = await exec(shell("date +%s%3N"));
  const ms = Date.now() - Number(ran.stdout);
  assert.equal(ran.requests.length, 1);
  await figure(
    `exec${sourceOnly ? ", from source" : ""}: ${ms} ms from its command's end to its own`,
  );
});

const UNREACHABLE = ["--endpoint", "http://127.0.0.1:1"];

if (sourceOnly) {
  each(
    [
      ["send", ...UNREACHABLE, "--retry-for", "0"],
      ["check", ...UNREACHABLE],
      ["plot"],
      ["receive", "--port", "0", "--wait", "0.1"],
      ["demo"],
      ["exec", "--", "true"],
      ["receive", "--", "true"],
    ],
    (args) => `${args.join(" ")} has given up the permission to run programs`,
    async (args) => {
      const main = new URL("../support/run_permission.ts", import.meta.url);
      const { stderr } = await runProgram({ main, args });
      // That it had the permission follows from the other tests of `exec`.
      assert.match(stderr, /^run: (prompt|denied)$/m);
    },
  );
}
