import assert from "node:assert/strict";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { main as docs } from "../../../scripts/docs.ts";
import {
  allRules,
  histogramKey,
  RULES,
  storedDimensionKey,
  storedMetricKey,
  tokenFacts,
} from "../../../src/receivers/dynatrace/rules.ts";
import { explain, whereToLook } from "../../../src/receivers/dynatrace/explain.ts";
import { answerLine, judgeDynatrace } from "../../../src/receivers/dynatrace/judge.ts";
import type { Finding } from "../../../src/receivers/dynatrace/finding.ts";
import {
  type Preflight,
  preflightConfig,
  preflightEndpoint,
} from "../../../src/receivers/dynatrace/preflight.ts";
import { preflightRequest } from "../../../src/receivers/dynatrace/preflight_request.ts";
import { redactTokens } from "../../../src/redact/redact.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { decodeResponse, decodeStatus } from "../../../src/otlp/decode.ts";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { AnyValueSchema } from "../../../src/otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import {
  AggregationTemporality,
  type HistogramDataPoint,
  type HistogramDataPointSchema,
  type MetricSchema,
} from "../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { DYNATRACE_LIMITS } from "../../../src/commands/receive/body.ts";
import { startReceiver } from "../../../src/commands/receive/server.ts";

type MetricInit = MessageInitShape<typeof MetricSchema>;
type HistogramPoint = Exclude<
  MessageInitShape<typeof HistogramDataPointSchema>,
  HistogramDataPoint
>;
type Value = NonNullable<MessageInitShape<typeof AnyValueSchema>["value"]>;
type Attributes = Readonly<Record<string, Value>>;

const NOW = Date.UTC(2026, 0, 31, 12);
const NANOS = 1_000_000n;
const { DELTA, CUMULATIVE, UNSPECIFIED } = AggregationTemporality;

const at = (ms: number) => ({ timeUnixNano: BigInt(ms) * NANOS });
const POINT: HistogramPoint = {
  startTimeUnixNano: BigInt(NOW - 1000) * NANOS,
  ...at(NOW),
  count: 2n,
  sum: 9,
  min: 3,
  max: 6,
  bucketCounts: [1n, 1n],
  explicitBounds: [5],
};

const text = (value: string): Value => ({ case: "stringValue", value });
const keyValues = (attributes: Attributes = {}) =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: { value } }));
const many = (count: number, prefix = "k"): Attributes =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, text("v")]));

function histogram(change: HistogramPoint = {}, about: MetricInit = {}): MetricInit {
  return points([{ ...POINT, ...change }], about);
}

function points(dataPoints: HistogramPoint[], about: MetricInit = {}): MetricInit {
  const value = { aggregationTemporality: DELTA, dataPoints };
  return { name: "my.metric", unit: "ms", data: { case: "histogram", value }, ...about };
}

function typed(data: NonNullable<MetricInit["data"]>): MetricInit {
  return { name: "my.metric", unit: "1", data };
}

function temporality(aggregationTemporality: AggregationTemporality): MetricInit {
  const value = { aggregationTemporality, dataPoints: [POINT] };
  return typed({ case: "histogram", value });
}

function sum(aggregationTemporality: AggregationTemporality, isMonotonic: boolean): MetricInit {
  const dataPoints = [{ ...at(NOW), value: { case: "asInt" as const, value: 1n } }];
  return typed({ case: "sum", value: { aggregationTemporality, isMonotonic, dataPoints } });
}

function gauge(value: number): MetricInit {
  const dataPoints = [{ ...at(NOW), value: { case: "asDouble" as const, value } }];
  return typed({ case: "gauge", value: { dataPoints } });
}

const EXPONENTIAL_POINT = {
  ...at(NOW),
  count: 1n,
  sum: 3,
  positive: { offset: 1, bucketCounts: [1n] },
};

function exponential(
  aggregationTemporality = DELTA,
  change: { sum?: number | undefined } = {},
): MetricInit {
  const dataPoints = [{ ...EXPONENTIAL_POINT, ...change }];
  return typed({ case: "exponentialHistogram", value: { aggregationTemporality, dataPoints } });
}

const SUMMARY = typed({
  case: "summary",
  value: { dataPoints: [{ ...at(NOW), count: 1n, sum: 1 }] },
});

function request(
  metrics: readonly MetricInit[],
  { resource, scope }: { readonly resource?: Attributes; readonly scope?: Attributes } = {},
): ExportMetricsServiceRequest {
  return create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      resource: { attributes: keyValues(resource) },
      scopeMetrics: [{
        scope: { name: "s", attributes: keyValues(scope) },
        metrics: [...metrics],
      }],
    }],
  });
}

const MANAGED = new URL("https://dt.example/e/abc/api/v2/otlp/v1/metrics");
const SAAS = new URL("https://abc.live.dynatrace.com/api/v2/otlp/v1/metrics");
const judge = judgeDynatrace(() => NOW);
const attribute = (key: string, value: Value = text("v")) =>
  request([histogram({ attributes: keyValues({ [key]: value }) })]);
const metric = (about: MetricInit) => request([histogram({}, about)]);
const withBounds = (...explicitBounds: number[]) =>
  request([histogram({
    explicitBounds,
    bucketCounts: [2n, ...explicitBounds.map(() => 0n)],
  })]);
const bounds = (count: number) => Array.from({ length: count }, (_, i) => i + 5);

