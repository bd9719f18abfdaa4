import assert from "node:assert/strict";
import { createAuthority } from "../support/certificates.ts";
import { MARK, type Setup, TOKEN } from "../support/fixture.ts";
import { namedUnless, noPosix } from "../support/tools.ts";
import { check, failed, NOWHERE, PATH, verificationCanBeOff } from "../support/check.ts";

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
    "the client key does not match",
    {
      ...NOWHERE,
      args: ["--client-cert", "c.pem", "--client-key", "c.key"],
      files: {
        "c.pem": (await createAuthority()).certificate,
        "c.key": (await createAuthority()).key,
      },
    },
    /--client-key "c\.key".*does not match the certificate/,
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
    /--endpoint "https:\/\/\{your-environment-id\}.*instead of "\{your-environment-id\}"/,
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
    /the path \/v1\/metrics does not contain \/api\/v2\/otlp/,
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
    /says Bearer, but this kind of token requires Api-Token/,
  ],
  [
    "the path takes another signal",
    { args: ["--endpoint", "http://127.0.0.1:1/v1/traces"] },
    /^the path of --endpoint \(command line\) contains \/v1\/traces.*remove it[^\n]*$/,
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
  assert.ok(detail.includes(`token ${TOKEN.slice(0, 31)}.*** (DT_API_TOKEN)`), detail);
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
  ...namedUnless(noPosix, "check warns of a token file that others may read, and of no other"),
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
    env: { ...NOWHERE.env, DT_API_TOKEN: `dt0s16.PUBLICPART.${MARK.padEnd(64, "B")}` },
  })).step("config");
  assert.ok(detail.includes("token dt0s16.PUBLICPART.*** (DT_API_TOKEN)"), detail);
  assert.equal(hint, null);
});
