import assert from "node:assert/strict";
import { startProxy } from "../support/proxy.ts";
import { startReceiver } from "../support/receiver.ts";
import { check, dynatrace, failed } from "../support/check.ts";

Deno.test("check fails at dns when the name is not known, and names it", async () => {
  const step = failed(await check({ args: ["--endpoint", "http://nosuch.invalid"] }), "dns");
  assert.match(step.detail, /^nosuch\.invalid: /);
  assert.match(step.hint ?? "", /the name nosuch\.invalid cannot be resolved/);
});

Deno.test("check looks up the name when it is one", async () => {
  await using receiver = await startReceiver();
  const checked = await check({ args: ["--endpoint", `http://localhost:${receiver.port}`] });
  assert.match(checked.step("dns").detail, /^localhost is .*127\.0\.0\.1/);
});

Deno.test("check says that the proxy is used instead, and fails at dns when it is not known", async () => {
  const step = failed(
    await check({
      args: ["--endpoint", "http://receiver.example:4318"],
      env: { HTTP_PROXY: "http://user:pass@proxy.invalid:3128" },
    }),
    "dns",
  );
  assert.match(step.detail, /^a proxy is used instead of receiver\.example: /);
  assert.equal(step.line["proxy"], "http://***:***@proxy.invalid:3128/");
  assert.match(step.detail, /receiver\.example: proxy\.invalid: /);
  assert.match(step.hint ?? "", /whose name cannot be resolved: check HTTP_PROXY/);
});

Deno.test("check passes through a proxy that knows the receiver's name", async () => {
  await using receiver = await startReceiver();
  await using proxy = startProxy({
    to: receiver.port,
    credentials: { user: "u", password: "pw" },
  });
  const checked = await check({
    args: ["--endpoint", "http://receiver.example:4318"],
    env: { HTTP_PROXY: proxy.urlWithCredentials },
  });
  assert.equal(checked.status, 0);
  assert.match(checked.step("dns").detail, /is used instead of receiver\.example: 127\.0\.0\.1 is/);
  assert.match(checked.step("tcp").detail, /^127\.0\.0\.1:(\d+|:?PROXY) open$/);
});

Deno.test("check fails at tcp when nothing listens", async () => {
  const receiver = await startReceiver();
  await receiver.stop();
  const step = failed(await check({ env: dynatrace(receiver) }), "tcp");
  assert.ok(step.detail.startsWith(`127.0.0.1:${receiver.port} refused`), step.detail);
  assert.match(step.hint ?? "", /nothing is listening on 127\.0\.0\.1/);
});

Deno.test("check fails at tcp when the proxy does not listen, and blames the proxy", async () => {
  const proxy = startProxy();
  await proxy[Symbol.asyncDispose]();
  const step = failed(
    await check({
      args: ["--endpoint", "http://receiver.example:4318"],
      env: { HTTP_PROXY: proxy.url },
    }),
    "tcp",
  );
  assert.match(step.detail, /refused/);
  assert.match(step.hint ?? "", /go through the proxy/);
});

Deno.test("check fails at tcp when a connection does not open in time", async () => {
  // Nobody accepts, and the queue of those who wait to be accepted is full: what comes now gets no answer.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  const waiting = new AbortController();
  const connections: Deno.Conn[] = [];
  const open = async () => {
    connections.push(await Deno.connect({ hostname: "127.0.0.1", port, signal: waiting.signal }));
  };
  try {
    await open();
    await open();
    const pending = [open(), open()].map((it) => it.catch(() => {}));
    const args = ["--endpoint", `http://127.0.0.1:${port}`, "--timeout", "0.5"];
    const step = failed(await check({ args }), "tcp");
    assert.match(step.detail, /timed out/);
    assert.match(step.hint ?? "", /does not respond in time/);
    waiting.abort();
    await Promise.all(pending);
  } finally {
    waiting.abort();
    for (const connection of connections) connection.close();
    listener.close();
  }
});
