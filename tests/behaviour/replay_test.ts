import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { decodeRequest } from "../../src/otlp/decode.ts";
import { fromJsonRequest, toJsonRequest } from "../../src/otlp/json_request.ts";
import { testCases } from "../support/cases.ts";
import { type Fixture, MARK, usageError } from "../support/fixture.ts";
import { like } from "../support/lines.ts";
import { freePort } from "../support/process.ts";
import { runProgram, startProgram } from "../support/program.ts";
import type { ReceivedRequest } from "../support/receiver.ts";
import { startReceiver } from "../support/receiver.ts";
import { runFixture, testFixtures } from "../support/run_fixture.ts";
import { collectorYaml, startCollector } from "../support/collector.ts";

/** Written by the file exporter of collector-contrib 0.165: telemetrygen's metrics, then every type with every field. */
const EXPORTED = await Deno.readTextFile(
  new URL("../support/file_exporter.jsonl", import.meta.url),
);
const LINES = EXPORTED.trimEnd().split("\n");
/** A histogram that has counted nothing. */
const EMPTY = JSON.stringify({
  resourceMetrics: [{
    scopeMetrics: [{
      metrics: [{
        name: "h",
        histogram: { aggregationTemporality: 1, dataPoints: [{ count: "0", bucketCounts: ["0"] }] },
      }],
    }],
  }],
});
const FILES = { "kept.jsonl": EXPORTED };
const REPLAY = ["--endpoint", "{url}", "--replay", "kept.jsonl"];

/** Every request holds what its line holds, field by field. */
function assertSame(requests: readonly ReceivedRequest[], lines: readonly string[]): void {
  assert.deepEqual(
    requests.map(({ content }) => decodeRequest(content)),
    lines.map((line) => fromJsonRequest(line)),
  );
}

function jsonLines(text: string): readonly Record<string, unknown>[] {
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

testFixtures([
  ...(["kept.jsonl", "kept.jsonl.gz", "-"] as const).map((path) => ({
    name: `send --replay ${path} sends what a Collector's file exporter wrote, field by field`,
    args: ["--endpoint", "{url}", "--replay", path, "--output", "json"],
    files: { ...FILES, "kept.jsonl.gz": gzipSync(EXPORTED) },
    ...path === "-" && { stdin: EXPORTED },
    stdout: "any" as const,
    posts: LINES.length,
    foreign: true,
    check({ requests, stdout }: { requests: readonly ReceivedRequest[]; stdout: string }) {
      assertSame(requests, LINES);
      const lines = jsonLines(stdout);
      assert.deepEqual(
        lines.map(({ type, measurements, points }) => [type, measurements, points]).slice(0, -1),
        [[1, 1], [1, 1], [10, 1], [21, 1], [2, 5]].map((it) => ["send", ...it]),
      );
      const { recorded, delivered, sends, exitCode } = lines.at(-1) ?? {};
      assert.deepEqual([recorded, delivered, sends, exitCode], [35, 35, 5, 0]);
    },
  })),
  {
    name: "send --replay says what it does, and how much was delivered",
    args: REPLAY,
    files: { "kept.jsonl": `${LINES[0]}\n` },
    posts: 1,
    foreign: true,
    stdout: [
      "Sending histogram metrics to: http://127.0.0.1:PORT/v1/metrics",
      "Replaying requests, one after the other",
      "Press Ctrl+C to stop...",
      "",
      "[TIME] Iteration 1: Replaying a request...",
      "[TIME] ✓ Sent 1 measurement",
      "Delivered 1 of 1 measurement in 1 send.",
      "Shutdown complete.",
    ],
  },
  ...([[LINES.length, 1], [1, 0]] as const).map(([lines, status]): Fixture => ({
    name: `send --replay that a signal stops at the first of ${lines} requests ends with ${status}`,
    args: [...REPLAY, "--output", "json"],
    files: { "kept.jsonl": LINES.slice(0, lines).join("\n") },
    answers: [{ status: 503, headers: { "retry-after": "2" } }],
    async meanwhile({ program }) {
      await program.waitForStderr("attempt 1 failed");
      program.signal("SIGTERM");
    },
    posts: 2,
    foreign: true,
    status,
    stdout: "any",
    stderr: [
      like({ type: "warning", message: /^attempt 1 failed/ }),
      ...status === 0
        ? []
        : [like({ type: "error", message: "stopped before the end: 1 request was read" })],
    ],
    check({ stdout }) {
      const { recorded, delivered, exitCode } = jsonLines(stdout).at(-1) ?? {};
      assert.deepEqual([recorded, delivered, exitCode], [1, 1, status]);
    },
  })),
  {
    name: "send --replay names lines that are no requests, sends the others and ends with 1",
    args: [...REPLAY, "--output", "json"],
    files: { "kept.jsonl": `{"resourceSpans":[]}\n\n${LINES[2]}\n{"cut` },
    posts: 1,
    foreign: true,
    status: 1,
    stdout: "any",
    stderr: [
      like({
        type: "warning",
        message: /^line 1 not used: it is not an OTLP\/JSON metrics request/,
      }),
      like({
        type: "warning",
        message: /^line 4 not used: it is not an OTLP\/JSON metrics request/,
      }),
    ],
    check({ stdout }) {
      const { recorded, delivered, invalid } = jsonLines(stdout).at(-1) ?? {};
      assert.deepEqual([recorded, delivered, invalid], [10, 10, 2]);
    },
  },
  {
    name: "send --replay tries a request again before the next one",
    args: [...REPLAY, "--quiet"],
    files: FILES,
    answers: [200, 503],
    posts: LINES.length + 1,
    foreign: true,
    stderr: "any",
    check({ requests }) {
      assertSame(requests, [...LINES.slice(0, 2), ...LINES.slice(1)]);
    },
  },
  {
    name: "send --replay ends with 1 for a request without a measurement that was refused",
    args: [...REPLAY, "--output", "json"],
    files: { "kept.jsonl": EMPTY },
    answers: [400],
    posts: 1,
    foreign: true,
    status: 1,
    stdout: "any",
    stderr: "any",
    check({ stdout }) {
      const { recorded, exitCode } = jsonLines(stdout).at(-1) ?? {};
      assert.deepEqual([recorded, exitCode], [0, 1]);
    },
  },
  {
    name: "send --replay sends a request without a measurement",
    args: [...REPLAY, "--quiet"],
    files: { "kept.jsonl": EMPTY },
    posts: 1,
    foreign: true,
    check({ requests }) {
      assertSame(requests, [EMPTY]);
    },
  },
  {
    name: "send --replay --dry-run shows the first request",
    args: ["--replay", "kept.jsonl", "--dry-run"],
    files: FILES,
    posts: 0,
    stdout: "any",
    check({ stdout }) {
      assert.deepEqual(fromJsonRequest(stdout), fromJsonRequest(LINES[0] ?? ""));
    },
  },
  usageError(
    "send --replay refuses a file that does not exist",
    { args: ["--endpoint", "{url}", "--replay", "none.jsonl"] },
    'ERROR: Cannot read the file of --replay, "none.jsonl": it does not exist',
  ),
  {
    name: "send --replay refuses what is packed in another way, and says how to unpack it",
    args: [...REPLAY, "--quiet"],
    files: { "kept.jsonl": Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 4, 5, 6, 7) },
    posts: 0,
    status: 2,
    stderr: [/^ERROR: .*zstd -dc/],
  },
  usageError(
    "send --replay refuses a second source",
    { args: [...REPLAY, "--value", "1"] },
    /^ERROR: --value and --replay cannot be used together/,
  ),
]);

