import assert from "node:assert/strict";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { systemClock } from "../../../src/platform/clock.ts";
import { Secrets } from "../../../src/redact/secrets.ts";
import { canvasOf } from "../../../src/console/canvas.ts";
import { UsageError } from "../../../src/platform/errors.ts";
import type { System } from "../../../src/platform/system.ts";
import { decodeResponse, decodeStatus } from "../../../src/otlp/decode.ts";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { judgeOtlp } from "../../../src/receivers/otlp/rules.ts";
import { PROFILES, RECEIVERS } from "../../../src/receivers/profiles.ts";
import { limitsFor, type ReceiveLimits } from "../../../src/commands/receive/body.ts";
import type { ReceiveFlags } from "../../../src/settings/settings.ts";
import { runReceive } from "../../../src/commands/receive/command.ts";
import type { RequestEvent } from "../../../src/commands/receive/event.ts";
import { readTokenFile } from "../../../src/http/token_file.ts";
import { gunzipBounded } from "../../../src/otlp/gzip.ts";
import {
  receiveSummaryJson,
  receiveSummaryText,
  requestJson,
  requestText,
} from "../../../src/commands/receive/report.ts";
import { parseRespond } from "../../../src/commands/receive/script.ts";
import {
  type Receiver,
  type ReceiverOptions,
  startReceiver,
} from "../../../src/commands/receive/server.ts";

type RequestInit_ = MessageInitShape<typeof ExportMetricsServiceRequestSchema>;

const OTLP = limitsFor(PROFILES.otlp.body);
const PROTOBUF = { "Content-Type": "application/x-protobuf" };

const GOOD = {
  startTimeUnixNano: 1n,
  timeUnixNano: 2n,
  count: 3n,
  sum: 120.5,
  min: 20,
  max: 61.25,
  bucketCounts: [0n, 2n, 1n, 0n],
  explicitBounds: [10, 50, 100],
};

function request(...points: (typeof GOOD)[]): Uint8Array<ArrayBuffer> {
  return toBinary(
    ExportMetricsServiceRequestSchema,
    create(ExportMetricsServiceRequestSchema, init(points)),
  );
}

function init(points: (typeof GOOD)[]): RequestInit_ {
  const value = { aggregationTemporality: AggregationTemporality.DELTA, dataPoints: points };
  return {
    resourceMetrics: [{
      resource: { attributes: [text("service.name", "my service")] },
      scopeMetrics: [{
        metrics: [{ name: "http.server.duration", unit: "ms", data: { case: "histogram", value } }],
      }],
    }],
  };
}

