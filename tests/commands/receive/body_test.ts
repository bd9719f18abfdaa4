import assert from "node:assert/strict";
import { decodeStatus } from "../../../src/otlp/decode.ts";
import { gunzipBounded } from "../../../src/otlp/gzip.ts";
import { gzip } from "../../support/gzip.ts";
import { GOOD, OTLP, post, raw, request, start } from "./serving.ts";

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
