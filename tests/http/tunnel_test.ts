import assert from "node:assert/strict";
import { type Proxy, proxyFor } from "../../src/http/proxy.ts";
import { openSocket, openTunnel } from "../../src/http/tunnel.ts";
import { type Certificate, createAuthority } from "../support/certificates.ts";
import { type ProxyOptions, startProxy } from "../support/proxy.ts";
import { atLeastOne } from "../support/cases.ts";

const TARGET = { host: "h.example", port: 443 };
const never = () => new AbortController().signal;
const NO_CREDENTIALS = { ca: undefined, client: undefined };

const authority = await createAuthority();
const TRUSTING = { ...NO_CREDENTIALS, ca: authority.certificate };

function proxyOf(url: string): Proxy {
  const proxy = proxyFor(new URL("https://h"), (name) => name === "HTTPS_PROXY" ? url : undefined);
  assert.ok(proxy !== undefined, `fetch ignores ${url}`);
  return proxy;
}

const HELLO = new TextEncoder().encode("hello");

/** A receiver on 127.0.0.1 that says one thing as soon as somebody comes, and sends back what it then gets. */
function greeter() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.write(HELLO);
      // A client that is gone is none of its business.
      connection.readable.pipeTo(connection.writable).catch(() => {});
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

/** Gives the first bytes that come, and the answer to what is sent then. */
async function talkOverTcp(proxy: Proxy, target = TARGET): Promise<string> {
  using connection = await openTunnel(proxy, target, TRUSTING, never());
  const bytes = new Uint8Array(100);
  const first = await connection.read(bytes) ?? 0;
  await connection.write(new TextEncoder().encode(" and back"));
  const second = await connection.read(bytes.subarray(first)) ?? 0;
  return new TextDecoder().decode(bytes.subarray(0, first + second));
}

async function talkOverSocket(proxy: Proxy, target = TARGET): Promise<string> {
  const socket = await openSocket(proxy, target, TRUSTING, never());
  try {
    return await new Promise((resolve, reject) => {
      let text = "";
      socket.on("error", reject);
      socket.on("data", (chunk: Uint8Array) => {
        const isFirst = text === "";
        text += new TextDecoder().decode(chunk);
        if (isFirst) socket.write(" and back");
        else resolve(text);
      });
      socket.resume();
    });
  } finally {
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.destroy();
    await closed;
  }
}

const KINDS: readonly (readonly [string, ProxyOptions])[] = [
  ["an HTTP proxy", {}],
  ["a TLS proxy", { tls: await authority.server(["127.0.0.1"]) }],
  ["a SOCKS5 proxy", { socks: true }],
];

for (const [what, options] of KINDS) {
  Deno.test(
    `openTunnel() and openSocket() carry bytes both ways through ${what}`,
    async () => {
      await using receiver = greeter();
      const credentials = { user: "us@r", password: "p:w€" };
      await using proxy = startProxy({ ...options, to: receiver.port, credentials });
      const userinfo = "us%40r:p%3Aw%E2%82%AC@";
      const used = proxyOf(proxy.url.replace("//", `//${userinfo}`));
      assert.equal(await talkOverTcp(used), "hello and back");
      assert.equal(await talkOverSocket(used), "hello and back");
      const bytes = new TextEncoder().encode("us@r:p:w€");
      const authorization = options.socks
        ? "us@r:p:w€"
        : `Basic ${btoa(String.fromCharCode(...bytes))}`;
      assert.deepEqual(
        proxy.requests.map(({ method, target, authorization }) => [method, target, authorization]),
        Array.from(
          { length: 2 },
          () => [options.socks ? "SOCKS5" : "CONNECT", "h.example:443", authorization],
        ),
      );
    },
  );

  Deno.test(
    `openTunnel() and openSocket() name addresses as addresses to ${what}`,
    async () => {
      await using receiver = greeter();
      await using proxy = startProxy({ ...options, to: receiver.port });
      const used = proxyOf(proxy.url);
      await talkOverTcp(used, { host: "2001:db8::1", port: 8443 });
      await talkOverSocket(used, { host: "::1", port: 8443 });
      await talkOverTcp(used, { host: "192.0.2.255", port: 65535 });
      assert.deepEqual(proxy.requests.map(({ target }) => target), [
        "[2001:db8::1]:8443",
        "[::1]:8443",
        "192.0.2.255:65535",
      ]);
    },
  );

  Deno.test(`openTunnel() and openSocket() tell what ${what} answered when it refuses`, async () => {
    const refusing = async (more: ProxyOptions, userinfo: string, message: RegExp) => {
      await using proxy = startProxy({ ...options, ...more });
      const used = proxyOf(proxy.url.replace("//", `//${userinfo}`));
      await assert.rejects(openTunnel(used, TARGET, TRUSTING, never()), message);
      await assert.rejects(openSocket(used, TARGET, TRUSTING, never()), message);
    };
    const credentials = { user: "u", password: "p" };
    await refusing(
      { credentials },
      "",
      options.socks
        ? /^Error: tunnel error: .*does not accept any of the offered/
        : /answered 407$/,
    );
    await refusing(
      { credentials },
      "u:x@",
      options.socks ? /rejected the user name and password/ : /answered 407$/,
    );
    await refusing({ refuse: 403 }, "", options.socks ? /not allowed by ruleset/ : /answered 403$/);
    await refusing({ to: 1 }, "", options.socks ? /connection refused/ : /answered 502$/);
  });

  Deno.test(`openTunnel() and openSocket() reject when ${what} is not there`, async () => {
    const proxy = startProxy(options);
    const used = proxyOf(proxy.url);
    await proxy[Symbol.asyncDispose]();
    await assert.rejects(openTunnel(used, TARGET, TRUSTING, never()), /tunnel error: .*refused/i);
    await assert.rejects(openSocket(used, TARGET, TRUSTING, never()), /tunnel error: .*refused/i);
  });
}

