import assert from "node:assert/strict";
import { type Fixture, MARK, TOKEN, usageError } from "../support/fixture.ts";
import { like, repeated } from "../support/lines.ts";
import { runProgram, sourceOnly } from "../support/program.ts";
import type { ExportAnswer } from "../support/receiver.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { beforeSend, sentOnce, sentToDynatrace } from "../support/wording.ts";

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
    hint: /neither JSON nor gRPC, and this is a port for gRPC: use .*4318/,
  },
  {
    what: "a receiver of JSON alone answers 415",
    answer: 415,
    hint: /neither JSON nor gRPC, which .* \/v1\/metrics: check the path; .*encoding: json/,
  },
  {
    what: "404 comes from a URL that is used as it is",
    answer: 404,
    args: [],
    env: { [METRICS_ENDPOINT]: "{url}/otlp" },
    target: "/otlp",
    hint: /^OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is used as it is: add \/v1\/metrics/,
  },
  {
    what: "405 comes from a URL that is used as it is",
    answer: 405,
    args: [],
    env: { [METRICS_ENDPOINT]: "{url}" },
    target: "/",
    hint: /^OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is used as it is: add \/v1\/metrics/,
  },
  {
    what: "a web page comes from a URL that is used as it is",
    answer: { status: 200, headers: { "content-type": "text/html" }, body: "<title>Home</title>" },
    args: [],
    env: { [METRICS_ENDPOINT]: "{url}" },
    target: "/",
    hint: /^OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is used as it is: add \/v1\/metrics/,
  },
  {
    what: "404 comes from a URL with a slash too many",
    answer: 404,
    args: [],
    env: { [METRICS_ENDPOINT]: "{url}/v1/metrics/" },
    target: "/v1/metrics/",
    hint: /: remove the slash at its end$/,
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
    hint: /holds \/v1\/metrics twice: leave one out of --endpoint$/,
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
      // Of a path that is doubled, the step config has a hint already.
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
      "Everything is fine.",
    ],
  },
]);

// Settings -> a usage error, before anything is sent.

