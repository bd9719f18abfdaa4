import assert from "node:assert/strict";
import { decode, partialSuccess, rpcStatus } from "../support/decode.ts";
import { type Fixture, MARK, TOKEN } from "../support/fixture.ts";
import { error, like, type Line, warning } from "../support/lines.ts";
import { type Reply, startReceiver } from "../support/receiver.ts";
import { runFixture, testFixtures } from "../support/run_fixture.ts";
import { SPLITTABLE_ARGS } from "../support/sample.ts";
import {
  beforeSend,
  lostLine,
  notDelivered,
  sendJson,
  sentOnce,
  SHOWN_URL,
  summaryJson,
} from "../support/wording.ts";

const protobuf = { "content-type": "application/x-protobuf" };
const json = { "content-type": "application/json" };
const html = { "content-type": "text/html; charset=utf-8" };
const dynatrace = ["--endpoint", "{url}/api/v2/otlp"];
const atDynatrace = [{ target: "/api/v2/otlp/v1/metrics" }];

/** Refused for good: said with the receiver's own words, no ✓, exit status 1. */
function refused(
  name: string,
  answer: Reply,
  stderr: readonly Line[],
  more: Partial<Fixture> = {},
): Fixture {
  return { name, answers: [answer], status: 1, stdout: beforeSend(SHOWN_URL), stderr, ...more };
}

/** Not now: one attempt, since nothing is tried for longer, and the same words. */
function notNow(name: string, answer: Reply, stderr: readonly Line[]): Fixture {
  return refused(name, answer, stderr, {
    args: ["--endpoint", "{secretUrl}", "--retry-for", "0"],
  });
}

