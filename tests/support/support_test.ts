import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { decodeResponse, decodeStatus } from "../../src/otlp/decode.ts";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { createAuthority, selfSigned } from "./certificates.ts";
import { decode, partialSuccess, rpcStatus } from "./decode.ts";
import { runProgram, startProgram } from "./program.ts";
import { startProxy } from "./proxy.ts";
import { type Receiver, startReceiver, type Trouble } from "./receiver.ts";

const STAND_IN = new URL("stand_in.ts", import.meta.url);

/** A client of its own, so that no connection of another test is used again. */
async function post(
  receiver: Receiver,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> = "body",
  { headers = {}, timeoutMs = 5000, ...options }:
    & { readonly headers?: Record<string, string>; readonly timeoutMs?: number }
    & (Deno.CreateHttpClientOptions | Deno.CreateHttpClientOptions & Deno.TlsCertifiedKeyPem)
    & { readonly url?: string } = {},
): Promise<{ readonly status: number; readonly text: string }> {
  using client = Deno.createHttpClient(options);
  const response = await fetch(options.url ?? `${receiver.url}/v1/metrics?a=b`, {
    method: "POST",
    body,
    headers,
    client,
    signal: AbortSignal.timeout(timeoutMs),
  });
  return { status: response.status, text: await response.text() };
}

/** All that an error says, its causes included. */
async function failure(of: Promise<unknown>): Promise<string> {
  try {
    await of;
  } catch (thrown) {
    let said = "";
    for (let at = thrown; at instanceof Error; at = at.cause) said += `${at.name}: ${at.message}\n`;
    return said;
  }
  throw new Error("Nothing failed");
}

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

Deno.test("createAuthority() makes certificates that Deno accepts when it is told of the authority", async () => {
  const authority = await createAuthority();
  const tls = await authority.server(["localhost", "127.0.0.1"]);
  await using receiver = await startReceiver({ tls });
  const caCerts = [authority.certificate];
  assert.equal((await post(receiver, "x", { caCerts })).status, 200);
  const url = `https://localhost:${receiver.port}`;
  assert.equal((await post(receiver, "x", { caCerts, url })).status, 200);
  assert.equal(receiver.requests.length, 2);
});

const REFUSED: Readonly<Record<string, (names: string[]) => Promise<readonly [Tls, Tls, RegExp]>>> =
  {
    "the authority is unknown": async (names) => [
      await (await createAuthority()).server(names),
      await createAuthority(),
      /UnknownIssuer|BadSignature/,
    ],
    "the certificate has expired": async (names) => {
      const authority = await createAuthority();
      return [await authority.server(names, "expired"), authority, /expired/i];
    },
    "the certificate is not valid yet": async (names) => {
      const authority = await createAuthority();
      return [await authority.server(names, "not yet"), authority, /not valid yet|NotValidYet/i];
    },
    "the certificate is for another name": async () => {
      const authority = await createAuthority();
      return [
        await authority.server(["other.test"]),
        authority,
        /not valid for name|NotValidForName/i,
      ];
    },
    "the certificate signed itself": async (names) => [
      await selfSigned(names),
      await createAuthority(),
      /UnknownIssuer/,
    ],
    "an authority is used as a server": async (names) => {
      const both = await selfSigned(names, { authority: true });
      return [both, both, /CaUsedAsEndEntity/];
    },
  };

interface Tls {
  readonly certificate: string;
  readonly key: string;
}

for (const [when, make] of Object.entries(REFUSED)) {
  Deno.test(`fetch() refuses a certificate of these when ${when}`, async () => {
    const [tls, { certificate }, says] = await make(["127.0.0.1"]);
    await using receiver = await startReceiver({ tls });
    assert.match(await failure(post(receiver, "x", { caCerts: [certificate] })), says);
    assert.equal(receiver.requests.length, 0);
  });
}

