import assert from "node:assert/strict";
import { atLeastOne, testCases } from "../support/cases.ts";
import { createAuthority } from "../support/certificates.ts";
import { hasIpv6 } from "../support/fetch_proxies.ts";
import { MARK } from "../support/fixture.ts";
import { type Finished, runProgram, sourceOnly, startProgram } from "../support/program.ts";
import { type Proxy, type ProxyOptions, startProxy } from "../support/proxy.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { assertNoSecret } from "../support/run_fixture.ts";
import { startWire, type Wire } from "../support/wire.ts";

const authority = await createAuthority();
/** A name that only the proxies know, and that is looked up nowhere else. */
const HOST = "collector.invalid";
const tls = await authority.server([HOST]);
const proxyTls = await authority.server(["127.0.0.1"]);
const files = { "ca.pem": authority.certificate };
const credentials = { user: "user", password: `${MARK}PROXY` };

type Scheme = "http" | "https";

/** On Deno 2.6, with which the executable may be made, node:https verifies certificates whatever it is told. */
// node:https of Deno 2.6 verifies regardless.
const insecureWorks = sourceOnly && !Deno.version.deno.startsWith("2.6.");

const KINDS: readonly (readonly [string, ProxyOptions])[] = [
  ["an HTTP proxy", {}],
  ["a TLS proxy", { tls: proxyTls }],
  ["a SOCKS5 proxy", { socks: true }],
  ...hasIpv6() ? [["a proxy at an IPv6 address", { hostname: "::1" }] as const] : [],
];

/** A receiver, a proxy in front of it, and what goes to the proxy over the wire. */
interface World {
  readonly receiver: Receiver;
  readonly proxy: Proxy;
  readonly wire: Wire | undefined;
  /** The URL of the proxy, with the credentials that it requires. */
  readonly proxyUrl: string;
}

async function inWorld(
  scheme: Scheme,
  options: ProxyOptions,
  run: (world: World) => Promise<void>,
): Promise<void> {
  await using receiver = await startReceiver(scheme === "https" ? { tls } : {});
  await using proxy = startProxy({ to: receiver.port, ...options });
  // It is on 127.0.0.1 alone.
  await using wire = options.hostname === undefined ? startWire(proxy.port) : undefined;
  const url = new URL(options.credentials === undefined ? proxy.url : proxy.urlWithCredentials);
  if (wire !== undefined) url.port = String(wire.port);
  await run({ receiver, proxy, wire, proxyUrl: url.href });
}

async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Finished> {
  const finished = await runProgram({ args, env: { DENO_NO_UPDATE_CHECK: "1", ...env }, files });
  assertNoSecret(finished);
  return finished;
}

function variableOf(scheme: Scheme): string {
  return scheme === "https" ? "HTTPS_PROXY" : "HTTP_PROXY";
}

/** The proxy got what it requires each time, and the wire shows as much of it as this kind of proxy has to show. */
function assertProxied({ proxy, wire }: World, options: ProxyOptions, expected: number): void {
  assert.equal(proxy.requests.length, expected, JSON.stringify(proxy.requests));
  for (const { target, refused, authorization } of atLeastOne(proxy.requests)) {
    assert.match(target, /^(http:\/\/)?collector\.invalid:/);
    assert.equal(refused, undefined);
    assert.equal(authorization !== undefined, options.credentials !== undefined);
  }
  if (wire === undefined) return;
  const sent = wire.sent.filter((bytes) => bytes !== "");
  assert.ok(sent.length >= expected);
  for (const bytes of atLeastOne(sent)) {
    if (options.tls === undefined) continue;
    assert.equal(bytes.charCodeAt(0), 0x16, "not a TLS handshake");
    assert.doesNotMatch(bytes, /CONNECT|proxy-authorization|Basic|S3CRET/i);
  }
}

