import assert from "node:assert/strict";
import { createAuthority, selfSigned } from "../support/certificates.ts";
import { decode, partialSuccess, rpcStatus } from "../support/decode.ts";
import { MARK, type Setup, usageError } from "../support/fixture.ts";
import { like, repeated } from "../support/lines.ts";
import { sourceOnly } from "../support/program.ts";
import { startProxy } from "../support/proxy.ts";
import { type Receiver, type ReceiverOptions, startReceiver } from "../support/receiver.ts";
import { runFixture, testFixtures } from "../support/run_fixture.ts";

const SECRET = MARK.padEnd(64, "B");
const TOKEN = `dt0c01.${"A".repeat(24)}.${SECRET}`;
const PATH = "/api/v2/otlp";
const verificationCanBeOff = sourceOnly && !Deno.version.deno.startsWith("2.6.");
const PROTOBUF = { "content-type": "application/x-protobuf" };

interface Step {
  readonly type: string;
  readonly name: string;
  readonly ok: boolean | null;
  readonly detail: string;
  readonly hint: string | null;
  /** All of it, facts included. */
  readonly line: Readonly<Record<string, unknown>>;
}

interface Checked {
  readonly status: number;
  readonly steps: readonly Step[];
  /** The step of that name; fails when there is none. */
  step(name: string): Step;
}

function parse(line: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(line);
  assert.ok(typeof parsed === "object" && parsed !== null);
  return { ...parsed };
}

function asStep(line: Record<string, unknown>): Step {
  assert.deepEqual(Object.keys(line).slice(0, 6), [
    "type",
    "name",
    "ok",
    "detail",
    "hint",
    "durationMs",
  ]);
  const { type, name, ok, detail, hint, durationMs } = line;
  assert.ok(typeof type === "string" && typeof name === "string");
  assert.ok(typeof ok === "boolean" || ok === null);
  assert.ok(typeof detail === "string" && (typeof hint === "string" || hint === null));
  assert.ok(typeof durationMs === "number" || durationMs === "N"); // how long it took never matters
  return { type, name, ok, detail, hint, line };
}

/** Runs `check --output json` and asserts what holds for every check, whatever it finds. */
async function check({ args = [], ...setup }: Setup): Promise<Checked> {
  const { status, stdout } = await runFixture({
    ...setup,
    args: ["check", "--output", "json", ...args],
    bare: true,
    posts: "any",
    status: "any",
    stdout: [
      repeated(like({ type: "step" })),
      like({ type: "summary" }),
    ],
  });
  const lines = stdout.trimEnd().split("\n").map(parse);
  const summary = lines.pop();
  const isOpen = lines.some(({ ok }) => ok === null) && lines.every(({ ok }) => ok !== false);
  assert.deepEqual(summary, {
    type: "summary",
    ok: isOpen ? null : status === 0,
    exitCode: status,
  });
  assert.deepEqual(Object.keys(summary ?? {}), ["type", "ok", "exitCode"]);
  const steps = lines.map(asStep);
  const order = ["config", "dns", "tcp", "tls", "http", "token", "ingest"];
  const positions = steps.map(({ name }) => order.indexOf(name));
  assert.deepEqual(positions, [...positions].sort((a, b) => a - b));
  assert.ok(
    steps.slice(0, -1).every(({ ok }) => ok !== false),
    "it stops after the first that fails",
  );
  assert.equal(steps.every(({ ok }) => ok), status === 0);
  if (status === 0) assert.equal(steps.at(-1)?.name, "ingest");
  for (const { detail } of steps) assert.doesNotMatch(detail, /\d m?s\b|https?:\/\/\S+\/v1/);
  return {
    status,
    steps,
    step(name) {
      const step = steps.find((it) => it.name === name);
      assert.ok(step, `no step ${name}: ${stdout}`);
      return step;
    },
  };
}

/** The step that failed, which has to be the last, with exit status 1 (2: config). */
function failed({ status, steps }: Checked, name: string): Step {
  const last = steps.at(-1);
  assert.deepEqual([last?.name, last?.ok, status], [name, false, name === "config" ? 2 : 1]);
  assert.ok(last);
  return last;
}

/** A Dynatrace of ours: DT_ENDPOINT and DT_API_TOKEN lead to it. */
function dynatrace({ url }: { readonly url: string }): Readonly<Record<string, string>> {
  return { DT_ENDPOINT: `${url}${PATH}`, DT_API_TOKEN: TOKEN };
}

