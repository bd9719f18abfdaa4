import assert from "node:assert/strict";
import { basicAuthorization } from "../../src/http/endpoint.ts";
import { proxyFor, proxySecrets, proxyWarnings } from "../../src/http/proxy.ts";
import { UsageError } from "../../src/platform/errors.ts";
import { targetOf } from "../../src/http/target.ts";
import { selfSigned } from "../support/certificates.ts";
import { fetchReport, filled, hasIpv6, type Seen } from "../support/fetch_proxies.ts";
import { namedUnless, reasonUnless } from "../support/tools.ts";

/** Each case gets a port of its own in the place of this one, by which the proxies know it. */
const PORT = ":4318";

const HTTP = "http://receiver.localhost:4318";
const HTTPS = "https://receiver.localhost:4318";
const A = "http://{a}";
const B = "http://{b}";

type Expected = "direct" | "a" | "b" | "tls" | "socks" | "socksWithPassword" | "v6";

/** Subject, URL, environment, and the host that fetch connects to. */
type Case = readonly [string, string, Readonly<Record<string, string>>, Expected];

const SELECTION: readonly Case[] = [
  ["nothing is set", HTTP, {}, "direct"],
  ["HTTP_PROXY counts for http", HTTP, { HTTP_PROXY: A, HTTPS_PROXY: B }, "a"],
  ["HTTPS_PROXY counts for https", HTTPS, { HTTP_PROXY: A, HTTPS_PROXY: B }, "b"],
  ["HTTP_PROXY does not count for https", HTTPS, { HTTP_PROXY: A }, "direct"],
  ["HTTPS_PROXY does not count for http", HTTP, { HTTPS_PROXY: A }, "direct"],
  ["small letters", HTTP, { http_proxy: A }, "a"],
  ["small letters for https", HTTPS, { https_proxy: A }, "a"],
  ["capitals override small letters", HTTP, { http_proxy: A, HTTP_PROXY: B }, "b"],
  ["capitals override small letters for https", HTTPS, { https_proxy: A, HTTPS_PROXY: B }, "b"],
  ["empty capitals leave it to small letters", HTTP, { http_proxy: A, HTTP_PROXY: "" }, "a"],
  ["unreadable capitals, too", HTTP, { http_proxy: A, HTTP_PROXY: "http:/127.0.0.1:1" }, "a"],
  ["ALL_PROXY counts for both", HTTPS, { ALL_PROXY: A }, "a"],
  ["ALL_PROXY overrides HTTP_PROXY", HTTP, { ALL_PROXY: A, HTTP_PROXY: B }, "a"],
  ["ALL_PROXY overrides HTTPS_PROXY", HTTPS, { ALL_PROXY: A, HTTPS_PROXY: B }, "a"],
  ["all_proxy overrides HTTP_PROXY", HTTP, { all_proxy: A, HTTP_PROXY: B }, "a"],
  [
    "an unreadable ALL_PROXY does not",
    HTTP,
    { ALL_PROXY: "socks4://127.0.0.1", HTTP_PROXY: B },
    "b",
  ],
  ["REQUEST_METHOD disables HTTP_PROXY", HTTP, { REQUEST_METHOD: "GET", HTTP_PROXY: A }, "direct"],
  ["an empty REQUEST_METHOD, too", HTTP, { REQUEST_METHOD: "", HTTP_PROXY: A }, "direct"],
  ["and http_proxy", HTTP, { REQUEST_METHOD: "GET", http_proxy: A }, "direct"],
  ["but not HTTPS_PROXY", HTTPS, { REQUEST_METHOD: "GET", HTTPS_PROXY: A }, "a"],
  ["nor ALL_PROXY", HTTP, { REQUEST_METHOD: "GET", ALL_PROXY: A }, "a"],
];

const DOMAIN = "http://a.example.localhost:4318";

