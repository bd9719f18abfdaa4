import assert from "node:assert/strict";
import { createAuthority, selfSigned } from "../support/certificates.ts";
import { type Fixture, MARK } from "../support/fixture.ts";
import { sourceOnly } from "../support/program.ts";
import type { ServerTls } from "../support/receiver.ts";
import { gzip } from "../support/gzip.ts";
import { partialSuccess } from "../support/decode.ts";
import { repeated } from "../support/lines.ts";
import { testFixtures } from "../support/run_fixture.ts";
import { beforeSend, lostLine, sentOnce } from "../support/wording.ts";

const authority = await createAuthority();
const stranger = await createAuthority("Another authority");
const good = await authority.server(["127.0.0.1"]);
const expired = await authority.server(["127.0.0.1"], "expired");
const early = await authority.server(["127.0.0.1"], "not yet");
const misnamed = await authority.server(["collector.invalid"]);
const alone = await selfSigned(["127.0.0.1"]);
const aloneAuthority = await selfSigned(["127.0.0.1"], { authority: true });
const client = await authority.client("pod-1");
const strange = await stranger.client("nobody");

const files = {
  "ca.pem": authority.certificate,
  "stranger.pem": stranger.certificate,
  "client.pem": client.certificate,
  "client.key": client.key,
  "strange.pem": strange.certificate,
  "strange.key": strange.key,
};
const url = ["--endpoint", "{secretUrl}", "--retry-for", "0"];
const SHOWN = "https://***:***@127.0.0.1:PORT/v1/metrics?key=***";
const mutual: ServerTls = { ...good, clientAuthority: authority.certificate };
const insecureWarning = "WARNING: SSL verification disabled (INSECURE_SSL=true)";

/** No request arrives, and what is wrong is said with what to do. */
function untrusted(
  name: string,
  tls: ServerTls,
  error: RegExp,
  hint: RegExp,
  more: Partial<Fixture> = {},
): Fixture {
  return {
    name,
    args: [...url, "--ca", "ca.pem"],
    files,
    tls,
    status: 1,
    stdout: beforeSend(SHOWN),
    stderr: [error, hint],
    requests: 0,
    ...more,
  };
}

