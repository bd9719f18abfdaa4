import assert from "node:assert/strict";
import { proxyFor } from "../../src/config/proxy.ts";

function proxy(url: string, variables: Readonly<Record<string, string>>): string | undefined {
  return proxyFor(new URL(url), (name) => variables[name])?.href;
}

Deno.test("proxyFor() takes the variable of the URL's scheme, then ALL_PROXY", () => {
  const variables = {
    HTTP_PROXY: "http://plain:1",
    HTTPS_PROXY: "http://tls:2",
    ALL_PROXY: "http://all:3",
  };
  assert.equal(proxy("http://h", variables), "http://plain:1/");
  assert.equal(proxy("https://h", variables), "http://tls:2/");
  assert.equal(proxy("https://h", { ALL_PROXY: "http://all:3" }), "http://all:3/");
  assert.equal(proxy("https://h", { HTTP_PROXY: "http://plain:1" }), undefined);
  assert.equal(proxy("https://h", {}), undefined);
});

Deno.test("proxyFor() prefers lower case, and takes an empty variable for not set", () => {
  assert.equal(
    proxy("http://h", { http_proxy: "http://low:1", HTTP_PROXY: "http://up:1" }),
    "http://low:1/",
  );
  assert.equal(proxy("http://h", { http_proxy: "", HTTP_PROXY: "http://up:1" }), "http://up:1/");
});

Deno.test("proxyFor() takes a host without scheme, and nothing that is no URL", () => {
  assert.equal(proxy("http://h", { HTTP_PROXY: "proxy:3128" }), "http://proxy:3128/");
  assert.equal(proxy("http://h", { HTTP_PROXY: "http://" }), undefined);
});

Deno.test("proxyFor() excepts what NO_PROXY names: hosts, domains and all", () => {
  const through = (host: string, NO_PROXY: string) =>
    proxy(`http://${host}`, { HTTP_PROXY: "http://p:1", NO_PROXY }) !== undefined;
  for (
    const [host, list] of [
      ["localhost", "localhost"],
      ["127.0.0.1", "localhost, 127.0.0.1"],
      ["a.example.com", "example.com"],
      ["a.example.com", ".example.com"],
      ["a.example.com", "*.example.com"],
      ["example.com", ".example.com"],
      ["h", "*"],
    ] as const
  ) assert.ok(!through(host, list), `${host} by ${list}`);
  for (
    const [host, list] of [
      ["h", ""],
      ["h", "other"],
      ["notexample.com", "example.com"],
      ["example.com.evil", "example.com"],
    ] as const
  ) assert.ok(through(host, list), `${host} by ${list}`);
});
