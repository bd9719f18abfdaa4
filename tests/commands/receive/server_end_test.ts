import assert from "node:assert/strict";
import { GOOD, request, start } from "./serving.ts";

Deno.test("stopAfterLast() waits for the request that is under way, and counts it", async () => {
  await using running = start();
  using connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: Number(new URL(running.url).port),
  });
  const body = request(GOOD);
  const head = "POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n" +
    `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head));
  const bytes = new Uint8Array(1024);
  const read = async () =>
    new TextDecoder().decode(bytes.subarray(0, await connection.read(bytes) ?? 0));
  // The receiver says so when it reads the body.
  assert.match(await read(), /^HTTP\/1\.1 100 Continue/);
  const stopped = running.receiver.stopAfterLast();
  await connection.write(body);
  assert.match(await read(), /^HTTP\/1\.1 200 /);
  await stopped;
  const { requests, points } = await running.receiver.finished;
  assert.deepEqual([requests, points], [1, 1]);
});

Deno.test("stopAfterLast() does not wait for a request that hangs", async () => {
  await using running = start({ respond: [{ kind: "hang" }] });
  const hanging = fetch(running.url, { method: "POST", body: request(GOOD) }).catch(() =>
    "cut off"
  );
  await running.told(1);
  await running.receiver.stopAfterLast();
  assert.equal((await running.receiver.finished).requests, 1);
  assert.equal(await hanging, "cut off");
});
