import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { decodeResponse, decodeStatus } from "../../src/otlp/decode.ts";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { createAuthority } from "../support/certificates.ts";
import { MARK, TOKEN } from "../support/fixture.ts";
import { normalized } from "../support/lines.ts";
import { type Finished, type Program, runProgram, startProgram } from "../support/program.ts";
import { assertNoSecret } from "../support/run_fixture.ts";

/** A receiver that is running: where it listens, and a client of its own. */
interface Listening extends AsyncDisposable {
  readonly program: Program;
  readonly url: string;
  post(body: Uint8Array<ArrayBuffer>, init?: Init): Promise<ExportAnswer>;
  /** What it had printed when it ended, times and ports replaced. */
  finished(): Promise<Finished>;
}
interface Init {
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly url?: string;
}
interface ExportAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

async function receive(
  args: readonly string[],
  options: { readonly files?: Readonly<Record<string, string>>; readonly ca?: string } = {},
): Promise<Listening> {
  const program = await startProgram({
    args: ["receive", "--port", "0", ...args],
    files: options.files ?? {},
  });
  const json = args.includes("json");
  const said = json
    ? await program.waitForStderr("listening")
    : await program.waitForStdout("Listening on");
  const url = /https?:\/\/[^\s"]+/.exec(said)?.[0] ?? "";
  const client = Deno.createHttpClient(options.ca === undefined ? {} : { caCerts: [options.ca] });
  return {
    program,
    url,
    async post(body, init = {}) {
      const { method = "POST" } = init;
      const response = await fetch(init.url ?? url, {
        method,
        ...method === "POST" && { body },
        headers: { "content-type": "application/x-protobuf", ...init.headers },
        client,
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { status: response.status, headers: response.headers, body: bytes };
    },
    async finished() {
      const finished = await program.finished;
      assertNoSecret(finished);
      const plain = (text: string) =>
        normalized(text).replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT");
      return { ...finished, stdout: plain(finished.stdout), stderr: plain(finished.stderr) };
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await program[Symbol.asyncDispose]();
    },
  };
}

const POINT = {
  startTimeUnixNano: 1n,
  timeUnixNano: 2n,
  count: 3n,
  sum: 120.5,
  min: 20,
  max: 61.25,
  bucketCounts: [0n, 2n, 1n, 0n],
  explicitBounds: [10, 50, 100],
};

/** An export request of one histogram. */
function request(...points: readonly Partial<typeof POINT>[]): Uint8Array<ArrayBuffer> {
  return toBinary(
    ExportMetricsServiceRequestSchema,
    create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: [{
        resource: { attributes: [text("service.name", "shop")] },
        scopeMetrics: [{
          metrics: [{
            name: "http.server.duration",
            unit: "ms",
            data: {
              case: "histogram",
              value: {
                aggregationTemporality: AggregationTemporality.DELTA,
                dataPoints: points.map((point) => ({
                  ...POINT,
                  ...point,
                  attributes: [text("http.method", "GET")],
                })),
              },
            },
          }],
        }],
      }],
    }),
  );
}

function text(key: string, value: string) {
  return { key, value: { value: { case: "stringValue" as const, value } } };
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

function requestJson(different: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    type: "request",
    time: "TIME",
    path: "/v1/metrics",
    status: 200,
    outcome: "accepted",
    points: 1,
    measurements: 3,
    rejectedPoints: 0,
    bytes: "N",
    problems: [],
    ...different,
  });
}

function summaryJson(
  requests: number,
  points: number,
  measurements: number,
  rejectedPoints = 0,
): string {
  return JSON.stringify({ type: "summary", requests, points, measurements, rejectedPoints });
}

Deno.test("receive draws each histogram with its figures and buckets", async () => {
  await using receiver = await receive(["--requests", "1"]);
  assert.match(receiver.url, /^http:\/\/127\.0\.0\.1:[1-9]\d*\/v1\/metrics$/);
  assert.equal(
    (await receiver.post(await gzip(request(POINT)), {
      headers: { "content-encoding": "gzip" },
    })).status,
    200,
  );
  const { status, stdout, stderr } = await receiver.finished();
  assert.deepEqual({ status, stderr, stdout: stdout.trimEnd().split("\n") }, {
    status: 0,
    stderr: "",
    stdout: [
      "Listening on http://127.0.0.1:PORT/v1/metrics",
      "[TIME] POST /v1/metrics 200 accepted: N bytes, 1 data point, 3 measurements",
      "  resource service.name=shop",
      "  http.server.duration (ms) http.method=GET",
      "    count 3, min 20, max 61.25, sum 120.5",
      "    estimated p50 42.5, p90 57.875, p99 60.9125",
      "     (-∞, 10] 0",
      `     (10, 50] ${"█".repeat(64)} 2`,
      `    (50, 100] ${"█".repeat(32)} 1`,
      "    (100, +∞) 0",
      "Received 1 request: 1 data point, 3 measurements, 0 data points rejected",
    ],
  });
});