const rows: readonly Fixture[] = [
  refused(
    "401 with a protobuf Status is told in its words, with a hint",
    { status: 401, headers: protobuf, body: rpcStatus(16, "Token is missing") },
    [
      "ERROR: 5 measurements not delivered: 401 Unauthorized: Token is missing",
      /^ {2}Hint: .*credentials.*--token-file/,
    ],
  ),
  refused(
    "401 with a JSON envelope is told in its words, with Dynatrace's hint at Dynatrace",
    {
      status: 401,
      headers: json,
      body: JSON.stringify({ error: { code: 401, message: "Token Authentication failed" } }),
    },
    [
      "ERROR: 5 measurements not delivered: 401 Unauthorized: Token Authentication failed",
      /^ {2}Hint: .*token.*metrics\.ingest/,
    ],
    {
      args: dynatrace,
      requests: atDynatrace,
      stdout: beforeSend("http://127.0.0.1:PORT/api/v2/otlp/v1/metrics"),
    },
  ),
  refused(
    "403 is refused, and the hint names the scope at Dynatrace",
    { status: 403, headers: json, body: '{"error":{"code":403,"message":"Missing scope"}}' },
    [
      "ERROR: 5 measurements not delivered: 403 Forbidden: Missing scope",
      /^ {2}Hint: .*scope metrics\.ingest/,
    ],
    {
      args: dynatrace,
      requests: atDynatrace,
      stdout: beforeSend("http://127.0.0.1:PORT/api/v2/otlp/v1/metrics"),
    },
  ),
  refused(
    "404 is refused, and the hint shows the path",
    { status: 404, body: "nothing here" },
    [
      "ERROR: 5 measurements not delivered: 404 Not Found: nothing here",
      /^ {2}Hint: .*\/v1\/metrics/,
    ],
  ),
  refused(
    "415 is refused, and the hint asks for the protocol",
    { status: 415, headers: protobuf, body: rpcStatus(3, "JSON only") },
    [
      "ERROR: 5 measurements not delivered: 415 Unsupported Media Type: JSON only",
      /^ {2}Hint: .*protobuf/,
    ],
  ),
  notNow(
    "429 is not delivered when nothing is tried again, and the hint says to send less often",
    { status: 429, headers: { ...json, "retry-after": "60" }, body: '{"message":"slow down"}' },
    [
      lostLine(
        "429 Too Many Requests: slow down; " +
          "Retry-After is 60 s, longer than --retry-for (0 s)",
      ),
      /^ {2}Hint: .*less often/,
    ],
  ),
  notNow(
    "503 is not delivered when nothing is tried again",
    { status: 503, headers: protobuf, body: rpcStatus(14, "restarting") },
    [
      lostLine("503 Service Unavailable: restarting"),
      /^ {2}Hint: .*restarting/,
    ],
  ),
  refused(
    "500 is refused and not tried again",
    { status: 500, body: "boom" },
    ["ERROR: 5 measurements not delivered: 500 Internal Server Error: boom"],
  ),
  refused(
    "400 is refused with Dynatrace's reason",
    {
      status: 400,
      headers: json,
      body: JSON.stringify({
        error: { code: 400, message: "All metric data points were rejected" },
      }),
    },
    ["ERROR: 5 measurements not delivered: 400 Bad Request: All metric data points were rejected"],
  ),
  refused(
    "a redirect is not followed, and the hint says where it leads",
    { status: 302, headers: { location: "/elsewhere" } },
    [
      "ERROR: 5 measurements not delivered: 302 Found",
      /^ {2}Hint: .*http:\/\/127\.0\.0\.1:PORT.*not followed/,
    ],
  ),
  refused(
    "200 with a sign-in page is a failure",
    { headers: html, body: "<html><head><title>Log in - Dynatrace</title></head></html>" },
    [
      'ERROR: 5 measurements not delivered: 200, but the body is not an OTLP response: a web page, "Log in - Dynatrace"',
      /^ {2}Hint: .*sign-in page/,
    ],
  ),
  {
    name: "200 with text is accepted, with a warning",
    answers: [{ headers: { "content-type": "text/plain" }, body: "OK" }],
    stdout: sentOnce(SHOWN_URL),
    stderr: [
      "WARNING: accepted with status 200, but a partial success could not have been seen: " +
      `the response body is not OTLP: OK; check that ${SHOWN_URL} is an OTLP receiver`,
    ],
  },
  refused(
    "a partial success that rejects every point is a refusal",
    { headers: protobuf, body: partialSuccess(3, "Unsupported metric") },
    [
      "ERROR: 5 measurements not delivered: rejected 3 of 3 data points: Unsupported metric",
    ],
  ),
  {
    name: "a partial success that rejects some points is exit 3 without a ✓",
    answers: [{ headers: protobuf, body: partialSuccess(1, "One is odd") }],
    status: 3,
    stdout: beforeSend(SHOWN_URL),
    stderr: ["ERROR: 5 measurements only partly accepted: rejected 1 of 3 data points: One is odd"],
  },
  {
    name: "a partial success in JSON is understood, its number as a string",
    args: ["--endpoint", "{secretUrl}", "--output", "json"],
    answers: [{
      headers: json,
      body: '{"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"Two are odd"}}',
    }],
    status: 3,
    stdout: [
      sendJson({
        outcome: "partial",
        rejectedPoints: 2,
        message: "rejected 2 of 3 data points: Two are odd",
      }),
      summaryJson({ rejectedPoints: 2, exitCode: 3, points: 1 }),
    ],
    stderr: [/^\{"type":"error","message":".*Two are odd"\}$/],
  },
  {
    name: "a partial success without rejected points is a warning, and accepted",
    answers: [{ headers: protobuf, body: partialSuccess(0, "Old version") }],
    stdout: sentOnce(SHOWN_URL),
    stderr: ["WARNING: the receiver reports: Old version"],
  },
  {
    name: "a refusal in JSON is counted as rejected",
    args: ["--endpoint", "{secretUrl}", "--output", "json"],
    answers: [{ status: 401, headers: protobuf, body: rpcStatus(16, "Wrong token") }],
    status: 1,
    stdout: [
      sendJson({ outcome: "rejected", status: 401, message: "401 Unauthorized: Wrong token" }),
      summaryJson({ delivered: 0, rejected: 5, exitCode: 1, points: 0 }),
    ],
    stderr: [/^\{"type":"error","message":"5 measurements not delivered: 401 .*Hint: .*"\}$/],
  },
  {
    name: "a failure in JSON is counted as dropped at the end",
    args: ["--endpoint", "{secretUrl}", "--output", "json", "--retry-for", "0"],
    answers: [503],
    status: 1,
    stdout: [
      sendJson({ outcome: "failed", status: 503, message: "503 Service Unavailable" }),
      summaryJson({ delivered: 0, dropped: 5, exitCode: 1, points: 0 }),
    ],
    stderr: [/^\{"type":"error","message":"5 measurements not delivered .*"\}$/],
  },
  {
    name: "every point rejected in JSON is outcome rejected, exit 1",
    args: ["--endpoint", "{secretUrl}", "--output", "json"],
    answers: [{ headers: protobuf, body: partialSuccess(3, "") }],
    ambiguous: true,
    status: 1,
    stdout: [
      sendJson({
        outcome: "rejected",
        rejectedPoints: 3,
        message: "rejected 3 of 3 data points",
      }),
      summaryJson({ delivered: 0, rejected: 5, rejectedPoints: 3, exitCode: 1, points: 0 }),
    ],
    stderr: [/"type":"error"/],
  },
  {
    name: "503 is tried again with the same bytes, and then accepted",
    args: ["--endpoint", "{secretUrl}", "--output", "json"],
    answers: [503, { status: 502, body: "bad" }],
    requests: 3,
    stdout: [sendJson({ attempts: 3 }), summaryJson({ requests: 3 })],
    stderr: [
      /^\{"type":"warning","message":"attempt 1 failed: 503 .*"\}$/,
      /^\{"type":"warning","message":"attempt 2 failed: 502 .*bad.*"\}$/,
    ],
    check({ requests: [first, ...others] }) {
      for (const { body } of others) assert.deepEqual(body, first?.body);
    },
  },
  {
    name: "Retry-After is obeyed as a minimum",
    args: ["--endpoint", "{secretUrl}", "--output", "json"],
    answers: [{ status: 429, headers: { "retry-after": "1" } }],
    requests: 2,
    stdout: [sendJson({ attempts: 2 }), summaryJson({ requests: 2 })],
    stderr: [/attempt 1 failed: 429/],
    check({ requests: [first, second] }) {
      const waited = (second?.at ?? 0) - (first?.at ?? 0);
      assert.ok(waited >= 990, `waited ${waited} ms`);
    },
  },
  refused(
    "a receiver that repeats the token and a header does not get them printed",
    {
      status: 401,
      body: `Authorization: Api-Token ${TOKEN}, x-scope: ${MARK}HEADER, ${MARK}TOKEN`,
    },
    [
      /401 Unauthorized: Authorization: Api-Token dt0c01\.PUBLICA+\.\*\*\*, x-scope: \*\*\*, \*\*\*$/,
      /Hint: /,
    ],
  ),
  refused(
    "control characters of an answer do not reach the terminal",
    { status: 500, body: "\x1b[31mred\x07\u202e" },
    ["ERROR: 5 measurements not delivered: 500 Internal Server Error: \\u001b[31mred\\u0007\\u202e"],
  ),
];
testFixtures(rows);