/** The URL, NO_PROXY, and whether the proxy is used. */
const EXCEPTIONS: readonly (readonly [string, string, boolean])[] = [
  [DOMAIN, "", true],
  [DOMAIN, " , ", true],
  [DOMAIN, "a.example.localhost", false],
  [DOMAIN, "other, a.example.localhost", false],
  [DOMAIN, "example.localhost", false],
  [DOMAIN, ".example.localhost", false],
  ["http://example.localhost:4318", ".example.localhost", false],
  ["http://notexample.localhost:4318", "example.localhost", true],
  ["http://notexample.localhost:4318", ".example.localhost", true],
  [DOMAIN, "EXAMPLE.localhost", true],
  [DOMAIN, "*.example.localhost", true],
  [DOMAIN, "*.localhost", true],
  [DOMAIN, "*", false],
  [DOMAIN, "localhost", false],
  [DOMAIN, "example.localhost:4318", true],
  ["http://a.example.localhost.:4318", "example.localhost", true],
  ["http://a.example.localhost.:4318", ",", false],
  ["http://127.0.0.1:4318", "127.0.0.1", false],
  ["http://127.0.0.1:4318", "127.0.0.1:4318", true],
  ["http://127.0.0.1:4318", "127.0.0.2", true],
  ["http://127.0.0.1:4318", "*", true],
  ["http://127.0.0.1:4318", "localhost", true],
  ["http://127.0.0.1:4318", "0.0.1", true],
  ["http://127.0.0.1:4318", "127.0.0.01", true],
  ["http://127.0.0.1:4318", "127.0.0.0/8", false],
  ["http://127.0.0.1:4318", "127.9.9.9/8", false],
  ["http://127.0.0.1:4318", "127.0.0.0/31", false],
  ["http://127.0.0.1:4318", "127.0.0.2/31", true],
  ["http://127.0.0.1:4318", "127.0.0.1/32", false],
  ["http://127.0.0.1:4318", "0.0.0.0/0", false],
  ["http://127.0.0.1:4318", "127.0.0.0/33", true],
  ["http://127.0.0.1:4318", "127.0.0.0/", true],
  ["http://127.0.0.1:4318", "::/0", true],
  ["http://127.0.0.1:4318", "::ffff:127.0.0.1", true],
  ["http://localhost:4318", "127.0.0.1", true],
  ["http://[::1]:4318", "::1", false],
  ["http://[::1]:4318", "0:0:0:0:0:0:0:1", false],
  ["http://[::1]:4318", "[::1]", true],
  ["http://[::1]:4318", "::1/128", false],
  ["http://[::1]:4318", "::/64", false],
  ["http://[::1]:4318", "::2/127", true],
  ["http://[::1]:4318", "fe80::/10", true],
  ["http://[::1]:4318", "0.0.0.0/0", true],
  ["http://[::1]:4318", "*", true],
  ["https://127.0.0.1:4318", "127.0.0.0/8", false],
];

/** The URL and the proxy's value: what it is about, and who sees the request. */
const VALUES: readonly (readonly [what: string, url: string, value: string, Expected])[] = [
  ["without a scheme", HTTP, "{a}", "a"],
  ["without a scheme, with credentials", HTTP, "user:pass@{a}", "a"],
  ["a scheme in capitals", HTTP, "HTTP://{a}", "a"],
  ["with a slash", HTTP, "http://{a}/", "a"],
  ["with a path, a query and a fragment", HTTP, "http://{a}/path?query#fragment", "a"],
  ["without a scheme, with a slash", HTTP, "{a}/", "direct"],
  ["one slash", HTTP, "http:/{a}", "direct"],
  ["one slash, with credentials", HTTP, "http:/user:pass@{a}", "direct"],
  ["spaces around it", HTTP, " http://{a} ", "direct"],
  ["quotes around it", HTTP, '"http://{a}"', "direct"],
  ["a path alone", HTTP, "/{a}", "direct"],
  ["a space in the path", HTTP, "http://{a}/a b", "direct"],
  ["two ports", HTTP, "http://{a}:1", "direct"],
  ["credentials", HTTP, "http://user:pass@{a}", "a"],
  ["credentials for a tunnel", HTTPS, "http://user:pass@{a}", "a"],
  ["a user name without a colon", HTTP, "http://user@{a}", "direct"],
  ["a password alone", HTTP, "http://:pass@{a}", "a"],
  ["empty credentials", HTTP, "http://:@{a}", "a"],
  ["encoded credentials", HTTP, "http://us%40r:p%3Aw%2F@{a}", "a"],
  ["bytes that are not UTF-8", HTTP, "http://user:%ff%@{a}", "a"],
  ["a % that begins no escape", HTTP, "http://user:100%@{a}", "a"],
  ["a colon in the password", HTTP, "http://user:a:b@{a}", "a"],
  ["an @ in the password", HTTP, "http://user:p@ss@{a}", "a"],
  ["a letter outside ASCII in the password", HTTP, "http://user:p€ss@{a}", "direct"],
  ["a space in the password", HTTP, "http://user:p ss@{a}", "direct"],
  ["a % in the host", HTTP, "http://%31{a}", "direct"],
  ["TLS, for http", HTTP, "https://{tls}", "tls"],
  ["TLS, for https", HTTPS, "https://{tls}", "tls"],
  ["TLS with credentials, for http", HTTP, "https://user:pass@{tls}", "tls"],
  ["TLS with credentials, for https", HTTPS, "https://user:pass@{tls}", "tls"],
  ["SOCKS5", HTTP, "socks5://{socks}", "socks"],
  ["SOCKS5, for https", HTTPS, "socks5://{socks}", "socks"],
  ["SOCKS5 for an address", "http://127.0.0.1:4318", "socks5://{socks}", "socks"],
  ["SOCKS5 for an IPv6 address", "https://[2001:db8::1]:4318", "socks5://{socks}", "socks"],
  ["SOCKS5 that looks names up", HTTP, "socks5h://{socks}", "socks"],
  [
    "SOCKS5 with credentials",
    HTTP,
    "socks5://u%40r:p%3Aw@{socksWithPassword}",
    "socksWithPassword",
  ],
  ["SOCKS5 with credentials nobody asked for", HTTP, "socks5://u:p@{socks}", "socks"],
  ["SOCKS5 in capitals", HTTP, "SOCKS5://{socks}", "direct"],
  ["SOCKS4", HTTP, "socks4://{socks}", "direct"],
  ["another scheme", HTTP, "ftp://{a}", "direct"],
  ...hasIpv6()
    ? [
      ["an IPv6 address", HTTP, "http://{v6}", "v6"],
      ["an IPv6 address with credentials", HTTPS, "http://user:pass@{v6}", "v6"],
    ] as const
    : [],
];

