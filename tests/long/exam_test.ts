import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { decodeResponse, decodeStatus } from "../../src/otlp/decode.ts";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { atLeastOne, each } from "../support/cases.ts";
import { EXAM_NAMES, examVerdicts, startExam } from "../support/exam.ts";
import { usageError } from "../support/fixture.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { commandLine, runProgram, startProgram } from "../support/program.ts";

const LOOP = ["--loop", "--interval", "0.3", "--timeout", "1", "--duration", "15"];

each(
  [{ how: "in a loop", flags: [] }, { how: "with a spool", flags: ["--spool", "spool"] }],
  ({ how }) => `send ${how} passes every case of receive --exam, which then ends with 0`,
  async ({ flags }) => {
    await using exam = await startExam("--output", "json");
    await using send = await startProgram({
      args: ["--endpoint", exam.url, "--value", "12.5", ...LOOP, ...flags],
    });
    const { status, stdout } = await exam.program.finished;
    send.signal("SIGTERM");
    const verdicts = examVerdicts(stdout);
    assert.deepEqual(
      verdicts.map(({ name, ok }) => [name, ok]),
      EXAM_NAMES.map((name) => [name, true]),
      JSON.stringify(verdicts, null, 1),
    );
    assert.equal(status, 0);
    await send.finished;
  },
);

/** A request that differs from others in its time alone, as the next of a cumulative exporter does. */
function request(time: number): Uint8Array<ArrayBuffer> {
  const dataPoints = [1, 2].map((value) => ({
    timeUnixNano: BigInt(time),
    attributes: [{
      key: "n",
      value: { value: { case: "intValue" as const, value: BigInt(value) } },
    }],
    count: 1n,
    sum: 12.5,
    bucketCounts: [1n],
  }));
  const value = { aggregationTemporality: AggregationTemporality.DELTA, dataPoints };
  const metrics = [{ name: "client.duration", data: { case: "histogram" as const, value } }];
  return toBinary(
    ExportMetricsServiceRequestSchema,
    create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: [{ scopeMetrics: [{ metrics }] }],
    }),
  );
}

async function post(url: string, body: BodyInit, headers: Record<string, string> = {}) {
  return await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/x-protobuf", ...headers },
    body,
    signal: AbortSignal.timeout(1000),
  });
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}

Deno.test("receive --exam answers each new request with the next trouble, and fails an exporter that reacts wrongly", async () => {
  await using exam = await startExam();
  const unavailable = await post(exam.url, request(1));
  assert.equal(unavailable.status, 503);
  assert.equal(decodeStatus(await bytesOf(unavailable)).message, "exam: 503");
  const busy = await post(exam.url, request(2));
  assert.equal(busy.status, 429);
  assert.equal(busy.headers.get("Retry-After"), "2");
  await busy.body?.cancel();
  for (const [number, status] of [[3, 400], [4, 500]] as const) {
    const refused = await post(exam.url, request(number));
    assert.equal(refused.status, status);
    await refused.body?.cancel();
  }
  const partial = await post(exam.url, request(5));
  assert.equal(partial.status, 200);
  assert.equal(decodeResponse(await bytesOf(partial)).partialSuccess?.rejectedDataPoints, 1n);
  assert.equal(await rawAnswer(exam.url, request(6)), "");
  const gzip = await rawAnswer(exam.url, request(7));
  assert.match(gzip, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(gzip, /^content-encoding: gzip\r$/mi);
  assert.match(gzip, /^content-length: 0\r$/mi);
  assert.match(gzip, /\r\n\r\n$/);
  const empty = await post(exam.url, request(8));
  assert.equal(empty.status, 204);
  await assert.rejects(post(exam.url, request(9)), { name: "TimeoutError" });

  // A request that is sent again is recognised in another encoding as well, and judged as usual.
  for (const number of [2, 3, 4, 5, 7, 8]) {
    const packed = new Blob([request(number)]).stream().pipeThrough(new CompressionStream("gzip"));
    const body = await new Response(packed).arrayBuffer();
    const again = await post(exam.url, body, { "Content-Encoding": "gzip" });
    assert.equal(again.status, 200);
    assert.equal(decodeResponse(await bytesOf(again)).partialSuccess, undefined);
  }
  const { status, stdout } = await exam.program.finished;
  assert.equal(status, 1);
  const lines = stdout.split("\n");
  assert.ok(lines.includes("Exam: 0 passed, 9 failed, 0 undecided"), stdout);
  for (const name of atLeastOne(EXAM_NAMES)) {
    assert.ok(lines.some((line) => line.startsWith(`  ✗ ${name}: The exporter `)), name);
  }
  assert.match(
    stdout,
    /^ {2}✗ reset: .* within \d+\.\d s after the connection broke\..*data was lost/m,
  );
  assert.match(stdout, /^ {2}✗ status-204: .* again .* after 204\..* counted twice\.$/m);
  assert.match(stdout, /^✗ --exam: 9 cases failed: retry-503, .*, no-answer$/m);
});

/** The bytes that come back before the server closes the connection. */
async function rawAnswer(url: string, body: Uint8Array): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const head = `POST /v1/metrics HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\n` +
    `Content-Type: application/x-protobuf\r\nContent-Length: ${body.length}\r\n\r\n`;
  await connection.write(new Uint8Array([...new TextEncoder().encode(head), ...body]));
  const text = new TextDecoder();
  const buffer = new Uint8Array(4096);
  for (let answer = "";;) {
    const read = await connection.read(buffer);
    if (read === null) return answer;
    answer += text.decode(buffer.subarray(0, read), { stream: true });
  }
}