const rows: readonly Fixture[] = [
  {
    name: "--ca adds an authority to the public roots",
    args: [...url, "--ca", "ca.pem"],
    files,
    tls: good,
    stdout: sentOnce(SHOWN),
  },
  {
    name: "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE names the authority, and beats the general one",
    stdout: sentOnce(SHOWN),
    args: url,
    env: {
      OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE: "ca.pem",
      OTEL_EXPORTER_OTLP_CERTIFICATE: "stranger.pem",
    },
    files,
    tls: good,
  },
  {
    name: "OTEL_EXPORTER_OTLP_CERTIFICATE names the authority",
    stdout: sentOnce(SHOWN),
    args: url,
    env: { OTEL_EXPORTER_OTLP_CERTIFICATE: "ca.pem" },
    files,
    tls: good,
  },
  untrusted(
    "an unknown authority is told, and the hint names --ca",
    good,
    lostLine(/UnknownIssuer/),
    /^ {2}Hint: .*--ca FILE/,
    { args: url },
  ),
  untrusted(
    "a certificate that signed itself is told, and the hint names --ca",
    alone,
    lostLine(/invalid peer certificate/),
    /^ {2}Hint: .*--ca FILE/,
    { args: url },
  ),
  untrusted(
    "an expired certificate is named, with its date",
    expired,
    lostLine(/expired.*\d{4}-\d\d-\d\d/),
    /^ {2}Hint: .*not valid now/,
  ),
  untrusted(
    "a certificate that is not valid yet is named, with its date",
    early,
    lostLine(/not valid.*\d{4}-\d\d-\d\d/),
    /^ {2}Hint: .*not valid now.*clock/,
  ),
  untrusted(
    "a certificate for another name is named",
    misnamed,
    lostLine(/certificate not valid for name "127\.0\.0\.1"/),
    /^ {2}Hint: .*not for the name 127\.0\.0\.1/,
  ),
  {
    name: "a TLS handshake that breaks off is told",
    args: url,
    tls: "broken",
    status: 1,
    stdout: beforeSend(SHOWN),
    stderr: [lostLine(), /^ {2}Hint: /],
    requests: 0,
  },
  {
    name: "--client-cert and --client-key prove who sends",
    stdout: sentOnce(SHOWN),
    args: [...url, "--ca", "ca.pem", "--client-cert", "client.pem", "--client-key", "client.key"],
    files,
    tls: mutual,
    check: ({ requests: [request] }) => assert.equal(request?.client, "pod-1"),
  },
  {
    name: "OTEL_EXPORTER_OTLP_[METRICS_]CLIENT_… prove who sends",
    stdout: sentOnce(SHOWN),
    args: [...url, "--ca", "ca.pem"],
    env: {
      OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE: "client.pem",
      OTEL_EXPORTER_OTLP_CLIENT_KEY: "client.key",
    },
    files,
    tls: mutual,
    check: ({ requests: [request] }) => assert.equal(request?.client, "pod-1"),
  },
  untrusted(
    "a missing client certificate is told, and the hint names --client-cert",
    mutual,
    lostLine(),
    /^ {2}Hint: .*--client-cert/,
  ),
  untrusted(
    "a client certificate that the receiver does not know is told",
    mutual,
    lostLine(),
    /^ {2}Hint: .*--client-cert/,
    {
      args: [
        ...url,
        "--ca",
        "ca.pem",
        "--client-cert",
        "strange.pem",
        "--client-key",
        "strange.key",
      ],
    },
  ),
  {
    name: "an https request goes through a tunnel of HTTPS_PROXY",
    stdout: sentOnce(SHOWN),
    args: [...url, "--ca", "ca.pem"],
    env: { HTTPS_PROXY: "{proxy}" },
    files,
    tls: good,
    proxy: {},
    check: ({ proxy }) => {
      assert.deepEqual(proxy?.requests.map(({ method, tunnel }) => [method, tunnel]), [[
        "CONNECT",
        true,
      ]]);
    },
  },
  {
    name:
      "a tunnel of HTTPS_PROXY gets user name and password, and the receiver's token stays inside",
    stdout: sentOnce(SHOWN),
    args: [...url, "--ca", "ca.pem"],
    env: { HTTPS_PROXY: "{secretProxy}" },
    files,
    tls: good,
    proxy: { credentials: { user: "user", password: `${MARK}PROXY` } },
    check: ({ proxy }) => {
      assert.equal(proxy?.requests.at(-1)?.refused, undefined);
      assert.equal(proxy?.requests.at(-1)?.authorization, `Basic ${btoa(`user:${MARK}PROXY`)}`);
    },
  },
  {
    name: "a proxy that refuses a tunnel is told with a hint",
    args: [...url, "--ca", "ca.pem"],
    env: { HTTPS_PROXY: "{proxy}" },
    files,
    tls: good,
    proxy: { credentials: { user: "user", password: `${MARK}PROXY` } },
    status: 1,
    stdout: beforeSend(SHOWN),
    stderr: [
      lostLine(),
      /^ {2}Hint: the proxy .* requires a user name/,
    ],
    requests: 0,
  },
  {
    name: "NO_PROXY excepts a host from HTTPS_PROXY",
    stdout: sentOnce(SHOWN),
    args: [...url, "--ca", "ca.pem"],
    env: { HTTPS_PROXY: "{proxy}", NO_PROXY: "127.0.0.1" },
    files,
    tls: good,
    proxy: {},
    check: ({ proxy }) => assert.deepEqual(proxy?.requests, []),
  },
  {
    name: "INSECURE_SSL=false verifies",
    args: url,
    env: { INSECURE_SSL: "false" },
    tls: alone,
    status: 1,
    stdout: beforeSend(SHOWN),
    stderr: [/invalid peer certificate/, /Hint/],
    requests: 0,
  },
  untrusted(
    "an authority's own certificate, as openssl req -x509 makes it, is told with what to do",
    aloneAuthority,
    lostLine(/CaUsedAsEndEntity/),
    /^ {2}Hint: .*--ca does not help.*-addext basicConstraints=CA:FALSE/,
    { args: url },
  ),
  {
    name: "a certificate that signed itself and is no authority's is trusted with --ca",
    args: [...url, "--ca", "alone.pem"],
    files: { "alone.pem": alone.certificate },
    tls: alone,
    stdout: sentOnce(SHOWN),
  },
  {
    name: "http:// to a port for TLS is asked for https://",
    args: ["--endpoint", "http://127.0.0.1:{port}", "--retry-for", "0"],
    tls: good,
    status: 1,
    stdout: beforeSend(),
    stderr: [lostLine(), /^ {2}Hint: .*use https:\/\/ if/],
    requests: 0,
  },
  {
    name: "a server that says it speaks TLS is taken at its word",
    args: ["--endpoint", "{url}", "--retry-for", "0"],
    answers: [{ status: 400, body: "Client sent an HTTP request to an HTTPS server.\n" }],
    status: 1,
    stdout: beforeSend(),
    stderr: [/^ERROR: 5 measurements not delivered: 400/, /^ {2}Hint: use https:\/\/ in the URL/],
  },
  {
    name: "https:// to a port for plain HTTP is asked for http://",
    args: ["--endpoint", "https://127.0.0.1:{port}", "--retry-for", "0"],
    status: 1,
    stdout: beforeSend("https://127.0.0.1:PORT/v1/metrics"),
    stderr: [
      lostLine(),
      /^ {2}Hint: .*use http:\/\/ instead of https:\/\//,
    ],
    requests: 0,
  },
  {
    name: "INSECURE_SSL says so on standard error, for http too",
    args: ["--endpoint", "{url}"],
    env: { INSECURE_SSL: "true" },
    stdout: sentOnce(),
    stderr: [insecureWarning],
  },
];
testFixtures(rows);