Deno.test("receive --output json prints a line a request and the summary, keys in their order", async () => {
  await using receiver = await receive(["--output", "json", "--requests", "2"]);
  await receiver.post(request(POINT));
  const partial = await receiver.post(request(POINT, { ...POINT, bucketCounts: [3n] }), {
    url: receiver.url.replace("/v1/metrics", "/otlp/v1/metrics?key=value"),
  });
  assert.equal(partial.status, 200);
  const { partialSuccess } = decodeResponse(partial.body);
  assert.equal(partialSuccess?.rejectedDataPoints, 1n);
  const { status, stdout, stderr } = await receiver.finished();
  assert.equal(status, 0);
  assert.match(
    stderr,
    /^\{"type":"listening","url":"http:\/\/127\.0\.0\.1:PORT\/v1\/metrics"\}\n$/,
  );
  const [first, second, summary] = stdout.split("\n");
  assert.equal(first, requestJson());
  const problem = JSON.parse(second ?? "").problems[0];
  assert.deepEqual(Object.keys(problem), ["rule", "level", "metric", "message"]);
  assert.equal(problem.level, "error");
  assert.equal(problem.metric, "http.server.duration");
  assert.equal(
    second,
    requestJson({
      path: "/otlp/v1/metrics",
      outcome: "partial",
      points: 2,
      measurements: 6,
      rejectedPoints: 1,
      problems: [problem],
    }),
  );
  assert.match(
    summary ?? "",
    /^\{"type":"summary","requests":2,"points":3,"measurements":9,"rejectedPoints":1\}$/,
  );
});

Deno.test("receive refuses what is no export request, with a Status", async () => {
  await using receiver = await receive(["--output", "json"]);
  const root = new URL("/", receiver.url).href;
  const cases = [
    [400, await receiver.post(Uint8Array.of(1, 2, 3))],
    [415, await receiver.post(request(POINT), { headers: { "content-type": "application/json" } })],
    [404, await receiver.post(request(POINT), { url: root })],
    [405, await receiver.post(request(POINT), { method: "PUT" })],
    [400, await receiver.post(request(POINT), { headers: { "content-encoding": "gzip" } })],
  ] as const;
  for (const [expected, { status, headers, body }] of cases) {
    assert.equal(status, expected);
    assert.equal(headers.get("content-type"), "application/x-protobuf");
    assert.ok(decodeStatus(body).message.length > 5);
  }
  receiver.program.signal("SIGTERM");
  const { status, stdout } = await receiver.finished();
  assert.equal(status, 0);
  const lines = stdout.trimEnd().split("\n");
  assert.deepEqual(lines.slice(0, -1).map((line) => JSON.parse(line).status), [
    400,
    415,
    404,
    405,
    400,
  ]);
  assert.equal(lines.at(-1), summaryJson(5, 0, 0));
});

Deno.test("receive --respond answers as scripted, a hang too, and then judges", async () => {
  await using receiver = await receive(["--respond", "503,429:2,hang,200", "--output", "json"]);
  const first = await receiver.post(request(POINT));
  assert.deepEqual([first.status, first.headers.get("retry-after")], [503, null]);
  const second = await receiver.post(request(POINT));
  assert.deepEqual([second.status, second.headers.get("retry-after")], [429, "2"]);
  const hanging = fetch(receiver.url, {
    method: "POST",
    body: request(POINT),
    headers: { "content-type": "application/x-protobuf" },
  }).then(() => "answered", () => "broken off");
  await receiver.program.waitForStdout('"unanswered"');
  assert.equal((await receiver.post(request(POINT))).status, 200);
  assert.equal((await receiver.post(request(POINT))).status, 200);
  receiver.program.signal("SIGINT");
  const { status, stdout } = await receiver.finished();
  assert.equal(status, 0);
  assert.equal(await hanging, "broken off");
  assert.deepEqual(stdout.trimEnd().split("\n"), [
    requestJson({ status: 503, outcome: "rejected" }),
    requestJson({ status: 429, outcome: "rejected" }),
    requestJson({ status: null, outcome: "unanswered" }),
    requestJson(),
    requestJson(),
    summaryJson(5, 2, 6),
  ]);
});