function text(key: string, value: string) {
  return { key, value: { value: { case: "stringValue" as const, value } } };
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

interface Running extends AsyncDisposable {
  readonly receiver: Receiver;
  readonly url: string;
  readonly events: RequestEvent[];
  /** Resolves when so many requests have been told of. */
  told(count: number): Promise<void>;
}

function start(
  change: Partial<ReceiverOptions> & { limit?: Partial<ReceiveLimits> } = {},
): Running {
  const { limit, ...options } = change;
  const events: RequestEvent[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const receiver = startReceiver({
    host: "127.0.0.1",
    port: 0,
    tls: undefined,
    token: undefined,
    respond: [],
    requests: undefined,
    judge: judgeOtlp,
    limits: { ...OTLP, ...limit },
    clock: systemClock,
    ...options,
  }, (event) => {
    events.push(event);
    waiting.filter((it) => events.length >= it.count).forEach((it) => it.resolve());
  });
  return {
    receiver,
    url: receiver.url,
    events,
    told: (count) =>
      new Promise((resolve) =>
        events.length >= count ? resolve() : waiting.push({ count, resolve })
      ),
    async [Symbol.asyncDispose]() {
      receiver.stop();
      await receiver.finished;
    },
  };
}

async function post(
  url: string,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: Uint8Array }> {
  const response = await fetch(url, { method: "POST", body, headers: { ...PROTOBUF, ...headers } });
  return {
    status: response.status,
    headers: response.headers,
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

/** Sends text over a bare connection and reads all that comes until the other side closes or `enough`. */
async function raw(url: string, sent: string, enough: RegExp): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  await connection.write(new TextEncoder().encode(sent));
  const buffer = new Uint8Array(4096);
  let got = "";
  while (!enough.test(got)) {
    const count = await connection.read(buffer);
    if (count === null) break;
    got += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return got;
}

Deno.test("startReceiver() answers an empty 200 when the request is fine", async () => {
  await using running = start();
  const answer = await post(running.url, request(GOOD, GOOD));
  assert.equal(answer.status, 200);
  assert.equal(answer.body.length, 0);
  assert.equal(answer.headers.get("Content-Type"), "application/x-protobuf");
  const [event] = running.events;
  assert.equal(event?.outcome, "accepted");
  assert.deepEqual([event?.points, event?.measurements, event?.rejectedPoints], [2, 6, 0]);
  assert.equal(event?.bytes, request(GOOD, GOOD).length);
  assert.deepEqual(event?.problems, []);
});

Deno.test("startReceiver() unpacks gzip and tells the length as it came", async () => {
  await using running = start();
  const packed = await gzip(request(...Array.from({ length: 500 }, () => GOOD)));
  assert.equal((await post(running.url, packed, { "Content-Encoding": "gzip" })).status, 200);
  assert.equal((await post(running.url, packed, { "Content-Encoding": "GZip" })).status, 200);
  assert.deepEqual(running.events.map((it) => it.bytes), [packed.length, packed.length]);
  assert.deepEqual(running.events.map((it) => it.measurements), [1500, 1500]);
});

Deno.test("startReceiver() takes a request without data points", async () => {
  await using running = start();
  assert.equal((await post(running.url, new Uint8Array())).status, 200);
  assert.deepEqual([running.events[0]?.outcome, running.events[0]?.points], ["accepted", 0]);
});

Deno.test("startReceiver() answers a partial success when some points break a rule", async () => {
  await using running = start();
  const answer = await post(running.url, request(GOOD, { ...GOOD, count: 7n }, GOOD));
  assert.equal(answer.status, 200);
  const { partialSuccess } = decodeResponse(answer.body);
  assert.equal(partialSuccess?.rejectedDataPoints, 1n);
  assert.match(
    partialSuccess?.errorMessage ?? "",
    /^1 of 3 data points rejected: bucket-sum: http\.server/,
  );
  const [event] = running.events;
  assert.deepEqual([event?.outcome, event?.rejectedPoints, event?.measurements], [
    "partial",
    1,
    13,
  ]);
  assert.deepEqual(event?.problems.map((it) => it.rule), ["bucket-sum"]);
});

Deno.test("startReceiver() calls it rejected when every point breaks a rule", async () => {
  await using running = start();
  const answer = await post(running.url, request({ ...GOOD, count: 7n }));
  assert.equal(answer.status, 200);
  assert.equal(decodeResponse(answer.body).partialSuccess?.rejectedDataPoints, 1n);
  assert.equal(running.events[0]?.outcome, "rejected");
});

Deno.test("startReceiver() answers 200 with an empty body when there are only warnings", async () => {
  await using running = start();
  const answer = await post(running.url, request({ ...GOOD, sum: 1 }));
  assert.deepEqual([answer.status, answer.body.length], [200, 0]);
  assert.deepEqual(running.events[0]?.problems.map((it) => it.level), ["warning"]);
});

const taken = [
  "/v1/metrics",
  "/api/v2/otlp/v1/metrics",
  "/v1/metrics?key=SECRET",
  "/e/abc/v1/metrics",
];
for (const path of taken) {
  Deno.test(`startReceiver() takes a request when its path is ${path}`, async () => {
    await using running = start();
    const answer = await post(new URL(path, running.url).href, request(GOOD));
    assert.equal(answer.status, 200);
    assert.equal(running.events[0]?.path, path.replace(/\?.*/, ""));
  });
}

interface Refusal {
  readonly when: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: () => BodyInit | Promise<BodyInit>;
  readonly status: number;
  readonly code: number;
  readonly message: RegExp;
}

const refusals: Refusal[] = [
  {
    when: "the path is another",
    path: "/v1/traces",
    status: 404,
    code: 5,
    message: /\/v1\/metrics/,
  },
  {
    when: "the path has a slash too many",
    path: "/v1/metrics/",
    status: 404,
    code: 5,
    message: /path/,
  },
  {
    when: "the method is PUT",
    method: "PUT",
    status: 405,
    code: 12,
    message: /PUT is not allowed/,
  },
  {
    when: "the body is XML",
    headers: { "Content-Type": "text/xml" },
    status: 415,
    code: 3,
    message: /"text\/xml" is not supported: send application\/x-protobuf or application\/json$/,
  },
  {
    when: "the body is snappy",
    headers: { "Content-Encoding": "snappy" },
    status: 415,
    code: 3,
    message: /"snappy" is not supported: send gzip, deflate, zstd or none$/,
  },
  {
    when: "the encoding is identity",
    headers: { "Content-Encoding": "identity" },
    status: 400,
    code: 3,
    message: /"identity" is no encoding/,
  },
  {
    when: "the body is packed twice",
    headers: { "Content-Encoding": "gzip, gzip" },
    status: 415,
    code: 3,
    message: /gzip, gzip/,
  },
  {
    when: "the body is no protobuf",
    body: () => "{}",
    status: 400,
    code: 3,
    message: /no OTLP metrics request/,
  },
  {
    when: "the body is cut off",
    body: () => request(GOOD).slice(0, -3),
    status: 400,
    code: 3,
    message: /no OTLP metrics request/,
  },
  {
    when: "the body is not gzip",
    headers: { "Content-Encoding": "gzip" },
    body: () => request(GOOD),
    status: 400,
    code: 3,
    message: /not gzip/,
  },
  {
    when: "the gzip is cut off",
    headers: { "Content-Encoding": "gzip" },
    body: async () => (await gzip(request(GOOD))).slice(0, -9),
    status: 400,
    code: 3,
    message: /not gzip/,
  },
];

for (const { when, path, method, headers, body, status, code, message } of refusals) {
  Deno.test(`startReceiver() answers ${status} with a Status when ${when}`, async () => {
    await using running = start();
    const response = await fetch(new URL(path ?? "/v1/metrics", running.url), {
      method: method ?? "POST",
      headers: { ...PROTOBUF, ...headers },
      body: await (body ?? (() => request(GOOD)))(),
    });
    assert.equal(response.status, status);
    assert.equal(response.headers.get("Content-Type"), "application/x-protobuf");
    assert.equal(response.headers.get("Allow"), status === 405 ? "POST" : null);
    const answer = decodeStatus(new Uint8Array(await response.arrayBuffer()));
    assert.equal(answer.code, code);
    assert.match(answer.message, message);
    const [event] = running.events;
    assert.deepEqual([event?.status, event?.outcome, event?.points], [status, "rejected", 0]);
    assert.equal(event?.problems[0]?.message, answer.message);
    // It goes on serving.
    assert.equal((await post(running.url, request(GOOD))).status, 200);
  });
}

Deno.test("startReceiver() answers 405 to GET and 415 without a content type", async () => {
  await using running = start();
  const got = await fetch(running.url);
  assert.equal(got.status, 405);
  await got.body?.cancel();
  const answer = await raw(
    running.url,
    "POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    /missing/,
  );
  assert.match(answer, /^HTTP\/1\.1 415 /);
});

Deno.test("startReceiver() takes a content type with parameters", async () => {
  await using running = start();
  const headers = { "Content-Type": "Application/X-Protobuf; charset=utf-8" };
  assert.equal((await post(running.url, request(GOOD), headers)).status, 200);
});

Deno.test("startReceiver() answers 413 when a body is larger than the limit", async () => {
  await using running = start({ limit: { body: { ...OTLP.body, bytes: 1000 } } });
  const answer = await post(running.url, new Uint8Array(1001));
  assert.equal(answer.status, 413);
  assert.match(decodeStatus(answer.body).message, /larger than 1000 bytes/);
  // Without a Content-Length it is seen while reading.
  const piece = new Uint8Array(600);
  const endless = ReadableStream.from([piece, piece, piece]);
  assert.equal((await post(running.url, endless)).status, 413);
  assert.deepEqual(running.events.map((it) => it.outcome), ["rejected", "rejected"]);
});

Deno.test("startReceiver() takes 1000 bytes when the limit is 1000", async () => {
  await using running = start({ limit: { body: { ...OTLP.body, bytes: 1000 } } });
  // Not OTLP, but it is read: 400, not 413.
  assert.equal((await post(running.url, new Uint8Array(1000))).status, 400);
});

Deno.test("startReceiver() answers 413 to gzip bombs, fifty at once, and goes on serving", async () => {
  await using running = start({ limit: { body: { ...OTLP.body, bytes: 2 ** 20 } } });
  const bomb = await gzip(new Uint8Array(64 * 2 ** 20));
  assert.ok(bomb.length < 100_000);
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => post(running.url, bomb, { "Content-Encoding": "gzip" })),
  );
  assert.deepEqual(new Set(answers.map((it) => it.status)), new Set([413]));
  assert.match(decodeStatus(answers[0]?.body ?? new Uint8Array()).message, /unpacked body/);
  assert.equal((await post(running.url, request(GOOD))).status, 200);
});

Deno.test("startReceiver() answers 413 when two bytes on the wire would each become an object", async () => {
  await using running = start({ limit: { decodedBytes: 10 * 2 ** 20 } });
  const empty = new Uint8Array(200_000);
  for (let i = 0; i < empty.length; i += 2) empty[i] = 0x0a;
  const answer = await post(running.url, empty);
  assert.equal(answer.status, 413);
  assert.match(decodeStatus(answer.body).message, /too many parts/);
  assert.equal((await post(running.url, empty.subarray(0, 20_000))).status, 200);
});

Deno.test("gunzipBounded() stops feeding when the limit is passed", async () => {
  const bomb = await gzip(new Uint8Array(32 * 2 ** 20));
  assert.equal(await gunzipBounded(bomb, 1000), undefined);
  assert.equal((await gunzipBounded(bomb, 32 * 2 ** 20))?.length, 32 * 2 ** 20);
  assert.equal(await gunzipBounded(bomb, 32 * 2 ** 20 - 1), undefined);
});

Deno.test("startReceiver() answers 408 when a body does not end", async () => {
  await using running = start({ limit: { bodyMs: 50 } });
  const answer = await raw(
    running.url,
    "POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 9\r\n\r\nabc",
    /took more/,
  );
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.match(answer, /the body took more than 0\.05 seconds/);
  assert.deepEqual([running.events[0]?.status, running.events[0]?.bytes], [408, 3]);
});

Deno.test("startReceiver() serves others while bodies that do not end hold every place", async () => {
  await using running = start({ limit: { bodyMs: 100, bodies: 2 } });
  const head =
    "POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 9\r\n\r\nabc";
  const slow = Array.from({ length: 5 }, () => raw(running.url, head, /took more/));
  assert.equal((await post(running.url, request(GOOD))).status, 200);
  for (const answer of await Promise.all(slow)) assert.match(answer, /^HTTP\/1\.1 408 /);
});

Deno.test("startReceiver() lets large bodies pass one after the other", async () => {
  await using running = start({ limit: { smallBytes: 1000, largeBodies: 1 } });
  const large = request(...Array.from({ length: 2000 }, () => GOOD));
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(running.url, large)));
  assert.deepEqual(answers.map((it) => it.status), Array.from({ length: 8 }, () => 200));
});