testCases(
  KINDS.flatMap(([what, kind]) =>
    (["http", "https"] as const).map((scheme) => ({
      name: `send and check reach an ${scheme}:// endpoint through ${what}`,
      run: async () => {
        // For http:// endpoints, Deno gives a TLS proxy no credentials: the next test.
        const isBare = kind.tls !== undefined && scheme === "http";
        const options = isBare ? kind : { ...kind, credentials };
        await inWorld(scheme, options, async (world) => {
          const { receiver, proxyUrl } = world;
          const env = { [variableOf(scheme)]: proxyUrl };
          const args = ["--endpoint", `${scheme}://${HOST}:4318`, "--ca", "ca.pem"];
          const sent = await run(args, env);
          assert.equal(sent.status, 0, sent.stderr);
          assert.equal(receiver.requests.length, 1);
          assertProxied(world, options, 1);
          const checked = await run(["check", ...args], env);
          assert.equal(checked.status, 0, checked.stdout);
          assert.equal(receiver.requests.length, 2);
          // check opens a tunnel for the verdict, one for the certificate and one for the request.
          assertProxied(world, options, scheme === "https" ? 4 : 2);
          if (scheme === "https") assert.match(checked.stdout, /certificate of collector\.invalid/);
        });
      },
    }))
  ),
);

if (insecureWorks) {
  testCases(
    KINDS.map(([what, kind]) => ({
      name: `--insecure reaches an https:// endpoint through ${what}`,
      run: async () => {
        const options = { ...kind, credentials };
        await inWorld("https", options, async (world) => {
          const { receiver, proxyUrl } = world;
          const env = { HTTPS_PROXY: proxyUrl };
          // --ca is for the proxy: its certificate is verified in any case. The receiver's has another name.
          const args = [
            "--endpoint",
            "https://collector.invalid:4318",
            "--insecure",
            "--ca",
            "ca.pem",
          ];
          const sent = await run(args, env);
          assert.equal(sent.status, 0, sent.stderr);
          assert.equal(receiver.requests.length, 1);
          assertProxied(world, options, 1);
          const checked = await run(["check", ...args], env);
          assert.equal(checked.status, 0, checked.stdout);
          assertProxied(world, options, 4);
        });
      },
    })),
  );

  Deno.test({
    name: "--insecure does not trust a TLS proxy of an unknown authority",
    fn: () =>
      inWorld("https", { tls: proxyTls, credentials }, async ({ proxy, proxyUrl }) => {
        const { status, stderr } = await run(
          ["--endpoint", `https://${HOST}`, "--insecure", "--retry-for", "0"],
          { HTTPS_PROXY: proxyUrl },
        );
        assert.equal(status, 1);
        assert.match(
          stderr,
          /UnknownIssuer\n {2}Hint: the certificate of the proxy \S+ is not trusted/,
        );
        assert.deepEqual(proxy.requests, []);
      }),
  });
}

const EXPOSITION = (count: number) =>
  `# TYPE h_seconds histogram
h_seconds_bucket{le="1"} ${count}
h_seconds_bucket{le="+Inf"} ${count}
h_seconds_sum ${count / 2}
h_seconds_count ${count}
`;

testCases(
  KINDS.map(([what, kind]) => ({
    name: `--scrape reaches its endpoint through ${what}`,
    run: async () => {
      let scrapes = 0;
      await using target = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen() {} },
        () => new Response(EXPOSITION(++scrapes)),
      );
      const options = kind.tls === undefined ? { ...kind, credentials } : kind;
      await using proxy = startProxy({ ...options, to: target.addr.port });
      await using receiver = await startReceiver();
      await using program = await startProgram({
        args: [
          ...["--endpoint", receiver.url, "--scrape", `http://${HOST}/metrics`],
          ...["--loop", "--interval", "0.3"],
        ],
        env: {
          DENO_NO_UPDATE_CHECK: "1",
          DENO_CERT: "ca.pem",
          HTTP_PROXY: options.credentials === undefined ? proxy.url : proxy.urlWithCredentials,
          NO_PROXY: "127.0.0.0/8",
        },
        files,
      });
      await receiver.waitForRequests(1);
      program.signal("SIGTERM");
      const finished = await program.finished;
      assertNoSecret(finished);
      assert.equal(finished.status, 0, finished.stderr);
      // A SOCKS connection is kept alive.
      assert.ok(proxy.requests.length >= (kind.socks ? 1 : 2));
      for (const { target, refused } of atLeastOne(proxy.requests)) {
        assert.match(target, /^(http:\/\/collector\.invalid\/metrics|collector\.invalid:80)$/);
        assert.equal(refused, undefined);
      }
    },
  })),
);