/** From source only: on Deno 2.6, with which an executable may be compiled, node:https verifies regardless. */
function insecure(name: string, tls: ServerTls, more: Partial<Fixture> = {}): Fixture {
  return {
    name: `INSECURE_SSL takes ${name}`,
    args: url,
    env: { INSECURE_SSL: "true" },
    tls,
    stdout: sentOnce(SHOWN),
    stderr: [insecureWarning],
    ...more,
  };
}

if (sourceOnly) {
  testFixtures([
    insecure("a certificate that signed itself", alone),
    insecure("an authority's own certificate", aloneAuthority, { env: { INSECURE_SSL: "YES" } }),
    insecure("an expired certificate", expired, { env: { INSECURE_SSL: "1" } }),
    insecure("a certificate for another name", misnamed),
    insecure("a certificate of an unknown authority", good),
    {
      ...insecure("a client certificate along", mutual),
      args: [...url, "--client-cert", "client.pem", "--client-key", "client.key"],
      files,
      check: ({ requests: [request] }) => assert.equal(request?.client, "pod-1"),
    },
    {
      ...insecure("nothing when --insecure says the same", alone, { env: {} }),
      name: "--insecure is INSECURE_SSL=true as a flag",
      args: [...url, "--insecure"],
    },
    {
      ...insecure("", alone, { env: {} }),
      name: "INSECURE_SSL=true in .env is taken",
      dotenv: "INSECURE_SSL=true\n",
    },
    {
      ...insecure("it through a tunnel of HTTPS_PROXY", alone),
      env: { INSECURE_SSL: "true", HTTPS_PROXY: "{secretProxy}" },
      proxy: { credentials: { user: "user", password: `${MARK}PROXY` } },
      check: ({ proxy }) => {
        assert.deepEqual(proxy?.requests.map(({ method, refused }) => [method, refused]), [
          ["CONNECT", undefined],
        ]);
      },
    },
    {
      ...insecure("a tunnel of a proxy with a % in its password", alone),
      env: { INSECURE_SSL: "true", HTTPS_PROXY: "{secretProxy}" },
      // A % that is not an escape stays as it is in a URL.
      proxy: { credentials: { user: "user", password: `100%${MARK}` } },
      check: ({ proxy }) => {
        assert.deepEqual(proxy?.requests.map(({ method, refused }) => [method, refused]), [
          ["CONNECT", undefined],
        ]);
      },
    },
    {
      ...insecure("no proxy for a host that NO_PROXY excepts", alone),
      env: { INSECURE_SSL: "true", HTTPS_PROXY: "{proxy}", NO_PROXY: "127.0.0.1" },
      proxy: {},
      check: ({ proxy }) => assert.deepEqual(proxy?.requests, []),
    },
    {
      ...insecure("a refusal as one", alone),
      answers: [{ status: 401, body: "no" }],
      status: 1,
      stdout: beforeSend(SHOWN),
      stderr: [
        insecureWarning,
        "ERROR: 5 measurements not delivered: 401 Unauthorized: no",
        /Hint/,
      ],
    },
    {
      ...insecure("an answer in gzip", alone),
      answers: [{
        headers: { "content-type": "application/x-protobuf", "content-encoding": "gzip" },
        body: await gzip(new Uint8Array(partialSuccess(1, "one is odd"))),
      }],
      status: 3,
      stdout: beforeSend(SHOWN),
      stderr: [insecureWarning, /only partly accepted: rejected 1 of 3 data points: one is odd$/],
    },
    {
      ...insecure("no more of a gzip answer than of any other", alone),
      answers: [{
        headers: { "content-type": "application/x-protobuf", "content-encoding": "gzip" },
        body: await gzip(new Uint8Array(64 * 2 ** 20)),
      }],
      stderr: [insecureWarning, /^WARNING: accepted .*was larger than the 4 MiB/],
    },
    {
      ...insecure("a 101 as the answer that it is, at once", alone),
      args: [...url, "--timeout", "60"],
      answers: [{ status: 101, headers: { connection: "upgrade", upgrade: "websocket" } }],
      status: 1,
      stdout: beforeSend(SHOWN),
      stderr: [insecureWarning, /^ERROR: 5 measurements not delivered: 101/],
    },
    {
      ...insecure("a handshake that breaks off for no request", alone),
      tls: "broken",
      args: ["--endpoint", "{secretUrl}", "--retry-for", "1.5"],
      status: 1,
      stdout: beforeSend(SHOWN),
      // No word of "possibly duplicated".
      stderr: [
        insecureWarning,
        repeated(/^WARNING: attempt \d+ failed: tls handshake: /, 1),
        lostLine(/tls handshake: /),
        /Hint/,
      ],
      requests: 0,
    },
    {
      ...insecure("a hanging receiver no longer than its timeout, and posts once", alone),
      args: [...url, "--timeout", "1.5"],
      answers: ["hang"],
      status: 1,
      stdout: beforeSend(SHOWN),
      stderr: [insecureWarning, /no response within 1\.5 s/, /Hint/],
    },
  ]);
}