Deno.test("startReceiver() tells of a client that went away amid its body", async () => {
  await using running = start();
  {
    using connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: Number(new URL(running.url).port),
    });
    await connection.write(new TextEncoder().encode(
      "POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 9\r\n\r\nabc",
    ));
  }
  await running.told(1);
  const [event] = running.events;
  assert.deepEqual([event?.status, event?.outcome, event?.problems[0]?.rule], [
    null,
    "unanswered",
    "body-broken",
  ]);
});

Deno.test("startReceiver() answers a hundred at once and counts each", async () => {
  const running = start();
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => post(running.url, request(GOOD))),
  );
  assert.ok(answers.every((it) => it.status === 200));
  running.receiver.stop();
  assert.deepEqual(await running.receiver.finished, {
    requests: 100,
    points: 100,
    measurements: 300,
    rejectedPoints: 0,
  });
});

Deno.test("startReceiver() answers 401 without the token, and reads it again for every request", async () => {
  let token = "dt0c01.PUBLIC.SECRET";
  await using running = start({ token: () => Promise.resolve(`Api-Token ${token}`) });
  const as = (value: string) =>
    post(running.url, request(GOOD), value === "" ? {} : { Authorization: value });
  for (
    const wrong of [
      "",
      "Api-Token",
      "Api-Token wrong",
      `Bearer ${token}`,
      `Api-Token ${token}x`,
      `Api-Token ${token} x`,
    ]
  ) {
    const answer = await as(wrong);
    assert.equal(answer.status, 401, wrong);
    assert.equal(decodeStatus(answer.body).code, 16);
    assert.doesNotMatch(decodeStatus(answer.body).message, /SECRET/);
  }
  assert.equal((await as(`Api-Token ${token}`)).status, 200);
  token = "rotated";
  assert.equal((await as("Api-Token dt0c01.PUBLIC.SECRET")).status, 401);
  assert.equal((await as("Api-Token rotated")).status, 200);
  assert.doesNotMatch(running.events.map((event) => requestJson(event)).join(), /SECRET|rotated/);
});

