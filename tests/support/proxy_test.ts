import assert from "node:assert/strict";
import { createAuthority } from "./certificates.ts";
import { startProxy } from "./proxy.ts";
import { startReceiver } from "./receiver.ts";
import { failure, post } from "./posting.ts";

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
