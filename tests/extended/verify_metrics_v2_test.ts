import assert from "node:assert/strict";
import { testCases } from "../support/cases.ts";
import {
  type DynatraceModes,
  type FakeDynatrace,
  startDynatrace,
} from "../support/fake_dynatrace.ts";
import { TOKEN } from "../support/fixture.ts";
import { marksOf, type Verified, verify } from "../support/verify.ts";

// The program against a fake Metrics API v2 of Managed and Classic, made of documents and official clients.

/** Runs `verify` against a fake Managed environment, whose own token is that of the queries. */
async function verifyManaged(
  modes: DynatraceModes,
  args: readonly string[],
  judge: (verified: Verified, environment: FakeDynatrace) => void,
): Promise<void> {
  await using environment = startDynatrace(modes);
  const verified = await verify({
    args,
    env: { DT_ENDPOINT: `${environment.url}/e/abc12345/api/v2/otlp`, DT_API_TOKEN: TOKEN },
  });
  const printed = verified.stdout + verified.stderr;
  assert.ok(!printed.includes(TOKEN.slice(40)), printed);
  for (const { authorization, path } of environment.asked) {
    assert.equal(authorization, `Api-Token ${TOKEN}`);
    assert.match(path, /^\/e\/abc12345\/api\/v2\/(metrics|settings\/objects)/);
  }
  judge(verified, environment);
}

const histogramKey = (name: string) => `${name}.histogram`;

testCases(([
  ["NAME.histogram, with counts of each bucket", {
    storeAs: histogramKey,
    v2: { histogram: "each" },
  }, "✓"],
  ["NAME.histogram, with cumulative counts", {
    storeAs: histogramKey,
    v2: { histogram: "cumulative" },
  }, "✓"],
  [
    "NAME.histogram, with other buckets",
    { storeAs: histogramKey, v2: { histogram: "other" } },
    "?",
  ],
  ["NAME, without the selector :histogram", {}, "?"],
  ["NAME_bucket", { storeAs: (name: string) => `${name}_bucket`, visibleAfter: 1 }, "?"],
] as const).map(([what, modes, buckets]) => ({
  name: `verify agrees with the Metrics API v2 of ${what}`,
  run: () =>
    verifyManaged(modes, [], (verified) => {
      assert.deepEqual(marksOf(verified), [
        "sent ✓",
        "visible ✓",
        "count ✓",
        "sum ✓",
        "min ✓",
        "max ✓",
        "percentile ✓",
        `buckets ${buckets}`,
      ], verified.stdout + verified.stderr);
      assert.deepEqual([verified.status, verified.summary["backend"]], [0, "metrics-v2"]);
    }),
})));

const CAUSES: readonly (readonly [string, DynatraceModes, string, RegExp])[] = [
  [
    "the attribute is no dimension",
    { storeAs: histogramKey, dropped: ["otlp_histogram.run"] },
    "visible",
    /^the metric is there as otlp_histogram\.verify\.histogram, but without the dimension.*block list/,
  ],
  [
    "the key has another name",
    { storeAs: (name) => `${name}.count` },
    "visible",
    /^the metric is there under another key, otlp_histogram\.verify\.count/,
  ],
  [
    "a similar key was written",
    { storeAs: (name) => `${name}.of.shop` },
    "visible",
    /^a metric of a similar name was just written, otlp_histogram\.verify\.of\.shop/,
  ],
  [
    "the metric is there, and nothing of the run at that time",
    { visibleAfter: Infinity },
    "visible",
    /^the metric is there as otlp_histogram\.verify, but nothing of this run at the time.*; .*check the clock/,
  ],
  [
    "points were rejected after they were accepted",
    { loses: true, rejectedReason: "METRIC_UNIT_INVALID_CHARACTERS" },
    "visible",
    /rejected after the request was accepted.*: 1 as METRIC_UNIT_INVALID_CHARACTERS/,
  ],
  [
    "nothing is there for no known reason",
    { loses: true },
    "visible",
    /^nothing of otlp_histogram\.verify is there.*management zone/,
  ],
  [
    "fewer measurements are there than were sent",
    { missing: 3 },
    "count",
    /^3 measurements of 20 did not arrive; look for a filter or sampling processor.*longer --wait/,
  ],
  [
    "fewer measurements are there, and points were rejected",
    { missing: 3, rejectedReason: "VALUE_INVALID" },
    "count",
    /rejected after the request was accepted.*: 1 as VALUE_INVALID/,
  ],
  [
    "more measurements are there than were sent",
    { copies: 2 },
    "count",
    /^the backend counts 40 measurements, but 20 were sent; look for two pipelines/,
  ],
  [
    "buckets are not stored",
    { withoutBuckets: true },
    "percentile",
    /^the metric is stored without buckets, or with other buckets.*"Ingest complete explicit bucket histograms"/,
  ],
  [
    "buckets are not stored, by the setting",
    { withoutBuckets: true, v2: { buckets: false } },
    "percentile",
    /^the metric is stored without buckets: .*is off in this environment.*enableHistogramBucketIngest/,
  ],
  [
    "buckets are not stored although the setting is on",
    { withoutBuckets: true, v2: { buckets: true } },
    "percentile",
    /^the metric is stored without buckets.* is on: it may be newer than this metric/,
  ],
];

testCases(CAUSES.map(([what, modes, name, cause]) => ({
  name: `verify says of Managed that ${what}`,
  run: () =>
    verifyManaged(modes, ["--wait", "2"], (verified) => {
      const step = verified.step(name);
      assert.match(step.hint ?? "", cause);
      assert.deepEqual([step.ok, verified.status], name === "percentile" ? [null, 0] : [false, 1]);
    }),
})));

Deno.test("verify names an attribute that is no dimension in Managed", async () => {
  const args = ["--attr", "Team=blue", "--attr", "site=a"];
  await verifyManaged({ dropped: ["site"], storeAs: histogramKey }, args, (verified) => {
    assert.equal(verified.status, 0, verified.stdout);
    assert.match(
      verified.step("visible").hint ?? "",
      /^the backend does not show site \(--attr\): check which attributes/,
    );
  });
});