Deno.test("startReceiver() demands the scheme that the token has, in any case", async () => {
  await using running = start({ token: () => Promise.resolve("Bearer dt0s16.PUBLIC.SECRET") });
  const as = (value: string) => post(running.url, request(GOOD), { Authorization: value });
  const refused = await as("Api-Token dt0s16.PUBLIC.SECRET");
  assert.equal(refused.status, 401);
  assert.match(decodeStatus(refused.body).message, /Authorization: Bearer with the right token/);
  assert.equal((await as("bearer  dt0s16.PUBLIC.SECRET")).status, 200);
});

Deno.test("startReceiver() gives scripted answers in order, then judges", async () => {
  await using running = start({ respond: parseRespond(script("503,429:2,200,302,204")) });
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++) {
    const response = await fetch(running.url, {
      method: "POST",
      headers: PROTOBUF,
      body: request(GOOD),
      redirect: "manual",
    });
    statuses.push(response.status);
    assert.equal(response.headers.get("Retry-After"), i === 1 ? "2" : null);
    const body = new Uint8Array(await response.arrayBuffer());
    if (i < 2) assert.equal(decodeStatus(body).message, `scripted answer ${response.status}`);
  }
  assert.deepEqual(statuses, [503, 429, 200, 302, 204, 200]);
  assert.deepEqual(running.events.map((it) => [it.outcome, it.measurements, it.rejectedPoints]), [
    ["rejected", 3, 0],
    ["rejected", 3, 0],
    ["accepted", 3, 0],
    ["rejected", 3, 0],
    ["rejected", 3, 0],
    ["accepted", 3, 0],
  ]);
});