Deno.test("--scrape blames the proxy that is not there, and no password is printed", async () => {
  await using receiver = await startReceiver();
  await using program = await startProgram({
    args: [
      ...["--endpoint", receiver.url, "--scrape", `http://${HOST}/metrics`],
      ...["--loop", "--interval", "0.3"],
    ],
    env: { HTTP_PROXY: `http://user:${MARK}@127.0.0.1:1`, NO_PROXY: "127.0.0.1" },
  });
  await program.waitForStderr(
    /Hint: requests to \S+ go through the proxy \S+, where nothing is listening/,
  );
  program.signal("SIGTERM");
  assertNoSecret(await program.finished);
});

Deno.test("send says why a TLS proxy asks for credentials that it is given", () =>
  inWorld("http", { tls: proxyTls, credentials }, async ({ wire, proxyUrl }) => {
    const { status, stderr } = await run(
      ["--endpoint", `http://${HOST}`, "--ca", "ca.pem"],
      { HTTP_PROXY: proxyUrl },
    );
    assert.equal(status, 1);
    assert.match(stderr, /407 Proxy Authentication Required/);
    assert.match(stderr, /Hint: .* gets only for an https:\/\/ endpoint/);
    for (const bytes of wire?.sent ?? []) assert.equal(bytes.charCodeAt(0), 0x16);
  }));

/** A proxy, the mistake in its URL, and the hint of send and check for http:// and https:// endpoints. */
interface Wrong {
  readonly name: string;
  readonly options: ProxyOptions;
  /** Scheme of the URL; by default the right one. */
  readonly scheme?: "http" | "https" | "socks5";
  readonly userinfo?: string;
  readonly hints: Readonly<Partial<Record<Scheme, RegExp>>>;
  /** Hint of check, if it says more. */
  readonly checked?: RegExp;
}

