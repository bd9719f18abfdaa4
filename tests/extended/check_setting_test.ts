import assert from "node:assert/strict";
import { testCases } from "../support/cases.ts";
import { check, type Checked, dynatrace } from "../support/check.ts";
import {
  type DynatraceModes,
  type FakeDynatrace,
  startDynatrace,
} from "../support/fake_dynatrace.ts";
import { MARK, TOKEN } from "../support/fixture.ts";
import { freePort } from "../support/process.ts";

// `check` reads the setting that decides whether histogram buckets are stored, if a query token may read it.

const PLATFORM_TOKEN = `dt0s16.${"QUERY".padEnd(24, "A")}.${`${MARK}QUERY`.padEnd(64, "C")}`;

interface Setup {
  readonly modes?: DynatraceModes;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** Runs `check` against a fake environment; all is well whatever the setting is. */
async function checkSetting(
  { modes = {}, args = [], env = {}, files = {} }: Setup,
  judge: (step: ReturnType<Checked["step"]>, environment: FakeDynatrace) => void,
): Promise<void> {
  await using environment = startDynatrace(modes);
  const { url } = environment;
  const named = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value.replace("{url}", url)]),
  );
  const checked = await check({
    args: args.map((arg) => arg.replace("{url}", url)),
    env: { ...dynatrace(environment), ...named },
    files,
  });
  assert.equal(checked.status, 0, JSON.stringify(checked.steps));
  assert.deepEqual(checked.steps.map(({ name }) => name), [
    ...["config", "dns", "tcp", "http", "token", "ingest"],
  ]);
  judge(checked.step("ingest"), environment);
}

const GRAIL_ARGS = ["--backend", "grail", "--query-url", "{url}"];
const GRAIL_ENV = { DT_QUERY_TOKEN: PLATFORM_TOKEN };
const MANAGED_ENV = { DT_ENDPOINT: "{url}/e/abc12345/api/v2/otlp" };

/** A setup, the state in the facts of the step, and words of its detail or hint. */
const STATES: readonly (readonly [string, Setup, string, "detail" | "hint", RegExp])[] = [
  [
    "of Grail is on",
    { modes: { grail: { advanced: true } }, args: GRAIL_ARGS, env: GRAIL_ENV },
    "on",
    "detail",
    /; histogram buckets are stored: .*Advanced OTLP metric dimensions is on \(builtin:opentelemetry-metrics, enableMintV2Ingest\)$/,
  ],
  [
    "of Grail is off",
    { modes: { grail: { advanced: false } }, args: GRAIL_ARGS, env: GRAIL_ENV },
    "off",
    "hint",
    /stores histograms without buckets: .*Advanced OTLP metric dimensions is off .*enableMintV2Ingest\); turn it on/,
  ],
  [
    "of Grail was never set",
    { modes: { grail: { advanced: "unset" } }, args: GRAIL_ARGS, env: GRAIL_ENV },
    "unset",
    "hint",
    /never set .*enableMintV2Ingest\), and its default is not documented: verify shows/,
  ],
  [
    "of Grail does not exist any more",
    { modes: { grail: { advanced: "gone" } }, args: GRAIL_ARGS, env: GRAIL_ENV },
    "gone",
    "hint",
    /no setting builtin:opentelemetry-metrics \(enableMintV2Ingest\).*verify shows/,
  ],
  [
    "may not be read by the query token",
    { modes: { grail: { advanced: "forbidden" } }, args: GRAIL_ARGS, env: GRAIL_ENV },
    "unreadable",
    "hint",
    /could not be read: 403: Token is missing required scope.*; give the query token the scope settings:objects:read$/,
  ],
  [
    "cannot be read with an access token from Grail",
    { args: GRAIL_ARGS, env: { DT_QUERY_TOKEN: TOKEN } },
    "unreadable",
    "hint",
    /is not a platform token; set DT_QUERY_TOKEN to a platform token \(dt0s16\.…\) with the scope settings:objects:read/,
  ],
  [
    "cannot be read without any query token from the API that was named",
    { args: GRAIL_ARGS },
    "unreadable",
    "hint",
    /could not be read: No token for queries; set DT_QUERY_TOKEN/,
  ],
  [
    "is read with a token file",
    {
      modes: { grail: { advanced: true } },
      args: [...GRAIL_ARGS, "--query-token-file", "token"],
      files: { token: PLATFORM_TOKEN },
    },
    "on",
    "detail",
    /buckets are stored/,
  ],
  [
    "cannot be read with an empty token file",
    { args: GRAIL_ARGS, env: { DT_QUERY_TOKEN_FILE: "token" }, files: { token: "\n" } },
    "unreadable",
    "hint",
    /could not be read: The token file of DT_QUERY_TOKEN_FILE, "token", is empty$/,
  ],
  [
    "cannot be read while the query API is down",
    {
      args: ["--backend", "grail"],
      env: { ...GRAIL_ENV, OTLP_HISTOGRAM_QUERY_URL: `http://127.0.0.1:${freePort()}` },
    },
    "unreadable",
    "hint",
    /could not be read: Connection refused.*;/,
  ],
  [
    "cannot be read from a web page",
    {
      modes: { answers: [{ status: 200, headers: { "content-type": "text/html" }, body: "<p>" }] },
      args: GRAIL_ARGS,
      env: GRAIL_ENV,
    },
    "unreadable",
    "hint",
    /could not be read: 200, with a web page; a sign-in page/,
  ],
  [
    "of Managed is on, by the endpoint's own token",
    { modes: { v2: { buckets: true } }, env: MANAGED_ENV },
    "on",
    "detail",
    /"Ingest complete explicit bucket histograms" is on \(builtin:histogram-metrics, enableHistogramBucketIngest\)$/,
  ],
  [
    "of Managed is off by default",
    { modes: { v2: { buckets: "unset" } }, env: MANAGED_ENV },
    "unset",
    "hint",
    /stores histograms without buckets: .* is off by default, and nobody changed it/,
  ],
  [
    "of Managed may not be read by the query token",
    {
      modes: { v2: { buckets: "forbidden" } },
      env: { ...MANAGED_ENV, DT_QUERY_TOKEN: TOKEN },
    },
    "unreadable",
    "hint",
    /; give the query token the scope settings\.read$/,
  ],
];