const QUOTED = /Remove the quotes around the value \(docker run --env-file keeps them\)$/;
const dynatrace = { DT_ENDPOINT: "{url}/api/v2/otlp" };
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
    /^ERROR: Invalid DT_API_TOKEN .*expected a token with one scheme .*and it has two$/,
  ),
  usageError(
    "an Authorization with two schemes is a usage error",
    { args: [...url, "--header", `${token}=Api-Token Api-Token ${TOKEN}`] },
    /^ERROR: Invalid --header \(value not shown\) .*one scheme in the value of Authorization/,
  ),
  usageError(
    "a token with the header's name in front is told from one with a blank",
    { args: url, env: { DT_API_TOKEN: `${token}: Api-Token ${TOKEN}` } },
    /^ERROR: Invalid DT_API_TOKEN \*\*\* .*the token alone, without the name of the header$/,
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

// Dynatrace's rules about tokens, before anything is sent.

const OAUTH = `dt0s02.PUBLIC.${MARK}`;

testFixtures([
  {
    name: "send names a token that cannot ingest, and where it is from, before it sends",
    args: [],
    env: { ...dynatrace, DT_API_TOKEN: OAUTH },
    answers: [401],
    requests: [{ target: "/api/v2/otlp/v1/metrics" }],
    status: 1,
    stdout: beforeSend("http://127.0.0.1:PORT/api/v2/otlp/v1/metrics"),
    stderr: [
      /^WARNING: Dynatrace rule token-kind: DT_API_TOKEN: the token begins with dt0s02: .*401\. Remedy: make/,
      /^ERROR: .*401 Unauthorized$/,
      /^ {2}Hint: /,
    ],
  },
  {
    name: "send names what is wrong with a token in a file, in JSON, once in a loop",
    args: [
      ...["--token-file", "t", "--loop", "--interval", "0", "--iterations", "2"],
      ...["--output", "json"],
    ],
    env: dynatrace,
    files: { t: `dt0c01.PUBLIC.${MARK}` },
    requests: [{ target: "/api/v2/otlp/v1/metrics" }, { target: "/api/v2/otlp/v1/metrics" }],
    stdout: "any",
    stderr: [
      like({ type: "warning", message: /token-shape: --token-file: after dt0c01\. there are 6/ }),
    ],
  },
  usageError(
    "--strict ends the program over a token before anything is sent",
    { args: ["--strict"], env: { ...dynatrace, DT_API_TOKEN: OAUTH } },
    /^ERROR: Dynatrace rule token-kind: DT_API_TOKEN: /,
    "Nothing was sent, because of --strict",
  ),
  {
    name: "send does not show a token that stands where a scheme belongs",
    args: ["--header", `${token}=${MARK}A ${MARK}B`],
    env: dynatrace,
    requests: [{ target: "/api/v2/otlp/v1/metrics" }],
    stdout: sentToDynatrace("http://127.0.0.1:PORT/api/v2/otlp/v1/metrics"),
    stderr: [
      /rule token-shape: --header: /,
      /rule token-scheme: --header: .*begins with something that is not a scheme/,
    ],
  },
  {
    name: "send has no word on the token of another receiver",
    args: url,
    env: { DT_API_TOKEN: OAUTH },
    stdout: sentOnce(),
  },
]);

// A token file that others may read.

/** The hint of the step `config` for a token file, read by a user and in groups of its own. */
async function tokenFileHint(
  mode: number,
  file: { readonly uid: number; readonly gid: number },
  reader: { readonly uid: number; readonly groups: readonly number[] },
): Promise<unknown> {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/token`;
    await Deno.writeTextFile(path, TOKEN);
    await Deno.chown(path, file.uid, file.gid);
    await Deno.chmod(path, mode);
    await Deno.chmod(directory, 0o755);
    const [group] = reader.groups;
    const { stdout } = await runProgram({
      args: ["check", "--output", "json", "--endpoint", "http://127.0.0.1:1", "--token-file", path],
      cwd: directory,
      through: [
        ...["setpriv", `--reuid=${reader.uid}`, `--regid=${group}`],
        `--groups=${reader.groups.join(",")}`,
      ],
    });
    const [line = "{}"] = stdout.split("\n");
    const step: unknown = JSON.parse(line);
    assert.ok(typeof step === "object" && step !== null && "ok" in step && "hint" in step, stdout);
    assert.equal(step.ok, true, stdout);
    return step.hint;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const ROOT = 0;
const POD = 65532;
const FS_GROUP = 2000;
const pod = { uid: POD, groups: [POD, FS_GROUP] };
const mounted = { uid: ROOT, gid: FS_GROUP };
const OTHERS =
  /others than its owner.*chmod 600; in Kubernetes, set the volume's defaultMode to 0440/;

for (
  const [what, mode, file, reader, hint] of [
    ["root's, 0440, of the pod's fsGroup", 0o440, mounted, pod, null],
    ["root's, 0640, of the pod's fsGroup", 0o640, mounted, pod, null],
    [
      "root's, 0440, of the group that the process runs in",
      0o440,
      { uid: ROOT, gid: POD },
      pod,
      null,
    ],
    ["0400, of the process", 0o400, { uid: POD, gid: POD }, pod, null],
    ["root's, 0440, of root's group, read by root", 0o440, { uid: 0, gid: 0 }, {
      uid: 0,
      groups: [0],
    }, null],
    // Deno 2.6, with which an executable may be compiled, does not tell these groups.
    ...sourceOnly
      ? [
        ["root's, 0440, of the fsGroup, read by root", 0o440, mounted, {
          uid: ROOT,
          groups: [ROOT, FS_GROUP],
        }, null] as const,
      ]
      : [],
    ["0640, of the process and its group", 0o640, { uid: POD, gid: POD }, pod, OTHERS],
    [
      "root's, 0440, of another group, read by root",
      0o440,
      mounted,
      { uid: 0, groups: [0] },
      OTHERS,
    ],
    ["root's, 0460, which the pod's group may write", 0o460, mounted, pod, OTHERS],
    ["root's, 0644, as Kubernetes mounts it by default", 0o644, mounted, pod, OTHERS],
  ] as const
) {
  Deno.test({
    name: `check ${hint === null ? "has no word on" : "warns of"} a token file that is ${what}`,
    // Only root on Linux changes into another user.
    ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
    async fn() {
      const found = await tokenFileHint(mode, file, reader);
      if (hint === null) assert.equal(found, null);
      else assert.match(String(found), hint);
    },
  });
}