Deno.test("openTunnel() does not trust a TLS proxy of an unknown authority", async () => {
  await using proxy = startProxy({ tls: await authority.server(["127.0.0.1"]) });
  await assert.rejects(
    openTunnel(proxyOf(proxy.url), TARGET, NO_CREDENTIALS, never()),
    /tunnel error: TLS with the proxy: invalid peer certificate: UnknownIssuer/,
  );
  assert.deepEqual(proxy.requests, []);
});

/** A server that answers each connection with the next of these texts, and keeps what it gets. */
function answering(...answers: readonly string[]) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const got: string[] = [];
  const serving = (async () => {
    let served = 0;
    for await (const connection of listener) {
      const bytes = new Uint8Array(1000);
      const count = await connection.read(bytes) ?? 0;
      got.push(String.fromCharCode(...bytes.subarray(0, count)));
      await connection.write(new TextEncoder().encode(answers[served++ % answers.length] ?? ""));
      connection.close();
    }
  })();
  return {
    got,
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

Deno.test("openTunnel() rejects when the proxy hangs up or speaks something else", async () => {
  await using server = answering("", "SSH-2.0 I am no proxy\r\n\r\n");
  const open = (scheme: string) =>
    openTunnel(
      proxyOf(`${scheme}://u:SECRET@127.0.0.1:${server.port}`),
      TARGET,
      TRUSTING,
      never(),
    );
  await assert.rejects(open("http"), { message: "tunnel error: the proxy answered nothing" });
  await assert.rejects(open("http"), { message: "tunnel error: the proxy answered nothing" });
  await assert.rejects(open("socks5"), { message: "tunnel error: the proxy answered nothing" });
  await assert.rejects(open("socks5"), /tunnel error: .*does not speak SOCKS5/);
  server.got.length = 0;
  await assert.rejects(open("https"), /tunnel error: TLS with the proxy: /);
  await assert.rejects(open("https"), /tunnel error: TLS with the proxy: .*InvalidContentType/);
  assert.equal(server.got.length, 2);
  for (const text of atLeastOne(server.got)) assert.doesNotMatch(text, /CONNECT|authorization/i);
});

Deno.test("openTunnel() gives up when it is told to, whatever the proxy does", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  for (const scheme of ["http", "https", "socks5"]) {
    const ended = new AbortController();
    const opening = openTunnel(
      proxyOf(`${scheme}://127.0.0.1:${listener.addr.port}`),
      TARGET,
      TRUSTING,
      ended.signal,
    );
    const connection = await listener.accept();
    await connection.read(new Uint8Array(1000));
    ended.abort();
    await assert.rejects(opening, /^Error: tunnel error: /);
    connection.close();
  }
  listener.close();
});

Deno.test("openTunnel() offers the client certificate to a TLS proxy, as fetch does", async () => {
  const { createServer } = await import("node:tls");
  const server: Certificate = await authority.server(["127.0.0.1"]);
  const client = await authority.client("pod-1");
  const names: (string | undefined)[] = [];
  const proxy = createServer({
    cert: server.certificate,
    key: server.key,
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: true,
  }, (socket) => {
    socket.once("data", () => {
      names.push(socket.getPeerCertificate().subject?.CN?.toString());
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  assert.ok(typeof address === "object" && address !== null);
  await assert.rejects(
    openTunnel(
      proxyOf(`https://127.0.0.1:${address.port}`),
      TARGET,
      { ca: authority.certificate, client: { cert: client.certificate, key: client.key } },
      never(),
    ),
    /answered 403/,
  );
  assert.deepEqual(names, ["pod-1"]);
  await new Promise((resolve) => proxy.close(resolve));
});
