import assert from "node:assert/strict";
import { atLeastOne, testCases } from "../support/cases.ts";
import { createAuthority, selfSigned } from "../support/certificates.ts";
import { verificationCanBeOff } from "../support/check.ts";
import { type FakeDynatrace, startDynatrace } from "../support/fake_dynatrace.ts";
import { MARK, TOKEN } from "../support/fixture.ts";
import { type Finished, runProgram } from "../support/program.ts";
import { type Proxy, type ProxyOptions, startProxy } from "../support/proxy.ts";
import {
  type ReceivedRequest,
  type Receiver,
  type ServerTls,
  startReceiver,
} from "../support/receiver.ts";
import { assertNoSecret } from "../support/run_fixture.ts";
import { readVerified } from "../support/verify.ts";

// Queries reach their host as exports do: TLS, client certificates, proxies and NO_PROXY.

const QUERY_TOKEN = `dt0s16.${"QUERY".padEnd(24, "A")}.${`${MARK}QUERY`.padEnd(64, "C")}`;
/** A name that only the proxies know. */
const HOST = "grail.invalid";

const authority = await createAuthority();
const good = await authority.server(["127.0.0.1", HOST]);
const client = await authority.client("pod-1");
const files = {
  "ca.pem": authority.certificate,
  "client.pem": client.certificate,
  "client.key": client.key,
};
const credentials = { user: "user", password: `${MARK}PROXY` };

/** An environment that accepts exports in clear text, and in front of its query API a server with or without TLS. */
interface World {
  readonly environment: FakeDynatrace;
  readonly front: Receiver;
  readonly proxy: Proxy;
  verify(
    queryUrl: string,
    args?: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<Finished>;
}

async function inWorld(
  { tls, proxy: options = {} }: { readonly tls?: ServerTls; readonly proxy?: ProxyOptions },
  work: (world: World) => Promise<void>,
): Promise<void> {
  await using environment = startDynatrace();
  const pass = async ({ method, target, headers, body }: ReceivedRequest) => {
    const answer = await fetch(new URL(target, environment.url), {
      method,
      headers: [...headers].filter(([name]) => name !== "host" && name !== "content-length"),
      ...method === "POST" && { body: new Uint8Array(body) },
    });
    const type = { "content-type": answer.headers.get("content-type") ?? "" };
    // The proxy asks for it, as it has one request per connection; the client has to know.
    const closing = headers.get("connection") === "close" ? { connection: "close" } : {};
    return {
      status: answer.status,
      headers: { ...type, ...closing },
      body: new Uint8Array(await answer.arrayBuffer()),
    };
  };
  await using front = await startReceiver({
    answers: Array.from({ length: 100 }, () => pass),
    ...tls && { tls },
  });
  await using proxy = startProxy({ to: front.port, ...options });
  await work({
    environment,
    front,
    proxy,
    async verify(queryUrl, args = [], env = {}) {
      const finished = await runProgram({
        args: [
          ...["verify", "--output", "json", "--backend", "grail", "--query-url", queryUrl],
          ...args,
        ],
        env: {
          DT_ENDPOINT: `${environment.url}/api/v2/otlp`,
          DT_API_TOKEN: TOKEN,
          DT_QUERY_TOKEN: QUERY_TOKEN,
          DENO_NO_UPDATE_CHECK: "1",
          ...env,
        },
        files,
        timeoutMs: 60_000,
      });
      assertNoSecret(finished);
      return finished;
    },
  });
}

function assertVerified({ status, stdout, stderr }: Finished): void {
  assert.equal(readVerified(status, stdout, stderr).status, 0, stdout + stderr);
}

const PROXIES: readonly (readonly [string, ProxyOptions])[] = [
  ["an HTTP proxy", {}],
  ["a TLS proxy", { tls: good }],
  ["a SOCKS5 proxy", { socks: true }],
];

testCases(PROXIES.flatMap(([what, kind]) =>
  (["http", "https"] as const).map((scheme) => ({
    name: `verify queries an ${scheme}:// host through ${what}`,
    async run() {
      // For http:// URLs, Deno gives a TLS proxy no credentials.
      const options = kind.tls !== undefined && scheme === "http" ? kind : { ...kind, credentials };
      const tls = scheme === "https" ? { tls: good } : {};
      await inWorld({ ...tls, proxy: options }, async ({ environment, front, proxy, verify }) => {
        const url = options.credentials === undefined ? proxy.url : proxy.urlWithCredentials;
        const env = { [scheme === "https" ? "HTTPS_PROXY" : "HTTP_PROXY"]: url };
        const noProxy = { NO_PROXY: "127.0.0.1" };
        const args = ["--ca", "ca.pem"];
        assertVerified(await verify(`${scheme}://${HOST}:9999`, args, { ...env, ...noProxy }));
        for (const { target, refused, authorization } of atLeastOne(proxy.requests)) {
          assert.match(target, /^(http:\/\/)?grail\.invalid:9999/);
          assert.equal(refused, undefined);
          assert.equal(authorization !== undefined, options.credentials !== undefined);
        }
        // Everything that was asked came through the front, and nothing of the export did.
        assert.equal(front.requests.length, environment.asked.length);
        assert.equal(environment.exports.length, 1);
      });
    },
  }))
));

Deno.test("verify queries a host of NO_PROXY without the proxy", async () => {
  await inWorld({ tls: good, proxy: { refuse: 403 } }, async ({ front, proxy, verify }) => {
    const env = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url, NO_PROXY: "127.0.0.1" };
    assertVerified(await verify(front.url, ["--ca", "ca.pem"], env));
    assert.deepEqual(proxy.requests, []);
  });
});