Deno.test("fetch() takes a certificate that signed itself when it is named as an authority", async () => {
  const tls = await selfSigned(["127.0.0.1"]);
  await using receiver = await startReceiver({ tls });
  assert.equal((await post(receiver, "x", { caCerts: [tls.certificate] })).status, 200);
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

Deno.test("startProxy() passes a request on when its host is made up", async () => {
  await using receiver = await startReceiver({ answers: [{ status: 202, body: "through" }] });
  await using proxy = startProxy({ to: receiver.port });
  const reply = await post(receiver, "x", {
    url: "http://dynatrace.test/v1/metrics",
    proxy: { url: proxy.url },
  });
  assert.deepEqual(reply, { status: 202, text: "through" });
  assert.equal(receiver.requests[0]?.target, "/v1/metrics");
  assert.equal(receiver.requests[0]?.headers.get("host"), "dynatrace.test");
  assert.deepEqual(proxy.requests, [{
    method: "POST",
    target: "http://dynatrace.test/v1/metrics",
    tunnel: false,
    authorization: undefined,
    refused: undefined,
  }]);
});

Deno.test("startProxy() opens a tunnel when the URL is https", async () => {
  const authority = await createAuthority();
  const tls = await authority.server(["dynatrace.test"]);
  await using receiver = await startReceiver({ tls });
  await using proxy = startProxy({ to: receiver.port });
  const reply = await post(receiver, "x", {
    url: "https://dynatrace.test/v1/metrics",
    proxy: { url: proxy.url },
    caCerts: [authority.certificate],
  });
  assert.equal(reply.status, 200);
  assert.equal(receiver.requests.length, 1);
  assert.deepEqual(proxy.requests.map(({ target, tunnel }) => ({ target, tunnel })), [
    { target: "dynatrace.test:443", tunnel: true },
  ]);
});

Deno.test("startProxy() answers 407 when credentials are demanded and wrong", async () => {
  await using receiver = await startReceiver();
  const credentials = { user: "me", password: "p:w" };
  await using proxy = startProxy({ to: receiver.port, credentials });
  const url = "http://dynatrace.test/";
  const basicAuth = (password: string) => ({ username: "me", password });
  const without = await post(receiver, "x", { url, proxy: { url: proxy.url } });
  const wrong = await post(receiver, "x", {
    url,
    proxy: { url: proxy.url, basicAuth: basicAuth("no") },
  });
  const right = await post(receiver, "x", {
    url,
    proxy: { url: proxy.url, basicAuth: basicAuth("p:w") },
  });
  assert.deepEqual([without.status, wrong.status, right.status], [407, 407, 200]);
  assert.deepEqual(proxy.requests.map(({ refused }) => refused), [407, 407, undefined]);
  assert.equal(proxy.requests[2]?.authorization, `Basic ${btoa("me:p:w")}`);
  assert.equal(receiver.requests[0]?.headers.get("proxy-authorization"), null);
  assert.equal(proxy.urlWithCredentials, `http://me:p%3Aw@127.0.0.1:${proxy.port}/`);
});

Deno.test("startProxy() opens a tunnel only for the right credentials when it demands some", async () => {
  const authority = await createAuthority();
  const tls = await authority.server(["dynatrace.test"]);
  await using receiver = await startReceiver({ tls });
  await using proxy = startProxy({
    to: receiver.port,
    credentials: { user: "me", password: "secret" },
  });
  const options = { url: "https://dynatrace.test/", caCerts: [authority.certificate] };
  await failure(post(receiver, "x", { ...options, proxy: { url: proxy.url } }));
  assert.equal(receiver.connections, 0);
  const basicAuth = { username: "me", password: "secret" };
  const reply = await post(receiver, "x", { ...options, proxy: { url: proxy.url, basicAuth } });
  assert.equal(reply.status, 200);
  assert.deepEqual(proxy.requests.map(({ tunnel, refused }) => ({ tunnel, refused })), [
    { tunnel: true, refused: 407 },
    { tunnel: true, refused: undefined },
  ]);
});

Deno.test("startProxy() answers 502 when nothing listens where the request goes", async () => {
  await using receiver = await startReceiver();
  await using proxy = startProxy({ to: receiver.port });
  await receiver.stop();
  const reply = await post(receiver, "x", { url: "http://a.test/", proxy: { url: proxy.url } });
  assert.equal(reply.status, 502);
});

Deno.test("decode() gives plain objects when the request holds a histogram", () => {
  const bytes = toBinary(
    ExportMetricsServiceRequestSchema,
    create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: [{
        resource: {
          attributes: [{
            key: "service.name",
            value: { value: { case: "stringValue", value: "s" } },
          }],
        },
        scopeMetrics: [{
          scope: { name: "example-meter", version: "1.0.0" },
          metrics: [{
            name: "m",
            unit: "ms",
            description: "d",
            data: {
              case: "histogram",
              value: {
                aggregationTemporality: AggregationTemporality.DELTA,
                dataPoints: [{
                  attributes: [
                    { key: "code", value: { value: { case: "intValue", value: 200n } } },
                    { key: "ratio", value: { value: { case: "doubleValue", value: 2 } } },
                  ],
                  count: 3n,
                  sum: 12,
                  explicitBounds: [5, 10],
                  bucketCounts: [1n, 2n, 0n],
                  startTimeUnixNano: 1n,
                  timeUnixNano: 2n,
                }],
              },
            },
          }],
        }],
      }],
    }),
  );
  assert.deepEqual(decode(bytes), {
    resource: { "service.name": "s" },
    scope: { name: "example-meter", version: "1.0.0" },
    metrics: [{
      name: "m",
      unit: "ms",
      description: "d",
      temporality: "delta",
      points: [{
        attributes: { code: 200n, ratio: 2 },
        count: 3,
        sum: 12,
        min: undefined,
        max: undefined,
        bounds: [5, 10],
        counts: [1, 2, 0],
        start: 1n,
        end: 2n,
      }],
    }],
  });
  assert.throws(() => decode(new Uint8Array(0)), /Expected one resource, got 0/);
});