Deno.test("startReceiver() keeps its script for what is posted to it", async () => {
  await using running = start({ respond: parseRespond(script("503")) });
  assert.equal((await post(new URL("/other", running.url).href, request(GOOD))).status, 404);
  assert.equal((await post(running.url, request(GOOD))).status, 503);
});

Deno.test("startReceiver() never answers a hang, and serves others meanwhile", async () => {
  await using running = start({ respond: parseRespond(script("hang")) });
  const leaving = new AbortController();
  const hung = fetch(running.url, {
    method: "POST",
    headers: PROTOBUF,
    body: request(GOOD),
    signal: leaving.signal,
  });
  await running.told(1);
  assert.deepEqual([running.events[0]?.status, running.events[0]?.outcome], [null, "unanswered"]);
  assert.equal((await post(running.url, request(GOOD))).status, 200);
  leaving.abort();
  await assert.rejects(hung, { name: "AbortError" });
});

Deno.test("startReceiver() ends when stopped though a request hangs", async () => {
  const running = start({ respond: parseRespond(script("hang")) });
  const hung = post(running.url, request(GOOD));
  const ended = assert.rejects(hung, TypeError);
  await running.told(1);
  running.receiver.stop();
  assert.deepEqual(await running.receiver.finished, {
    requests: 1,
    points: 0,
    measurements: 0,
    rejectedPoints: 0,
  });
  await ended;
});

Deno.test("startReceiver() ends after the requests asked for, a hanging one having left", async () => {
  const running = start({ respond: parseRespond(script("hang")), requests: 1 });
  const hung = fetch(running.url, {
    method: "POST",
    headers: PROTOBUF,
    body: request(GOOD),
    signal: AbortSignal.timeout(100),
  });
  await assert.rejects(hung);
  assert.equal((await running.receiver.finished).requests, 1);
});

Deno.test("startReceiver() writes every answer before it ends, and frees its port", async () => {
  for (let i = 0; i < 20; i++) {
    const running = start({ requests: 3 });
    const answers = await Promise.all(
      [1, 2, 3].map(() => post(running.url, request({ ...GOOD, count: 1n }))),
    );
    assert.deepEqual(answers.map((it) => it.status), [200, 200, 200]);
    assert.ok(
      answers.every((it) => decodeResponse(it.body).partialSuccess?.rejectedDataPoints === 1n),
    );
    assert.equal((await running.receiver.finished).rejectedPoints, 3);
    Deno.listen({ hostname: "127.0.0.1", port: Number(new URL(running.url).port) }).close();
  }
});

Deno.test("startReceiver() ends when stopped though bodies and heads do not end", async () => {
  const running = start();
  const port = Number(new URL(running.url).port);
  using body = await Deno.connect({ hostname: "127.0.0.1", port });
  await body.write(new TextEncoder().encode(
    "POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 9\r\n\r\nabc",
  ));
  using head = await Deno.connect({ hostname: "127.0.0.1", port });
  await head.write(new TextEncoder().encode("POST /v1/metrics HTTP/1.1\r\nHo"));
  // The receiver has seen the body's head when it has answered what came after it.
  assert.equal((await post(running.url, request(GOOD))).status, 200);
  running.receiver.stop();
  assert.equal((await running.receiver.finished).measurements, 3);
});

const wrongLists = [
  "",
  "503,",
  "abc",
  "99",
  "600",
  "429:",
  "429:x",
  "429:-1",
  "200:3",
  "hang:2",
  "503;429",
];
const script = (value: string) => ({ name: "--respond", source: "command line", value });
for (const list of wrongLists) {
  Deno.test(`parseRespond() refuses "${list}"`, () => {
    assert.throws(() => parseRespond(script(list)), (thrown) => {
      assert.ok(thrown instanceof UsageError);
      assert.match(thrown.message, /^Invalid --respond ".*" \(command line\): expected a status/);
      return true;
    });
  });
}