const CASES: readonly Case[] = [
  ...SELECTION,
  ...EXCEPTIONS.map(([url, NO_PROXY, isUsed]): Case => [
    `${url} with NO_PROXY="${NO_PROXY}"`,
    url,
    { HTTP_PROXY: A, HTTPS_PROXY: A, NO_PROXY },
    isUsed ? "a" : "direct",
  ]),
  ["no_proxy counts", DOMAIN, { HTTP_PROXY: A, no_proxy: "*" }, "direct"],
  ["NO_PROXY overrides no_proxy", DOMAIN, { HTTP_PROXY: A, NO_PROXY: "x", no_proxy: "*" }, "a"],
  ["an empty one, too", DOMAIN, { HTTP_PROXY: A, NO_PROXY: "", no_proxy: "*" }, "a"],
  ["NO_PROXY excepts from ALL_PROXY", DOMAIN, { ALL_PROXY: A, NO_PROXY: "*" }, "direct"],
  ...VALUES.map(([what, url, value, expected]): Case => [
    `${what}: ${value}`,
    url,
    { [url.startsWith("https:") ? "HTTPS_PROXY" : "HTTP_PROXY"]: value },
    expected,
  ]),
];

/** Requests that a proxy would see if fetch chose as we do. */
function ours(
  url: string,
  env: Readonly<Record<string, string>>,
  places: Readonly<Record<string, string>>,
): readonly Seen[] {
  const proxy = proxyFor(new URL(url), (name) => env[name]);
  if (proxy === undefined) return [];
  const place = `${proxy.host.includes(":") ? `[${proxy.host}]` : proxy.host}:${proxy.port}`;
  const [name = `nobody at ${place}`] =
    Object.entries(places).find(([, other]) => other === place) ?? [];
  const { kind, credentials } = proxy;
  const isTunnel = url.startsWith("https:") || kind === "socks5";
  const { host, port } = targetOf(new URL(url));
  const target = isTunnel
    ? `${host.includes(":") ? `[${host}]` : host}:${port}`
    : new URL(url).href;
  const authorization = credentials === undefined
    ? null
    : kind === "socks5"
    ? name === "socksWithPassword" ? `${credentials.user}:${credentials.password}` : null
    // fetch gives a proxy that speaks TLS no credentials with a request that needs no tunnel.
    : isTunnel || kind === "http"
    ? basicAuthorization(credentials)
    : null;
  return [{ proxy: name, target, authorization }];
}

// Deno 2.6 and 2.9 choose alike; DENO_COMPILER names the older one, where there is one.
for (const deno of [Deno.execPath(), Deno.env.get("DENO_COMPILER") ?? ""]) {
  Deno.test({
    ...namedUnless(
      reasonUnless(deno !== "", "DENO_COMPILER names no Deno"),
      `proxyFor() chooses as fetch does, in ${
        deno === Deno.execPath() ? "this Deno" : "the one that compiles"
      }`,
    ),
    async fn() {
      const tls = await selfSigned(["127.0.0.1"]);
      const cases = CASES.map(([, url, env], i) => ({
        url: url.replace(PORT, `:${20_000 + i}`),
        env,
      }));
      const { places, seen } = await fetchReport(deno, cases, tls);
      assert.equal(seen.length, CASES.length);
      cases.forEach((one, i) => {
        const [what, , , expected] = CASES[i] ?? [];
        const by = seen[i] ?? [];
        assert.equal(by[0]?.proxy ?? "direct", expected, `fetch: ${what}`);
        assert.deepEqual(ours(one.url, filled(one, places), places), by, what);
      });
    },
  });
}