const NOWHERE = { env: { DT_ENDPOINT: `http://127.0.0.1:1${PATH}`, DT_API_TOKEN: TOKEN } };

// config

const badConfigurations: readonly (readonly [
  what: string,
  setup: Setup,
  detail: RegExp,
  hint: RegExp | null,
])[] = [
  ["nothing is set", {}, /set DT_ENDPOINT and DT_API_TOKEN.*DT_ENDPOINT is missing/, /live\.dyn/],
  [
    "the token is missing",
    { env: { DT_ENDPOINT: "https://abc.live.dynatrace.com/api/v2/otlp" } },
    /DT_API_TOKEN is missing/,
    /metrics\.ingest/,
  ],
  ["the URL does not parse", { args: ["--endpoint", "nonsense"] }, /--endpoint "nonsense"/, null],
  [
    "a number does not parse",
    { ...NOWHERE, args: ["--timeout", "soon"] },
    /--timeout "soon"/,
    null,
  ],
  [
    "the host has .apps. in it",
    { env: { DT_ENDPOINT: "https://abc.apps.dynatrace.com/api/v2/otlp", DT_API_TOKEN: TOKEN } },
    /abc\.apps\.dynatrace\.com/,
    /use ENV\.live\.dynatrace\.com/,
  ],
  [
    "the token file does not exist",
    { ...NOWHERE, args: ["--token-file", "none.txt"] },
    /--token-file.*"none\.txt": it does not exist/,
    null,
  ],
  [
    "the CA file is none",
    { ...NOWHERE, args: ["--ca", "ca.pem"], files: { "ca.pem": "no PEM" } },
    /--ca "ca\.pem".*PEM/,
    null,
  ],
  [
    "the client key is encrypted",
    {
      ...NOWHERE,
      args: ["--client-cert", "c.pem", "--client-key", "c.key"],
      files: {
        "c.pem": (await createAuthority()).certificate,
        "c.key":
          "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
      },
    },
    /--client-key "c\.key".*encrypted.*openssl pkey/,
    null,
  ],
  [
    "the client key does not fit",
    {
      ...NOWHERE,
      args: ["--client-cert", "c.pem", "--client-key", "c.key"],
      files: {
        "c.pem": (await createAuthority()).certificate,
        "c.key": (await createAuthority()).key,
      },
    },
    /--client-key "c\.key".*does not fit the certificate/,
    null,
  ],
  ...(verificationCanBeOff ? [] : [
    [
      "verification cannot be turned off",
      { args: ["--endpoint", "https://127.0.0.1:1", "--insecure"] },
      /--insecure.*cannot work here/,
      null,
    ] as const,
  ]),
  [
    "the URL holds a placeholder",
    { args: ["--endpoint", "https://{your-environment-id}.live.dynatrace.com/api/v2/otlp"] },
    /--endpoint "https:\/\/\{your-environment-id\}.*in place of "\{your-environment-id\}"/,
    null,
  ],
];

for (const [what, setup, detail, hint] of badConfigurations) {
  Deno.test({
    name: `check fails at config with exit status 2 when ${what}`,
    async fn() {
      const checked = await check(setup);
      const step = failed(checked, "config");
      assert.equal(checked.steps.length, 1);
      assert.match(step.detail, detail);
      if (hint === null) assert.equal(step.hint, null);
      else assert.match(step.hint ?? "", hint);
    },
  });
}