Deno.test("parseRespond() reads statuses, Retry-After and hang, with spaces around them", () => {
  assert.deepEqual(parseRespond(script("503, 429:120 ,hang,200")), [
    { kind: "status", status: 503, retryAfter: undefined },
    { kind: "status", status: 429, retryAfter: 120 },
    { kind: "hang" },
    { kind: "judge" },
  ]);
});

interface Command {
  readonly exit: Promise<number>;
  readonly stop: AbortController;
  readonly kill: AbortController;
  readonly out: () => string;
  readonly err: () => string;
  readonly url: Promise<string>;
}

function command(flags: ReceiveFlags, files: Record<string, string> = {}): Command {
  const stop = new AbortController();
  const kill = new AbortController();
  let out = "";
  let err = "";
  const url = Promise.withResolvers<string>();
  const look = (written: string) => {
    const found = /https?:\/\/[^\s"]+/.exec(written);
    if (found !== null) url.resolve(found[0]);
  };
  const system: System = {
    env: () => undefined,
    cwd: "/cwd",
    stdout: (written) => look(out += written),
    stderr: (written) => look(err += written),
    workflowCommand() {},
    columns: undefined,
    rows: undefined,
    stop: stop.signal,
    kill: kill.signal,
    clock: systemClock,
    secrets: new Secrets(),
    random: () => 0,
    readTextFile: (path) => {
      const content = files[path];
      return content === undefined
        ? Promise.reject(new Deno.errors.NotFound("No such file"))
        : Promise.resolve(content);
    },
    openFile: () => Promise.reject(new Deno.errors.NotFound("No such file")),
    stdin: () => new ReadableStream(),
    printed: () => Promise.resolve(),
    lastWords() {},
    stderrIsTerminal: false,
    stdinHasData: () => Promise.resolve(false),
  };
  const exit = runReceive(flags, system);
  return { exit, stop, kill, out: () => out, err: () => err, url: url.promise };
}

Deno.test("runReceive() prints what it gets as text, drawn, and a summary when stopped", async () => {
  const running = command({ port: "0" });
  assert.equal((await post(await running.url, request(GOOD))).status, 200);
  running.stop.abort();
  assert.equal(await running.exit, 0);
  assert.equal(running.err(), "");
  const lines = running.out().split("\n");
  assert.match(lines[0] ?? "", /^Listening on http:\/\/127\.0\.0\.1:\d+\/v1\/metrics$/);
  assert.match(
    lines[1] ?? "",
    /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] POST \/v1\/metrics 200 accepted: \d+ bytes, 1 data point, 3 measurements$/,
  );
  assert.deepEqual(lines.slice(2), [
    '  resource service.name="my service"',
    "  http.server.duration (ms)",
    "    count 3, min 20, max 61.25, sum 120.5",
    "    estimated p50 42.5, p90 57.875, p99 60.9125",
    "     (-∞, 10] 0",
    `     (10, 50] ${"█".repeat(64)} 2`,
    `    (50, 100] ${"█".repeat(32)} 1`,
    "    (100, +∞) 0",
    "Received 1 request: 1 data point, 3 measurements, 0 data points rejected",
    "",
  ]);
});

Deno.test("runReceive() prints the lines of the contract when the output is json", async () => {
  const running = command({ port: "0", output: "json", requests: "2" });
  const url = await running.url;
  await post(url, request(GOOD, { ...GOOD, count: 4n }));
  await post(`${url}?token=SECRET`, "{}");
  assert.equal(await running.exit, 0);
  assert.equal(running.err(), `{"type":"listening","url":"${url}"}\n`);
  const lines = running.out().trimEnd().split("\n");
  assert.equal(lines.length, 3);
  const bytes = request(GOOD, { ...GOOD, count: 4n }).length;
  const time = /"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/;
  assert.match(lines[0] ?? "", time);
  assert.equal(
    lines[0]?.replace(time, '"time":"T"'),
    `{"type":"request","time":"T","path":"/v1/metrics","status":200,"outcome":"partial","points":2,` +
      `"measurements":7,"rejectedPoints":1,"bytes":${bytes},"problems":[{"rule":"bucket-sum",` +
      `"level":"error","metric":"http.server.duration","message":"the bucket counts sum to 3, but count is 4"}],` +
      `"metrics":[{"name":"http.server.duration","type":"histogram","unit":"ms","temporality":"delta",` +
      `"points":2,"attributes":[]}]}`,
  );
  assert.match(
    lines[1] ?? "",
    /"status":400,"outcome":"rejected","points":0,"measurements":0,"rejectedPoints":0,"bytes":2,/,
  );
  assert.equal(
    lines[2],
    `{"type":"summary","requests":2,"points":2,"measurements":7,"rejectedPoints":1,"errors":2,` +
      `"warnings":0,"missing":[],"exitCode":0}`,
  );
});