/** Of each rule a request on its limit and one past it, and what of the message is particular. */
const CASES: readonly (readonly [
  rule: string,
  fine: ExportMetricsServiceRequest,
  past: ExportMetricsServiceRequest,
  wrong: RegExp,
])[] = [
  [
    "request-points-suggested",
    request([points(Array.from({ length: 3000 }, () => POINT))]),
    request([points(Array.from({ length: 3001 }, () => POINT))]),
    /3001 data points, 3000 are suggested/,
  ],
  [
    "request-points",
    request([points(Array.from({ length: 15_000 }, () => POINT))]),
    request([points(Array.from({ length: 15_001 }, () => POINT))]),
    /15001 data points, 15000 are the most/,
  ],
  [
    "cumulative-histogram",
    request([temporality(DELTA)]),
    request([temporality(CUMULATIVE)]),
    /cumulative/,
  ],
  [
    "cumulative-histogram",
    request([exponential(DELTA)]),
    request([exponential(CUMULATIVE)]),
    /cumulative/,
  ],
  ["cumulative-sum", request([sum(DELTA, true)]), request([sum(CUMULATIVE, true)]), /cumulative/],
  [
    "cumulative-sum",
    request([sum(CUMULATIVE, false)]),
    request([sum(CUMULATIVE, true)]),
    /counter/,
  ],
  ["summary", request([gauge(1)]), request([SUMMARY]), /summary/],
  [
    "temporality-missing",
    request([temporality(DELTA)]),
    request([temporality(UNSPECIFIED)]),
    /not set/,
  ],
  [
    "temporality-missing",
    request([sum(DELTA, false)]),
    request([sum(UNSPECIFIED, false)]),
    /not set/,
  ],
  [
    "metric-key-invalid",
    metric({ name: "_a" }),
    metric({ name: "__" }),
    /neither letter nor digit/,
  ],
  ["metric-key-invalid", metric({ name: "ab" }), metric({ name: "" }), /has no name/],
  ["metric-key-length", metric({ name: "ab" }), metric({ name: "a" }), /has 1 character, 2 to 255/],
  [
    "metric-key-length",
    metric({ name: "a".repeat(255) }),
    metric({ name: "a".repeat(256) }),
    /256 characters, 2 to 255 are allowed/,
  ],
  [
    "metric-key-characters",
    metric({ name: "http.server_x-Y.2" }),
    metric({ name: "http/latency" }),
    /"http\/latency" becomes "http_latency"/,
  ],
  ["metric-key-characters", metric({ name: "a1" }), metric({ name: "1a" }), /becomes "_a"/],
  ["metric-key-characters", metric({ name: "a.b" }), metric({ name: "a..b" }), /empty section/],
  ["metric-key-reserved", metric({ name: "dtx.a" }), metric({ name: "dt.a" }), /begins with dt\./],
  [
    "unit-length",
    metric({ unit: "u".repeat(63) }),
    metric({ unit: "u".repeat(64) }),
    /has 64 characters, Dynatrace keeps one of at most 63/,
  ],
  ["unit-characters", metric({ unit: "{request}/s" }), metric({ unit: "µs" }), /"µs"/],
  ["unit-characters", metric({ unit: "" }), metric({ unit: "m s" }), /"m s"/],
  [
    "description-length",
    metric({ description: "ä".repeat(1023) }),
    metric({ description: "ä".repeat(1024) }),
    /has 1024 characters, Dynatrace keeps 1023/,
  ],
  ["exponential-buckets", request([histogram()]), request([exponential()]), /exponential/],
  ["bounds-sorted", withBounds(5, 6), withBounds(6, 5), /5 follows 6/],
  ["bounds-sorted", withBounds(5, 6), withBounds(5, 5), /5 follows 5/],
  ["bounds-finite", withBounds(5, 1e308), withBounds(5, Infinity), /is Infinity/],
  ["bounds-finite", withBounds(5), withBounds(NaN), /is NaN/],
  ["bounds-negative", withBounds(0, 5), withBounds(-1, 5), /-1 is negative/],
  [
    "bucket-limit",
    withBounds(...bounds(11)),
    withBounds(...bounds(12)),
    /13 buckets, of which Managed stores 12/,
  ],
  [
    "bucket-counts",
    request([histogram({ count: 2n })]),
    request([histogram({ count: 3n })]),
    /sum to 2, but count is 3/,
  ],
  [
    "bucket-counts",
    request([histogram({ bucketCounts: [], explicitBounds: [] })]),
    request([histogram({ bucketCounts: [2n] })]),
    /1 bucket counts for 1 bounds/,
  ],
  ["sum-missing", request([histogram({ sum: 0 })]), request([histogram({ sum: undefined })]), /no/],
  [
    "sum-missing",
    request([exponential()]),
    request([exponential(DELTA, { sum: undefined })]),
    /no sum/,
  ],
  ["value-nan", request([gauge(0)]), request([gauge(NaN)]), /the value is NaN/],
  ["value-nan", request([histogram()]), request([histogram({ max: NaN })]), /max is NaN/],
  ["value-infinite", request([gauge(1e308)]), request([gauge(-Infinity)]), /value is -Infinity/],
  ["value-infinite", request([histogram()]), request([histogram({ sum: Infinity })]), /sum is Inf/],
  [
    "time-past",
    request([histogram(at(NOW - 3_600_000))]),
    request([histogram(at(NOW - 3_600_001))]),
    /60 minutes old/,
  ],
  ["time-past", request([histogram()]), request([histogram(at(0))]), /time_unix_nano is not set/],
  [
    "time-future",
    request([histogram(at(NOW + 600_000))]),
    request([histogram(at(NOW + 600_001))]),
    /10 minutes ahead/,
  ],
  [
    "dimension-count",
    request([histogram({ attributes: keyValues(many(50)) })]),
    request([histogram({ attributes: keyValues(many(51)) })]),
    /51 dimensions, 50 are the most/,
  ],
  [
    "dimension-count-all",
    request([histogram({ attributes: keyValues(many(20)) })], {
      resource: many(20, "r"),
      scope: many(10, "s"),
    }),
    request([histogram({ attributes: keyValues(many(20)) })], {
      resource: many(20, "r"),
      scope: many(11, "s"),
    }),
    /20 attributes of its own, 51 with those of its scope and its resource, and 50 dimensions/,
  ],
  [
    "dimension-count-all",
    // The same key on several levels is one dimension.
    request([histogram({ attributes: keyValues(many(50)) })], { resource: many(20) }),
    request([histogram({ attributes: keyValues(many(50)) })], { resource: many(1, "r") }),
    /51 with/,
  ],
  [
    "dimension-key-levels",
    request([histogram({ attributes: keyValues({ a: text("v") }) })], {
      resource: { b: text("v") },
    }),
    request([histogram({ attributes: keyValues({ a: text("v") }) })], {
      resource: { a: text("w") },
    }),
    /"a" is an attribute of a data point and of its resource/,
  ],
  [
    "dimension-key-levels",
    request([histogram()], { scope: { a: text("v") }, resource: { b: text("v") } }),
    request([histogram()], { scope: { a: text("v") }, resource: { a: text("v") } }),
    /"a" is an attribute of a scope and of its resource/,
  ],
  [
    "dimension-key-collision",
    request([histogram({ attributes: keyValues({ "http.status": text("v") }) })]),
    request([histogram({ attributes: keyValues({ HTTP: text("v"), http: text("w") }) })]),
    /"HTTP" \(data point\) and "http" \(data point\) both become "http"/,
  ],
  [
    "dimension-key-collision",
    request([histogram({ attributes: keyValues({ "my:a": text("v") }) })]),
    request([histogram({ attributes: keyValues({ "my:a": text("v") }) })], {
      scope: { My_a: text("v") },
    }),
    /"my:a" \(data point\) and "My_a" \(scope\) both become "my_a"/,
  ],
  [
    "dimension-key-twice",
    request([histogram({ attributes: keyValues({ a: text("v") }) })]),
    request([histogram({
      attributes: [...keyValues({ a: text("v") }), ...keyValues({ a: text("w") })],
    })]),
    /a data point has the attribute key "a" twice/,
  ],
  [
    "metric-key-histogram",
    request([histogram({}, { name: "a" }), histogram({}, { name: "b.histogram" })]),
    request([histogram({}, { name: "a" }), histogram({}, { name: "a.histogram" })]),
    /"a" and "a\.histogram" are both histograms/,
  ],
  ["dimension-key-empty", attribute("a"), attribute(""), /key is empty/],
  ["dimension-key-empty", attribute("TEAM"), attribute("-"), /"-" has no letter and no digit/],
  ["dimension-key-characters", attribute("team.a-b_0"), attribute("Team"), /becomes "team"/],
  [
    "dimension-key-characters",
    attribute("http.statuscode"),
    attribute("http.statusCode"),
    /"http\.statusCode" becomes "http\.statuscode"/,
  ],
  ["dimension-key-characters", attribute("http"), attribute("HTTP"), /becomes "http"/],
  [
    "dimension-key-characters",
    request([histogram()], { scope: { team: text("a") } }),
    request([histogram()], { scope: { Team: text("a") } }),
    /"Team" becomes "team", if the allow list makes it a dimension/,
  ],
  ["dimension-key-characters", attribute("a0"), attribute("0a"), /"0a" becomes "_a"/],
  [
    "dimension-key-length",
    attribute("k".repeat(100)),
    attribute("k".repeat(101)),
    /101 characters, Dynatrace keeps 100/,
  ],
  [
    "dimension-key-system",
    attribute("dt.entity.host"),
    attribute("dt.system"),
    /"dt\.system" is Dynatrace's own/,
  ],
  ["dimension-value-empty", attribute("a", text("x")), attribute("a", text("")), /no value/],
  [
    "dimension-value-empty",
    attribute("a", { case: "boolValue", value: false }),
    attribute("a", { case: undefined }),
    /no value/,
  ],
  [
    "dimension-value-length",
    attribute("a", text("😀".repeat(255))),
    attribute("a", text("😀".repeat(256))),
    /256 characters, Dynatrace keeps 255/,
  ],
  [
    "dimension-value-type",
    attribute("a", { case: "intValue", value: 7n }),
    attribute("a", { case: "doubleValue", value: 7.5 }),
    /"a" is a double/,
  ],
  [
    "dimension-value-type",
    attribute("a", { case: "boolValue", value: true }),
    attribute("a", { case: "arrayValue", value: { values: [] } }),
    /"a" is an array/,
  ],
  [
    "dimension-value-type",
    attribute("a"),
    attribute("a", { case: "bytesValue", value: Uint8Array.of(1) }),
    /bytes/,
  ],
  [
    "dimension-value-type",
    request([histogram()], { resource: { r: text("v") } }),
    request([histogram()], { resource: { r: { case: "kvlistValue", value: { values: [] } } } }),
    /"r" is a map/,
  ],
];

