import assert from "node:assert/strict";
import { createAuthority } from "./certificates.ts";
import { startReceiver, type Trouble } from "./receiver.ts";
import { failure, post } from "./posting.ts";

Deno.test("startReceiver() records a request and answers 200 when nothing is scripted", async () => {
  await using receiver = await startReceiver();
  const before = performance.now();
  const reply = await post(receiver, "some body", { headers: { "x-test": "yes" } });
  assert.deepEqual(reply, { status: 200, text: "" });
  const [request] = receiver.requests;
  assert.equal(request?.method, "POST");
  assert.equal(request?.target, "/v1/metrics?a=b");
  assert.equal(request?.headers.get("x-test"), "yes");
  assert.equal(new TextDecoder().decode(request?.body), "some body");
  assert.equal(request?.answered, 200);
  assert.equal(request?.client, undefined);
  assert.ok(request !== undefined && request.at >= before && request.at <= performance.now());
});

Deno.test("startReceiver() gives its answers in order when they are of every form", async () => {
  await using receiver = await startReceiver({
    answers: [
      503,
      { status: 429, headers: { "retry-after": "2" }, body: "slow down" },
      ({ target }) => ({ status: 201, body: target }),
    ],
  });
  receiver.answer({ body: Uint8Array.of(65, 66) }, () => 204);
  const replies = [];
  for (let sent = 0; sent < 6; sent++) replies.push(await post(receiver));
  assert.deepEqual(replies, [
    { status: 503, text: "" },
    { status: 429, text: "slow down" },
    { status: 201, text: "/v1/metrics?a=b" },
    { status: 200, text: "AB" },
    { status: 204, text: "" },
    { status: 200, text: "" },
  ]);
  assert.deepEqual(receiver.requests.map(({ answered }) => answered), [
    503,
    429,
    201,
    200,
    204,
    200,
  ]);
});

Deno.test("startReceiver() reads chunked and gzipped bodies when they come so", async () => {
  await using receiver = await startReceiver();
  const text = "long ".repeat(50_000);
  const zipped = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  await post(receiver, zipped, { headers: { "content-encoding": "gzip" } });
  const [request] = receiver.requests;
  assert.equal(request?.headers.get("transfer-encoding"), "chunked");
  assert.deepEqual([...request?.body.subarray(0, 2) ?? []], [0x1f, 0x8b]);
  assert.equal(new TextDecoder().decode(request?.content), text);
});

Deno.test("startReceiver() keeps a connection when the client uses it again", async () => {
  await using receiver = await startReceiver({
    answers: [200, 200, { headers: { connection: "close" } }],
  });
  using client = Deno.createHttpClient({});
  for (let sent = 0; sent < 4; sent++) {
    await (await fetch(receiver.url, { method: "POST", body: "x", client })).text();
  }
  assert.deepEqual(receiver.requests.map(({ connection }) => connection), [1, 1, 1, 2]);
  assert.equal(receiver.connections, 2);
});

const BROKEN: Readonly<Partial<Record<Trouble, { says: RegExp; recorded: number; body: string }>>> =
  {
    "refuse": { says: /connection|error sending request/i, recorded: 0, body: "" },
    "reset-before-body": { says: /connection|error sending request/i, recorded: 1, body: "" },
    "reset-after-body": { says: /connection|error sending request/i, recorded: 1, body: "body" },
    "half-answer": {
      says: /end of file|reading a body|connection closed/i,
      recorded: 1,
      body: "body",
    },
    "hang": { says: /TimeoutError/, recorded: 1, body: "body" },
    "trickle": { says: /TimeoutError/, recorded: 1, body: "body" },
    "endless": { says: /TimeoutError/, recorded: 1, body: "body" },
  };

for (const trouble of Object.keys(BROKEN)) {
  if (!isTrouble(trouble)) throw new Error(`No trouble: ${trouble}`);
  const expected = BROKEN[trouble];
  Deno.test(`startReceiver() lets a fetch fail when the answer is "${trouble}"`, async () => {
    await using receiver = await startReceiver({ answers: [trouble] });
    const said = await failure(post(receiver, "body", { timeoutMs: 400 }));
    assert.match(said, expected?.says ?? /never/);
    assert.equal(receiver.connections, 1);
    assert.equal(receiver.requests.length, expected?.recorded);
    if (expected?.recorded === 1) {
      assert.equal(new TextDecoder().decode(receiver.requests[0]?.body), expected.body);
      assert.equal(receiver.requests[0]?.answered, trouble);
    }
    assert.deepEqual(await post(receiver), { status: 200, text: "" });
  });
}

