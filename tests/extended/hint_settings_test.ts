import assert from "node:assert/strict";
import { type Fixture, MARK, TOKEN, usageError } from "../support/fixture.ts";
import { like, repeated } from "../support/lines.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { sentOnce, sentToDynatrace } from "../support/wording.ts";

const url = ["--endpoint", "{url}"];

// Settings -> a usage error, before anything is sent.

const QUOTED = /Remove the quotes around the value \(docker run --env-file keeps them\)$/;
const token = "Authorization";

testFixtures([
  ...['"{url}"', "'{url}'", "“{url}”", '{url}"'].map((value) =>
    usageError(
      `DT_ENDPOINT=${value} has quotes to remove`,
      { args: [], env: { DT_ENDPOINT: value } },
      new RegExp(`^ERROR: Invalid DT_ENDPOINT .* \\(environment\\): expected .*${QUOTED.source}`),
    )
  ),
  usageError(
    "--endpoint in quotes has quotes to remove, which are not Docker's",
    { args: ["--endpoint", "'{url}'"] },
    /^ERROR: Invalid --endpoint .* \(command line\): .*\. Remove the quotes around the value$/,
  ),
  ...[`"${TOKEN}"`, `'${TOKEN}'`, `“${TOKEN}”`, `"Api-Token ${TOKEN}"`, `Api-Token "${TOKEN}"`].map(
    (value) =>
      usageError(
        `DT_API_TOKEN=${value.replace(TOKEN, "…")} has quotes to remove`,
        { args: url, env: { DT_API_TOKEN: value } },
        new RegExp(
          `^ERROR: Invalid DT_API_TOKEN dt0c01\\.PUBLICA+\\.\\*\\*\\* \\(environment\\): expected a token .*${QUOTED.source}`,
        ),
      ),
  ),
  usageError(
    "a token file in quotes has quotes to remove",
    { args: [...url, "--token-file", "t"], files: { t: `"${TOKEN}"\n` } },
    /^ERROR: Invalid token in the file of --token-file dt0c01\.PUBLICA+\.\*\*\* \(t\): .*Remove the quotes/,
  ),
  usageError(
    "the name of a token file in quotes has quotes to remove",
    { args: url, env: { DT_API_TOKEN: "", DT_API_TOKEN_FILE: '"t"' }, files: { t: TOKEN } },
    new RegExp(`^ERROR: Cannot read .*DT_API_TOKEN_FILE.*it does not exist\\. ${QUOTED.source}`),
  ),
  usageError(
    "a number in quotes has quotes to remove",
    { args: url, env: { OTEL_EXPORTER_OTLP_TIMEOUT: '"10000"' } },
    new RegExp(`^ERROR: Invalid OTEL_EXPORTER_OTLP_TIMEOUT ""10000"" .*${QUOTED.source}`),
  ),
  usageError(
    "a list of headers in quotes has quotes to remove",
    { args: url, env: { OTEL_EXPORTER_OTLP_HEADERS: `"x-scope=${MARK}"` } },
    new RegExp(
      `^ERROR: Invalid OTEL_EXPORTER_OTLP_HEADERS \\(value not shown\\).*${QUOTED.source}`,
    ),
  ),
  usageError(
    "an Authorization in quotes has quotes to remove",
    {
      args: url,
      env: { OTEL_EXPORTER_OTLP_HEADERS: `${token}="Api-Token ${TOKEN}",x-scope=${MARK}` },
    },
    /^ERROR: Invalid OTEL_EXPORTER_OTLP_HEADERS .*expected a value of "Authorization" without quotes/,
  ),
  usageError(
    "a token with two schemes is told from one with a blank",
    { args: url, env: { DT_API_TOKEN: `Bearer Api-Token ${TOKEN}` } },
    /^ERROR: Invalid DT_API_TOKEN .*expected a token with at most one scheme .*but it has two$/,
  ),
  usageError(
    "an Authorization with two schemes is a usage error",
    { args: [...url, "--header", `${token}=Api-Token Api-Token ${TOKEN}`] },
    /^ERROR: Invalid --header \(value not shown\) .*one scheme in the value of Authorization/,
  ),
  usageError(
    "a token with the header's name in front is told from one with a blank",
    { args: url, env: { DT_API_TOKEN: `${token}: Api-Token ${TOKEN}` } },
    /^ERROR: Invalid DT_API_TOKEN \*\*\* .*only the token, without the name of the header$/,
  ),
  usageError(
    "--token names --token-file, and does not show the token",
    { args: [...url, "--token", TOKEN] },
    /^ERROR: No flag --token: use --token-file FILE or the variable DT_API_TOKEN/,
  ),
  usageError(
    "--proxy names HTTPS_PROXY, for check too",
    { args: ["check", ...url, `--proxy=http://me:${MARK}@proxy:3128`] },
    /^ERROR: No flag --proxy: use the variable HTTPS_PROXY, or HTTP_PROXY for http:\/\/ URLs/,
  ),
]);

// Settings -> one warning, and all goes on.

interface Warned {
  readonly what: string;
  readonly env: Readonly<Record<string, string>>;
  readonly warnings: readonly RegExp[];
}

const TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
const PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL";
const METRICS_PROTOCOL = "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL";