Deno.test("receive --exam ends with 0 on a signal, and leaves undecided what it could not see", async () => {
  await using exam = await startExam("--output", "json");
  // The first is repeated, the sixth gets a broken connection, the ninth no answer.
  for (const number of [1, 1, 2, 3, 4, 5]) await bytesOf(await post(exam.url, request(number)));
  // fetch would repeat it by itself.
  assert.equal(await rawAnswer(exam.url, request(6)), "");
  for (const number of [7, 8]) await bytesOf(await post(exam.url, request(number)));
  const unanswered = assert.rejects(post(exam.url, request(9)));
  await exam.program.waitForStdout(/(?:"status":null.*){2}/s);
  exam.program.signal("SIGTERM");
  const { status, stdout } = await exam.program.finished;
  await unanswered;
  assert.equal(status, 0);
  const verdicts = examVerdicts(stdout);
  assert.deepEqual(
    verdicts.map(({ ok }) => ok),
    EXAM_NAMES.map((name) => name === "retry-503" ? true : null),
  );
  assert.match(
    verdicts[1]?.detail ?? "",
    /^The run ended \d\.\d s after 429 .*, too early for a verdict\.$/,
  );
  assert.match(
    verdicts.at(-1)?.detail ?? "",
    /^The exporter was still waiting when the run ended, /,
  );
  assert.equal(JSON.parse(stdout.trim().split("\n").at(-1) ?? "").type, "summary");
});

Deno.test("receive --exam -- COMMAND ends COMMAND when every case has its verdict, and ends as the gate says", async () => {
  const { status, stderr } = await runProgram({
    args: ["receive", "--exam", "--output", "json", "--", ...commandLine(), "--quiet", ...LOOP],
    timeoutMs: 60_000,
  });
  const lines = stderr.split("\n").filter((line) => line.startsWith('{"type":"exam"'));
  assert.deepEqual(
    examVerdicts(lines.join("\n")).map(({ name, ok }) => [name, ok]),
    EXAM_NAMES.map((name) => [name, true]),
  );
  assert.equal(status, 0, stderr);
});

testFixtures([
  usageError(
    "receive --exam does not go with --respond",
    { args: ["receive", "--exam", "--respond", "503"] },
    "ERROR: --exam and --respond cannot be used together: remove one of them",
  ),
]);
