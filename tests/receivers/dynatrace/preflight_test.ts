import assert from "node:assert/strict";
import type { Finding } from "../../../src/receivers/finding.ts";
import { DYNATRACE } from "../../../src/receivers/dynatrace/profile.ts";
import {
  type PlanFacts,
  preflightConfig,
  preflightEndpoint,
} from "../../../src/receivers/dynatrace/preflight.ts";
import { preflightRequest } from "../../../src/receivers/dynatrace/preflight_request.ts";
import { CASES, ruleOf } from "./cases.ts";
import {
  bounds,
  histogram,
  keyValues,
  MANAGED,
  NOW,
  request,
  SAAS,
  text,
  withBounds,
} from "./requests.ts";

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
}

const CONFIG: PlanFacts = {
  endpoint: {
    url: SAAS,
    shown: "",
    basic: undefined,
    setting: { name: "DT_ENDPOINT", source: "environment", value: "" },
    proxy: undefined,
    profile: DYNATRACE,
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
  change: Partial<PlanFacts["metric"]>,
  url: string = SAAS.href,
): PlanFacts {
  return {
    endpoint: { ...CONFIG.endpoint, url: new URL(url) },
    metric: { ...CONFIG.metric, ...change },
    source: CONFIG.source,
  };
}

const strings = (count: number, prefix: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, "v"]));

/** Rules, configurations that break them, and the flag that is named. */
const CONFIGURATIONS: readonly (readonly [rule: string, PlanFacts, where: string])[] = [
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
  ...[
    ["endpoint-placeholder", "https://ENV.live.dynatrace.com/api/v2/otlp/v1/metrics"],
    ["endpoint-signal", "https://abc.live.dynatrace.com/api/v2/otlp/v1/traces/v1/metrics"],
    ["endpoint-apps", "https://abc.apps.dynatrace.com/api/v2/otlp/v1/metrics"],
    ["endpoint-doubled", "https://abc.live.dynatrace.com/api/v2/otlp/v1/metrics/v1/metrics"],
    ["endpoint-http", "http://abc.live.dynatrace.com/api/v2/otlp/v1/metrics"],
    ["endpoint-activegate", "https://gate.example:9999/api/v2/otlp/v1/metrics"],
  ].map(([rule = "", url]) => [rule, configured({}, url), "DT_ENDPOINT (environment)"] as const),
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

Deno.test("preflightEndpoint() finds an error in a host of Dynatrace's pages alone", () => {
  const errors = (url: string) =>
    preflightEndpoint({ ...CONFIG.endpoint, url: new URL(url) })
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
