import assert from "node:assert/strict";
import {
  type DynatraceModes,
  type FakeDynatrace,
  startDynatrace,
} from "../support/fake_dynatrace.ts";
import { testCases } from "../support/cases.ts";
import { TOKEN } from "../support/fixture.ts";
import { marksOf, type Verified, verify } from "../support/verify.ts";

// The program against a fake Grail, made of documents and official clients: no real one was at hand.

const QUERY_TOKEN = `dt0s16.${"QUERY".padEnd(24, "A")}.${"QUERYSECRET".padEnd(64, "C")}`;

interface Setup {
  readonly modes?: DynatraceModes;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `verify` against a fake environment, and asserts that no token is printed or stands in a URL. */
async function verifyGrail(
  { modes = {}, args = [], env = {} }: Setup,
  judge: (verified: Verified, environment: FakeDynatrace) => void,
): Promise<void> {
  await using environment = startDynatrace(modes);
  const verified = await verify({
    args: ["--backend", "grail", "--query-url", environment.url, ...args],
    env: {
      DT_ENDPOINT: `${environment.url}/api/v2/otlp`,
      DT_API_TOKEN: TOKEN,
      DT_QUERY_TOKEN: QUERY_TOKEN,
      ...env,
    },
  });
  const printed = verified.stdout + verified.stderr;
  for (const secret of ["QUERYSECRET", TOKEN.slice(40)]) {
    assert.ok(!printed.includes(secret), printed);
  }
  for (const { url, authorization } of environment.asked) {
    assert.equal(authorization, `Bearer ${QUERY_TOKEN}`);
    assert.ok(!url.href.includes("SECRET"));
  }
  judge(verified, environment);
}

const RIGHT = [
  "sent ✓",
  "visible ✓",
  "count ✓",
  "sum ✓",
  "min ✓",
  "max ✓",
  "percentile ✓",
  "buckets ?",
];

function assertRight(verified: Verified): void {
  assert.deepEqual(marksOf(verified), RIGHT, verified.stdout + verified.stderr);
  assert.deepEqual([verified.status, verified.summary["backend"]], [0, "grail"]);
}

testCases([
  ["answers at once", {}],
  ["shows the data after a while", { visibleAfter: 2 }],
  ["has to be polled", { grail: { running: 2 } }],
  ["has its result only for a poll", { grail: { resultOnlyPolled: true } }],
  ["answers RESULT_GONE", { grail: { running: 1, gone: { times: 1, as: "RESULT_GONE" } } }],
  ["answers 410", { grail: { running: 1, gone: { times: 1, as: 410 } } }],
  ["knows the count by another rollup", { grail: { total: "series" } }],
].map(([what, modes]) => ({
  name: `verify agrees with a Grail that ${what}`,
  run: () =>
    verifyGrail({ modes: Object(modes) }, (verified, { asked }) => {
      assertRight(verified);
      const queries = asked.filter(({ path }) => path.endsWith("query:execute"))
        .map(({ body }) => String(JSON.parse(body).query));
      assert.ok(queries.every((query) => !/\bcount\(/.test(query)));
      assert.ok(queries.some((query) => query.includes("union: true")));
    }),
})));

Deno.test("verify says which rollup was the count of measurements", async () => {
  await verifyGrail({ modes: { grail: { total: "series" } } }, (verified) => {
    assert.equal(
      verified.step("count").detail,
      "20 (rollup: count; rollup: total is 1, rollup: count is 20)",
    );
  });
});

Deno.test("verify says that it sends explicit buckets where send would send exponential ones", async () => {
  const env = {
    OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: "base2_exponential_bucket_histogram",
  };
  await verifyGrail({ env }, (verified) => {
    assertRight(verified);
    assert.match(
      verified.stderr,
      /AGGREGATION \(environment\) requests exponential buckets, but verify sends explicit ones/,
    );
  });
});

testCases(["shop/latency", "shop_latency"].map((key) => ({
  name: `verify finds the metric shop/latency in Grail as ${key}`,
  run: () =>
    verifyGrail(
      { modes: { storeAs: () => key }, args: ["--metric", "shop/latency"] },
      (verified) => {
        assertRight(verified);
        assert.match(verified.step("visible").detail, new RegExp(`^${key} in grail`));
      },
    ),
})));

Deno.test("verify does not decide whether bounds are Grail's min and max", async () => {
  await verifyGrail({ modes: { grail: { extremes: "bounds" } } }, (verified) => {
    assert.equal(verified.status, 0);
    assert.deepEqual([verified.step("min").ok, verified.step("max").ok], [null, null]);
    assert.match(verified.step("max").detail, /is a bound of a bucket.*not documented/);
  });
});

/** Modes of an environment, the step that has the cause as its hint, and the cause. */
const CAUSES: readonly (readonly [string, DynatraceModes, string, RegExp])[] = [
  [
    "the key has another name",
    { storeAs: (name) => `${name}.histogram` },
    "visible",
    /^the metric is there under another key, otlp_histogram\.verify\.histogram/,
  ],
  [
    "the attribute is no dimension",
    { dropped: ["otlp_histogram.run"] },
    "visible",
    /^the metric is there, but without the attribute otlp_histogram\.run; .*deny list/,
  ],
  [
    "the series is there, and no value at that time",
    { visibleAfter: Infinity },
    "visible",
    /^the series of this run is there, but without a value at the time.*; check the clock of this machine/,
  ],
  [
    "points were rejected after they were accepted",
    { loses: true, rejectedReason: "HISTOGRAM_BUCKET_INVALID" },
    "visible",
    /^Dynatrace rejected data points after it had accepted.*: 1 as HISTOGRAM_BUCKET_INVALID/,
  ],
  [
    "nothing is there for no known reason",
    { loses: true },
    "visible",
    /^nothing of otlp_histogram\.verify is in Grail.*no document says how long/,
  ],
  [
    "fewer measurements are there than were sent",
    { missing: 3 },
    "count",
    /^Grail counts 17 of 20 measurements, but their sum is what was sent; all may be there: .*not documented\. Otherwise look for a filter or sampling processor.*longer --wait/,
  ],
  [
    "fewer measurements are there, and their sum is another",
    { missing: 3, excess: -9 },
    "count",
    /^3 measurements of 20 did not arrive; look for a filter or sampling processor.*longer --wait as well$/,
  ],
  [
    "no query shows why the sum differs",
    { excess: 1 },
    "sum",
    /^no query shows why it differs; look for a processor .*--verbose/,
  ],
  [
    "fewer measurements are there, and points were rejected",
    { missing: 3, rejectedReason: "HISTOGRAM_BUCKET_INVALID" },
    "count",
    /^Dynatrace rejected data points after it had accepted.*: 1 as HISTOGRAM_BUCKET_INVALID/,
  ],
  [
    "more measurements are there than were sent",
    { copies: 2 },
    "count",
    /^Grail counts 40 measurements, but 20 were sent; look for two pipelines/,
  ],
  [
    "the token lacks the scope that finds the cause",
    { loses: true, grail: { noSeries: true } },
    "visible",
    /^the query token cannot list the series of a metric: 403: .*storage:metrics:read.*; give it storage:metrics:read/,
  ],
  [
    "buckets are not stored, by the setting",
    { withoutBuckets: true, grail: { advanced: false } },
    "percentile",
    /^the metric is stored without buckets: Settings > Process.*is off.*enableMintV2Ingest/,
  ],
  [
    "buckets are not stored, and the setting may not be read",
    { withoutBuckets: true, grail: { advanced: "forbidden", type: "count" } },
    "percentile",
    /^the metric has no buckets: it is stored as count.*could not be read.*settings:objects:read/,
  ],
  [
    "buckets are not stored, and nobody set the setting",
    { withoutBuckets: true, grail: { advanced: "unset", type: "count" } },
    "percentile",
    /^the metric has no buckets: .*never set it, and its default is not documented/,
  ],
  [
    "buckets are not stored, and there is no such setting",
    { withoutBuckets: true, grail: { advanced: "gone", type: "count" } },
    "percentile",
    /^the metric has no buckets: .*no setting builtin:opentelemetry-metrics/,
  ],
  [
    "the rate card may be missing",
    { withoutBuckets: true, grail: { advanced: true } },
    "percentile",
    /stored as a histogram, and percentile\(\) has no result.*rate card/,
  ],
];

testCases(CAUSES.map(([what, modes, name, cause]) => ({
  name: `verify says of Grail that ${what}`,
  run: () =>
    verifyGrail({ modes, args: ["--wait", "2"] }, (verified) => {
      const step = verified.step(name);
      assert.match(step.hint ?? "", cause);
      // A figure that is not shown fails nothing.
      assert.deepEqual([step.ok, verified.status], name === "percentile" ? [null, 0] : [false, 1]);
    }),
})));

Deno.test("verify knows an earlier run among the series of a metric that others write", async () => {
  await using environment = startDynatrace({ loses: true });
  const values = { sum: 1, min: 1, max: 1, bounds: [], counts: [1], start: 0n, end: 0n };
  const point = { ...values, attributes: {}, count: 1 };
  const others = Array.from({ length: 9 }, (_, i) => ({ host: `h${i}` }));
  for (const attributes of [...others, { "otlp_histogram.run": "earlier" }]) {
    environment.store.points.push({ metric: "otlp_histogram.verify", attributes, point, time: 0 });
  }
  const verified = await verify({
    args: ["--backend", "grail", "--query-url", environment.url, "--wait", "1"],
    env: {
      DT_ENDPOINT: `${environment.url}/api/v2/otlp`,
      DT_API_TOKEN: TOKEN,
      DT_QUERY_TOKEN: QUERY_TOKEN,
    },
  });
  assert.match(verified.step("visible").hint ?? "", /^earlier runs of this metric are there/);
});