Deno.test("receive --token-file demands the token, and shows neither it nor another", async () => {
  await using receiver = await receive(["--token-file", "secrets/token", "--requests", "3"], {
    files: { "secrets/token": `${TOKEN}\n` },
  });
  const authorized = (authorization: string) =>
    receiver.post(request(POINT), { headers: { authorization } });
  assert.equal((await receiver.post(request(POINT))).status, 401);
  const wrong = await authorized(`Api-Token dt0c01.PUBLIC.${MARK}OTHER`);
  assert.equal(wrong.status, 401);
  assert.match(decodeStatus(wrong.body).message, /Authorization: Api-Token/);
  assert.equal((await authorized(`Api-Token ${TOKEN}`)).status, 200);
  const { status, stdout } = await receiver.finished();
  assert.equal(status, 0);
  assert.match(stdout, /POST \/v1\/metrics 401 rejected/);
});

Deno.test("receive --tls-cert and --tls-key serve https", async () => {
  const authority = await createAuthority();
  const { certificate, key } = await authority.server(["127.0.0.1"]);
  await using receiver = await receive(
    ["--tls-cert", "cert.pem", "--tls-key", "key.pem", "--requests", "1"],
    { files: { "cert.pem": certificate, "key.pem": key }, ca: authority.certificate },
  );
  assert.match(receiver.url, /^https:\/\/127\.0\.0\.1:\d+\/v1\/metrics$/);
  assert.equal((await receiver.post(request(POINT))).status, 200);
  assert.equal((await receiver.finished()).status, 0);
});

Deno.test("receive prints its summary when SIGTERM ends it", async () => {
  await using receiver = await receive([]);
  await receiver.post(request(POINT, POINT));
  receiver.program.signal("SIGTERM");
  const { status, stdout, durationMs } = await receiver.finished();
  assert.equal(status, 0);
  assert.match(
    stdout,
    /\nReceived 1 request: 2 data points, 6 measurements, 0 data points rejected\n$/,
  );
  assert.ok(durationMs < 8000);
});

Deno.test("receive takes what send sends, to the URL that it prints", async () => {
  await using receiver = await receive(["--requests", "2", "--token-file", "t"], {
    files: { t: TOKEN },
  });
  const sent = await runProgram({
    args: ["--endpoint", receiver.url, "--loop", "--interval", "0", "--iterations", "2"],
    env: { DT_API_TOKEN: TOKEN },
  });
  assert.equal(sent.status, 0, sent.stderr);
  const { stdout } = await receiver.finished();
  assert.match(stdout, /resource service\.name=my-service deployment\.environment=prod/);
  assert.equal(
    stdout.match(/http\.method=GET http\.status_code=200\n {4}count 3, min /g)?.length,
    2,
  );
  assert.match(stdout, /^Totals of 2 requests:\n(.*\n){2} {4}count 6, min /m);
  assert.match(
    stdout,
    /Received 2 requests: 6 data points, 10 measurements, 0 data points rejected\n$/,
  );
});

for (
  const [what, args, message] of [
    ["--port that is no port", ["--port", "70000"], /^ERROR: .*--port "70000".*0 to 65535/],
    ["--requests 0", ["--requests", "0"], /^ERROR: .*--requests "0"/],
    [
      "--respond that is no answer",
      ["--respond", "200,maybe"],
      /^ERROR: Invalid --respond "maybe" \(command line\): expected /,
    ],
    ["--output that is no format", ["--output", "xml"], /^ERROR: .*--output "xml"/],
    [
      "--tls-cert alone",
      ["--tls-cert", "c.pem"],
      /^ERROR: --tls-cert \(command line\) .*--tls-key/,
    ],
    [
      "--token-file that is missing",
      ["--token-file", "missing"],
      /^ERROR: .*--token-file \(command line\), "missing": it does not exist/,
    ],
    [
      "--token-file that is empty",
      ["--token-file", "empty"],
      /^ERROR: .*--token-file, "empty", is empty/,
    ],
    [
      "--host of another machine",
      ["--host", "192.0.2.1", "--port", "0"],
      /^ERROR: .*--host "192\.0\.2\.1"/,
    ],
    ["an argument without a flag", ["4318"], /^ERROR: .*argument/i],
  ] as const
) {
  Deno.test(`receive exits with 2 and one line when given ${what}`, async () => {
    const finished = await runProgram({ args: ["receive", ...args], files: { empty: " \n" } });
    assert.deepEqual([finished.status, finished.stdout], [2, ""]);
    assert.match(finished.stderr, message);
    assert.equal(finished.stderr.split("\n").length, 2);
  });
}

Deno.test("receive exits with 2 when its port is in use", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { status, stderr } = await runProgram({
    args: ["receive", "--port", `${taken.addr.port}`],
  });
  assert.equal(status, 2);
  assert.match(stderr, /^ERROR: .*the port is in use/);
});