const hints: readonly (readonly [what: string, setup: Setup, hint: RegExp | null])[] = [
  ["all is as it should be", NOWHERE, null],
  [
    "the token has another shape",
    { env: { ...NOWHERE.env, DT_API_TOKEN: "dt0c01.ABC.DEFGHI" } },
    /after dt0c01\. there are 3 and 6 characters, not 24 and 64/,
  ],
  [
    "the path does not hold /api/v2/otlp",
    { env: { ...NOWHERE.env, DT_ENDPOINT: "http://127.0.0.1:1" } },
    /the path \/v1\/metrics does not hold \/api\/v2\/otlp/,
  ],
  [
    "the path holds /v1/metrics twice",
    { args: ["--endpoint", "http://127.0.0.1:1/v1/metrics/v1/metrics"] },
    /holds \/v1\/metrics twice/,
  ],
  [
    "a public host is reached over http",
    { args: ["--endpoint", "http://otel.example.invalid"] },
    /otel\.example\.invalid is a public host/,
  ],
  [
    "an ActiveGate's path has no environment",
    { env: { ...NOWHERE.env, DT_ENDPOINT: "https://127.0.0.1:9999/api/v2/otlp" } },
    /port 9999 is an ActiveGate's/,
  ],
  [
    "Dynatrace gets another Authorization",
    {
      env: { DT_ENDPOINT: NOWHERE.env.DT_ENDPOINT },
      args: ["--header", `authorization=Bearer ${TOKEN}`],
    },
    /says Bearer, and this kind of token needs Api-Token/,
  ],
  [
    "the path takes another signal",
    { args: ["--endpoint", "http://127.0.0.1:1/v1/traces"] },
    /^the path of --endpoint \(command line\) holds \/v1\/traces.*leave it out[^\n]*$/,
  ],
  [
    "a proxy stands in .env, which has other lines that do nothing",
    {
      ...NOWHERE,
      dotenv:
        `HTTPS_PROXY=http://user:${MARK}@proxy:3128\nDT_ENDPOIN=${MARK}\n\n# ok\n${MARK} it\n`,
    },
    /^HTTPS_PROXY in \.env has no effect.*\n\.env sets.*: DT_ENDPOIN\nline 5 of \.env cannot be read/,
  ],
  [
    "a token is not sent where it does not belong",
    {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" },
      args: ["--token-file", "t"],
      files: { t: TOKEN },
    },
    /is not sent to http:\/\/127\.0\.0\.1:1/,
  ],
];

for (const [what, setup, hint] of hints) {
  Deno.test(`check says at config, and goes on, when ${what}`, async () => {
    const step = (await check(setup)).step("config");
    assert.equal(step.ok, true);
    if (hint === null) assert.equal(step.hint, null);
    else assert.match(step.hint ?? "", hint);
  });
}

Deno.test("check says what is set and from where, of a token its public part", async () => {
  const { detail, line } = (await check({
    env: { ...NOWHERE.env, DT_ENDPOINT: `http://user:pass@127.0.0.1:1${PATH}?key=pass` },
    args: ["--header", "X-Scope=team-pass", "--timeout", "3"],
  })).step("config");
  assert.ok(detail.includes(`token dt0c01.${"A".repeat(24)}.*** (DT_API_TOKEN)`), detail);
  assert.ok(detail.startsWith("DT_ENDPOINT (environment); "), detail);
  assert.ok(detail.includes("headers x-scope; gzip"), detail);
  const { url, setting, source, proxy, timeoutMs } = line;
  assert.deepEqual({ url, setting, source, proxy, timeoutMs }, {
    url: `http://***:***@127.0.0.1:1${PATH}/v1/metrics?key=***`,
    setting: "DT_ENDPOINT",
    source: "environment",
    proxy: null,
    timeoutMs: 3000,
  });
  assert.ok(!JSON.stringify(line).includes("pass"), detail);
});

