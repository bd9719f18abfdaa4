import assert from "node:assert/strict";
import { RECEIVERS } from "../../src/receivers/profiles.ts";
import { Secrets } from "../../src/redact/secrets.ts";
import { destinationConfig } from "../../src/http/destination_config.ts";
import type { SendFlags } from "../../src/settings/settings.ts";
import type { Exchange } from "../../src/http/exchange.ts";
import { createTransport, failure, openTransport } from "../../src/http/transport.ts";
import { createAuthority } from "../support/certificates.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { BODIES, onWire, VERSIONS } from "../support/wire_response.ts";

const authority = await createAuthority();
const certificate = await authority.server(["127.0.0.1"]);

/** With every body. */
const STATUSES = [200, 401, 503];
/** With a few. */
const MORE_STATUSES = [201, 202, 204, 400, 413, 429];
const FEW = [
  "no body in gzip",
  "a body that says gzip and is not compressed",
  "a page that breaks off",
];

/** Over which connections each version is tried. */
const ROUTES: readonly { readonly tls: boolean; readonly insecure: boolean }[] = [
  { tls: false, insecure: false },
  { tls: true, insecure: false },
  // On Deno 2.6 node:https verifies regardless; the sources run with 2.9.
  { tls: true, insecure: true },
];

const unset = () => undefined;

function settings(endpoint: string, flags: SendFlags = {}) {
  const destination = destinationConfig({ ...flags, endpoint }, unset, unset, RECEIVERS, []);
  const ca = flags.insecure ? undefined : authority.certificate;
  const authorization = () => Promise.resolve(undefined);
  return { destination, credentials: { ca, client: undefined, authorization } };
}

async function transportTo({ url }: Receiver, insecure: boolean, timeout = "10") {
  const { destination, credentials } = settings(url, { timeout, ...insecure && { insecure } });
  const system = { env: unset, secrets: new Secrets() };
  return await openTransport(destination, credentials, "test", system, "own");
}

const REQUEST = new TextEncoder().encode("request");
/** Bytes of a body that are read at most. */
const MOST_BODY = 4 * 2 ** 20;
const NEVER = new AbortController().signal;

for (const version of VERSIONS) {
  for (const { tls, insecure } of ROUTES) {
    if (version === "HTTP/2" && (!tls || insecure)) continue;
    const over = `${version} over ${tls ? "TLS" : "TCP"}${insecure ? ", insecure" : ""}`;
    Deno.test(`a transport's reply has the status and the headers, however the body ends: ${over}`, async () => {
      await using receiver = await startReceiver({
        ...tls && { tls: { ...certificate, http2: version === "HTTP/2" } },
      });
      const transport = await transportTo(receiver, insecure);
      try {
        for (const body of BODIES) {
          for (
            const status of FEW.includes(body.what) ? [...STATUSES, ...MORE_STATUSES] : STATUSES
          ) {
            // A 204 has no body.
            if (status === 204 && body.body !== undefined) continue;
            const headers = { ...body.headers, "retry-after": "60" };
            const response = onWire({ ...body, status, headers }, version);
            if (response === undefined) continue;
            const before = receiver.requests.length;
            receiver.answer(response);
            const reply = await transport.post(REQUEST, "identity", NEVER);
            const what = `${status} with ${body.what}: ${JSON.stringify(reply)}`;
            assert.ok(reply.kind === "reply", what);
            assert.equal(reply.status, status, what);
            assert.equal(reply.headers.get("retry-after"), "60", what);
            assert.equal(receiver.requests.length, before + 1, what);
            const isUnread = body.cut || (body.means instanceof RegExp && !body.foreign);
            assert.equal(reply.unread !== undefined, isUnread, what);
            if (body.means instanceof RegExp && isUnread) {
              assert.match(reply.unread ?? "", body.means, what);
            }
            if (version !== "HTTP/2") {
              assert.equal(receiver.requests.at(-1)?.headers.get("accept-encoding"), "identity");
            }
          }
        }
      } finally {
        transport.close();
      }
    });
  }
}

for (const { tls, insecure } of ROUTES) {
  const over = `${tls ? "TLS" : "TCP"}${insecure ? ", insecure" : ""}`;
  Deno.test(`a transport's reply counts when its head or its body is large: ${over}`, async () => {
    await using receiver = await startReceiver({ ...tls && { tls: certificate } });
    receiver.answer(
      { headers: { "x-large": "x".repeat(100_000) } },
      { body: new Uint8Array(MOST_BODY + 1) },
    );
    const transport = await transportTo(receiver, insecure);
    try {
      const large = await transport.post(REQUEST, "identity", NEVER);
      assert.deepEqual([large.kind, "unread" in large && large.unread], ["reply", undefined]);
      const cut = await transport.post(REQUEST, "identity", NEVER);
      assert.ok(cut.kind === "reply");
      assert.equal(cut.unread, "was larger than the 4 MiB that OTLP allows");
      assert.equal(receiver.requests.length, 2);
    } finally {
      transport.close();
    }
  });
}

Deno.test("failure() knows that a stream that was refused has not been processed", () => {
  const of = (reason: string) =>
    failure(
      new TypeError(`client error (SendRequest): http2 error: stream error received: ${reason}`),
    );
  assert.equal(of("refused stream before processing any application logic").mayHaveArrived, false);
  assert.equal(of("unexpected internal error encountered").mayHaveArrived, true);
});

Deno.test("a transport's reply counts when its body is not complete within the timeout", async () => {
  for (const tls of [undefined, certificate]) {
    await using receiver = await startReceiver({ ...tls && { tls } });
    receiver.answer({ headers: { "content-length": "5" }, body: "ab", stuck: true });
    const transport = await transportTo(receiver, tls !== undefined, "0.5");
    try {
      const reply = await transport.post(REQUEST, "identity", NEVER);
      assert.ok(reply.kind === "reply");
      const { status, unread, body } = reply;
      assert.deepEqual({ status, unread, body: new TextDecoder().decode(body) }, {
        status: 200,
        unread: "was not complete within 0.5 s",
        body: "ab",
      });
    } finally {
      transport.close();
    }
  }
});

Deno.test("a transport's reply counts when the program ends while its body comes", async () => {
  const stop = new AbortController();
  const exchange: Exchange = (_body, _headers, signal) =>
    Promise.resolve({
      status: 200,
      headers: new Headers(),
      chunks: ReadableStream.from((async function* () {
        yield new Uint8Array(3);
        stop.abort();
        signal.throwIfAborted();
        await new Promise(() => {});
      })()),
    });
  const { destination, credentials } = settings("http://127.0.0.1:1");
  const transport = createTransport(destination, credentials, () => ({}), exchange, new Secrets());
  const reply = await transport.post(REQUEST, "identity", stop.signal);
  assert.ok(reply.kind === "reply");
  const { status, unread, body } = reply;
  assert.deepEqual({ status, unread, body }, {
    status: 200,
    unread: "was not complete before the program was interrupted",
    body: new Uint8Array(3),
  });
});
