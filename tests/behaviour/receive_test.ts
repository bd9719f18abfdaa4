import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { decodeResponse, decodeStatus } from "../../src/otlp/decode.ts";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { each } from "../support/cases.ts";
import { createAuthority } from "../support/certificates.ts";
import { MARK, TOKEN, usageError } from "../support/fixture.ts";
import { normalized } from "../support/lines.ts";
import { type Program, startProgram } from "../support/program.ts";
import { assertNoSecret, runFixture, testFixtures } from "../support/run_fixture.ts";
import { loopOf } from "../support/wording.ts";
import { gzip } from "../support/gzip.ts";
import { GOOD as POINT, text } from "../commands/receive/serving.ts";

/** A receiver that is running: where it listens, and a client of its own. */
interface Listening extends AsyncDisposable {
  readonly program: Program;
  readonly url: string;
  post(body: Uint8Array<ArrayBuffer>, init?: Init): Promise<ExportAnswer>;
  /** The lines that it had printed when it ended with 0, times and ports replaced. */
  finished(): Promise<readonly string[]>;
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
      const [stdout, stderr] = [plain(finished.stdout), plain(finished.stderr)];
      assert.deepEqual({ status: finished.status, stderr }, {
        status: 0,
        stderr: json ? '{"type":"listening","url":"http://127.0.0.1:PORT/v1/metrics"}\n' : "",
      });
      assert.ok(stdout.endsWith("\n"), stdout);
      return stdout.split("\n").slice(0, -1);
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await program[Symbol.asyncDispose]();
    },
  };
}

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

const LISTENING = "Listening on http://127.0.0.1:PORT/v1/metrics";
/** Drawing of `POINT`, 80 characters wide. */
const DRAWN = [
  "  resource service.name=shop",
  "  http.server.duration (ms) http.method=GET",
  "    count 3, min 20, max 61.25, sum 120.5",
  "    estimated p50 42.5, p90 57.875, p99 60.9125",
  "    from buckets only, as a backend shows: p50 40, p90 85, p99 98.5",
  "     (-∞, 10] 0",
  `     (10, 50] ${"█".repeat(64)} 2`,
  `    (50, 100] ${"█".repeat(32)} 1`,
  "    (100, +∞) 0",
];

function metrics(points: number): readonly Readonly<Record<string, unknown>>[] {
  const attributes = ["http.method"];
  const histogram = { type: "histogram", unit: "ms", temporality: "delta", points, attributes };
  return [{ name: "http.server.duration", ...histogram }];
}

/** Both estimates of the percentiles of `POINT`. */
const PERCENTILES = {
  metric: "http.server.duration",
  unit: "ms",
  count: 3,
  p50: { estimated: 42.5, bucketsAlone: 40, above: null },
  p90: { estimated: 57.875, bucketsAlone: 85, above: null },
  p99: { estimated: 60.912499999999994, bucketsAlone: 98.49999999999999, above: null },
};

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
    metrics: metrics(1),
    percentiles: [PERCENTILES],
    ...different,
  });
}

function summaryJson(
  requests: number,
  points: number,
  measurements: number,
  rejectedPoints = 0,
  errors = 0,
): string {
  return JSON.stringify({
    type: "summary",
    requests,
    points,
    measurements,
    rejectedPoints,
    errors,
    warnings: 0,
    missing: [],
    otherSignals: 0,
    exitCode: 0,
  });
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
  assert.deepEqual(await receiver.finished(), [
    LISTENING,
    "[TIME] POST /v1/metrics 200 accepted: N bytes, 1 data point, 3 measurements",
    ...DRAWN,
    "Received 1 request: 1 data point, 3 measurements, 0 data points rejected",
  ]);
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
  const lines = await receiver.finished();
  const problem = JSON.parse(lines[1] ?? "").problems[0];
  assert.deepEqual(Object.keys(problem), ["rule", "level", "metric", "message"]);
  assert.equal(problem.level, "error");
  assert.equal(problem.metric, "http.server.duration");
  assert.deepEqual(lines, [
    requestJson(),
    requestJson({
      path: "/otlp/v1/metrics",
      outcome: "partial",
      points: 2,
      measurements: 6,
      rejectedPoints: 1,
      problems: [problem],
      metrics: metrics(2),
    }),
    summaryJson(2, 3, 9, 1, 1),
  ]);
});