testCases(STATES.map(([what, setup, state, where, words]) => ({
  name: `check says that the setting for buckets ${what}`,
  run: () =>
    checkSetting(setup, (step, { asked }) => {
      assert.equal(step.line["histogramBuckets"], state);
      assert.match(step[where] ?? "", words);
      assert.ok(step.ok);
      for (const { url, method, path } of asked) {
        assert.equal(method, "GET");
        assert.match(path, /\/settings\/objects$/);
        assert.ok(!url.href.includes(MARK));
      }
    }),
})));

/** Setups in which nothing is asked, or nothing is printed. */
const SILENT: readonly (readonly [string, Setup, number])[] = [
  ["without a query token", {}, 0],
  [
    "with a query token, but without a query API that follows from the endpoint",
    { env: GRAIL_ENV },
    0,
  ],
  ["of a backend with Prometheus' API", { args: ["--query-url", "{url}"], env: GRAIL_ENV }, 0],
  [
    "when the endpoint's own token may not read settings",
    { modes: { v2: { buckets: "forbidden" } }, env: MANAGED_ENV },
    1,
  ],
];

testCases(SILENT.map(([what, setup, queries]) => ({
  name: `check says nothing about buckets ${what}`,
  run: () =>
    checkSetting(setup, (step, { asked }) => {
      assert.equal(asked.length, queries);
      assert.ok(!("histogramBuckets" in step.line));
      assert.doesNotMatch(step.detail + step.hint, /bucket/);
    }),
})));

Deno.test("check keeps the endpoint's token from a query API that is named", async () => {
  const args = ["--backend", "metrics-v2", "--query-url", "{url}"];
  await checkSetting({ args }, ({ hint }, { asked }) => {
    assert.equal(asked.length, 0);
    assert.match(hint ?? "", /No token for queries; set DT_QUERY_TOKEN to an access token with/);
  });
});

Deno.test("check reads no setting after a failed step", async () => {
  await using environment = startDynatrace();
  const checked = await check({
    args: ["--query-url", environment.url, "--backend", "grail"],
    env: { ...dynatrace({ url: "http://127.0.0.1:1" }), ...GRAIL_ENV },
  });
  assert.equal(checked.status, 1);
  assert.equal(environment.asked.length, 0);
});

Deno.test("check fails at config for a query setting that does not parse", async () => {
  await using environment = startDynatrace();
  const checked = await check({ args: ["--query-url", "ftp://h"], env: dynatrace(environment) });
  assert.deepEqual([checked.status, checked.steps.map(({ name, ok }) => [name, ok])], [2, [
    ["config", false],
  ]]);
});
