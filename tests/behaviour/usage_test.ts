import assert from "node:assert/strict";
import configuration from "../../deno.json" with { type: "json" };
import { type Fixture, MARK, usageError } from "../support/fixture.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { createAuthority } from "../support/certificates.ts";
import { sourceOnly } from "../support/program.ts";
import { OWN, SAMPLES, sentOnce, sentToDynatrace } from "../support/wording.ts";

const url = ["--endpoint", "{url}"];

/** A flag's value that does not parse: its name, where it is from, the value and what would be right. */
function wrongFlag(flag: string, value: string, remedy: string): Fixture {
  return usageError(
    `${flag} "${value}" is a usage error`,
    { args: [...url, "--loop", flag, value] },
    new RegExp(
      `^ERROR: Invalid ${flag} "${RegExp.escape(value)}" \\(command line\\): expected .*${remedy}`,
    ),
  );
}

function wrongVariable(name: string, value: string, remedy: string): Fixture {
  return usageError(
    `${name}="${value}" is a usage error`,
    { args: url, env: { [name]: value } },
    new RegExp(
      `^ERROR: Invalid ${name} "${RegExp.escape(value)}" \\(environment\\): expected .*${remedy}`,
    ),
  );
}

const authority = await createAuthority();
const client = await authority.client("pod-1");
const pem = (label: string, content: string) =>
  `-----BEGIN ${label}-----\n${content}\n-----END ${label}-----\n`;
const damaged = pem("CERTIFICATE", "AAAA");
const oldKey = pem("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA");

/** A certificate and a key that are looked at before the runtime gets them: each would end it, or do nothing. */
function wrongPem(
  what: string,
  files: { readonly key?: string; readonly ca?: string },
  error: RegExp,
): Fixture {
  const { key = client.key, ca = authority.certificate } = files;
  return usageError(
    `${what} is a usage error`,
    {
      args: [
        ...["--endpoint", "https://127.0.0.1:1"],
        ...["--ca", "ca.pem", "--client-cert", "c.pem", "--client-key", "c.key"],
      ],
      files: { "c.pem": client.certificate, "c.key": key, "ca.pem": ca },
    },
    error,
  );
}