function isTrouble(name: string): name is Trouble {
  return Object.hasOwn(BROKEN, name);
}

Deno.test('startReceiver() gives a whole answer in the end when it is "trickle"', async () => {
  await using receiver = await startReceiver({
    answers: ["trickle", { everyMs: 1, body: "drip" }],
  });
  assert.deepEqual(await post(receiver), { status: 200, text: "" });
  assert.deepEqual(await post(receiver), { status: 200, text: "drip" });
});

Deno.test('startReceiver() goes on sending when the answer is "endless"', async () => {
  await using receiver = await startReceiver({ answers: ["endless"] });
  using client = Deno.createHttpClient({});
  const response = await fetch(receiver.url, { client });
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > 5_000_000) break;
  }
  assert.ok(bytes > 5_000_000);
});

Deno.test("startReceiver() waits before its answer when delayMs says so", async () => {
  await using receiver = await startReceiver({ answers: [{ delayMs: 60 }] });
  const started = performance.now();
  await post(receiver);
  assert.ok(performance.now() - started >= 59);
});

Deno.test("Receiver.stop() refuses connections when it has stopped, until restart()", async () => {
  await using receiver = await startReceiver();
  using client = Deno.createHttpClient({});
  await (await fetch(receiver.url, { client })).text();
  const { port } = receiver;
  await receiver.stop();
  assert.match(await failure(post(receiver)), /refused/i);
  await receiver.restart();
  assert.equal(receiver.port, port);
  await (await fetch(receiver.url, { client })).text();
  assert.equal(receiver.requests.length, 2);
});

Deno.test("Receiver.stop() ends connections when an answer hangs", async () => {
  await using receiver = await startReceiver({ answers: ["hang"] });
  const failing = failure(post(receiver));
  await receiver.waitForRequests(1);
  await receiver.stop();
  assert.match(await failing, /error sending request|connection/i);
});

Deno.test("Receiver.stop() throws when a scripted function has thrown", async () => {
  const receiver = await startReceiver({
    answers: [() => {
      throw new Error("wrong script");
    }],
  });
  assert.equal((await post(receiver)).status, 500);
  await assert.rejects(receiver.stop(), /wrong script/);
});

Deno.test("Receiver.waitForRequests() rejects when too few come", async () => {
  await using receiver = await startReceiver();
  await post(receiver);
  await assert.rejects(receiver.waitForRequests(2, 20), /1 of 2 requests came/);
});

Deno.test('startReceiver() breaks the handshake when tls is "broken"', async () => {
  await using receiver = await startReceiver({ tls: "broken" });
  assert.match(receiver.url, /^https:/);
  assert.match(await failure(post(receiver)), /eof|error sending request/i);
  assert.equal(receiver.connections, 1);
});

Deno.test("startReceiver() knows the client when it demands a client certificate", async () => {
  const authority = await createAuthority();
  await using receiver = await startReceiver({
    tls: { ...await authority.server(["127.0.0.1"]), clientAuthority: authority.certificate },
  });
  const caCerts = [authority.certificate];
  const { certificate: cert, key } = await authority.client("client one");
  const reply = await post(receiver, "x".repeat(300_000), { caCerts, cert, key });
  assert.equal(reply.status, 200);
  assert.equal(receiver.requests[0]?.client, "client one");
  assert.equal(receiver.requests[0]?.body.length, 300_000);
  await receiver.stop();
  await receiver.restart();
  await failure(post(receiver, "x", { caCerts }));
  const stranger = await (await createAuthority("Strangers")).client("client two");
  const refused = { caCerts, cert: stranger.certificate, key: stranger.key };
  await failure(post(receiver, "x", refused));
  assert.equal((await receiver.waitForConnectionErrors(2)).length, 2);
  assert.equal(receiver.requests.length, 1);
});
