import { partialSuccess } from "../support/decode.ts";
import { error, like, repeated, warning } from "../support/lines.ts";
import type { ExportAnswer, ReceivedRequest } from "../support/receiver.ts";
import {
  DELIVERED,
  type Fault,
  FIVE,
  HALVED,
  KEPT,
  KEPT_SAID,
  LARGE,
  LOOP,
  LOST,
  LOST_SAID,
  pointsIn,
  refusedFor,
  REJECTED,
  RETRIES,
  RETRY,
  SOME,
  SPOOL,
  testFaults,
  unseen,
} from "../support/fault.ts";
import { partialMessage } from "../support/wording.ts";

const partial = (points: number, message = ""): ExportAnswer => ({
  headers: { "content-type": "application/x-protobuf" },
  body: partialSuccess(points, message),
});

const faults: readonly Fault[] = [
  { name: "200", expect: DELIVERED },
  {
    name: "200, not compressed",
    args: ["--endpoint", "{url}", "--compression", "none"],
    expect: DELIVERED,
  },
  {
    name: "a 200 with an empty body and the type text/html",
    answers: [{ headers: { "content-type": "text/html" } }],
    expect: DELIVERED,
  },
  ...[201, 202, 204].map((status): Fault => ({
    name: String(status),
    answers: [status],
    expect: DELIVERED,
  })),
  ...[400, 401, 403, 404, 405, 415, 500, 501].map((status): Fault => ({
    name: String(status),
    answers: [status],
    said: [refusedFor(new RegExp(`${status}\\b`))],
    expect: REJECTED,
  })),
  {
    name: "413 for every request",
    args: LARGE,
    answers: Array.from({ length: 9 }, () => 413),
    posts: 5,
    said: [HALVED, HALVED, refusedFor(/413 /)],
    expect: REJECTED,
  },
  {
    name: "413 for more than one point",
    args: LARGE,
    answers: Array.from(
      { length: 9 },
      () => ({ content }: ReceivedRequest) => pointsIn(content) > 1 ? 413 : 200,
    ),
    posts: 5,
    said: [HALVED, HALVED],
    expect: DELIVERED,
  },
  {
    name: "413, and 503 for a half of it",
    args: LARGE,
    answers: [413, 503],
    posts: 4,
    said: [HALVED, RETRY],
    expect: DELIVERED,
  },
  {
    name: "413, and 400 for a half of it",
    args: LARGE,
    answers: [413, 400],
    posts: 3,
    said: [HALVED, error(partialMessage(/400 /))],
    expect: { delivered: 1, rejected: 4, outcome: "partial" },
  },
  {
    name: "400 for a request that is too large, in a Collector's words",
    args: LARGE,
    answers: [{ status: 400, body: "http: request body too large\n" }],
    posts: 3,
    said: [
      warning(/^400 Bad Request: http: request body too large: resending it in two halves/),
    ],
    expect: DELIVERED,
  },
  {
    name: "413 in a loop: no later request is as large",
    args: [...LARGE, "--loop", "--interval", "0.1", "--iterations", "3"],
    answers: Array.from(
      { length: 99 },
      () => ({ content }: ReceivedRequest) => pointsIn(content) > 2 ? 413 : 200,
    ),
    posts: "any",
    said: [HALVED, SOME],
    expect: { recorded: 15, delivered: 15, sends: [repeated(like({ type: /^(send|late)$/ }), 3)] },
  },
  {
    name: "413 for less than 128 KiB, whose halves nobody would refuse for their size",
    answers: [413],
    said: [refusedFor(/413 /)],
    expect: REJECTED,
  },
  ...[429, 502, 503, 504].map((status): Fault => ({
    name: `${status}, then 200`,
    answers: [status],
    posts: 2,
    said: [RETRY],
    expect: { ...DELIVERED, possiblyDuplicated: false },
  })),
  ...[[429, 503], [502, 504]].map((statuses): Fault => ({
    name: `${statuses.join(", ")}, then 200`,
    answers: statuses,
    posts: 3,
    said: [RETRY, RETRY],
    expect: DELIVERED,
  })),
  {
    name: "503, then 401",
    answers: [503, 401],
    posts: 2,
    said: [RETRY, refusedFor(/401 /)],
    expect: REJECTED,
  },
  {
    name: "503, then a redirect",
    answers: [503, 302],
    posts: 2,
    said: [RETRY, refusedFor(/302 /)],
    expect: REJECTED,
  },
  {
    name: "503 for longer than --retry-for",
    answers: Array.from({ length: 50 }, () => 503),
    args: ["--endpoint", "{url}", "--retry-for", "1"],
    posts: "any",
    said: [RETRIES, LOST_SAID],
    expect: LOST,
  },
  {
    name: "503 for longer than --retry-for, then 200 in a loop",
    answers: [503, 503, 503],
    args: [...LOOP, "--interval", "0.2", "--iterations", "5"],
    posts: "any",
    said: [repeated(like({ type: /^(warning|error)$/ }))],
    expect: { recorded: 25, delivered: 25, sends: [repeated(like({ type: /^(send|late)$/ }), 5)] },
  },
  ...[301, 302, 303, 307, 308].map((status): Fault => ({
    name: `a redirect with ${status}`,
    answers: [() => ({ status, headers: { location: "/elsewhere" } })],
    said: [refusedFor(/redirects are not followed/)],
    expect: REJECTED,
  })),
  {
    name: "a sign-in page with 200",
    answers: [{
      headers: { "content-type": "text/html" },
      body: "<html><title>Sign in</title></html>",
    }],
    ambiguous: true,
    said: [refusedFor(/the body is not an OTLP response: a web page, "Sign in/)],
    expect: REJECTED,
  },
  {
    name: "a sign-in page with a spool",
    answers: [{
      headers: { "content-type": "text/html" },
      body: "<html><title>Sign in</title></html>",
    }],
    args: ["--endpoint", "{url}", ...SPOOL],
    ambiguous: true,
    said: [KEPT_SAID],
    expect: KEPT,
  },
  ...["0.5", "true", '"many"'].map((count): Fault => ({
    name: `a partial success in JSON whose count is ${count}`,
    answers: [{
      headers: { "content-type": "application/json" },
      body: `{"partialSuccess":{"rejectedDataPoints":${count}}}`,
    }],
    said: [unseen(/is not OTLP: /)],
    expect: DELIVERED,
  })),
  {
    name: "a partial success in JSON that is null, and a field that nobody knows",
    answers: [{
      headers: { "content-type": "application/json" },
      body: '{"partialSuccess":null,"new":{"rejectedDataPoints":3}}',
    }],
    expect: DELIVERED,
  },
  { name: "a partial success without a rejected point", answers: [partial(0)], expect: DELIVERED },
  {
    name: "a partial success with a warning alone",
    answers: [partial(0, "half of it is odd")],
    said: [warning("the receiver reports: half of it is odd")],
    expect: DELIVERED,
  },
  {
    name: "a partial success with some points rejected",
    answers: [partial(1, "one is odd")],
    said: [error(/rejected 1 of 3 data points: one is odd/)],
    expect: { delivered: FIVE, outcome: "partial", status: 3 },
  },
  {
    name: "a partial success with all points rejected",
    answers: [partial(3, "all are odd")],
    ambiguous: true,
    said: [refusedFor(/rejected 3 of 3 data points: all are odd/)],
    expect: { ...REJECTED, status: 1 },
  },
];

testFaults(faults);
