import assert from "node:assert/strict";
import { openSocket, openTunnel } from "../../src/http/tunnel.ts";
import { startProxy } from "../support/proxy.ts";

const TARGET = { host: "h.example", port: 443 };
const never = () => new AbortController().signal;

/** A receiver on 127.0.0.1 that says one thing as soon as somebody comes, and a proxy that leads to it. */
function greeter() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode("hello"));
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

// [what, user name and password in the URL, as the proxy gets them]
const CREDENTIALS = [
  ["none", "", undefined],
  ["what is percent-encoded, decoded", "us%40r:p%3Aw@", "us@r:p:w"],
  ["a literal % in a password as it is", "user:100%@", "user:100%"],
  ["a literal % beside what is encoded", "user:%40%zz%@", "user:@%zz%"],
  ["what is not ASCII, in UTF-8", "user:%E2%82%AC@", "user:\u00e2\u0082\u00ac"],
  ["a user name alone", "user@", "user:"],
] as const;

for (const [what, userinfo, expected] of CREDENTIALS) {
  Deno.test(`openTunnel() and openSocket() give the proxy ${what}`, async () => {
    await using receiver = greeter();
    await using proxy = startProxy({ to: receiver.port });
    const url = new URL(`http://${userinfo}127.0.0.1:${proxy.port}`);
    (await openTunnel(url, TARGET, never())).close();
    (await openSocket(url, TARGET, never())).destroy();
    const authorization = expected === undefined ? undefined : `Basic ${btoa(expected)}`;
    assert.deepEqual(
      proxy.requests.map(({ method, target, authorization }) => [method, target, authorization]),
      Array.from({ length: 2 }, () => ["CONNECT", "h.example:443", authorization]),
    );
  });
}

Deno.test("openTunnel() and openSocket() put the brackets around an IPv6 address", async () => {
  await using receiver = greeter();
  await using proxy = startProxy({ to: receiver.port });
  const url = new URL(proxy.url);
  (await openTunnel(url, { host: "::1", port: 8443 }, never())).close();
  (await openSocket(url, { host: "::1", port: 8443 }, never())).destroy();
  assert.deepEqual(proxy.requests.map(({ target }) => target), ["[::1]:8443", "[::1]:8443"]);
});

Deno.test("openTunnel() and openSocket() say what the proxy answered when it refuses", async () => {
  await using proxy = startProxy({ credentials: { user: "u", password: "p" } });
  const url = new URL(proxy.url);
  const refused = { message: "tunnel error: the proxy answered 407" };
  await assert.rejects(openTunnel(url, TARGET, never()), refused);
  await assert.rejects(openSocket(url, TARGET, never()), refused);
});

Deno.test("openTunnel() and openSocket() reject when the proxy hangs up or speaks something else", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answers = ["", "SSH-2.0 I am no proxy\r\n\r\n"];
  const serving = (async () => {
    let served = 0;
    for await (const connection of listener) {
      await connection.read(new Uint8Array(1000));
      await connection.write(new TextEncoder().encode(answers[served++ >> 1] ?? ""));
      connection.close();
    }
  })();
  const url = new URL(`http://127.0.0.1:${listener.addr.port}`);
  const nothing = { message: "tunnel error: the proxy answered nothing" };
  for (const _ of answers) {
    await assert.rejects(openTunnel(url, TARGET, never()), nothing);
    await assert.rejects(openSocket(url, TARGET, never()), nothing);
  }
  listener.close();
  await serving;
});

Deno.test("openTunnel() and openSocket() reject when the proxy is not there", async () => {
  const proxy = startProxy();
  const url = new URL(proxy.url);
  await proxy[Symbol.asyncDispose]();
  await assert.rejects(openTunnel(url, TARGET, never()), /^Error: tunnel error: .*refused/i);
  await assert.rejects(openSocket(url, TARGET, never()), /^Error: tunnel error: .*refused/i);
});