Deno.test("receive refuses what is no export request, with a Status", async () => {
  await using receiver = await receive(["--output", "json"]);
  const root = new URL("/", receiver.url).href;
  const cases = [
    [400, await receiver.post(Uint8Array.of(1, 2, 3))],
    [415, await receiver.post(request(POINT), { headers: { "content-type": "text/xml" } })],
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
  const lines = await receiver.finished();
  assert.deepEqual(lines.slice(0, -1).map((line) => JSON.parse(line).status), [
    400,
    415,
    404,
    405,
    400,
  ]);
  assert.equal(lines.at(-1), summaryJson(5, 0, 0, 0, 5));
});

each(
  ["otlp", "dynatrace"],
  (rules) => `receive --rules ${rules} discards other signals, and counts neither them nor probes`,
  async (rules) => {
    const args = ["--rules", rules, "--requests", "1", "--output", "json"];
    await using receiver = await receive(args);
    const at = (path: string) => new URL(path, receiver.url).href;
    for (const path of ["/v1/traces", "/api/v2/otlp/v1/logs", "/v1development/profiles"]) {
      const { status, body } = await receiver.post(request(POINT), { url: at(path) });
      assert.deepEqual([status, body.length], [200, 0], path);
    }
    assert.equal(await (await fetch(at("/readyz"))).text(), "ready\n");
    await receiver.post(Uint8Array.of());
    const { status, stdout, stderr } = await receiver.program.finished;
    assert.equal(status, 0);
    assert.deepEqual(
      stderr.trimEnd().split("\n").slice(1).map((line) => JSON.parse(line)),
      ["traces", "logs", "profiles"].map((signal) => ({
        type: "note",
        message: `also receiving ${signal}: discarded`,
      })),
    );
    const [first, summary, ...others] = stdout.trimEnd().split("\n").map((line) =>
      JSON.parse(line)
    );
    assert.deepEqual([first.type, first.path, others], ["request", "/v1/metrics", []]);
    assert.deepEqual([summary.requests, summary.errors, summary.otherSignals], [1, 0, 3]);
  },
);

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
  const lines = await receiver.finished();
  assert.equal(await hanging, "broken off");
  assert.deepEqual(lines, [
    requestJson({ status: 503, outcome: "rejected", percentiles: [] }),
    requestJson({ status: 429, outcome: "rejected", percentiles: [] }),
    requestJson({ status: null, outcome: "unanswered", percentiles: [] }),
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
  const answered = (await receiver.finished()).flatMap((line) =>
    /^\[TIME\] POST \/v1\/metrics (\d+ \w+)/.exec(line)?.[1] ?? []
  );
  assert.deepEqual(answered, ["401 rejected", "401 rejected", "200 accepted"]);
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
  assert.equal((await receiver.finished())[0], LISTENING.replace("http:", "https:"));
});

Deno.test("receive prints its summary when SIGTERM ends it", async () => {
  await using receiver = await receive([]);
  await receiver.post(request(POINT, POINT));
  receiver.program.signal("SIGTERM");
  assert.equal(
    (await receiver.finished()).at(-1),
    "Received 1 request: 2 data points, 6 measurements, 0 data points rejected",
  );
});

Deno.test("receive takes what send sends, to the URL that it prints", async () => {
  await using receiver = await receive(["--requests", "2", "--token-file", "t"], {
    files: { t: TOKEN },
  });
  await runFixture({
    args: ["--endpoint", receiver.url, "--loop", "--interval", "0", "--iterations", "2"],
    requests: 0,
    stdout: loopOf(0, 2, receiver.url),
  });
  const stdout = (await receiver.finished()).join("\n");
  assert.match(stdout, /resource service\.name=my-service deployment\.environment=prod/);
  assert.equal(
    stdout.match(/http\.method=GET http\.status_code=200\n {4}count 3, min /g)?.length,
    2,
  );
  assert.match(stdout, /^Totals of 2 requests:\n(.*\n){2} {4}count 6, min /m);
  assert.match(
    stdout,
    /Received 2 requests: 6 data points, 10 measurements, 0 data points rejected$/,
  );
});

const wrong: readonly (readonly [what: string, args: readonly string[], message: RegExp])[] = [
  ["--port that is no port", ["--port", "70000"], /^ERROR: .*--port "70000".*0 to 65535/],
  [
    "--token-file that is missing",
    ["--token-file", "missing"],
    /^ERROR: .*--token-file \(command line\), "missing": it does not exist/,
  ],
  [
    "--host of another machine",
    ["--host", "192.0.2.1", "--port", "0"],
    /^ERROR: .*--host "192\.0\.2\.1"/,
  ],
  ["an argument without a flag", ["4318"], /^ERROR: .*argument/i],
];

testFixtures(wrong.map(([what, args, message]) =>
  usageError(
    `receive exits with 2 and one line when given ${what}`,
    { args: ["receive", ...args], files: { empty: " \n" } },
    message,
  )
));

// The receiver of the fixture has the port.
testFixtures([
  usageError(
    "receive exits with 2 when its port is in use",
    { args: ["receive", "--port", "{port}"] },
    /^ERROR: .*the port is in use/,
  ),
]);