function ruleOf(id: string) {
  const rule = allRules().find((it) => it.id === id);
  assert.ok(rule, `no rule ${id}`);
  return rule;
}

for (const [i, [id, fine, past, wrong]] of CASES.entries()) {
  const rule = ruleOf(id);

  Deno.test(`preflightRequest() warns of ${id} past its limit only (${i})`, () => {
    const without = preflightRequest(fine, MANAGED, 100, NOW, []);
    assert.ok(!without.some((it) => it.rule === id), JSON.stringify(without));
    const findings = preflightRequest(past, MANAGED, 100, NOW, []);
    const [found, ...more] = findings.filter((it) => it.rule === id);
    assert.deepEqual(more, []);
    assert.match(found?.message ?? "", wrong);
    assert.equal(found?.message.endsWith(`: ${rule.effect}`), true);
    assert.deepEqual([found?.level, found?.remedy], [rule.level, rule.remedy]);
    assert.notEqual(found?.where, "");
    assert.deepEqual(
      preflightRequest(past, MANAGED, 100, NOW, findings),
      [],
      "what was told is not told again",
    );
  });

  Deno.test(`judgeDynatrace() finds ${id} past its limit only (${i})`, () => {
    const without = judge(fine);
    assert.ok(!without.problems.some((it) => it.rule === id), JSON.stringify(without.problems));
    const verdict = judge(past);
    const [problem, ...more] = verdict.problems.filter((it) => it.rule === id);
    assert.deepEqual(more, []);
    assert.match(problem?.message ?? "", wrong);
    assert.ok(problem?.message.includes(rule.effect) && problem.message.includes(rule.remedy));
    assert.equal(problem?.level, rule.level);
    if (rule.level === "error") {
      assert.equal(verdict.rejectedPoints, verdict.points);
      assert.equal(verdict.status, id === "request-points" ? 413 : 400);
    }
  });

  Deno.test(`explain() knows what a receiver says of ${id}, if anything (${i})`, () => {
    const { message } = judge(past);
    const line = answerLine(rule, past.resourceMetrics[0]?.scopeMetrics[0]?.metrics[0]?.name ?? "");
    const explained = explain(message).filter((it) => it.includes(rule.effect));
    if (rule.answer === undefined) {
      assert.equal(line, "");
    } else {
      assert.ok(message.replaceAll("…", "").includes(line.slice(0, 300)), `${message}\n${line}`);
      assert.ok(explained.some((it) => it.endsWith(`Remedy: ${rule.remedy}`)), explain(message)[0]);
    }
    assert.ok(
      !explain(judge(fine).message).some((it) => it.includes(`Remedy: ${rule.remedy}`)) ||
        rule.answer === undefined,
    );
  });
}

const CONFIG: Preflight = {
  destination: {
    endpoint: {
      url: new URL("https://abc.live.dynatrace.com/api/v2/otlp/v1/metrics"),
      shown: "",
      basic: undefined,
      setting: { name: "DT_ENDPOINT", source: "environment", value: "" },
      proxy: undefined,
      dynatrace: true,
    },
  },
  metric: {
    name: "http.server.duration",
    unit: "ms",
    description: "HTTP request duration",
    bounds: [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000],
    maxSeries: 10_000,
    resource: { "service.name": "my-service", "deployment.environment": "prod" },
    attributes: {},
  },
  source: { kind: "sample" },
};

function configured(
  change: Partial<Preflight["metric"]>,
  url?: string,
): Preflight {
  const { endpoint } = CONFIG.destination;
  return {
    destination: {
      endpoint: { ...endpoint, url: url === undefined ? endpoint.url : new URL(url) },
    },
    metric: { ...CONFIG.metric, ...change },
    source: CONFIG.source,
  };
}