Deno.test({
  name: "check warns of a token file that others may read, and of no other",
  ignore: Deno.build.os === "windows",
  async fn() {
    const directory = await Deno.makeTempDir();
    try {
      const path = `${directory}/token`;
      await Deno.writeTextFile(path, `${TOKEN}\n`, { mode: 0o600 });
      const args = ["--token-file", path];
      const own = (await check({ ...NOWHERE, args })).step("config");
      assert.equal(own.hint, null);
      assert.ok(own.detail.includes(`.*** (file ${path}, --token-file)`), own.detail);
      await Deno.chmod(path, 0o640);
      const others = (await check({ ...NOWHERE, args })).step("config");
      assert.match(others.hint ?? "", /mode 640.*chmod 600/);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test("check shows the public part of a platform token, and calls its Bearer right", async () => {
  const { detail, hint } = (await check({
    env: { ...NOWHERE.env, DT_API_TOKEN: `dt0s16.PUBLICPART.${SECRET}` },
  })).step("config");
  assert.ok(detail.includes("token dt0s16.PUBLICPART.*** (DT_API_TOKEN)"), detail);
  assert.equal(hint, null);
});

// dns

Deno.test("check fails at dns when the name is not known, and names it", async () => {
  const step = failed(await check({ args: ["--endpoint", "http://nosuch.invalid"] }), "dns");
  assert.match(step.detail, /^nosuch\.invalid: /);
  assert.match(step.hint ?? "", /the name nosuch\.invalid is not known/);
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
  assert.match(step.hint ?? "", /whose name is not known here: check HTTP_PROXY/);
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

// tcp

Deno.test("check fails at tcp when nothing listens", async () => {
  const receiver = await startReceiver();
  await receiver.stop();
  const step = failed(await check({ env: dynatrace(receiver) }), "tcp");
  assert.ok(step.detail.startsWith(`127.0.0.1:${receiver.port} refused`), step.detail);
  assert.match(step.hint ?? "", /nothing listens at 127\.0\.0\.1/);
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
    assert.match(step.hint ?? "", /does not answer in time/);
    waiting.abort();
    await Promise.all(pending);
  } finally {
    waiting.abort();
    for (const connection of connections) connection.close();
    listener.close();
  }
});

// tls

async function withTls(
  tls: NonNullable<ReceiverOptions["tls"]>,
  setup: (receiver: Receiver, url: string) => Setup,
): Promise<Checked> {
  await using receiver = await startReceiver({ tls });
  return await check(setup(receiver, `https://localhost:${receiver.port}`));
}

const certificates = async () => {
  const authority = await createAuthority("Corporate CA");
  return { authority, ca: { "ca.pem": authority.certificate } };
};

Deno.test("check shows the certificate when it is trusted with --ca", async () => {
  const { authority, ca } = await certificates();
  const checked = await withTls(
    await authority.server(["localhost", "other.example"]),
    (_, url) => ({ args: ["--endpoint", url, "--ca", "ca.pem"], files: ca }),
  );
  assert.equal(checked.status, 0);
  const { detail, hint } = checked.step("tls");
  assert.match(detail, /certificate of localhost, other\.example, issued by Corporate CA/);
  assert.match(detail, /valid from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d/);
  // Deno before 2.9 does not tell the version, and says so.
  assert.match(detail, /^TLS(v1\.[23];|, of a version that this Deno does not tell;)/);
  // The certificates of these tests live for ten days.
  assert.match(hint ?? "", /the certificate ends in [89] days/);
});

const untrusted: readonly (readonly [
  what: string,
  make: (
    authority: Awaited<ReturnType<typeof createAuthority>>,
  ) => Promise<{ certificate: string; key: string }>,
  ca: boolean,
  detail: RegExp,
  hint: RegExp,
])[] = [
  [
    "the CA is unknown",
    (authority) => authority.server(["localhost"]),
    false,
    /UnknownIssuer; certificate of localhost, issued by Corporate CA/,
    /--ca FILE/,
  ],
  [
    "the certificate signed itself",
    () => selfSigned(["localhost"]),
    true,
    /UnknownIssuer; certificate of localhost, issued by localhost/,
    /--ca FILE/,
  ],
  [
    "a CA's certificate is the server's",
    () => selfSigned(["localhost"], { authority: true }),
    false,
    /UnknownIssuer|CaUsedAsEndEntity/,
    /naming it with --ca does not help.*basicConstraints=CA:FALSE/,
  ],
  [
    "the certificate has expired",
    (authority) => authority.server(["localhost"], "expired"),
    true,
    /expired.*valid from/,
    /not valid today/,
  ],
  [
    "the certificate is not valid yet",
    (authority) => authority.server(["localhost"], "not yet"),
    true,
    /not valid yet|not valid before|NotValidYet/i,
    /not valid today/,
  ],
  [
    "the certificate is for another name",
    (authority) => authority.server(["other.example"]),
    true,
    /not valid for name.*certificate of other\.example/,
    /another name than localhost/,
  ],
];

for (const [what, make, withCa, detail, hint] of untrusted) {
  Deno.test(`check fails at tls when ${what}`, async () => {
    const { authority, ca } = await certificates();
    const checked = await withTls(await make(authority), (_, url) => ({
      args: ["--endpoint", url, ...withCa ? ["--ca", "ca.pem"] : []],
      files: ca,
    }));
    const step = failed(checked, "tls");
    assert.match(step.detail, detail);
    assert.match(step.hint ?? "", hint);
  });
}

// What is not so in this Deno is no test that was left out.
for (const args of verificationCanBeOff ? [["--insecure"], []] : []) {
  Deno.test({
    name: `check passes tls, and says so, when verification is off (${
      args.join() || "INSECURE_SSL"
    })`,
    async fn() {
      const { authority } = await certificates();
      const checked = await withTls(await authority.server(["other.example"]), (_, url) => ({
        args: ["--endpoint", url, ...args],
        env: args.length === 0 ? { INSECURE_SSL: "true" } : {},
      }));
      const { ok, detail, hint } = checked.step("tls");
      assert.equal(ok, true);
      assert.match(
        detail,
        /^not verified, .*certificate of other\.example, issued by Corporate CA/,
      );
      assert.match(hint ?? "", /would be refused otherwise: .*UnknownIssuer/);
      assert.match(checked.step("config").detail, /certificates not verified/);
      assert.equal(checked.status, 0);
    },
  });
}

Deno.test("check fails at http when the receiver wants a client certificate, and passes with one", async () => {
  const authority = await createAuthority();
  const server = await authority.server(["localhost"]);
  await using receiver = await startReceiver({
    tls: { ...server, clientAuthority: authority.certificate },
  });
  const client = await authority.client("check");
  const setup = (...args: string[]): Setup => ({
    args: ["--endpoint", `https://localhost:${receiver.port}`, "--ca", "ca.pem", ...args],
    files: { "ca.pem": authority.certificate, "c.pem": client.certificate, "k.pem": client.key },
  });
  const step = failed(await check(setup()), "http");
  assert.match(step.hint ?? "", /client certificate/);
  const checked = await check(setup("--client-cert", "c.pem", "--client-key", "k.pem"));
  assert.equal(checked.status, 0);
  assert.equal(receiver.requests[0]?.client, "check");
});

Deno.test("check fails at tls when the port speaks plain HTTP", async () => {
  await using receiver = await startReceiver();
  const args = ["--endpoint", `https://localhost:${receiver.port}`];
  const step = failed(await check({ args }), "tls");
  assert.match(step.hint ?? "", /http:\/\/ instead of https:\/\//);
});

Deno.test("check fails at tls when the handshake breaks off", async () => {
  const step = failed(
    await withTls("broken", (_, url) => ({ args: ["--endpoint", url] })),
    "tls",
  );
  assert.match(step.hint ?? "", /does not speak TLS as expected/);
});

Deno.test("check fails at tls when nobody answers the handshake", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const args = ["--endpoint", `https://127.0.0.1:${listener.addr.port}`, "--timeout", "0.5"];
    const step = failed(await check({ args }), "tls");
    assert.match(step.detail, /no handshake in time/);
    assert.match(step.hint ?? "", /does not answer in time/);
  } finally {
    listener.close();
  }
});

Deno.test("check reaches TLS through a proxy, certificate and all", async () => {
  const { authority, ca } = await certificates();
  await using receiver = await startReceiver({ tls: await authority.server(["otlp.example"]) });
  await using proxy = startProxy({ to: receiver.port });
  const checked = await check({
    args: ["--endpoint", "https://otlp.example", "--ca", "ca.pem"],
    env: { HTTPS_PROXY: proxy.url },
    files: ca,
  });
  assert.equal(checked.status, 0);
  assert.match(checked.step("tls").detail, /certificate of otlp\.example, issued by Corporate CA/);
  // One for the certificate, one for the verdict, one for the request; Deno itself may ask for a package.
  const tunnels = proxy.requests.filter(({ target }) => target === "otlp.example:443");
  assert.equal(tunnels.length, 3);
});

Deno.test("check fails at tls when the proxy refuses the tunnel", async () => {
  await using proxy = startProxy({ credentials: { user: "u", password: "p" } });
  const step = failed(
    await check({ args: ["--endpoint", "https://otlp.example"], env: { HTTPS_PROXY: proxy.url } }),
    "tls",
  );
  assert.match(step.detail, /the proxy answered 407/);
  assert.match(step.hint ?? "", /requires a user name and password: set HTTPS_PROXY=/);
});

// http

Deno.test("check names the server, and posts one empty request", async () => {
  await using receiver = await startReceiver({
    answers: [{ headers: { server: "nginx/1.27", date: new Date().toUTCString() } }],
  });
  const checked = await check({ env: dynatrace(receiver) });
  assert.equal(checked.status, 0);
  assert.deepEqual(checked.steps.map(({ name }) => name), [
    "config",
    "dns",
    "tcp",
    "http",
    "token",
    "ingest",
  ]);
  const { detail, line: { url, status, server } } = checked.step("http");
  assert.equal(detail, "an OTLP receiver answers");
  assert.deepEqual([url, status, server], [
    `${receiver.url}${PATH}/v1/metrics`,
    200,
    "nginx/1.27",
  ]);
  assert.equal(checked.step("http").hint, null);
  assert.match(checked.step("ingest").detail, /^an empty request was accepted/);
  assert.equal(receiver.requests.length, 1);
  assert.equal(receiver.requests[0]?.content.length, 0);
  assert.equal(receiver.requests[0]?.headers.get("authorization"), `Api-Token ${TOKEN}`);
});

for (const [minutes, says] of [[-11, /11 minutes ahead of/], [11, /11 minutes behind/]] as const) {
  Deno.test(`check says at http that the clocks are ${minutes} minutes apart`, async () => {
    const date = new Date(Date.now() + minutes * 60_000).toUTCString();
    await using receiver = await startReceiver({ answers: [{ headers: { date } }] });
    const checked = await check({ env: dynatrace(receiver) });
    assert.equal(checked.status, 0);
    assert.match(checked.step("http").hint ?? "", says);
  });
}

Deno.test("check says nothing of clocks that are nine minutes apart", async () => {
  const date = new Date(Date.now() - 9 * 60_000).toUTCString();
  await using receiver = await startReceiver({ answers: [{ headers: { date } }] });
  assert.equal((await check({ env: dynatrace(receiver) })).step("http").hint, null);
});

type Answers = NonNullable<ReceiverOptions["answers"]>;

const page = {
  status: 200,
  headers: { "content-type": "text/html" },
  body: "<html><title>Sign in</title></html>",
};

const answers: readonly (readonly [
  step: string,
  what: string,
  answers: Answers,
  detail: RegExp,
  hint: RegExp | null,
  status?: number,
])[] = [
  [
    "http",
    "it is redirected",
    [{ status: 302, headers: { location: "https://sso.example/login?token=abc" } }],
    /^Found, to https:\/\/sso\.example\/login$/,
    /redirects to https:\/\/sso\.example.*not followed/,
    302,
  ],
  [
    "http",
    "a sign-in page answers",
    [page],
    /a web page, "Sign in"/,
    /a sign-in page or a proxy/,
    200,
  ],
  [
    "http",
    "the path is not there",
    [404],
    /^Not Found/,
    /ENV\.live.*DOMAIN\/e\/ENV.*HOST:9999.*HOST\/e/,
    404,
  ],
  ["http", "POST is not allowed", [405], /Method Not Allowed/, /takes no POST/, 405],
  ["http", "a proxy wants a password", [407], /Proxy Auth/, /user name and password/, 407],
  ["http", "a gateway finds nobody", [502], /^Bad Gateway/, /overloaded or restarting/, 502],
  ["http", "the service is not available", [503], /Unavailable/, /overloaded or restarting/, 503],
  ["http", "a gateway waits in vain", [504], /Timeout/, /overloaded or restarting/, 504],
  ["http", "the connection is reset", ["reset-after-body"], /./, /the connection to .* broke/],
  [
    "token",
    "the token is wrong",
    [401],
    /^Unauthorized/,
    /Api-Token and the scope metrics\.ingest.*Bearer and openpipeline:metrics:ingest.*dt0s01 and dt0s02/,
    401,
  ],
  [
    "token",
    "the scope is missing",
    [403],
    /^Forbidden/,
    /lacks the scope metrics\.ingest.*another environment.*openpipeline:metrics:ingest.*expired/,
    403,
  ],
  [
    "token",
    "Dynatrace says what is wrong with the token",
    [{
      status: 401,
      headers: { "content-type": "application/json" },
      body: `{"error":{"code":401,"message":"Token Authentication failed ${TOKEN}"}}`,
    }],
    /Token Authentication failed/,
    /mistyped, expired or revoked/,
    401,
  ],
  ["ingest", "protobuf is not taken", [415], /^Unsupported Media/, /neither JSON nor gRPC/, 415],
  ["ingest", "it is too large even when it is empty", [413], /^Content Too Large/, /./, 413],
  [
    "ingest",
    "the environment is busy",
    [{ status: 429, headers: { "x-ratelimit-limit": "1000", "x-ratelimit-remaining": "0" } }],
    /^Too Many Requests/,
    /busy or a quota.*1000 requests are allowed, 0 are left/,
    429,
  ],
  ["ingest", "the receiver fails", [500], /^Internal Server Error/, null, 500],
  [
    "ingest",
    "the empty request is taken in part",
    [{ headers: PROTOBUF, body: partialSuccess(1, "no idea") }],
    /no idea/,
    null,
    200,
  ],
];

for (const [name, what, script, detail, hint, status] of answers) {
  Deno.test(`check fails at ${name} when ${what}`, async () => {
    await using receiver = await startReceiver({ answers: script });
    const step = failed(await check({ env: dynatrace(receiver) }), name);
    assert.match(step.detail, detail);
    if (hint !== null) assert.match(step.hint ?? "", hint);
    assert.equal(step.line["status"], status);
  });
}

Deno.test("check fails at http when no answer comes in time", async () => {
  await using receiver = await startReceiver({ answers: ["hang"] });
  const step = failed(
    await check({ env: dynatrace(receiver), args: ["--timeout", "0.5"] }),
    "http",
  );
  assert.match(step.detail, /no answer in time/);
  assert.match(step.hint ?? "", /does not answer in time/);
});

Deno.test("check says which path a 404 should have, for another receiver too", async () => {
  await using receiver = await startReceiver({ answers: [404] });
  const step = failed(await check({ args: ["--endpoint", `${receiver.url}/wrong`] }), "http");
  assert.match(step.hint ?? "", /no OTLP receiver at \/wrong\/v1\/metrics/);
});

Deno.test("check says that other receivers want other credentials", async () => {
  await using receiver = await startReceiver({ answers: [401] });
  const step = failed(await check({ args: ["--endpoint", receiver.url] }), "token");
  assert.match(step.hint ?? "", /give them with --header/);
});

// ingest

/** What an empty request is answered with where it does not tell whether metrics are taken. */
const open: readonly (readonly [what: string, answer: Answers[number], http: boolean | null])[] = [
  // What VictoriaMetrics says to everything when its base path was forgotten.
  ["a 400 in plain text", {
    status: 400,
    headers: { "content-type": "text/plain" },
    body: 'unsupported path requested: "/api/v2/otlp/v1/metrics"',
  }, null],
  ["a 400 with a Status", { status: 400, headers: PROTOBUF, body: rpcStatus(3, "no") }, true],
  ["a 422", 422, null],
];

for (const [what, answer, http] of open) {
  Deno.test(`check cannot tell after ${what}: it says so, and ends with 1`, async () => {
    await using receiver = await startReceiver({ answers: [answer] });
    const checked = await check({ env: dynatrace(receiver) });
    assert.equal(checked.status, 1);
    assert.deepEqual([checked.step("http").ok, checked.step("token").ok], [http, null]);
    const { ok, hint, line } = checked.step("ingest");
    assert.equal(ok, null);
    assert.match(hint ?? "", /check --canary/);
    assert.equal(line["status"], typeof answer === "object" ? 400 : answer);
  });
}

Deno.test("check does not demand a token where none is asked for", async () => {
  await using receiver = await startReceiver();
  const checked = await check({ args: ["--endpoint", receiver.url, "--compression", "none"] });
  assert.equal(checked.status, 0);
  assert.match(checked.step("token").detail, /none is sent, and none was asked for/);
  assert.equal(receiver.requests[0]?.headers.get("content-encoding"), null);
  assert.equal(receiver.requests[0]?.body.length, 0);
});

for (const first of [200, 400]) {
  Deno.test(`check --canary sends one measurement after a ${first}, and says where to look`, async () => {
    await using receiver = await startReceiver({ answers: [first] });
    const checked = await check({
      env: dynatrace(receiver),
      args: ["--canary", "--metric", "my.canary", "--resource", "team=a"],
    });
    assert.equal(checked.status, 0);
    const { detail, hint } = checked.step("ingest");
    assert.match(detail, /one sample measurement of my\.canary was accepted/);
    assert.match(
      hint ?? "",
      /\ntimeseries p50 = percentile\(my\.canary, 50\).*by: \{http\.method, http\.status_code\}/,
    );
    assert.match(hint ?? "", /my\.canary\.histogram/);
    assert.equal(receiver.requests.length, 2);
    const { metrics, resource } = decode(receiver.requests[1]?.content ?? new Uint8Array());
    assert.equal(resource["team"], "a");
    const [point, ...more] = metrics[0]?.points ?? [];
    assert.deepEqual([metrics.length, metrics[0]?.name, metrics[0]?.temporality, more], [
      1,
      "my.canary",
      "delta",
      [],
    ]);
    const sum = point?.sum ?? NaN;
    assert.deepEqual([point?.count, point?.min, point?.max], [1, sum, sum]);
    assert.equal(point?.counts.length, 12);
    const filled = point?.counts.indexOf(1) ?? -1;
    assert.ok(sum <= (point?.bounds[filled] ?? Infinity) && sum > (point?.bounds[filled - 1] ?? 0));
  });
}

const refusedCanaries: readonly (readonly [
  what: string,
  answers: Answers,
  detail: RegExp,
  hint: RegExp | null,
])[] = [
  [
    "it is refused for a known reason",
    [200, {
      status: 400,
      headers: PROTOBUF,
      body: rpcStatus(
        3,
        "All metric data points were rejected. Errors: Metric dropped: 'x' - Reason: DIMENSION_COUNT_EXCEEDED",
      ),
    }],
    /not accepted: Bad Request: All metric data points/,
    /^DIMENSION_COUNT_EXCEEDED: Dynatrace drops the data point.*Remedy: send fewer attributes/,
  ],
  [
    "it is rejected in a partial success",
    [200, {
      headers: PROTOBUF,
      body: partialSuccess(
        1,
        "Metric value dropped. details: 'Value was NaN' - Reason: VALUE_INVALID",
      ),
    }],
    /not accepted: Metric value dropped/,
    /^VALUE_INVALID: /,
  ],
  [
    "the empty request was inconclusive and it is bad as well",
    [400, 400],
    /not accepted: Bad Request/,
    null,
  ],
];

for (const [what, script, detail, hint] of refusedCanaries) {
  Deno.test(`check --canary fails at ingest when ${what}`, async () => {
    await using receiver = await startReceiver({ answers: script });
    const checked = await check({ env: dynatrace(receiver), args: ["--canary"] });
    const step = failed(checked, "ingest");
    assert.match(step.detail, detail);
    if (hint !== null) assert.match(step.hint ?? "", hint);
    assert.equal(receiver.requests.length, 2);
  });
}

Deno.test("check --canary is not sent when the empty request fails", async () => {
  await using receiver = await startReceiver({ answers: [415] });
  failed(await check({ env: dynatrace(receiver), args: ["--canary"] }), "ingest");
  assert.equal(receiver.requests.length, 1);
});

// the command

testFixtures([
  {
    name: "check prints a line a step with its time, and hints below, as text",
    args: ["check"],
    bare: true,
    env: { DT_ENDPOINT: `{url}${PATH}`, DT_API_TOKEN: TOKEN },
    answers: [401],
    posts: 1,
    status: 1,
    check({ stdout }) {
      // No ✓ beside a refusal.
      assert.doesNotMatch(stdout, /✓.*401/);
    },
    stdout: [
      ...["config", "dns", "tcp", "http"].map((name) => new RegExp(`^✓ ${name} +[\\d.]+ ms  \\S`)),
      /^✗ token +[\d.]+ ms {2}401 Unauthorized/,
      /^ {4}Hint: the token is missing/,
      repeated(/^ {4}/),
      repeated(/^$/),
      /The check failed/,
    ],
  },
  {
    name: "check marks what it cannot tell with a ?, and no word says that all is well",
    args: ["check"],
    bare: true,
    env: { DT_ENDPOINT: `{url}${PATH}`, DT_API_TOKEN: TOKEN },
    answers: [{ status: 400, body: "unsupported path requested" }],
    posts: 1,
    status: 1,
    stdout: [
      repeated(/^✓ (config|dns|tcp) /, 3),
      /^\? http /,
      /^\? token /,
      /^\? ingest .*400 Bad Request: unsupported path requested$/,
      /^ {4}Hint: .*check --canary/,
      /^ {10}.*VictoriaMetrics' base URL is http:\/\/HOST:8428\/opentelemetry$/,
      /^Undecided: /,
    ],
    check({ stdout }) {
      assert.doesNotMatch(stdout, /fine|all is well/i);
    },
  },
  {
    name: "check --help lists its flags, and no flag of send that does nothing here",
    args: ["check", "--help"],
    stdout: "any",
    requests: 0,
    check({ stdout }) {
      for (const flag of ["--canary", "--token-file", "--ca", "--timeout", "--output"]) {
        assert.ok(stdout.includes(flag), flag);
      }
      assert.ok(!stdout.includes("--loop"));
    },
  },
  usageError(
    "check refuses a flag of send that does nothing here",
    { args: ["check", "--loop"] },
    /^ERROR: .*--loop/,
  ),
]);