Deno.test("partialSuccess() and rpcStatus() give what the schema's own decoder reads", () => {
  const message = "über ".repeat(40);
  const { partialSuccess: partial } = decodeResponse(partialSuccess(300, message));
  assert.equal(partial?.rejectedDataPoints, 300n);
  assert.equal(partial?.errorMessage, message);
  const status = decodeStatus(rpcStatus(16, message));
  assert.equal(status.code, 16);
  assert.equal(status.message, message);
});

Deno.test("runProgram() gives arguments, environment and files when they are named", async () => {
  const { status, stdout, stderr } = await runProgram({
    main: STAND_IN,
    args: ["show", "--flag", "a b"],
    env: { DT_ENDPOINT: "x" },
    dotenv: "A=1\n",
    files: { "folder/input.txt": "1", "ca.pem": "" },
    stdin: "from stdin",
  });
  const shown: { env: string[] } & Record<string, unknown> = JSON.parse(stdout);
  const bare = ["HOME", "PATH", "DENO_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA", "SystemRoot"];
  assert.equal(status, 3);
  assert.equal(stderr, "shown\n");
  assert.deepEqual(shown["args"], ["--flag", "a b"]);
  assert.deepEqual(shown.env.filter((name) => !bare.includes(name)), ["DT_ENDPOINT"]);
  assert.deepEqual(shown["files"], [".env", "ca.pem", "folder"]);
  assert.equal(shown["dotenv"], "A=1\n");
  assert.equal(shown["stdin"], "from stdin");
});

Deno.test("runProgram() throws when the program takes too long", async () => {
  const run = runProgram({ main: STAND_IN, args: ["wait"], timeoutMs: 300 });
  await assert.rejects(run, /more than 300 ms\nstdout:\n/);
});

Deno.test("startProgram() passes a signal on when the program is ready", async () => {
  await using program = await startProgram({ main: STAND_IN, args: ["wait"] });
  await program.waitForStdout(/^ready$/m);
  program.signal("SIGTERM");
  assert.equal(await program.waitForStdout("terminated"), "ready\nterminated\n");
  const { status, stderr } = await program.finished;
  assert.deepEqual({ status, stderr }, { status: 5, stderr: "" });
});

Deno.test("startProgram() kills the program and removes its directory when it is disposed of", async () => {
  let directory = "";
  let pid = 0;
  {
    await using program = await startProgram({ main: STAND_IN, args: ["wait"] });
    await program.waitForStdout("ready");
    ({ directory, pid } = program);
  }
  assert.throws(() => Deno.statSync(directory), Deno.errors.NotFound);
  assert.throws(() => Deno.kill(pid, "SIGTERM"));
});

Deno.test("startProgram() writes standard input as it is told when stdin is open", async () => {
  await using program = await startProgram({
    main: STAND_IN,
    args: ["copy"],
    stdin: { open: true },
  });
  await program.write("one");
  await program.waitForStdout("got one");
  await program.write("two");
  await program.waitForStdout("got two");
  await program.closeStdin();
  assert.equal((await program.finished).status, 0);
});

Deno.test("waitForStdout() rejects when the program ends without writing it", async () => {
  await using program = await startProgram({ main: STAND_IN, args: ["nothing"] });
  await assert.rejects(program.waitForStdout("something"), /ended: no something on stdout/);
});