const strings = (count: number, prefix: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, "v"]));

/** What of the configuration breaks which rule, and which flag is named. */
const CONFIGURATIONS: readonly (readonly [rule: string, Preflight, where: string])[] = [
  ["metric-key-length", configured({ name: "m" }), "--metric"],
  ["metric-key-characters", configured({ name: "http/latency" }), "--metric"],
  ["metric-key-reserved", configured({ name: "dt.x" }), "--metric"],
  ["metric-key-invalid", configured({ name: "__" }), "--metric"],
  ["unit-length", configured({ unit: "u".repeat(64) }), "--unit"],
  ["unit-characters", configured({ unit: "m s" }), "--unit"],
  ["description-length", configured({ description: "d".repeat(1024) }), "--description"],
  ["exponential-buckets", configured({ bounds: "exponential" }), "--exponential"],
  ["bucket-limit", configured({ bounds: bounds(12) }, MANAGED.href), "--buckets"],
  ["tuples-metric", { ...CONFIG, source: { kind: "synthetic", series: 1_000_001 } }, "--series"],
  ["tuples-metric", configured({ maxSeries: 1_000_001 }), "--max-series"],
  ["bounds-negative", configured({ bounds: [-1, 5] }), "--buckets"],
  ["dimension-key-characters", configured({ attributes: { Team: "a" } }), "--attr Team"],
  ["dimension-value-empty", configured({ attributes: { team: "" } }), "--attr team"],
  ["dimension-value-length", configured({ attributes: { a: "v".repeat(256) } }), "--attr a"],
  ["dimension-key-length", configured({ attributes: { ["k".repeat(101)]: "v" } }), "--attr kkk"],
  [
    "dimension-key-system",
    configured({ resource: { "dt.system": "v" } }),
    "resource attribute dt.system (--resource, OTEL_RESOURCE_ATTRIBUTES)",
  ],
  [
    "dimension-value-empty",
    configured({ resource: { "service.name": "" } }),
    "service.name (--service, OTEL_SERVICE_NAME)",
  ],
  ["dimension-count", configured({ attributes: strings(51, "a") }), "--attr"],
  [
    "dimension-count-all",
    configured({ resource: strings(30, "r"), attributes: strings(21, "a") }),
    "--attr and --resource",
  ],
  [
    "dimension-key-levels",
    configured({ resource: { team: "a" }, attributes: { team: "b" } }),
    "resource attribute team (--resource",
  ],
  [
    "dimension-key-collision",
    configured({ attributes: { "my:a": "a", "my_a": "b" } }),
    "--attr my_a",
  ],
  [
    "endpoint-placeholder",
    configured({}, "https://ENV.live.dynatrace.com/api/v2/otlp/v1/metrics"),
    "DT_ENDPOINT (environment)",
  ],
  [
    "endpoint-signal",
    configured({}, "https://abc.live.dynatrace.com/api/v2/otlp/v1/traces/v1/metrics"),
    "DT_ENDPOINT (environment)",
  ],
  [
    "endpoint-apps",
    configured({}, "https://abc.apps.dynatrace.com/api/v2/otlp/v1/metrics"),
    "DT_ENDPOINT (environment)",
  ],
  [
    "endpoint-doubled",
    configured({}, "https://abc.live.dynatrace.com/api/v2/otlp/v1/metrics/v1/metrics"),
    "DT_ENDPOINT (environment)",
  ],
  [
    "endpoint-http",
    configured({}, "http://abc.live.dynatrace.com/api/v2/otlp/v1/metrics"),
    "DT_ENDPOINT (environment)",
  ],
  [
    "endpoint-activegate",
    configured({}, "https://gate.example:9999/api/v2/otlp/v1/metrics"),
    "DT_ENDPOINT (environment)",
  ],
];

Deno.test("preflightConfig() is content with the defaults and with everything on its limit", () => {
  assert.deepEqual(preflightConfig(CONFIG), []);
  const limits = configured({
    name: "m".repeat(255),
    unit: "u".repeat(63),
    description: "d".repeat(1023),
    bounds: bounds(11),
    attributes: { ["k".repeat(100)]: "v".repeat(255), "dt.entity.host": "h", ...strings(23, "a") },
    resource: strings(25, "r"),
  }, "https://gate.example:9999/e/abc/api/v2/otlp/v1/metrics");
  assert.deepEqual(preflightConfig(limits), []);
});

for (const [rule, config, where] of CONFIGURATIONS) {
  Deno.test(`preflightConfig() names ${where.slice(0, 60)} when it breaks ${rule}`, () => {
    const findings: readonly Finding[] = preflightConfig(config);
    // Keys that collide have capitals or characters that are replaced.
    const [found, ...more] = findings.filter((it) => {
      return it.rule !== "dimension-key-characters" || it.rule === rule;
    });
    assert.deepEqual([found?.rule, more], [rule, []]);
    assert.ok(found?.where.startsWith(where), found?.where);
    assert.equal(found?.remedy, ruleOf(rule).remedy);
  });
}

Deno.test("preflightConfig() says no word when the destination is not Dynatrace", () => {
  const { endpoint } = CONFIG.destination;
  for (const [, config] of CONFIGURATIONS) {
    const destination = { endpoint: { ...endpoint, dynatrace: false } };
    assert.deepEqual(preflightConfig({ ...config, destination }), []);
  }
});

Deno.test("preflightRequest() leaves out what preflightConfig() has told", () => {
  const told = preflightConfig(
    configured({ attributes: { Team: "a" }, bounds: bounds(12) }, MANAGED.href),
  );
  const sent = request([histogram({
    attributes: keyValues({ Team: text("a"), Other: text("b") }),
    explicitBounds: bounds(12),
    bucketCounts: [2n, ...bounds(12).map(() => 0n)],
  }, { name: "http.server.duration" })]);
  const findings = preflightRequest(sent, MANAGED, 100, NOW, told);
  assert.deepEqual(findings.map((it) => [it.rule, it.where]), [
    ["dimension-key-characters", 'attribute "Other" of http.server.duration'],
  ]);
});

Deno.test("preflightRequest() warns of request-size above 4,000,000 bytes only", () => {
  const small = request([histogram()]);
  assert.deepEqual(preflightRequest(small, MANAGED, 4_000_000, NOW, []), []);
  assert.deepEqual(
    preflightRequest(small, MANAGED, 4_000_001, NOW, []).map((it) => [it.rule, it.where]),
    [["request-size", "the request"]],
  );
});