const warned: readonly Warned[] = [
  {
    what: "cumulative temporality",
    env: { [TEMPORALITY]: "Cumulative" },
    warnings: [
      /^OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative \(SOURCE\) is ignored: .*delta.*deltatocumulative/,
    ],
  },
  {
    what: "gRPC",
    env: { [PROTOCOL]: "grpc" },
    warnings: [
      /^OTEL_EXPORTER_OTLP_PROTOCOL=grpc \(SOURCE\) is ignored: .*protobuf over HTTP.*4318.*4317/,
    ],
  },
  {
    what: "JSON for metrics, whatever the general protocol is",
    env: { [PROTOCOL]: "http/protobuf", [METRICS_PROTOCOL]: "HTTP/JSON" },
    warnings: [/^OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http\/json \(SOURCE\) is ignored/],
  },
  {
    what: "a file of settings",
    env: { OTEL_CONFIG_FILE: "otel.yaml" },
    warnings: [/^OTEL_CONFIG_FILE \(SOURCE\) is ignored: .*flags, environment variables and \.env/],
  },
  {
    what: "all of these, one warning each, and no value that may be a secret",
    env: { [TEMPORALITY]: `${MARK} 1`, [PROTOCOL]: MARK, OTEL_CONFIG_FILE: MARK },
    warnings: [
      /^OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE \(SOURCE\) is ignored/,
      /^OTEL_EXPORTER_OTLP_PROTOCOL \(SOURCE\) is ignored/,
      /^OTEL_CONFIG_FILE \(SOURCE\) is ignored/,
    ],
  },
  {
    what: "nothing that happens anyway, in any case",
    env: {
      [TEMPORALITY]: "LowMemory",
      [METRICS_PROTOCOL]: "HTTP/Protobuf",
      [PROTOCOL]: "grpc",
      OTEL_CONFIG_FILE: "",
    },
    warnings: [],
  },
  { what: "delta", env: { [TEMPORALITY]: "DELTA" }, warnings: [] },
];

const from = (warning: RegExp, source: string) =>
  new RegExp(warning.source.replace("SOURCE", RegExp.escape(source)));
const dotenvOf = (env: Readonly<Record<string, string>>) =>
  Object.entries(env).map(([name, value]) => `${name}=${value}\n`).join("");

testFixtures(warned.flatMap(({ what, env, warnings }): Fixture[] => [
  {
    name: `send warns of ${what}, once in a loop`,
    args: [...url, "--loop", "--interval", "0", "--iterations", "2", "--quiet"],
    env,
    requests: 2,
    stderr: warnings.map((warning) =>
      new RegExp(`^WARNING: ${from(warning, "environment").source.slice(1)}`)
    ),
  },
  {
    name: `send warns of ${what} in .env, in JSON too`,
    args: [...url, "--output", "json"],
    dotenv: dotenvOf(env),
    stdout: "any",
    stderr: warnings.map((warning) => like({ type: "warning", message: from(warning, ".env") })),
  },
  {
    name: `check has a hint about ${what} in .env`,
    args: ["check", ...url],
    dotenv: dotenvOf(env),
    posts: 1,
    stdout: [
      /^✓ config /,
      ...warnings.map((warning, i) =>
        new RegExp(`^ {4}${i === 0 ? "Hint: " : " {6}"}${from(warning, ".env").source.slice(1)}`)
      ),
      repeated(/^✓ /, 5),
      /^ {4}Hint: an empty request does not prove .* check --canary .* verify /,
      "Everything is fine.",
    ],
  },
]));

testFixtures([
  {
    name: "send warns of quotes that become part of a value, and sends them",
    args: url,
    env: {
      OTEL_SERVICE_NAME: '"shop"',
      OTEL_EXPORTER_OTLP_HEADERS: `x-scope="${MARK}"`,
    },
    requests: [{
      resource: { "service.name": '"shop"', "deployment.environment": "prod" },
      headers: { "x-scope": `"${MARK}"` },
    }],
    stdout: sentOnce(),
    stderr: [
      /^WARNING: the quotes in OTEL_SERVICE_NAME \(environment\) are part of its value\. Remove/,
      /^WARNING: the value of the header x-scope \(OTEL_EXPORTER_OTLP_HEADERS, environment\) is sent with its quotes/,
    ],
  },
  {
    name: "quotes in .env are .env's own: no word of them",
    args: [],
    bare: true,
    dotenv:
      `DT_ENDPOINT="{url}/api/v2/otlp"\nDT_API_TOKEN='${TOKEN}'\nOTEL_SERVICE_NAME="my-service"\n`,
    requests: [{
      target: "/api/v2/otlp/v1/metrics",
      headers: { authorization: `Api-Token ${TOKEN}`, "x-scope": null },
    }],
    stdout: sentToDynatrace("http://127.0.0.1:PORT/api/v2/otlp/v1/metrics"),
  },
  ...["GZIP", "Gzip"].map((value): Fixture => ({
    name: `OTEL_EXPORTER_OTLP_COMPRESSION=${value} is gzip`,
    args: url,
    env: { OTEL_EXPORTER_OTLP_COMPRESSION: value },
    requests: [{ headers: { "content-encoding": "gzip" } }],
    stdout: sentOnce(),
  })),
  {
    name: "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION=None is none",
    args: url,
    env: { OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: "None" },
    requests: [{ headers: { "content-encoding": null } }],
    stdout: sentOnce(),
  },
  {
    name: "the variable for the aggregation takes its words in any case",
    args: [...url, "--dry-run"],
    env: {
      OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION:
        "BASE2_Exponential_Bucket_Histogram",
    },
    posts: 0,
    stdout: "any",
    check: ({ stdout }) => assert.match(stdout, /"exponentialHistogram":/),
  },
]);