const environment = (env: Readonly<Record<string, string>>) => (name: string) => env[name];

Deno.test("proxyFor() hides the credentials in what it shows, and names the variable", () => {
  for (
    const [name, value, shown] of [
      ["HTTPS_PROXY", "http://u:SECRET@proxy:3128", "http://***:***@proxy:3128/"],
      ["https_proxy", "u:SECRET@proxy", "http://***:***@proxy:80/"],
      ["ALL_PROXY", "socks5h://u:SECRET@[::1]", "socks5h://***:***@[::1]:1080/"],
      ["HTTPS_PROXY", "https://proxy/SECRET?SECRET", "https://proxy:443/"],
      ["HTTPS_PROXY", "http://u:SECRET@SECRET@proxy:1", "http://***:***@proxy:1/"],
    ] as const
  ) {
    const proxy = proxyFor(new URL("https://h"), environment({ [name]: value }));
    assert.deepEqual([proxy?.shown, proxy?.variable], [shown, name], value);
  }
});

Deno.test("proxyFor() rejects what only fetch can use, and what names no host or the wrong one", () => {
  for (
    const [value, shown] of [
      ["unix:/run/proxy.sock", "unix:/run/proxy.sock"],
      ["vsock:1:2", "vsock:1:2"],
      ["http://:8080", "http://:8080"],
      ["http://user:SEC/RET@host:1", "http://***@host:1"],
      ["http://user:12?SECRET@host:1", "http://***@host:1"],
    ] as const
  ) {
    assert.throws(
      () => proxyFor(new URL("http://h"), environment({ HTTP_PROXY: value })),
      (thrown) =>
        thrown instanceof UsageError &&
        thrown.message.startsWith(`Invalid HTTP_PROXY "${shown}" (environment): `),
    );
  }
});

const warned = (env: Readonly<Record<string, string>>, url = "http://h") =>
  proxyWarnings(new URL(url), environment(env));

Deno.test("proxyWarnings() names a variable that fetch ignores, and no secret in it", () => {
  for (
    const [value, shown] of [
      ["http:/user:SECRET@host:1", "http:/***@host:1"],
      ["user:SECRET@host:1/", "***@host:1/"],
      ["http://SECRET@host", "http://***@host"],
      ["socks4://host", "socks4://host"],
      ["http://user:SECRET%40host", "http://***%40host"],
    ] as const
  ) {
    const [warning = ""] = warned({ HTTP_PROXY: value });
    assert.ok(warning.startsWith(`Invalid HTTP_PROXY "${shown}" (environment): it is ignored. `));
    assert.doesNotMatch(warning, /SECRET/);
  }
});

Deno.test("proxyWarnings() is silent about what does not count", () => {
  const HTTP_PROXY = "nonsense/";
  assert.deepEqual(warned({ HTTP_PROXY: "http://p:1", ALL_PROXY: "" }), []);
  assert.deepEqual(warned({ HTTP_PROXY }, "https://h"), []);
  assert.deepEqual(warned({ HTTP_PROXY, NO_PROXY: "h" }), []);
  assert.deepEqual(warned({ HTTP_PROXY, ALL_PROXY: "http://p:1" }), []);
  assert.equal(warned({ HTTP_PROXY, http_proxy: "http://p:1" }).length, 1);
});

Deno.test("proxySecrets() finds the credentials in a value, readable or not", () => {
  for (
    const [value, expected] of [
      ["http://user:p%40ss@h:1", ["user", "p@ss", "p%40ss", "user:p@ss"]],
      ["user:pass@h", ["user", "pass"]],
      ["http:/user:a:b@c@h:1", ["user", "a:b@c"]],
      ["http:///x/y@h", ["x/y"]],
      ["http://name@h", ["name"]],
    ] as const
  ) {
    const found = proxySecrets(environment({ all_proxy: value }));
    for (const secret of expected) assert.ok(found.includes(secret), `${secret} in ${value}`);
  }
  assert.deepEqual(proxySecrets(environment({ HTTP_PROXY: "http://proxy:1" })), []);
});
