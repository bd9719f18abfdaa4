import assert from "node:assert/strict";
import { type ListenAddress, pageRefusal } from "../../../../src/commands/receive/page/guard.ts";

const LOOPBACK: ListenAddress = { host: "127.0.0.1", port: 4318, scheme: "http" };
const ANY: ListenAddress = { host: "0.0.0.0", port: 4318, scheme: "http" };

function ask(
  host: string,
  headers: Readonly<Record<string, string>>,
  listener: ListenAddress = LOOPBACK,
): string | undefined {
  return pageRefusal(new Request(`${listener.scheme}://${host}/`, { headers }), listener);
}

for (
  const [host, listener] of [
    ["127.0.0.1:4318", LOOPBACK],
    ["localhost:4318", LOOPBACK],
    ["LOCALHOST:4318", LOOPBACK],
    ["[::1]:4318", LOOPBACK],
    ["box.example:4318", { ...LOOPBACK, host: "box.example" }],
    ["localhost", { ...LOOPBACK, port: 80 }],
    ["localhost", { ...LOOPBACK, port: 443, scheme: "https" }],
    ["192.0.2.7:18080", ANY],
    ["[2001:db8::1]:4318", { ...ANY, host: "::" }],
    ["localhost:4318", ANY],
  ] as const
) {
  Deno.test(`pageRefusal() lets in Host ${host} at ${listener.host}:${listener.port}`, () => {
    assert.equal(ask(host, {}, listener), undefined);
    const origin = new URL(`${listener.scheme}://${host}`).origin;
    assert.equal(
      ask(host, { Origin: origin, "Sec-Fetch-Site": "same-origin" }, listener),
      undefined,
    );
  });
}

for (
  const [host, listener] of [
    ["evil.example:4318", LOOPBACK],
    ["127.0.0.1.evil.example:4318", LOOPBACK],
    ["localhost.evil.example:4318", LOOPBACK],
    ["localhost:9999", LOOPBACK],
    ["localhost", LOOPBACK],
    ["192.0.2.7:4318", LOOPBACK],
    ["evil.example:4318", ANY],
    ["localhost:4318", { ...LOOPBACK, host: "192.0.2.7" }],
  ] as const
) {
  Deno.test(`pageRefusal() refuses Host ${host} at ${listener.host}:${listener.port}`, () => {
    assert.match(ask(host, {}, listener) ?? "", /is not this receiver: open http/);
  });
}

Deno.test("pageRefusal() refuses another site, whatever it calls itself", () => {
  const own = "127.0.0.1:4318";
  assert.match(ask(own, { Origin: "http://evil.example" }) ?? "", /another site/);
  assert.match(ask(own, { Origin: "null" }) ?? "", /another site/);
  assert.match(ask(own, { Origin: "https://127.0.0.1:4318" }) ?? "", /another site/);
  assert.match(ask(own, { "Sec-Fetch-Site": "cross-site" }) ?? "", /another site/);
  assert.match(
    ask(own, { "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors" }) ?? "",
    /site/,
  );
  const link = {
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
  };
  assert.equal(ask(own, link), undefined);
  assert.match(ask(own, { ...link, "Sec-Fetch-Dest": "iframe" }) ?? "", /another site/);
});
