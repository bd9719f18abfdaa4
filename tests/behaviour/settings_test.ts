import assert from "node:assert/strict";
import { runInTerminal } from "../support/terminal.ts";
import { type Fixture, MARK } from "../support/fixture.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { namedUnless, noLinux } from "../support/tools.ts";
import {
  afterSend,
  beforeSend,
  lostLine,
  SAMPLES,
  sendJson,
  sentOnce,
  SHOWN_URL,
  summaryJson,
} from "../support/wording.ts";

const url = ["--endpoint", "{url}"];
const encoding = (value: string | null) => [{ headers: { "content-encoding": value } }];
const held = { "x-scope": `${MARK}HEADER` };

const rows: readonly Fixture[] = [
  {
    name: "--header is repeatable, adds to the variable's headers and beats them by name",
    args: [
      ...url,
      "--header",
      `X-Team=${MARK} a=b`,
      "--header",
      `x-two=${MARK}%2C2`,
      "--header",
      `X-SCOPE=${MARK}FLAG`,
    ],
    env: { OTEL_EXPORTER_OTLP_HEADERS: `x-scope=${MARK}HEADER, x-three=${MARK}3` },
    requests: [{
      headers: {
        "x-team": `${MARK} a=b`,
        "x-two": `${MARK},2`,
        "x-scope": `${MARK}FLAG`,
        "x-three": `${MARK}3`,
      },
    }],
    stdout: sentOnce(),
  },
  {
    name: "OTEL_EXPORTER_OTLP_METRICS_HEADERS beats the general one",
    args: url,
    env: { OTEL_EXPORTER_OTLP_METRICS_HEADERS: `x-mine=${MARK}MINE` },
    requests: [{ headers: { "x-mine": `${MARK}MINE`, "x-scope": null } }],
    stdout: sentOnce(),
  },
  {
    name: "a header of .env is sent",
    args: url,
    env: { OTEL_EXPORTER_OTLP_HEADERS: "" },
    dotenv: `OTEL_EXPORTER_OTLP_HEADERS="x-scope=${MARK}HEADER"\n`,
    requests: [{ headers: held }],
    stdout: sentOnce(),
  },
  {
    name: "requests are compressed when nothing is said",
    args: url,
    requests: encoding("gzip"),
    check: ({ requests: [request] }) =>
      assert.deepEqual([...request?.body.subarray(0, 2) ?? []], [31, 139]),
    stdout: sentOnce(),
  },
  {
    name: "--compression none leaves the body as it is, and beats the variable",
    args: [...url, "--compression", "none"],
    env: { OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" },
    requests: encoding(null),
    stdout: sentOnce(),
  },
  {
    name: "OTEL_EXPORTER_OTLP_COMPRESSION=none is taken",
    args: url,
    env: { OTEL_EXPORTER_OTLP_COMPRESSION: "none" },
    requests: encoding(null),
    stdout: sentOnce(),
  },
  {
    name: "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION beats the general one",
    args: url,
    env: {
      OTEL_EXPORTER_OTLP_COMPRESSION: "none",
      OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: "gzip",
    },
    requests: encoding("gzip"),
    stdout: sentOnce(),
  },
  {
    name: "--timeout is in seconds and beats the variable",
    args: [...url, "--timeout", "0.8", "--retry-for", "0"],
    env: { OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: "9000" },
    answers: ["hang"],
    status: 1,
    stdout: beforeSend(),
    stderr: [
      lostLine(/no response within 0\.8 s$/),
      /--timeout/,
    ],
  },
  {
    name: "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT is in milliseconds and beats the general one",
    args: [...url, "--retry-for", "0"],
    env: { OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: "750", OTEL_EXPORTER_OTLP_TIMEOUT: "9000" },
    answers: ["hang"],
    status: 1,
    stdout: beforeSend(),
    stderr: [/no response within 0\.75 s$/, /./],
  },
  {
    name: "OTEL_EXPORTER_OTLP_TIMEOUT is in milliseconds",
    args: [...url, "--retry-for", "0"],
    env: { OTEL_EXPORTER_OTLP_TIMEOUT: "900" },
    answers: ["hang"],
    status: 1,
    stdout: beforeSend(),
    stderr: [/no response within 0\.9 s$/, /./],
  },
  {
    name: "--metric, --unit and --description name the instrument, and the closing note the metric",
    args: [
      ...url,
      "--metric",
      "job.duration",
      "--unit",
      "s",
      "--description",
      "How long the job took",
    ],
    requests: [{
      name: "job.duration",
      unit: "s",
      description: "How long the job took",
      bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }],
    stdout: [
      ...beforeSend(),
      ...afterSend(),
      SAMPLES,
    ],
  },
  {
    name: "--buckets sets the bounds",
    args: [...url, "--buckets", "20, 50.5,1e2"],
    requests: [{ bounds: [20, 50.5, 100] }],
    stdout: sentOnce(),
  },
  {
    name: "--service beats OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES",
    args: [...url, "--service", "shop"],
    env: { OTEL_SERVICE_NAME: "not-me", OTEL_RESOURCE_ATTRIBUTES: "service.name=nor-me" },
    requests: [{ resource: { "service.name": "shop", "deployment.environment": "prod" } }],
    stdout: sentOnce(),
  },
  {
    name: "OTEL_SERVICE_NAME beats OTEL_RESOURCE_ATTRIBUTES",
    args: url,
    env: { OTEL_SERVICE_NAME: "shop", OTEL_RESOURCE_ATTRIBUTES: "service.name=nor-me" },
    requests: [{ resource: { "service.name": "shop", "deployment.environment": "prod" } }],
    stdout: sentOnce(),
  },
  {
    name: "OTEL_RESOURCE_ATTRIBUTES overrides the defaults key by key, percent-decoded",
    args: url,
    env: { OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test,team=a%2Cb%20c" },
    requests: [{
      resource: {
        "service.name": "my-service",
        "deployment.environment": "test",
        team: "a,b c",
      },
    }],
    stdout: sentOnce(),
  },
  {
    name: "--resource is repeatable and beats OTEL_RESOURCE_ATTRIBUTES key by key",
    args: [...url, "--resource", "team=b=c", "--resource", "service.instance.id=pod-1"],
    env: { OTEL_RESOURCE_ATTRIBUTES: "team=a,region=eu" },
    requests: [{
      resource: {
        "service.name": "my-service",
        "deployment.environment": "prod",
        team: "b=c",
        region: "eu",
        "service.instance.id": "pod-1",
      },
    }],
    stdout: sentOnce(),
  },
  {
    name: "--attr is on every data point, repeatable, and beats the sample's own",
    args: [...url, "--attr", "region=eu", "--attr", "note=a=b c"],
    requests: [{ attributes: { region: "eu", note: "a=b c" } }],
    stdout: sentOnce(),
  },
  {
    name: "--quiet prints nothing when all is well",
    args: ["--quiet", ...url],
  },
  {
    name: "--quiet still says what failed",
    args: ["--quiet", ...url],
    answers: [{ status: 400, body: "no" }],
    status: 1,
    stderr: ["ERROR: 5 measurements not delivered: 400 Bad Request: no"],
  },
  {
    name: "--quiet --output json prints the summary alone",
    args: ["--quiet", "--output", "json", ...url],
    stdout: [summaryJson()],
  },
  {
    name: "--verbose says each attempt on standard error",
    args: ["--verbose", "--endpoint", "{secretUrl}"],
    answers: [{ status: 503, headers: { "retry-after": "0" }, body: "restarting" }],
    requests: 2,
    stdout: sentOnce(SHOWN_URL),
    stderr: [
      /^attempt 1: 3 data points, N bytes \(gzip\) -> 503 in N ms: 503 Service Unavailable: restarting$/,
      /^WARNING: attempt 1 failed: 503 Service Unavailable: restarting; retrying in N s$/,
      "attempt 2: 3 data points, N bytes (gzip) -> 200 in N ms",
    ],
  },
  {
    name: "--output json prints a send and a summary, keys in their order",
    args: ["--output", "json", "--endpoint", "{secretUrl}"],
    stdout: [sendJson(), summaryJson()],
  },
  {
    name: "text output is the predecessor's, with secrets of the URL hidden",
    stdout: sentOnce(SHOWN_URL),
  },
  {
    name: "verify leaves OTLP_HISTOGRAM_HEALTH to send, which has it",
    args: ["verify", "--endpoint", "http://127.0.0.1:4318"],
    env: { OTLP_HISTOGRAM_HEALTH: "nonsense" },
    posts: 0,
    status: 2,
    stdout: [],
    stderr: [/^ERROR: No query API follows from --endpoint/, "Nothing was sent"],
  },
  {
    name: "send is the default command and may be said",
    args: ["send", ...url],
    stdout: sentOnce(),
  },
];
testFixtures(rows);

Deno.test(namedUnless(noLinux, "a terminal shows marks in colour"), async () => {
  const { status, lines } = await runInTerminal({ columns: 80, args: ["--nope"] });
  assert.equal(status, 2);
  assert.ok(lines[0]?.startsWith("\x1b[31mERROR\x1b[0m: No flag --nope"), lines[0]);
});

for (
  const [where, options] of [
    ["NO_COLOR in the environment", { env: { NO_COLOR: "1" } }],
    ["NO_COLOR in .env", { dotenv: "NO_COLOR=1\n" }],
    ["TERM=dumb", { env: { TERM: "dumb" } }],
  ] as const
) {
  Deno.test(namedUnless(noLinux, `${where} leaves a terminal without colour`), async () => {
    const { lines } = await runInTerminal({ columns: 80, args: ["--nope"], ...options });
    assert.match(lines.join("\n"), /^ERROR: No flag --nope/);
  });
}

Deno.test(namedUnless(noLinux, "--help is as wide as the terminal"), async () => {
  for (const columns of [60, 120]) {
    const { lines } = await runInTerminal({ columns, args: ["--help"] });
    const widest = Math.max(
      ...lines.filter((line) => line.trim().includes(" ")).map((l) => l.length),
    );
    assert.ok(widest <= columns && widest > columns - 10, `${widest} of ${columns}`);
  }
});