Deno.test("send sends nothing to another host when the receiver redirects there", async () => {
  await using other = await startReceiver();
  for (const status of [301, 302, 303, 307, 308]) {
    await runFixture({
      answers: [{ status, headers: { location: `${other.url}/v1/metrics` } }],
      status: 1,
      stdout: beforeSend(SHOWN_URL),
      stderr: notDelivered(new RegExp(`${status} `), /not followed/),
    });
  }
  assert.equal(other.connections, 0);
});

Deno.test("send halves a request down to one data point when the receiver answers 413", async () => {
  const { requests, summary } = await runFixture({
    args: ["--endpoint", "{url}", "--output", "json", ...SPLITTABLE_ARGS],
    answers: [413, 413, 413, 200, 413],
    posts: 5,
    status: 1,
    stdout: [like({ type: "send", outcome: "partial", attempts: 5 }), like({ type: "summary" })],
    stderr: [
      warning(/^413 Content Too Large: resending it in two halves$/),
      warning(/^413 Content Too Large: resending it in two halves$/),
      error(/413 Content Too Large.*Hint: .*raise its limit/),
    ],
  });
  assert.deepEqual(
    requests.map(({ content }) => decode(content).metrics[0]?.points.length),
    [3, 2, 1, 1, 1],
  );
  // GET, the first data point, holds three measurements, POST and PUT one each.
  const { delivered, rejected } = summary;
  assert.deepEqual({ delivered, rejected }, { delivered: 1, rejected: 4 });
});