/** URLs, and the rules about an endpoint that each breaks when `setting` names it. */
const ENDPOINTS: readonly (readonly [url: string, setting: string, rules: readonly string[]])[] = [
  ["https://abc.live.dynatrace.com/api/v2/otlp/v1/metrics", "DT_ENDPOINT", []],
  ["https://dt.example/e/abc/api/v2/otlp/v1/metrics", "--endpoint", []],
  ["http://localhost:4318/v1/metrics", "--endpoint", []],
  ["http://127.0.0.1:4318/v1/metrics", "--endpoint", []],
  ["http://collector:4318/v1/metrics", "--endpoint", []],
  ["http://otel.monitoring.svc:4318/v1/metrics", "--endpoint", []],
  ["http://10.1.2.3:4318/v1/metrics", "--endpoint", []],
  ["http://172.31.255.1/v1/metrics", "--endpoint", []],
  ["http://[::1]:4318/v1/metrics", "--endpoint", []],
  ["http://172.32.0.1/v1/metrics", "--endpoint", ["endpoint-http"]],
  ["http://[2001:db8::1]/v1/metrics", "--endpoint", ["endpoint-http"]],
  ["http://otel.example.com/v1/metrics", "--endpoint", ["endpoint-http"]],
  ["https://abc.live.dynatrace.com/v1/metrics", "--endpoint", ["endpoint-path"]],
  ["http://localhost:4318/v1/metrics", "DT_ENDPOINT", ["endpoint-path"]],
  ["https://abc.apps.dynatrace.com/v1/metrics", "--endpoint", ["endpoint-apps", "endpoint-path"]],
  ["https://abc.live.apps.dynatrace.com/api/v2/otlp/v1/metrics", "DT_ENDPOINT", ["endpoint-apps"]],
  ["https://abc.sprint.apps.dynatracelabs.com/api/v2/otlp/v1/metrics", "--endpoint", [
    "endpoint-apps",
  ]],
  ["https://abc.sprint.dynatracelabs.com/api/v2/otlp/v1/metrics", "--endpoint", []],
  // A route of OpenShift's.
  ["https://otel.apps.cluster.example.com/v1/metrics", "--endpoint", []],
  ["https://abc.apps.dynatrace.com.example.org/v1/metrics", "--endpoint", []],
  ["https://dt.example/e/abc/api/v2/otlp/v1/metrics", "DT_ENDPOINT", []],
  ["https://x.example/v1/traces/v1/metrics", "--endpoint", ["endpoint-signal"]],
  ["https://abc.live.dynatrace.com/api/v2/otlp/v1/logs", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", [
    "endpoint-signal",
  ]],
  ["https://x.example/v1/traces-of-mine/v1/metrics", "--endpoint", []],
  ["https://ENV.live.dynatrace.com/api/v2/otlp/v1/metrics", "DT_ENDPOINT", [
    "endpoint-placeholder",
  ]],
  ["https://{your-environment-id}.live.dynatrace.com/api/v2/otlp/v1/metrics", "DT_ENDPOINT", [
    "endpoint-placeholder",
  ]],
  ["https://your-environment-id.live.dynatrace.com/api/v2/otlp/v1/metrics", "DT_ENDPOINT", [
    "endpoint-placeholder",
  ]],
  ["https://gate.example:9999/e/<env>/api/v2/otlp/v1/metrics", "DT_ENDPOINT", [
    "endpoint-placeholder",
  ]],
  ["https://gate.example:9999/e/ENV/api/v2/otlp/v1/metrics", "DT_ENDPOINT", [
    "endpoint-placeholder",
  ]],
  ["https://activegate:9999/e/abc/api/v2/otlp/v1/metrics", "DT_ENDPOINT", []],
  ["https://env.example.com/v1/metrics", "--endpoint", []],
  ["http://localhost:14499/otlp/v1/metrics", "--endpoint", ["endpoint-oneagent"]],
  ["http://collector:4317/v1/metrics", "--endpoint", ["endpoint-grpc"]],
  ["https://x.example/v1/metrics/v1/metrics", "--endpoint", ["endpoint-doubled"]],
  ["https://x.example/v1/metrics/api/v2/otlp/v1/metrics", "DT_ENDPOINT", ["endpoint-doubled"]],
  ["https://gate.example:9999/e/abc/api/v2/otlp/v1/metrics", "DT_ENDPOINT", []],
  ["https://gate.example:9999/api/v2/otlp/v1/metrics", "DT_ENDPOINT", ["endpoint-activegate"]],
  ["http://gate:9999/e/abc/api/v2/otlp/v1/metrics", "DT_ENDPOINT", ["endpoint-activegate"]],
];

for (const [url, setting, rules] of ENDPOINTS) {
  Deno.test(`RULES find ${rules.join() || "nothing"} when ${setting} is ${url}`, () => {
    const facts = { url: new URL(url), setting };
    const found = RULES.endpoint.filter((rule) => rule.broken?.(facts) !== undefined);
    assert.deepEqual(found.map(({ id }) => id), rules);
  });
}

const ACCESS = `dt0c01.${"A".repeat(24)}.${"B".repeat(64)}`;
const PLATFORM = `dt0s16.${"A".repeat(8)}.${"B".repeat(64)}`;

/** Authorization headers, and what is wrong with each. */
const AUTHORIZATIONS:
  readonly (readonly [header: string, rules: readonly string[], wrong: RegExp])[] = [
    [`Api-Token ${ACCESS}`, [], /^$/],
    [`api-token ${ACCESS}`, [], /^$/],
    [`Bearer ${PLATFORM}`, [], /^$/],
    ["Bearer eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl", [], /^$/],
    [`Api-Token ${PLATFORM}`, ["token-scheme"], /says Api-Token, and .* needs Bearer/],
    [`Bearer ${ACCESS}`, ["token-scheme"], /says Bearer, and .* needs Api-Token/],
    ["Basic dXNlcjpwYXNz", ["token-shape", "token-scheme"], /begins with Basic/],
    [ACCESS, ["token-scheme"], /names no scheme/],
    [`Api-Token ${ACCESS}B`, ["token-shape"], /there are 24 and 65 characters, not 24 and 64/],
    [`Api-Token ${ACCESS.slice(0, -1)}`, ["token-shape"], /there are 24 and 63 characters/],
    [`Api-Token ${ACCESS.toLowerCase()}`, ["token-shape"], /capitals and digits alone/],
    ["Api-Token abc", ["token-shape"], /does not look like dt0c01\. followed by 24 characters/],
    [`Api-Token x${ACCESS}`, ["token-shape"], /does not look like/],
    ["Bearer dt0s16.ABC", ["token-shape"], /does not look like/],
    ["Api-Token dt0s01.AB.CD", ["token-kind"], /begins with dt0s01/],
    ["Bearer dt0s02.AB.CD", ["token-kind"], /begins with dt0s02/],
  ];