const REFUSING: readonly (readonly [string, ProxyOptions, "http" | "https", RegExp])[] = [
  ["requires a password", { credentials }, "https", /user name and password/],
  ["forbids a tunnel", { refuse: 403 }, "https", /the proxy/],
  ["forbids the request", { refuse: 403 }, "http", /the proxy \S+ may not allow requests to/],
];

testCases(REFUSING.map(([what, options, scheme, hint]) => ({
  name: `verify sends nothing when the proxy of an ${scheme}:// query ${what}`,
  run: () =>
    inWorld({ tls: good, proxy: options }, async ({ environment, proxy, verify }) => {
      const env = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url, NO_PROXY: "127.0.0.1" };
      const { status, stderr } = await verify(`${scheme}://${HOST}:9999`, [], env);
      assert.notEqual(status, 0);
      assert.match(stderr, /Nothing was sent/);
      assert.match(stderr, hint);
      assert.deepEqual(environment.exports, []);
    }),
})));

/** Certificates that are not trusted, the arguments, the message, and the remedy. */
const UNTRUSTED: readonly (readonly [
  string,
  () => Promise<ServerTls>,
  readonly string[],
  RegExp,
  RegExp,
])[] = [
  ["signed itself", () => selfSigned(["127.0.0.1"]), [], /invalid peer certificate/, /--ca FILE/],
  ["is of an unknown authority", () => Promise.resolve(good), [], /UnknownIssuer/, /--ca FILE/],
  [
    "is for another name",
    () => authority.server([HOST]),
    ["--ca", "ca.pem"],
    /not valid for name/,
    /not for the name 127\.0\.0\.1/,
  ],
  [
    "has expired",
    () => authority.server(["127.0.0.1"], "expired"),
    ["--ca", "ca.pem"],
    /expired/,
    /not valid now/,
  ],
];

testCases(UNTRUSTED.map(([what, make, args, message, hint]) => ({
  name: `verify sends nothing when the certificate of the query host ${what}`,
  run: async () =>
    await inWorld({ tls: await make() }, async ({ environment, front, verify }) => {
      const { status, stdout, stderr } = await verify(front.url, args);
      assert.equal(readVerified(status, stdout, stderr).status, 1);
      const [error] = stderr.trim().split("\n").map((line) => JSON.parse(line));
      assert.match(
        error.message,
        /^The query API at https:\/\/127\.0\.0\.1:\d+\/? cannot be reached: /,
      );
      assert.match(error.message, message);
      assert.match(error.message, /\. Nothing was sent\. Hint: the server's certificate/);
      assert.match(error.message, hint);
      assert.deepEqual(environment.exports, []);
    }),
})));

Deno.test("verify queries a host with a certificate of --ca", async () => {
  await inWorld({ tls: good }, async ({ front, verify }) => {
    const finished = await verify(front.url, ["--ca", "ca.pem"]);
    assertVerified(finished);
    assert.equal(finished.stderr, "");
  });
});

if (verificationCanBeOff) {
  Deno.test("verify --insecure queries a host with any certificate, and warns", async () => {
    const tls = await selfSigned(["other.example"]);
    await inWorld({ tls }, async ({ front, verify }) => {
      const finished = await verify(front.url, ["--insecure"]);
      assertVerified(finished);
      assert.deepEqual(finished.stderr.trim().split("\n").map((line) => JSON.parse(line).message), [
        "SSL verification disabled (INSECURE_SSL=true)",
      ]);
    });
  });

  Deno.test("verify --insecure queries a host through a proxy", async () => {
    const tls = await selfSigned(["other.example"]);
    await inWorld({ tls, proxy: { credentials } }, async ({ proxy, verify }) => {
      const env = { HTTPS_PROXY: proxy.urlWithCredentials };
      assertVerified(await verify(`https://${HOST}:9999`, ["--insecure"], env));
      assert.ok(atLeastOne(proxy.requests).every(({ target }) => target === `${HOST}:9999`));
    });
  });
}

Deno.test("verify proves to the query host who asks with --client-cert", async () => {
  const tls = { ...good, clientAuthority: authority.certificate };
  await inWorld({ tls }, async ({ environment, front, verify }) => {
    const args = ["--ca", "ca.pem"];
    const without = await verify(front.url, args);
    assert.equal(without.status, 1);
    assert.match(without.stderr, /cannot be reached: .*--client-cert/);
    assert.deepEqual(environment.exports, []);
    const pair = ["--client-cert", "client.pem", "--client-key", "client.key"];
    assertVerified(await verify(front.url, [...args, ...pair]));
    assert.ok(atLeastOne(front.requests).every((request) => request.client === "pod-1"));
  });
});
