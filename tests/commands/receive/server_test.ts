import assert from "node:assert/strict";
import { decodeResponse, decodeStatus } from "../../../src/otlp/decode.ts";
import { requestJson } from "../../../src/commands/receive/report.ts";
import { gzip } from "../../support/gzip.ts";
import { freePort, whenFree } from "../../support/process.ts";
import { GOOD, post, PROTOBUF, raw, request, start } from "./serving.ts";
import { each } from "../../support/cases.ts";

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

Deno.test("startReceiver() answers no request before its output has room", async () => {
  const room = Promise.withResolvers<void>();
  await using running = start({ printed: () => room.promise });
  const answered = post(running.url, request(GOOD));
  // Another connection is accepted, and its request waits as well.
  const other = post(running.url, request(GOOD));
  assert.deepEqual(running.events, []);
  room.resolve();
  assert.deepEqual([(await answered).status, (await other).status], [200, 200]);
  assert.equal(running.events.length, 2);
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
    path: "/v1/metric",
    status: 404,
    code: 5,
    message: /^nothing is served at \/v1\/metric: send metrics to \/v1\/metrics\. /,
  },
  {
    when: "the path has a slash too many",
    path: "/v1/metrics/",
    status: 404,
    code: 5,
    message: /^nothing is served at \/v1\/metrics\/: send metrics to \/v1\/metrics\. /,
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
    message: /"identity" is not an encoding/,
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
    message: /not an OTLP metrics request/,
  },
  {
    when: "the body is cut off",
    body: () => request(GOOD).slice(0, -3),
    status: 400,
    code: 3,
    message: /not an OTLP metrics request/,
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
    otherSignals: 0,
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

Deno.test("startReceiver() ends when stopped though a request hangs", async () => {
  const running = start({ respond: [{ kind: "hang" }] });
  const hung = post(running.url, request(GOOD));
  const ended = assert.rejects(hung, TypeError);
  await running.told(1);
  running.receiver.stop();
  assert.deepEqual(await running.receiver.finished, {
    requests: 1,
    points: 0,
    measurements: 0,
    rejectedPoints: 0,
    otherSignals: 0,
  });
  await ended;
});

Deno.test("startReceiver() ends after the requests asked for, a hanging one having left", async () => {
  const running = start({ respond: [{ kind: "hang" }], requests: 1 });
  const hung = fetch(running.url, {
    method: "POST",
    headers: PROTOBUF,
    body: request(GOOD),
    signal: AbortSignal.timeout(100),
  });
  await assert.rejects(hung);
  assert.equal((await running.receiver.finished).requests, 1);
});

Deno.test("startReceiver() accepts no more than the requests asked for, though more come at once", async () => {
  const all = 5;
  const arrived = Promise.withResolvers<undefined>();
  let left = all;
  // Holds the requests until all are there, and lets them go on together.
  const page = {
    answer() {
      if (--left === 0) arrived.resolve(undefined);
      return arrived.promise;
    },
    stop() {},
  };
  await using running = start({ requests: 2 }, undefined, page);
  const answers = await Promise.all(
    Array.from({ length: all }, () => post(running.url, request(GOOD))),
  );
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 503, 503, 503]);
  assert.equal((await running.receiver.finished).requests, 2);
});

Deno.test("startReceiver() writes every answer before it ends, and frees its port", async () => {
  for (let i = 0; i < 20; i++) {
    // Not one that the system chose: another test may be given it next.
    const port = freePort();
    const running = await whenFree(() => start({ port, requests: 3 }));
    const answers = await Promise.all(
      [1, 2, 3].map(() => post(running.url, request({ ...GOOD, count: 1n }))),
    );
    assert.deepEqual(answers.map((it) => it.status), [200, 200, 200]);
    assert.ok(
      answers.every((it) => decodeResponse(it.body).partialSuccess?.rejectedDataPoints === 1n),
    );
    assert.equal((await running.receiver.finished).rejectedPoints, 3);
    (await whenFree(() => Deno.listen({ hostname: "127.0.0.1", port }))).close();
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

Deno.test("startReceiver() reads gzip of several members", async () => {
  await using running = start();
  const body = request(GOOD);
  const members = [body.subarray(0, 20), body.subarray(20)];
  const packed = await Promise.all(members.map((member) => gzip(member.slice())));
  const answer = await post(running.url, new Uint8Array(packed.flatMap((it) => [...it])), {
    "Content-Encoding": "gzip",
  });
  assert.equal(answer.status, 200);
  assert.deepEqual(running.events.map(({ points }) => points), [1]);
});

each(
  [
    [
      "other bytes behind it",
      (packed: Uint8Array) => [...packed, 1, 2, 3],
      "other bytes follow it",
    ],
    ["its end missing", (packed: Uint8Array) => [...packed.subarray(0, -3)], "it ends too early"],
    [
      "a wrong checksum",
      (packed: Uint8Array) => [...packed.with(-7, 1)],
      "its checksum does not match",
    ],
  ] as const,
  ([what]) => `startReceiver() refuses gzip with ${what}`,
  async ([, damage, why]) => {
    await using running = start();
    const packed = new Uint8Array(damage(await gzip(request(GOOD))));
    const answer = await post(running.url, packed, { "Content-Encoding": "gzip" });
    assert.equal(answer.status, 400);
    assert.equal(running.events[0]?.problems[0]?.message, `the body is not gzip: ${why}`);
  },
);

Deno.test("startReceiver() says that a text is not UTF-8", async () => {
  await using running = start();
  const body = request(GOOD);
  const name = new TextEncoder().encode("http.server");
  const at = body.findIndex((_, i) => name.every((byte, j) => body[i + j] === byte));
  body[at] = 0xff;
  assert.equal((await post(running.url, body)).status, 400);
  assert.match(running.events[0]?.problems[0]?.message ?? "", /a text in it is not valid UTF-8/);
});