Deno.test("runReceive() reads the token file beside the working directory, trimmed", async () => {
  const files = { "/cwd/token": " abc\n" };
  const running = command({ port: "0", demandedToken: "token", requests: "2" }, files);
  const url = await running.url;
  assert.equal((await post(url, request(GOOD))).status, 401);
  assert.equal((await post(url, request(GOOD), { Authorization: "Api-Token abc" })).status, 200);
  assert.equal(await running.exit, 0);
  assert.doesNotMatch(running.out(), /abc/);
});

for (const text of ["api-token abc", "dt0s16.A.B", "BEARER abc"]) {
  Deno.test(`runReceive() takes what send sends with a token file that holds ${text}`, async () => {
    const file = { name: "--token-file", source: "command line", value: "token" };
    const files = { "/cwd/token": `${text}\n` };
    const running = command({ port: "0", demandedToken: "token", requests: "1" }, files);
    const sent = await readTokenFile(file, RECEIVERS.tokens, {
      cwd: "/cwd",
      readTextFile: () => Promise.resolve(files["/cwd/token"]),
    });
    const answer = await post(await running.url, request(GOOD), { Authorization: sent });
    assert.equal(answer.status, 200);
    assert.equal(await running.exit, 0);
  });
}

Deno.test("runReceive() ends at once when killed though a request hangs", async () => {
  const running = command({ port: "0", respond: "hang", output: "json" });
  const hung = assert.rejects(post(await running.url, request(GOOD)));
  while (!running.out().includes("unanswered")) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  running.kill.abort();
  assert.equal(await running.exit, 0);
  await hung;
});

const wrongFlags: [ReceiveFlags, RegExp][] = [
  [
    { port: "abc" },
    /^Invalid --port "abc" \(command line\): expected a whole number from 0 to 65535$/,
  ],
  [{ port: "65536" }, /^Invalid --port "65536" /],
  [{ port: "-1" }, /^Invalid --port "-1" /],
  [{ port: "" }, /^Invalid --port "" /],
  [{ host: "" }, /^Invalid --host "" \(command line\): expected a host name or an IP address$/],
  [{ host: "192.0.2.1", port: "0" }, /^Cannot listen on --host "192\.0\.2\.1" --port "0": /],
  [{ output: "xml" }, /^Invalid --output "xml" \(command line\): expected "text" or "json"$/],
  [{ rules: "none" }, /^Invalid --rules "none" \(command line\): expected "otlp" or "dynatrace"$/],
  [
    { requests: "0" },
    /^Invalid --requests "0" \(command line\): expected a whole number, 1 or more$/,
  ],
  [{ requests: "1.5" }, /^Invalid --requests "1\.5" /],
  [{ respond: "200,no" }, /^Invalid --respond "no" \(command line\): expected a status /],
  [{ demandedToken: "none" }, /^Cannot read the file of --token-file \(command line\), "none": /],
  [{ demandedToken: "/empty" }, /^The token file of --token-file, "\/empty", is empty$/],
  [{ tlsCert: "cert.pem" }, /^--tls-cert \(command line\) needs the other half .*--tls-key$/],
  [{ tlsKey: "key.pem" }, /^--tls-key \(command line\) needs the other half .*--tls-cert$/],
  [
    { tlsCert: "none", tlsKey: "none" },
    /^Cannot read the file of --tls-cert \(command line\), "none": /,
  ],
  [
    { tlsCert: "/empty", tlsKey: "/empty", port: "0" },
    /^Cannot listen on .*--tls-cert and --tls-key/,
  ],
];
for (const [flags, message] of wrongFlags) {
  Deno.test(`runReceive() refuses ${JSON.stringify(flags)}`, async () => {
    await assert.rejects(command(flags, { "/empty": " \n" }).exit, { name: "UsageError", message });
  });
}

Deno.test("runReceive() names host and port when the port is in use", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await assert.rejects(command({ port: String(port) }).exit, {
    name: "UsageError",
    message: new RegExp(
      `^Cannot listen on --host "127\\.0\\.0\\.1" --port "${port}": the port is in use`,
    ),
  });
});

const paper = (width: number) => ({
  ...canvasOf({ columns: undefined, env: () => undefined }),
  width,
});

function event(change: Partial<RequestEvent>): RequestEvent {
  return {
    time: 0,
    method: "POST",
    path: "/v1/metrics",
    status: 200,
    outcome: "accepted",
    points: 0,
    measurements: 0,
    rejectedPoints: 0,
    bytes: 0,
    problems: [],
    request: undefined,
    ...change,
  };
}