const WRONG: readonly Wrong[] = [
  {
    name: "a proxy that speaks plain HTTP and is named https://",
    options: {},
    scheme: "https",
    userinfo: `user:${MARK}@`,
    hints: {
      http: /Hint: the proxy https:\S+ does not speak TLS: set HTTP_PROXY=http:\/\/HOST:PORT/,
      https: /Hint: the proxy https:\S+ probably speaks plain HTTP: set HTTPS_PROXY=http:\/\//,
    },
    checked: /the proxy https:\S+ does not speak TLS: set HTTPS_PROXY=http:\/\/HOST:PORT/,
  },
  {
    name: "a proxy that speaks TLS and is named http://",
    options: { tls: proxyTls },
    scheme: "http",
    hints: {
      http: /Hint: the server at http:\S+ does not respond as an HTTP proxy \(one that speaks TLS/,
    },
    checked: /the server at http:\S+ does not respond as an HTTP proxy \(one that speaks TLS/,
  },
  {
    name: "a SOCKS proxy that is named http://",
    options: { socks: true },
    scheme: "http",
    hints: { http: /Hint: the server at http:\S+ does not respond as an HTTP proxy/ },
    checked: /the server at http:\S+ does not respond as an HTTP proxy/,
  },
  {
    name: "a TLS proxy that is named socks5://",
    options: { tls: proxyTls },
    scheme: "socks5",
    hints: {
      http: /Hint: the server at socks5:\S+ does not respond as a SOCKS5 proxy/,
      https: /Hint: the server at socks5:\S+ does not respond as a SOCKS5 proxy/,
    },
    checked: /does not respond as a SOCKS5 proxy/,
  },
  {
    name: "an HTTP proxy that forbids",
    options: { refuse: 403 },
    hints: {
      http:
        /403 Forbidden\n {2}Hint: the proxy \S+ may not allow requests to \S+, which is the proxy's policy, not your token/,
      https:
        /Hint: the proxy \S+ did not connect to \S+ usually this is the proxy's policy, not your token, or/,
    },
    checked: /the proxy answered 403[\s\S]*the proxy \S+ does not allow a connection to/,
  },
  {
    name: "a SOCKS proxy that forbids",
    options: { socks: true, refuse: 403 },
    hints: {
      http: /Hint: the proxy socks5:\S+ does not allow a connection to .*, not your token/,
      https: /Hint: the proxy socks5:\S+ does not allow a connection to .*, not your token/,
    },
    checked: /not allowed by ruleset[\s\S]*the proxy's policy, not your token/,
  },
  {
    name: "an HTTP proxy that requires credentials",
    options: { credentials },
    userinfo: "",
    hints: {
      http: /Hint: the proxy \S+ requires a user name and password: set HTTP_PROXY=http:\/\/USER/,
      https: /Hint: the proxy \S+ requires a user name and password: set HTTPS_PROXY=http:\/\/USER/,
    },
    checked: /the proxy answered 407[\s\S]*requires a user name and password/,
  },
  {
    name: "an HTTP proxy that requires other credentials",
    options: { credentials },
    userinfo: `user:${MARK}x@`,
    hints: {
      http: /Hint: the proxy \S+ rejects this user name and password/,
      https: /Hint: the proxy \S+ rejects this user name and password/,
    },
    checked: /the proxy answered 407[\s\S]*rejects this user name and password/,
  },
  {
    name: "a TLS proxy that requires other credentials",
    options: { credentials, tls: proxyTls },
    userinfo: `user:${MARK}x@`,
    hints: { https: /Hint: the proxy https:\S+ rejects this user name and password/ },
    checked: /the proxy answered 407[\s\S]*rejects this user name and password/,
  },
  {
    name: "a SOCKS proxy that requires credentials",
    options: { credentials, socks: true },
    userinfo: "",
    hints: {
      http: /Hint: the proxy \S+ requires a user name and password: set HTTP_PROXY=socks5:/,
      https: /Hint: the proxy \S+ requires a user name and password: set HTTPS_PROXY=socks5:/,
    },
    checked: /requires a user name and password: set HTTPS_PROXY=socks5:/,
  },
  {
    name: "a SOCKS proxy that requires other credentials",
    options: { credentials, socks: true },
    userinfo: `user:${MARK}x@`,
    hints: {
      http: /Hint: the proxy \S+ rejects this user name and password: set HTTP_PROXY=socks5:/,
      https: /Hint: the proxy \S+ rejects this user name and password: set HTTPS_PROXY=socks5:/,
    },
    checked: /rejected the user name and password[\s\S]*rejects this user name/,
  },
  {
    name: "a SOCKS proxy that cannot connect",
    options: { socks: true, to: 1 },
    hints: {
      http: /Hint: the proxy socks5:\S+ cannot connect to collector\.invalid/,
      https: /Hint: the proxy socks5:\S+ cannot connect to collector\.invalid/,
    },
    checked: /answered: connection refused[\s\S]*the proxy socks5:\S+ cannot connect to/,
  },
  {
    name: "an HTTP proxy that cannot connect",
    options: { to: 1 },
    hints: {},
    checked: /the proxy answered 502[\s\S]*cannot connect to collector\.invalid/,
  },
];

testCases(WRONG.flatMap(({ name, options, scheme, userinfo, hints, checked }) => {
  const used = (proxyUrl: string) => {
    const url = new URL(proxyUrl);
    return `${scheme ?? url.protocol.slice(0, -1)}://${userinfo ?? ""}${url.host}`;
  };
  const endpoint = (scheme: Scheme) => ["--endpoint", `${scheme}://${HOST}`, "--ca", "ca.pem"];
  return [
    ...(["http", "https"] as const).flatMap((to) => {
      const hint = hints[to];
      return hint === undefined ? [] : [{
        name: `send to ${to}:// explains ${name}`,
        run: () =>
          inWorld(to, options, async ({ receiver, proxyUrl }) => {
            const { status, stderr } = await run(
              [...endpoint(to), "--retry-for", "0"],
              { [variableOf(to)]: used(proxyUrl) },
            );
            assert.equal(status, 1);
            assert.match(stderr, hint);
            assert.equal(receiver.requests.length, 0);
          }),
      }];
    }),
    ...checked === undefined ? [] : [{
      name: `check explains ${name}`,
      run: () =>
        inWorld("https", options, async ({ proxyUrl }) => {
          const { status, stdout } = await run(
            ["check", ...endpoint("https")],
            { HTTPS_PROXY: used(proxyUrl) },
          );
          assert.equal(status, 1);
          assert.match(stdout, checked);
        }),
    }],
  ];
}));

/** A proxy that cannot be reached. */
const GONE = [
  ["that does not listen", "127.0.0.1:1", /where nothing is listening/],
  ["whose name nobody knows", "nobody.invalid:3128", /whose name cannot be resolved/],
] as const;

testCases(GONE.flatMap(([what, place, hint]) =>
  ["http", "https", "socks5"].map((scheme) => ({
    name: `send and check blame a proxy ${scheme}:// ${what}`,
    run: async () => {
      const env = { HTTPS_PROXY: `${scheme}://user:${MARK}@${place}` };
      const args = ["--endpoint", `https://${HOST}`, "--retry-for", "0"];
      const sent = await run(args, env);
      assert.equal(sent.status, 1);
      assert.match(sent.stderr, /Hint: requests to collector\.invalid go through the proxy/);
      assert.match(sent.stderr, hint);
      const checked = await run(["check", ...args.slice(0, 2)], env);
      assert.equal(checked.status, 1);
      assert.match(checked.stdout, hint);
    },
  }))
));

Deno.test("a proxy variable that fetch ignores is named in a warning, by send and check", async () => {
  await using receiver = await startReceiver();
  const env = { HTTP_PROXY: `http:/user:${MARK}@host:1` };
  const warning =
    /Invalid HTTP_PROXY "http:\/\*\*\*@host:1" \(environment\): it is ignored\. Write it as http:\/\/HOST:PORT/;
  const sent = await run(["--endpoint", receiver.url], env);
  assert.equal(sent.status, 0, sent.stderr);
  assert.match(sent.stderr, warning);
  const checked = await run(["check", "--endpoint", receiver.url], env);
  assert.equal(checked.status, 0, checked.stdout);
  assert.match(checked.stdout, warning);
  assert.match(checked.stdout, /127\.0\.0\.1 is an IP address/);
});

Deno.test("a proxy variable that cannot work ends send and check before anything is sent", async () => {
  const env = { HTTP_PROXY: `http://user:${MARK}/x@host:1` };
  const error = /Invalid HTTP_PROXY "http:\/\/\*\*\*@host:1" \(environment\): an @ follows/;
  const sent = await run(["--endpoint", "http://127.0.0.1:1"], env);
  assert.equal(sent.status, 2);
  assert.match(sent.stderr, error);
  const checked = await run(["check", "--endpoint", "http://127.0.0.1:1"], env);
  assert.equal(checked.status, 2);
  assert.match(checked.stdout, error);
});

Deno.test("check chooses the proxy as fetch does", async () => {
  await using receiver = await startReceiver();
  await using a = startProxy({ to: receiver.port });
  await using b = startProxy({ to: receiver.port });
  const shown = async (env: Readonly<Record<string, string>>) => {
    const { status, stdout } = await run(
      ["check", "--output", "json", "--endpoint", receiver.url],
      env,
    );
    assert.equal(status, 0, stdout);
    const { proxy } = JSON.parse(stdout.split("\n")[0] ?? "");
    return proxy;
  };
  assert.equal(await shown({ ALL_PROXY: a.url, HTTP_PROXY: b.url }), `${a.url}/`);
  assert.equal(await shown({ http_proxy: a.url, HTTP_PROXY: b.url }), `${b.url}/`);
  assert.equal(await shown({ HTTP_PROXY: b.url, REQUEST_METHOD: "GET" }), null);
  assert.equal(await shown({ HTTP_PROXY: b.url, NO_PROXY: "127.0.0.0/8" }), null);
  assert.equal(await shown({ HTTP_PROXY: b.url, NO_PROXY: "*" }), `${b.url}/`);
  assert.deepEqual([a.requests.length, b.requests.length], [1, 2]);
});
