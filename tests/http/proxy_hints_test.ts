import assert from "node:assert/strict";
import { proxyFor } from "../../src/http/proxy.ts";
import {
  proxyFailureHint,
  proxyStatusHint,
  reachHint,
  type Route,
} from "../../src/http/proxy_hints.ts";
import { failure } from "../../src/http/transport.ts";

const PLACE = "proxy.example:3128";

function route(endpoint: string, scheme: string): Route {
  const url = new URL(endpoint);
  const proxy = proxyFor(url, (name) => name === "ALL_PROXY" ? `${scheme}://${PLACE}` : undefined);
  assert.ok(proxy !== undefined);
  return { url, proxy };
}

const HTTP = "http://receiver.example";
const HTTPS = "https://receiver.example";

/** Error that fetch throws, as measured on Deno 2.6 and 2.9. */
const thrown = (message: string, stage = "Connect") =>
  new TypeError(
    `error sending request for url (https://receiver.example/): client error (${stage}): ${message}`,
  );

// [the endpoint, the proxy's scheme, what fetch says, the hint; undefined: the receiver is in the way]
const FAILURES: readonly (readonly [string, string, Error, RegExp | undefined])[] = [
  [
    HTTPS,
    "http",
    thrown("unsuccessful tunnel"),
    /usually .*policy, not your token, or .*"check" shows/,
  ],
  [HTTPS, "http", thrown("proxy authentication required"), /requires a user name and password/],
  [HTTPS, "http", thrown("unexpected eof while tunneling"), /does not respond as an HTTP proxy/],
  [HTTP, "http", thrown("invalid HTTP version parsed", "SendRequest"), /respond as an HTTP proxy/],
  [
    HTTP,
    "http",
    thrown("connection closed before message completed", "SendRequest"),
    /respond as an HTTP proxy/,
  ],
  [HTTPS, "http", thrown("invalid HTTP version parsed", "SendRequest"), undefined],
  [HTTP, "socks5", thrown("invalid HTTP version parsed", "SendRequest"), undefined],
  [
    HTTPS,
    "http",
    thrown("tcp connect error: Connection refused (os error 111)"),
    /nothing is listening/,
  ],
  [
    HTTPS,
    "http",
    thrown("dns error: failed to lookup address information: x"),
    /cannot be resolved/,
  ],
  [HTTPS, "http", thrown("invalid peer certificate: UnknownIssuer"), undefined],
  [HTTPS, "http", thrown("received corrupt message of type InvalidContentType"), undefined],
  [
    HTTPS,
    "https",
    thrown("invalid peer certificate: UnknownIssuer"),
    /or of receiver\.example.*--ca/,
  ],
  [
    HTTP,
    "https",
    thrown("invalid peer certificate: UnknownIssuer"),
    /proxy https:\S+ is not .*--ca/,
  ],
  [HTTP, "https", thrown("invalid peer certificate: certificate expired"), /valid now/],
  [HTTPS, "https", thrown("received fatal alert: CertificateRequired"), undefined],
  [
    HTTP,
    "https",
    thrown("received corrupt message of type X"),
    /does not speak TLS: set ALL_PROXY/,
  ],
  [HTTPS, "https", thrown("received corrupt message of type X"), /probably speaks plain HTTP/],
  [HTTPS, "socks5", thrown("received corrupt message of type X"), undefined],
  [HTTPS, "socks5", thrown("Connection refused"), /cannot connect to receiver\.example/],
  [HTTPS, "socks5", thrown("Host unreachable"), /cannot connect to receiver\.example/],
  [HTTPS, "socks5", thrown("TTL expired"), /cannot connect to receiver\.example/],
  [HTTPS, "socks5", thrown("General SOCKS server failure"), /cannot connect to receiver\.example/],
  [HTTPS, "socks5", thrown("Proxy server unreachable"), /nothing is listening/],
  [HTTPS, "socks5", thrown("Connection not allowed by ruleset"), /policy, not your token/],
  [
    HTTPS,
    "socks5",
    thrown("Password auth failure, code: 1"),
    /user name and password: set ALL_PROXY=s/,
  ],
  [
    HTTPS,
    "socks5",
    thrown("No acceptable auth methods"),
    /user name and password: set ALL_PROXY=s/,
  ],
  [HTTPS, "socks5", thrown("Invalid response version"), /does not respond as a SOCKS5 proxy/],
  [
    HTTPS,
    "socks5",
    thrown("unexpected end of file: unexpected end of file"),
    /respond as a SOCKS5 proxy, or hangs up/,
  ],
  [HTTPS, "socks5", thrown("tls handshake eof"), undefined],
  [HTTPS, "https", new Error("tunnel error: TLS with the proxy: end of file"), /not speak TLS/],
  [HTTPS, "http", new Error("tunnel error: the proxy answered 503"), /cannot connect to receiver/],
  [HTTPS, "http", new Error("tunnel error: the proxy answered 403"), /not your token; ask [^;]*$/],
  [
    HTTPS,
    "socks5",
    new Error("tunnel error: Connection refused (os error 111)"),
    /nothing is listening/,
  ],
];

for (const [endpoint, scheme, error, hint] of FAILURES) {
  Deno.test(`proxyFailureHint() explains "${error.message}" of ${scheme}:// for ${endpoint}`, () => {
    const found = proxyFailureHint(failure(error), route(endpoint, scheme));
    if (hint === undefined) assert.equal(found, undefined);
    else assert.match(found ?? "", hint);
  });
}

Deno.test("reachHint() says what does not answer a proxy of another kind", () => {
  for (const scheme of ["https", "socks5"]) {
    const hint = reachHint("timeout", route(HTTPS, scheme)) ?? "";
    assert.ok(hint.includes(`; an HTTP proxy set as ${scheme}:// may not respond`), hint);
  }
  assert.doesNotMatch(reachHint("timeout", route(HTTPS, "http")) ?? "", /set as/);
});

Deno.test("proxyStatusHint() knows the answers that can be the proxy's", () => {
  const none = new Headers();
  const squid = new Headers({ "x-squid-error": "ERR_ACCESS_DENIED 0" });
  const standard = new Headers({ "proxy-status": "p; error=http_request_denied" });
  const forwarded = new Headers({ "proxy-status": "p" });
  const hint = (status: number, headers: Headers, endpoint: string, scheme = "http") =>
    proxyStatusHint(status, headers, route(endpoint, scheme));
  assert.match(hint(403, squid, HTTP) ?? "", /does not allow requests .*not your token/);
  assert.match(hint(403, standard, HTTP) ?? "", /does not allow requests .*not your token/);
  for (const headers of [none, forwarded]) {
    assert.match(hint(403, headers, HTTP) ?? "", /may not allow requests .*if receiver\.example/);
  }
  assert.match(
    hint(407, none, HTTP) ?? "",
    /requires a user name and password: set ALL_PROXY=http:/,
  );
  assert.equal(hint(403, squid, HTTPS), undefined);
  assert.equal(hint(407, none, HTTPS), undefined);
  assert.equal(hint(403, none, HTTP, "socks5"), undefined);
  assert.equal(hint(401, none, HTTP), undefined);
});