Deno.test("requestText() and requestJson() let nothing from the wire act on the terminal", () => {
  const evil = "a\x1b[2J\r\n\x07\u009b31m\u202e\u2028z";
  const unsafe = /[\p{Cc}\p{Cf}\p{Zl}]/u;
  const metrics = [{
    name: evil,
    unit: evil,
    data: {
      case: "histogram" as const,
      value: { dataPoints: [{ ...GOOD, attributes: [text(evil, evil)] }] },
    },
  }];
  const told = event({
    path: `/${evil}/v1/metrics`,
    method: evil,
    problems: [{ rule: "r", level: "error", metric: evil, message: evil }],
    request: create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: [{
        resource: { attributes: [text(evil, evil)] },
        scopeMetrics: [{ metrics }],
      }],
    }),
  });
  for (const line of requestText(told, paper(80)).split("\n")) assert.doesNotMatch(line, unsafe);
  const json = requestJson(told);
  assert.doesNotMatch(json, unsafe);
  assert.equal(JSON.parse(json).problems[0].metric, evil);
});

Deno.test("requestText() shows gauges, exponential histograms and every kind of attribute", () => {
  const request = create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      scopeMetrics: [{
        metrics: [
          {
            name: "g",
            data: {
              case: "gauge",
              value: {
                dataPoints: [{
                  value: { case: "asInt", value: 7n },
                  attributes: [
                    { key: "i", value: { value: { case: "intValue", value: 200n } } },
                    { key: "b", value: { value: { case: "boolValue", value: true } } },
                    { key: "d", value: { value: { case: "doubleValue", value: 0.5 } } },
                    text("s", "two words"),
                    {
                      key: "a",
                      value: {
                        value: {
                          case: "arrayValue",
                          value: { values: [{ value: { case: "stringValue", value: "x" } }] },
                        },
                      },
                    },
                    { key: "n" },
                  ],
                }],
              },
            },
          },
          {
            name: "e",
            data: {
              case: "exponentialHistogram",
              value: {
                dataPoints: [{
                  count: 3n,
                  sum: 4.123456789,
                  positive: { offset: 0, bucketCounts: [1n, 2n] },
                }],
              },
            },
          },
        ],
      }],
    }],
  });
  assert.deepEqual(requestText(event({ request }), paper(40)).split("\n").slice(1), [
    "  e",
    "    count 3, sum 4.12346",
    "    estimated p50 2.5, p90 3.7, p99 3.97",
    "    (-∞, 1] 0",
    `     (1, 2] ${"█".repeat(13)} 1`,
    `     (2, 4] ${"█".repeat(26)} 2`,
    "    (4, +∞) 0",
    '  g i=200 b=true d=0.5 s="two words" a=[x] n=(none)',
    "    value 7",
  ]);
});

Deno.test("requestText() draws the largest twenty data points and counts the rest", () => {
  const request = create(
    ExportMetricsServiceRequestSchema,
    init(Array.from({ length: 23 }, () => GOOD)),
  );
  const lines = requestText(event({ request }), paper(80)).split("\n");
  assert.equal(lines.filter((line) => line.startsWith("    count")).length, 20);
  assert.equal(lines.at(-1), "  … and 3 more data points");
});

Deno.test("requestText() puts problems under the request", () => {
  const problems = [{ rule: "token", level: "error" as const, metric: "", message: "no token" }];
  const lines = requestText(event({ status: 401, outcome: "rejected", problems }), paper(80)).split(
    "\n",
  );
  assert.match(lines[0] ?? "", /401 rejected: 0 bytes, 0 data points, 0 measurements$/);
  assert.equal(lines[1], "  error token: no token");
});

Deno.test("receiveSummaryText() and receiveSummaryJson() say the same", () => {
  const summary = { requests: 2, points: 1, measurements: 5, rejectedPoints: 1 };
  assert.equal(
    receiveSummaryText(summary),
    "Received 2 requests: 1 data point, 5 measurements, 1 data point rejected",
  );
  const gate = { errors: 0, warnings: 2, missing: ["a"], failures: [`--expect "a": missing`] };
  assert.equal(
    receiveSummaryText(summary, gate),
    "Received 2 requests: 1 data point, 5 measurements, 1 data point rejected; 0 errors, 2 warnings\n" +
      `✗ --expect "a": missing`,
  );
  assert.equal(
    receiveSummaryJson(summary, gate, 1),
    '{"type":"summary","requests":2,"points":1,"measurements":5,"rejectedPoints":1,' +
      '"errors":0,"warnings":2,"missing":["a"],"exitCode":1}',
  );
});