for (const [header, rules, wrong] of AUTHORIZATIONS) {
  Deno.test(`RULES find ${rules.join() || "nothing"} in Authorization: ${header.slice(0, 24)}`, () => {
    const facts = tokenFacts(header);
    const found = RULES.token.flatMap((rule) => {
      const said = rule.broken?.(facts);
      return said === undefined ? [] : [{ rule, said }];
    });
    assert.deepEqual(found.map(({ rule }) => rule.id), rules);
    const said = found.map((it) => it.said).join("; ");
    assert.match(said, wrong);
    assert.ok(!said.includes(facts.token), "no token is shown");
    assert.equal(redactTokens(said), said);
  });
}

Deno.test("no text of a rule looks like a secret: the mask would hide it", () => {
  for (const { id, checks, effect, remedy, answer } of allRules()) {
    const said = [checks, effect, remedy, answer?.line ?? ""].join("\n");
    assert.equal(redactTokens(said), said, id);
  }
});

Deno.test("every rule that can be checked has a case on its limit and one past it", () => {
  const told = new Set([
    ...CASES.map(([id]) => id),
    ...CONFIGURATIONS.map(([id]) => id),
    ...ENDPOINTS.flatMap(([, , ids]) => ids),
    ...AUTHORIZATIONS.flatMap(([, ids]) => ids),
    "request-size",
  ]);
  const checked = Object.values(RULES).flat().filter((rule) => rule.broken !== undefined);
  assert.deepEqual(checked.map(({ id }) => id).filter((id) => !told.has(id)), []);
  const ids = allRules().map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

Deno.test("judgeDynatrace() answers 400 in Dynatrace's words when every point is refused", () => {
  const verdict = judge(request([temporality(CUMULATIVE), SUMMARY]));
  assert.deepEqual([verdict.status, verdict.points, verdict.rejectedPoints], [400, 2, 2]);
  assert.equal(
    verdict.message,
    "All metric data points were rejected. Errors: " +
      "Unsupported metric: 'my.metric' - Reason: UNSUPPORTED_METRIC_TYPE_CUMULATIVE_HISTOGRAM\n" +
      "Unsupported metric: 'my.metric' - Reason: UNSUPPORTED_METRIC_TYPE_SUMMARY",
  );
});

Deno.test("judgeDynatrace() answers a partial success when some points are refused", () => {
  const verdict = judge(request([histogram(), gauge(NaN), sum(CUMULATIVE, true)]));
  assert.deepEqual([verdict.status, verdict.points, verdict.rejectedPoints], [200, 3, 2]);
  assert.equal(verdict.measurements, 2);
  assert.equal(
    verdict.message,
    "The following issues were encountered while ingesting OTLP metrics:\nErrors:\n" +
      "Metric value dropped. key: 'my.metric' details: 'Value was NaN' - Reason: VALUE_INVALID\n" +
      "Unsupported metric: 'my.metric' - Reason: UNSUPPORTED_METRIC_TYPE_MONOTONIC_CUMULATIVE_SUM\n",
  );
});

Deno.test("judgeDynatrace() tells warnings apart from errors, and is silent where Dynatrace is", () => {
  const empty = judge(attribute("a", text("")));
  assert.deepEqual([empty.status, empty.rejectedPoints], [200, 0]);
  assert.match(empty.message, /:\nWarnings:\nDimension dropped.*DIMENSION_KEY_OR_VALUE_EMPTY\n$/);
  assert.doesNotMatch(empty.message, /Errors/);
  const renamed = judge(attribute("Team"));
  assert.deepEqual([renamed.status, renamed.message, renamed.problems.length], [200, "", 1]);
});

const taken: readonly (readonly [what: string, metric: MetricInit])[] = [
  ["a gauge", gauge(1)],
  ["a delta counter", sum(DELTA, true)],
  ["a delta sum that falls", sum(DELTA, false)],
  ["a cumulative sum that falls", sum(CUMULATIVE, false)],
  ["a delta histogram", histogram()],
  ["a delta exponential histogram", exponential()],
];
for (const [what, it] of taken) {
  Deno.test(`judgeDynatrace() takes ${what}`, () => {
    const { status, points, rejectedPoints, message } = judge(request([it]));
    assert.deepEqual([status, points, rejectedPoints, message], [200, 1, 0, ""]);
  });
}

Deno.test("judgeDynatrace() takes a request without data points", () => {
  assert.deepEqual(judge(create(ExportMetricsServiceRequestSchema, {})), {
    problems: [],
    points: 0,
    measurements: 0,
    rejectedPoints: 0,
    status: 200,
    message: "",
  });
});

Deno.test("judgeDynatrace() warns of what OTLP forbids and Dynatrace does not document", () => {
  const verdict = judge(request([histogram({ min: 7, max: 6 })]));
  assert.ok(verdict.problems.some((it) => it.rule === "min-max" && it.level === "warning"));
  assert.equal(verdict.rejectedPoints, 0);
  const counts = judge(request([histogram({ count: 3n })]));
  assert.deepEqual(counts.problems.filter((it) => it.rule === "bucket-sum"), [], "said once");
});

Deno.test("judgeDynatrace() names the resource when an attribute of it breaks a rule", () => {
  const { problems } = judge(request([histogram()], { resource: { Team: text("a") } }));
  assert.deepEqual(problems.map((it) => [it.rule, it.metric]), [["dimension-key-characters", ""]]);
  assert.match(problems[0]?.message ?? "", /^in a resource: the attribute key "Team"/);
});

Deno.test("judgeDynatrace() folds what repeats and lists at most a thousand problems", () => {
  const same = judge(request([points([POINT, POINT, POINT].map((it) => ({ ...it, sum: NaN })))]));
  assert.equal(same.problems.length, 1);
  assert.match(same.problems[0]?.message ?? "", /\(3 times\)/);
  const metrics = Array.from(
    { length: 1005 },
    (_, i) => histogram({ sum: NaN }, { name: `m${i}` }),
  );
  const verdict = judge(request(metrics));
  assert.equal(verdict.problems.length, 1001);
  assert.deepEqual(verdict.problems.at(-1), {
    rule: "unlisted",
    level: "error",
    metric: "",
    message: "5 more problems are not listed",
  });
  assert.match(verdict.message, /… and 950 more$/);
});

Deno.test("explain() picks the meaning by the details where a reason has several", () => {
  const reason = "HISTOGRAM_BUCKET_INVALID";
  const documented =
    `Histogram metric dropped. key: 'h' details: 'Histogram boundaries are not sorted' - Reason: ${reason}`;
  assert.equal(explain(documented).length, 1);
  assert.match(explain(documented)[0] ?? "", /bounds of a histogram rise strictly/);
  assert.equal(explain(`Metric dropped - Reason: ${reason}`).length, 3);
});

Deno.test("explain() explains each reason once, in the order of the message", () => {
  const message = "All metric data points were rejected. Errors: " +
    "Unsupported metric: 'b' - Reason: UNSUPPORTED_METRIC_TYPE_SUMMARY\n" +
    "Unsupported metric: 'a' - Reason: UNSUPPORTED_METRIC_TYPE_CUMULATIVE_HISTOGRAM\n" +
    "Unsupported metric: 'c' - Reason: UNSUPPORTED_METRIC_TYPE_SUMMARY";
  assert.deepEqual(explain(message).map((line) => line.split(":", 1)[0]), [
    "UNSUPPORTED_METRIC_TYPE_SUMMARY",
    "UNSUPPORTED_METRIC_TYPE_CUMULATIVE_HISTOGRAM",
    "Dynatrace's list may be cut",
  ]);
});

/** Answers that somebody has seen, and what is explained of each. */
const ANSWERS: readonly (readonly [message: string, explained: readonly RegExp[]])[] = [
  [
    "rejected 45 of 90 data points: The following issues were encountered while ingesting OTLP metrics: Errors: " +
    "Metric value dropped. key: 'traffic_duration_p99' details: 'Value was NaN' - Reason: VALUE_INVALID",
    [/^VALUE_INVALID: .* No value is NaN|^VALUE_INVALID: .*no value is NaN/, /list may be cut/],
  ],
  [
    "Unsupported metric: 'system.disk.io' - Reason: UNSUPPORTED_METRIC_TYPE_MONOTONIC_CUMULATIVE_SUM",
    [/^UNSUPPORTED_METRIC_TYPE_MONOTONIC_CUMULATIVE_SUM: .*use DELTA/],
  ],
  [
    "401 Unauthorized: Token Authentication failed",
    [/^Token Authentication failed: .*metrics\.ingest.*openpipeline:metrics:ingest.*scheme/],
  ],
  [
    "401 Unauthorized: Authorization header contains unsupported authorization scheme 'Bearer'",
    [/unsupported authorization scheme: .*Api-Token … for an access token/],
  ],
  [
    "403 Forbidden: Token is missing required scope. Use one of: metrics.ingest (Ingest metrics)",
    [/^Token is missing required scope: .*add the scope metrics\.ingest/],
  ],
  [
    "403 Forbidden: OAuth token is missing required scope. Use one of: [openpipeline:metrics:ingest]",
    [/^OAuth token is missing required scope: .*add the scope openpipeline:metrics:ingest/],
  ],
  ["415 Unsupported Media Type", []],
  ["Unit dropped - Reason: METRIC_UNIT_INVALID_CHARACTERS", [/^METRIC_UNIT_INVALID_CHARACTERS: /]],
  ["x - Reason: OTLP_MESSAGE_MAX_SIZE_EXCEEDED", [/^OTLP_MESSAGE_MAX_SIZE_EXCEEDED: .*4 MB/]],
  ["x - Reason: DIMENSION_COUNT_EXCEEDED", [/^DIMENSION_COUNT_EXCEEDED: .*50/]],
];

for (const [message, explained] of ANSWERS) {
  Deno.test(`explain() knows "${message.slice(0, 70)}"`, () => {
    const lines = explain(message);
    assert.equal(lines.length, explained.length, lines.join("\n"));
    for (const [i, line] of lines.entries()) assert.match(line, explained[i] ?? /^$/);
  });
}

Deno.test("explain() says that a reason is not documented, and nothing of other messages", () => {
  assert.match(explain("Metric dropped: 'x' - Reason: SOMETHING_NEW")[0] ?? "", /^SOMETHING_NEW: /);
  assert.deepEqual(explain("The variable HTTPS_PROXY is not set"), []);
  assert.deepEqual(explain(""), []);
});

Deno.test("whereToLook() gives a query or a selector for each Dynatrace, on lines to paste", () => {
  const lines = whereToLook({
    metric: "http.server.duration",
    dimensions: ["http.method", "http.statusCode"],
    exponential: false,
  });
  const by = "by: {http.method, http.statuscode}, from: -30m";
  const rejected = "active_gate.metrics.ingest.otlp.datapoints.rejected";
  const toPaste = [
    `timeseries p50 = percentile(http.server.duration, 50), p99 = percentile(http.server.duration, 99), ${by}`,
    `timeseries avg(http.server.duration), max(http.server.duration), count(http.server.duration), ${by}`,
    "http.server.duration.histogram:percentile(50)",
    'http.server.duration_bucket:splitBy("le")',
    `timeseries sum(dt.sfm.${rejected}), by: {reason}, from: -30m`,
  ];
  for (const line of toPaste) assert.ok(lines.includes(line), lines.join("\n"));
  assert.ok(lines.some((line) => line.includes("dsfm:active_gate.metrics.ingest.otlp.datapoints")));
  assert.ok(lines.some((line) => line.includes('"Ingest complete explicit bucket histograms"')));
  assert.equal(lines.filter((line) => line.includes("allow list")).length, 1);
  assert.ok(lines.every((line) => line.length <= 160), lines.join("\n"));
});

Deno.test("whereToLook() asks for no percentile of an exponential histogram", () => {
  const lines = whereToLook({ metric: "my-app/latency", dimensions: [], exponential: true });
  assert.equal(
    lines[1],
    "timeseries min(`my-app_latency`), avg(`my-app_latency`), max(`my-app_latency`), from: -30m",
  );
  assert.ok(!lines.some((line) => line.includes("percentile") || line.includes("_bucket")));
});

Deno.test("whereToLook() puts reserved words and other characters in backticks", () => {
  for (
    const word of ["true", "false", "null", "mod", "and", "or", "xor", "not", "a.or", "my-key"]
  ) {
    const [, query] = whereToLook({ metric: word, dimensions: [word], exponential: true });
    assert.equal(
      query,
      `timeseries min(\`${word}\`), avg(\`${word}\`), max(\`${word}\`), by: {\`${word}\`}, from: -30m`,
    );
  }
  const [, plain] = whereToLook({ metric: "order", dimensions: ["notes"], exponential: true });
  assert.doesNotMatch(plain ?? "", /`/);
});

Deno.test("storedMetricKey() and storedDimensionKey() are what Dynatrace makes of a name", () => {
  assert.equal(storedMetricKey("http/server latency"), "http_server_latency");
  assert.equal(storedMetricKey("Größe"), "Gr__e");
  assert.equal(storedDimensionKey("http.statusCode"), "http.statuscode");
  assert.equal(storedDimensionKey("HTTP"), "http");
  assert.equal(storedDimensionKey("My:attribute"), "my_attribute");
  assert.equal(storedDimensionKey("Größe"), "gr__e");
  assert.equal(storedDimensionKey("0a"), "_a");
  assert.equal(storedDimensionKey("k".repeat(101)).length, 100);
});

Deno.test("histogramKey() adds .histogram unless the key ends in it", () => {
  assert.equal(histogramKey("a.duration"), "a.duration.histogram");
  assert.equal(histogramKey("a.histogram"), "a.histogram");
  assert.equal(histogramKey("a_histogram"), "a_histogram");
  assert.equal(histogramKey("ahistogram"), "ahistogram.histogram");
});

Deno.test("preflightEndpoint() finds an error in a host of Dynatrace's pages alone", () => {
  const { endpoint } = CONFIG.destination;
  const errors = (url: string) =>
    preflightEndpoint({ ...endpoint, dynatrace: false, url: new URL(url) })
      .filter(({ level }) => level === "error").map(({ rule }) => rule);
  assert.deepEqual(errors("https://abc.apps.dynatrace.com/v1/metrics"), ["endpoint-apps"]);
  assert.deepEqual(errors("https://otel.apps.cluster.example.com/v1/metrics"), []);
});

Deno.test("bucket-limit is Managed's: it is not told of SaaS", () => {
  const many = withBounds(...bounds(15));
  assert.deepEqual(preflightRequest(many, SAAS, 100, NOW, []), []);
  assert.deepEqual(
    preflightRequest(many, MANAGED, 100, NOW, []).map(({ rule }) => rule),
    ["bucket-limit"],
  );
  assert.deepEqual(preflightConfig(configured({ bounds: bounds(15) })), []);
});

Deno.test("judgeDynatrace() takes negative bounds, 51 attributes on three levels, and dt. attributes", () => {
  const sent = [
    withBounds(-5, 5),
    request([histogram({ attributes: keyValues(many(20)) })], { resource: many(31, "r") }),
    attribute("dt.entity.host"),
  ];
  for (const it of sent) {
    const { status, rejectedPoints, message } = judge(it);
    assert.deepEqual([status, rejectedPoints, message], [200, 0, ""]);
  }
  assert.deepEqual(judge(attribute("dt.entity.host")).problems, []);
});

/** A receiver that judges as Dynatrace would, and one POST to it. */
async function post(
  body: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Uint8Array; rules: string[] }> {
  const rules: string[] = [];
  const receiver = startReceiver({
    host: "127.0.0.1",
    port: 0,
    tls: undefined,
    token: () => Promise.resolve("Api-Token dt0c01.A.B"),
    respond: [],
    requests: undefined,
    judge: judgeDynatrace(() => Date.now()),
    limits: DYNATRACE_LIMITS,
    clock: systemClock,
  }, (event) => rules.push(...event.problems.map((it) => it.rule)));
  try {
    const answer = await fetch(receiver.url, {
      method: "POST",
      body,
      headers: {
        "Content-Type": "application/x-protobuf",
        "Authorization": "Api-Token dt0c01.A.B",
        ...headers,
      },
    });
    return { status: answer.status, body: new Uint8Array(await answer.arrayBuffer()), rules };
  } finally {
    receiver.stop();
    await receiver.finished;
  }
}

/** A request of exactly that many bytes: what is added is a field that OTLP does not know. */
function sized(bytes: number): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(bytes);
  const length = bytes - 5;
  body.set([0x7a, length & 127 | 128, length >> 7 & 127 | 128, length >> 14 & 127 | 128]);
  body.set([length >> 21], 4);
  return body;
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

Deno.test("receive with Dynatrace's rules takes 4,000,000 bytes and answers 413 to one more", async () => {
  assert.equal((await post(sized(4_000_000))).status, 200);
  const large = await post(sized(4_000_001));
  assert.deepEqual([large.status, large.rules], [413, ["request-size"]]);
  assert.match(decodeStatus(large.body).message, /^OTLP_MESSAGE_MAX_SIZE_EXCEEDED/);
  assert.match(explain(decodeStatus(large.body).message)[0] ?? "", /4 MB/);
});

Deno.test("receive with Dynatrace's rules counts the bytes before compression", async () => {
  const encoded = { "Content-Encoding": "gzip" };
  assert.equal((await post(await gzip(sized(4_000_000)), encoded)).status, 200);
  const large = await post(await gzip(sized(4_000_001)), encoded);
  assert.deepEqual([large.status, large.rules], [413, ["request-size"]]);
});

Deno.test("receive with Dynatrace's rules answers 401 without the token and 415 to JSON", async () => {
  assert.equal((await post(sized(10), { Authorization: "Api-Token dt0c01.A.C" })).status, 401);
  assert.equal((await post(sized(10), { Authorization: "Bearer dt0c01.A.B" })).status, 401);
  assert.equal((await post(sized(10), { "Content-Type": "application/json" })).status, 415);
});

Deno.test("receive with Dynatrace's rules sends warnings as a partial success that rejects nothing", async () => {
  const fresh = { ...POINT, ...at(Date.now()), attributes: keyValues({ a: text("") }) };
  const sent = toBinary(ExportMetricsServiceRequestSchema, request([points([fresh])]));
  const { status, body, rules } = await post(sent);
  assert.deepEqual([status, rules], [200, ["dimension-value-empty"]]);
  const { partialSuccess } = decodeResponse(body);
  assert.equal(partialSuccess?.rejectedDataPoints, 0n);
  assert.match(partialSuccess?.errorMessage ?? "", /^The following issues .*\nWarnings:\n/);
});

Deno.test("the generated pages are current, and deno task docs --check sees when one is not", async () => {
  const root = new URL("../../../", import.meta.url);
  assert.equal(await docs(["--check"], root), 0);
  const copy = await Deno.makeTempDir({ prefix: "otlp-histogram-docs-" });
  const said: unknown[] = [];
  const error = console.error;
  console.error = (line) => said.push(line);
  try {
    await Deno.mkdir(`${copy}/docs`);
    await Deno.copyFile(new URL(".env.example", root), `${copy}/.env.example`);
    await Deno.copyFile(new URL("docs/settings.md", root), `${copy}/docs/settings.md`);
    assert.equal(await docs(["--check"], new URL(`file://${copy}/`)), 1);
  } finally {
    console.error = error;
    await Deno.remove(copy, { recursive: true });
  }
  assert.match(said.join("\n"), /^docs\/dynatrace-rules\.md .*run `deno task docs`/);
});