testCases([
  {
    name: "what receive --save kept arrives equal at a second receiver that saves it too",
    async run() {
      const directory = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
      try {
        const received = async (name: string, args: (url: string) => readonly string[]) => {
          await using receiver = await startProgram({
            args: ["receive", "--port", "0", "--save", name],
            cwd: directory,
          });
          const said = await receiver.waitForStdout("Listening on");
          const url = /http:\S+(?=\/v1)/.exec(said)?.[0] ?? "";
          const sent = await runProgram({ args: args(url), cwd: directory });
          assert.equal(sent.status, 0, sent.stderr);
          receiver.signal("SIGINT");
          assert.equal((await receiver.finished).status, 0);
          return await Deno.readTextFile(`${directory}/${name}`);
        };
        const first = await received("first.jsonl", (url) => [
          ...["--endpoint", url, "--loop", "--interval", "0", "--iterations", "3"],
          "--exponential",
        ]);
        const again = (url: string) => ["--endpoint", url, "--replay", "first.jsonl"];
        assert.equal(first.trimEnd().split("\n").length, 3);
        assert.equal(await received("second.jsonl", again), first);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  },
  {
    name: "send --replay ends, even when the receiver saves to the same file",
    async run() {
      await using receiver = await startProgram({
        args: ["receive", "--port", "0", "--save", "kept.jsonl"],
        files: FILES,
      });
      const said = await receiver.waitForStdout("Listening on");
      const url = /http:\S+(?=\/v1)/.exec(said)?.[0] ?? "";
      const args = ["--endpoint", url, "--replay", "kept.jsonl"];
      const { status, stdout } = await runProgram({ args, cwd: receiver.directory });
      assert.equal(status, 0);
      assert.match(stdout, /^Delivered 35 of 35 measurements in 5 sends\.$/m);
      const kept = await Deno.readTextFile(`${receiver.directory}/kept.jsonl`);
      assert.equal(kept.trimEnd().split("\n").length, 2 * LINES.length);
    },
  },
  {
    name: "what send --replay could not deliver is in the spool, and the next start sends it",
    async run() {
      const directory = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
      try {
        await Deno.writeTextFile(`${directory}/kept.jsonl`, `${LINES[2]}\n${LINES[3]}\n`);
        await using receiver = await startReceiver();
        const shared = { cwd: directory, receiver };
        const spool = ["--spool", "spool", "--output", "json"];
        await runFixture({
          args: [...REPLAY, ...spool, "--retry-for", "0"],
          answers: [503, 503, 503, 503],
          posts: "any",
          foreign: true,
          status: 1,
          stdout: "any",
          stderr: "any",
          check({ stdout }) {
            const { recorded, delivered, pending } = jsonLines(stdout).at(-1) ?? {};
            assert.deepEqual([recorded, delivered, pending], [31, 0, 31]);
          },
        }, shared);
        await receiver.stop();
        await receiver.restart();
        const before = receiver.requests.length;
        await runFixture({
          args: ["--endpoint", "{url}", "--count", "0", ...spool],
          posts: "any",
          foreign: true,
          status: "any",
          stdout: "any",
          stderr: "any",
        }, shared);
        const taken = receiver.requests.slice(before).filter(({ answered }) => answered === 200);
        assertSame(taken, LINES.slice(2, 4));
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  },
  {
    name: "receive shows no token of --token-file that somebody puts into names and attributes",
    async run() {
      for (const output of ["text", "json"]) {
        const token = `dt0c01.PUBLIC.${MARK}TOKEN`;
        await using receiver = await startProgram({
          args: ["receive", "--port", "0", "--token-file", "token", "--output", output],
          files: { token },
        });
        const said = output === "json"
          ? await receiver.waitForStderr("listening")
          : await receiver.waitForStdout("Listening on");
        const url = /http:[^\s"]+(?=\/v1)/.exec(said)?.[0] ?? "";
        const secret = `${MARK}TOKEN`;
        const args = ["--value", "1", "--attr", `password=${secret}`, "--attr", `${secret}=1`];
        const { status } = await runProgram({
          args: ["--endpoint", `${url}/${secret}`, ...args, "--resource", `key=${secret}`],
          env: { OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Api-Token ${token}` },
        });
        assert.equal(status, 0);
        receiver.signal("SIGINT");
        const { stdout, stderr } = await receiver.finished;
        assert.match(stdout, /password|attributes/);
        assert.doesNotMatch(stdout + stderr, new RegExp(MARK));
      }
    },
  },
]);

// Not one of the tools that every machine has: where it is missing, the file that it wrote once stands for it.
if (Deno.env.get("OTELCOL_CONTRIB") === undefined) {
  console.info(
    "left out: send --replay beside a Collector's own file exporter and receiver, OTELCOL_CONTRIB is not set",
  );
} else {
  Deno.test("what a Collector's file exporter writes is replayed, and what receive saves it reads", async () => {
    const directory = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
    try {
      await Deno.writeTextFile(`${directory}/kept.jsonl`, EXPORTED);
      const port = freePort();
      {
        await using _ = await startCollector(
          collectorYaml(port, "file", `{path: "${directory}/exported.jsonl"}`),
        );
        const args = ["--endpoint", `http://127.0.0.1:${port}`, "--replay", "kept.jsonl"];
        assert.equal((await runProgram({ args, cwd: directory })).status, 0);
      }
      const exported = await Deno.readTextFile(`${directory}/exported.jsonl`);
      assert.deepEqual(
        exported.trimEnd().split("\n").map(fromJsonRequest),
        LINES.map(fromJsonRequest),
      );

      await using saver = await startProgram({
        args: ["receive", "--port", "0", "--save", "saved.jsonl"],
        cwd: directory,
      });
      const url = /http:\S+(?=\/v1)/.exec(await saver.waitForStdout("Listening on"))?.[0] ?? "";
      const args = ["--endpoint", url, "--replay", "exported.jsonl"];
      assert.equal((await runProgram({ args, cwd: directory })).status, 0);
      saver.signal("SIGINT");
      await saver.finished;
      await using receiver = await startReceiver();
      await using _ = await startCollector(
        `receivers: { otlp_json_file: { include: ["${directory}/saved.jsonl"], start_at: beginning, poll_interval: 50ms, include_file_name: false } }
exporters: { otlp_http: { endpoint: "${receiver.url}" } }
service: { telemetry: { metrics: { level: none } }, pipelines: { metrics: { receivers: [otlp_json_file], exporters: [otlp_http] } } }`,
      );
      const requests = await receiver.waitForRequests(LINES.length);
      // It sends several at once.
      const read = requests.map(({ content }) =>
        JSON.stringify(toJsonRequest(decodeRequest(content)))
      );
      const saved = await Deno.readTextFile(`${directory}/saved.jsonl`);
      assert.deepEqual(read.sort(), saved.trimEnd().split("\n").sort());
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}
