import type { Fixture } from "../support/fixture.ts";
import { repeated } from "../support/lines.ts";
import type { ExportAnswer } from "../support/receiver.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { beforeSend } from "../support/wording.ts";

const url = ["--endpoint", "{url}"];
const METRICS_ENDPOINT = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

// Responses -> the hint that follows the error, which `check --canary` gives too.

interface Hinted {
  readonly what: string;
  readonly answer: ExportAnswer;
  readonly hint: RegExp;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The path of the request; of the URL as it is by default. */
  readonly target?: string;
}

const NEEDS_CUMULATIVE =
  /only cumulative temporality.* deltatocumulative .*--enable-feature=otlp-deltatocumulative.* VictoriaMetrics/;
const text = (status: number, body: string): ExportAnswer => ({
  status,
  headers: { "content-type": "text/plain; charset=utf-8" },
  body,
});
const REFUSED_DELTA = 'invalid temporality and type combination for metric "http.server.duration"';

const hinted: readonly Hinted[] = [
  {
    what: "Prometheus refuses a delta with 500",
    answer: text(500, `${REFUSED_DELTA}\n`),
    hint: NEEDS_CUMULATIVE,
  },
  {
    what: "Mimir refuses a delta with 400",
    answer: text(400, `otlp parse error: ${REFUSED_DELTA}`),
    hint: NEEDS_CUMULATIVE,
  },
  {
    what: "a receiver says that delta is not supported",
    answer: text(400, "delta temporality is not supported yet for metric `a`"),
    hint: NEEDS_CUMULATIVE,
  },
  {
    what: "Mimir or Cortex misses a tenant",
    answer: text(401, "no org id"),
    hint: /--header X-Scope-OrgID=TENANT/,
  },
  {
    what: "Prometheus has no OTLP receiver",
    answer: text(
      404,
      "otlp write receiver needs to be enabled with --web.enable-otlp-receiver\n",
    ),
    hint: /start Prometheus with the flag/,
  },
  {
    what: "VictoriaMetrics has nothing at the path",
    answer: text(400, 'unsupported path requested: "/v1/metrics"'),
    hint: /http:\/\/HOST:8428\/opentelemetry/,
  },
  {
    what: "a receiver does not accept gzip and says so with 415",
    answer: text(415, "unsupported compression: gzip"),
    hint: /--compression none/,
  },
  {
    what: "a receiver does not accept gzip and says so with 400",
    answer: text(400, "unsupported Content-Encoding: gzip"),
    hint: /--compression none/,
  },
  {
    what: "a port for gRPC answers 415",
    answer: text(415, 'invalid gRPC request content-type "application/x-protobuf"'),
    hint: /not JSON and not gRPC, but this is a gRPC port: use .*4318/,
  },
  {
    what: "a receiver of JSON alone answers 415",
    answer: 415,
    hint: /not JSON and not gRPC, which .* \/v1\/metrics: check the path; .*encoding: json/,
  },
  {
    what: "404 comes from a URL that is used as it is",
    answer: 404,
    args: [],
    env: { [METRICS_ENDPOINT]: "{url}/otlp" },
    target: "/otlp",
    hint: /^OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is used as is: append \/v1\/metrics/,
  },
  {
    what: "405 comes from a URL that is used as it is",
    answer: 405,
    args: [],
    env: { [METRICS_ENDPOINT]: "{url}" },
    target: "/",
    hint: /^OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is used as is: append \/v1\/metrics/,
  },
  {
    what: "a web page comes from a URL that is used as it is",
    answer: { status: 200, headers: { "content-type": "text/html" }, body: "<title>Home</title>" },
    args: [],
    env: { [METRICS_ENDPOINT]: "{url}" },
    target: "/",
    hint: /^OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is used as is: append \/v1\/metrics/,
  },
  {
    what: "404 comes from a URL with a slash too many",
    answer: 404,
    args: [],
    env: { [METRICS_ENDPOINT]: "{url}/v1/metrics/" },
    target: "/v1/metrics/",
    hint: /: remove the trailing slash$/,
  },
  {
    what: "404 comes from a whole URL that is used as it is",
    answer: 404,
    args: [],
    env: { [METRICS_ENDPOINT]: "{url}/v1/metrics" },
    target: "/v1/metrics",
    hint: /^no OTLP receiver at \/v1\/metrics/,
  },
  {
    what: "404 comes from a path that is doubled",
    answer: 404,
    args: ["--endpoint", "{url}/v1/metrics/v1/metrics"],
    target: "/v1/metrics/v1/metrics",
    hint: /contains \/v1\/metrics twice: remove one from --endpoint$/,
  },
];

/** The line of a hint that stands behind so many blanks. */
const hintLine = (blanks: number, { source }: RegExp) =>
  new RegExp(`^ {${blanks}}Hint: ${source.startsWith("^") ? source.slice(1) : `.*${source}`}`);

testFixtures(hinted.flatMap(({ what, answer, hint, args = url, env, target }): Fixture[] => [
  {
    name: `send knows what to do when ${what}`,
    args,
    ...env && { env },
    answers: [answer],
    status: 1,
    requests: [target === undefined ? {} : { target }],
    stdout: [/^Sending histogram metrics to: /, ...beforeSend().slice(1)],
    stderr: [/^ERROR: 5 measurements not delivered: /, hintLine(2, hint)],
  },
  {
    name: `check --canary knows what to do when ${what}`,
    args: ["check", "--canary", ...args],
    ...env && { env },
    answers: [answer, answer],
    status: 1,
    posts: "any",
    stdout: [
      // The step config already has a hint about a doubled path.
      repeated(/^(?:[✓?] | {4}Hint: the path )/, 3),
      /^✗ /,
      hintLine(4, hint),
      "The check failed: see the step with ✗ above.",
    ],
  },
]));

const refusedInPart: ExportAnswer = {
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    partialSuccess: { rejectedDataPoints: "3", errorMessage: REFUSED_DELTA },
  }),
};

testFixtures([
  {
    name: "send knows what to do when a partial success refuses a delta",
    args: url,
    answers: [refusedInPart],
    status: "any",
    stdout: beforeSend(),
    stderr: [/^ERROR: .*invalid temporality/, hintLine(2, NEEDS_CUMULATIVE)],
  },
  {
    name: "check --canary knows what to do when a partial success refuses a delta",
    args: ["check", "--canary", ...url],
    answers: [200, refusedInPart],
    status: 1,
    posts: "any",
    stdout: [
      repeated(/^✓ /, 5),
      /^✗ ingest /,
      hintLine(4, NEEDS_CUMULATIVE),
      "The check failed: see the step with ✗ above.",
    ],
  },
  {
    name: "check has a hint about delta at Prometheus, which may answer 200 and drop it",
    args: ["check", "--endpoint", "{url}/api/v1/otlp"],
    posts: 1,
    stdout: [
      /^✓ config /,
      /^ {4}Hint: Prometheus stores .* only with --enable-feature=otlp-deltatocumulative; .*drop them$/,
      repeated(/^✓ /, 5),
      /^ {4}Hint: an empty request does not prove .* check --canary .* verify /,
      "Everything is fine.",
    ],
  },
]);