const rows: readonly Fixture[] = [
  wrongPem(
    "a client key of another certificate",
    { key: authority.key },
    /^ERROR: Invalid --client-key "c\.key" \(command line\): the key does not match the certificate/,
  ),
  wrongPem("a client key that is none", { key: "key" }, /--client-key.*BEGIN PRIVATE KEY/),
  wrongPem(
    "a damaged client key",
    { key: pem("PRIVATE KEY", "AAAA") },
    /--client-key.*damaged/,
  ),
  wrongPem("a key that is encrypted in the old way", { key: oldKey }, /--client-key.*openssl pkey/),
  wrongPem("an empty CA", { ca: "\n" }, /--ca "ca\.pem".*it is empty/),
  wrongPem("a damaged CA", { ca: authority.certificate + damaged }, /--ca.*certificate 2.*damaged/),
  // From source it works.
  ...sourceOnly ? [] : [
    usageError(
      "--insecure where it cannot work is a usage error",
      { args: ["--endpoint", "https://127.0.0.1:1", "--insecure"] },
      /^ERROR: --insecure \(INSECURE_SSL=true\) cannot work here/,
    ),
  ],
  usageError(
    "a placeholder that makes no URL is named",
    { args: ["--endpoint", "https://<cluster>/e/abc/api/v2/otlp"] },
    /^ERROR: Invalid --endpoint "https:\/\/<cluster>\/e.*instead of "<cluster>"/,
  ),
  {
    name: "a path of another signal is named, as is what .env sets in vain, and no value of it",
    args: ["--endpoint", "{url}/v1/logs"],
    dotenv: `HTTPS_PROXY=http://user:${MARK}@proxy:3128\nOTHER=${MARK}\n${MARK} it\n`,
    stdout: sentOnce("http://127.0.0.1:PORT/v1/logs/v1/metrics"),
    requests: [{ target: "/v1/logs/v1/metrics" }],
    stderr: [
      /^WARNING: HTTPS_PROXY in \.env has no effect/,
      "WARNING: .env sets variables that this program does not know: OTHER",
      "WARNING: line 3 of .env cannot be read: expected NAME=VALUE",
      /^WARNING: the path of --endpoint \(command line\) contains \/v1\/logs/,
    ],
  },
  {
    name: "the samples are announced as such in JSON too, once",
    args: [
      "--endpoint",
      "{url}",
      "--output",
      "json",
      "--loop",
      "--interval",
      "0",
      "--iterations",
      "2",
    ],
    stdout: "any",
    requests: 2,
    samplesTold: true,
    stderr: [JSON.stringify({ type: "warning", message: SAMPLES })],
  },
  {
    name: "to Dynatrace the samples come with a hint how to send one's own, in JSON too",
    args: ["--endpoint", "{url}/api/v2/otlp", "--output", "json"],
    stdout: "any",
    requests: [{ target: "/api/v2/otlp/v1/metrics" }],
    samplesTold: true,
    stderr: [JSON.stringify({ type: "warning", message: SAMPLES + OWN })],
  },
  {
    name: "where to look is said of Dynatrace alone, with a hint how to send one's own",
    args: ["--endpoint", "{url}/api/v2/otlp"],
    stdout: sentToDynatrace("http://127.0.0.1:PORT/api/v2/otlp/v1/metrics"),
    requests: [{ target: "/api/v2/otlp/v1/metrics" }],
  },
  {
    name: "send --help says that the measurements are samples when none are named",
    args: ["--help"],
    stdout: "any",
    requests: 0,
    check: ({ stdout }) => assert.match(stdout.replace(/\s+/g, " "), /five sample measurements/),
  },
  wrongFlag("--timeout", "abc", "seconds"),
  wrongFlag("--timeout", "0", "above 0"),
  wrongFlag("--retry-for", "-1", "0 or more"),
  wrongFlag("--interval", "1m", "seconds"),
  wrongFlag("--iterations", "0", "1 or more"),
  wrongFlag("--iterations", "2.5", "whole number"),
  wrongFlag("--duration", "never", "seconds"),
  wrongFlag("--compression", "zstd", '"gzip" or "none"'),
  wrongFlag("--output", "xml", '"text" or "json"'),
  wrongFlag("--buckets", "1,2,2", "increasing"),
  wrongFlag("--buckets", "a,b", "increasing"),
  wrongFlag("--metric", "1st metric", "letter"),
  wrongFlag("--attr", "region", "KEY=VALUE"),
  wrongFlag("--resource", "=x", "KEY=VALUE"),
  wrongVariable("INTERVAL", "soon", "seconds"),
  wrongVariable("INSECURE_SSL", "maybe", "true, 1 or yes"),
  wrongVariable("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "10s", "milliseconds"),
  wrongVariable("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli", '"gzip" or "none"'),
  usageError(
    "a value in .env that does not parse is named with its file",
    { args: url, dotenv: "INTERVAL=soon\n" },
    /^ERROR: Invalid INTERVAL "soon" \(\.env\): expected /,
  ),
  usageError(
    "a value in --env-file that does not parse is named with its file",
    { args: [...url, "--env-file", "prod.env"], files: { "prod.env": "INTERVAL=soon\n" } },
    /^ERROR: Invalid INTERVAL "soon" \(prod\.env\): expected /,
  ),
  usageError(
    "--endpoint that is no URL is a usage error",
    { args: ["--endpoint", "collector:4318"] },
    /^ERROR: Invalid --endpoint "collector:4318" \(command line\): expected a URL .*https:\/\//,
  ),
  usageError(
    "DT_ENDPOINT that is no URL is a usage error, and its secrets are hidden",
    { args: [], env: { DT_ENDPOINT: `ftp://user:${MARK}@host/api?key=${MARK}` } },
    /^ERROR: Invalid DT_ENDPOINT "ftp:\/\/\*\*\*@host\/api\?key=\*\*\*" \(environment\): expected a URL /,
  ),
  usageError(
    "a header without = is a usage error, and its value is not shown",
    { args: [...url, "--header", `Authorization: Api-Token ${MARK}`] },
    /^ERROR: Invalid --header \(value not shown\) \(command line\): expected NAME=VALUE/,
  ),
  usageError(
    "headers in a variable without = are a usage error, and their value is not shown",
    { args: url, env: { OTEL_EXPORTER_OTLP_HEADERS: `x-scope:${MARK}` } },
    /^ERROR: Invalid OTEL_EXPORTER_OTLP_HEADERS \(value not shown\) \(environment\): expected NAME=VALUE/,
  ),
  usageError(
    "a header that the program sets itself is a usage error",
    { args: [...url, "--header", `content-type=${MARK}`] },
    /^ERROR: Invalid --header .*expected a name other than "content-type"/,
  ),
  usageError(
    "a header's value with a line break is a usage error, and is not shown",
    { args: [...url, "--header", `x-a=${MARK}%0D%0Ax-b: c`] },
    /^ERROR: Invalid --header \(value not shown\).*without line breaks/,
  ),
  usageError(
    "--iterations without --loop is a usage error",
    { args: [...url, "--iterations", "2"] },
    /^ERROR: --iterations ends a loop: add --loop/,
  ),
  usageError(
    "--duration without --loop is a usage error",
    { args: [...url, "--duration", "2"] },
    /^ERROR: --duration ends a loop: add --loop/,
  ),
  usageError(
    "--quiet with --verbose is a usage error",
    { args: [...url, "--quiet", "--verbose"] },
    /^ERROR: --quiet and --verbose/,
  ),
  usageError(
    "--client-cert without --client-key is a usage error",
    { args: [...url, "--client-cert", "c.pem"] },
    /^ERROR: --client-cert .*--client-key/,
  ),
  usageError(
    "--ca that does not exist is a usage error",
    { args: [...url, "--ca", "missing.pem"] },
    /^ERROR: .*--ca \(command line\), "missing\.pem": it does not exist$/,
  ),
  usageError(
    "--ca that is no PEM is a usage error",
    { args: [...url, "--ca", "ca.pem"], files: { "ca.pem": "not a certificate" } },
    /^ERROR: Invalid --ca "ca\.pem" \(command line\): expected a PEM file with -----BEGIN CERTIFICATE-----$/,
  ),
  usageError(
    "an unknown flag is a usage error with a suggestion",
    { args: [...url, "--iteration", "2"] },
    /^ERROR: .*--iteration\. Did you mean --iterations\? .*--help/,
  ),
  usageError(
    "an unknown command is a usage error that lists them and suggests the nearest",
    { args: ["sned"] },
    /^ERROR: Unknown command "sned"\. Did you mean send\? The commands are send, .*receive, plot, diff, demo/,
  ),
  usageError(
    "what is no command and like none is not shown",
    { args: [`my-${MARK}`] },
    /^ERROR: Unknown command\. The commands are send, .*receive, plot, diff, demo/,
  ),
  usageError(
    "help of an unknown command is a usage error",
    { args: ["help", "chekc"] },
    /^ERROR: Unknown command "chekc"\. Did you mean check\?/,
  ),
  usageError(
    "completions without a shell is a usage error",
    { args: ["completions"] },
    /^ERROR: completions requires a shell: bash, zsh, fish or powershell/,
  ),
  usageError(
    "an empty value is a usage error that says what would be right",
    { args: [...url, "--value="] },
    /^ERROR: Invalid --value "" \(command line\): expected a number, 0 or more, for example 12\.5$/,
  ),
  usageError(
    "receive explains a value as send does",
    { args: ["receive", "--port", "x"] },
    /^ERROR: Invalid --port "x" \(command line\): expected a whole number from 0 to 65535$/,
  ),
  usageError(
    "a flag without its value is a usage error",
    { args: [...url, "--interval"] },
    /^ERROR: .*--interval.*--help/,
  ),
  usageError(
    "a token given as a flag is refused without being shown",
    { args: [...url, `--token=${MARK}`] },
    /^ERROR: .*--token/,
  ),
  usageError(
    "a token that a missing quote made an argument of its own is not shown",
    { args: [...url, "--header", "Authorization=Api-Token", `dt0c01.PUBLIC.${MARK}`] },
    /^ERROR: .*argument/i,
  ),
  usageError(
    "a token in the place of a command is not shown",
    { args: [`dt0c01.PUBLIC.${MARK}`] },
    /^ERROR: Unknown command/,
  ),
  usageError(
    "a token in the place of an endpoint is not shown",
    { args: [], env: { DT_ENDPOINT: `dt0c01.PUBLIC.${MARK}` } },
    /^ERROR: Invalid DT_ENDPOINT "dt0c01\.PUBLIC\.\*\*\*" \(environment\): expected a URL /,
  ),
  usageError(
    "a token in the place of its file's name is not shown",
    { args: [...url, "--token-file", `dt0c01.PUBLIC.${MARK}`] },
    /^ERROR: .*--token-file.*"dt0c01\.PUBLIC\.\*\*\*": it does not exist$/,
  ),
  usageError(
    "an endpoint that is given twice is not shown with its secrets",
    { args: ["--endpoint", "{secretUrl}", "--endpoint", "{secretUrl}"] },
    /^ERROR: .*--endpoint/,
  ),
  usageError(
    "an error is an object when --output json is given",
    { args: ["--output", "json", "--timeout", "abc", ...url] },
    /^\{"type":"error","message":"Invalid --timeout \\"abc\\" \(command line\): expected .*"\}$/,
  ),
  usageError(
    "an unknown flag is an object when --output=json is given",
    { args: ["--output=json", "--nothing-like-it"] },
    /^\{"type":"error","message":".*--nothing-like-it.*"\}$/,
  ),
  {
    name: "--interval without --loop warns and sends once",
    args: [...url, "--interval", "5"],
    stdout: sentOnce(),
    stderr: [/^WARNING: --interval has no effect .*--loop/],
  },
  {
    name: "INTERVAL without --loop is no reason to warn",
    args: url,
    env: { INTERVAL: "5" },
    stdout: sentOnce(),
  },
  ...[["--help"], ["-h"], ["help"], ["--intervl", "5", "--help"]].map((args): Fixture => ({
    name: `${args.join(" ")} describes every flag of send`,
    args,
    stdout: "any",
    requests: 0,
    check({ stdout }) {
      for (const described of FLAGS) {
        assert.match(stdout, new RegExp(`^ +--${described}( |$)`, "m"));
      }
      assert.match(stdout, /^Exit codes:\n +0 +everything was read and accepted$/m);
      assert.match(stdout, /^ +receive +run a local receiver/m);
      for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
    },
  })),
  ...[["send", "--help"], ["help", "send"]].map((args): Fixture => ({
    name: `${args.join(" ")} describes the flags of send`,
    args,
    stdout: "any",
    requests: 0,
    check: ({ stdout }) => assert.match(stdout, /^ +--endpoint URL /m),
  })),
  ...[["check", "-h"], ["help", "check"]].map((args): Fixture => ({
    name: `${args.join(" ")} describes the flags of check`,
    args,
    stdout: "any",
    requests: 0,
    check: ({ stdout }) => assert.match(stdout, /^ +--canary /m),
  })),
  ...[["demo", "--help"], ["help", "demo"]].map((args): Fixture => ({
    name: `${args.join(" ")} describes demo`,
    args,
    stdout: "any",
    requests: 0,
    check: ({ stdout }) => assert.match(stdout, /^ +otlp-histogram demo \[flags\]$/m),
  })),
  ...[["receive", "--help"], ["help", "receive"]].map((args): Fixture => ({
    name: `${args.join(" ")} describes every flag of receive`,
    args,
    stdout: "any",
    requests: 0,
    check({ stdout }) {
      for (
        const flag of [
          "host",
          "port",
          "token-file",
          "tls-cert",
          "tls-key",
          "output",
          "respond",
          "exam",
          "requests",
        ]
      ) {
        assert.match(stdout, new RegExp(`^ +--${flag}( |$)`, "m"));
      }
    },
  })),
  ...["--version", "-V", "version"].map((arg): Fixture => ({
    name: `${arg} prints the version of deno.json`,
    args: [arg],
    requests: 0,
    stdout: [configuration.version],
  })),
  ...["bash", "zsh", "fish", "powershell"].map((shell): Fixture => ({
    name: `completions ${shell} prints a script`,
    args: ["completions", shell],
    stdout: "any",
    requests: 0,
    check: ({ stdout }) => assert.match(stdout, /otlp[-_]histogram/),
  })),
];
testFixtures(rows);

const FLAGS = [
  "endpoint",
  "token-file",
  "header",
  "insecure",
  "ca",
  "client-cert",
  "client-key",
  "compression",
  "timeout",
  "retry-for",
  "loop",
  "interval",
  "iterations",
  "duration",
  "metric",
  "unit",
  "description",
  "buckets",
  "service",
  "resource",
  "attr",
  "output",
  "quiet",
  "verbose",
  "env-file",
];
