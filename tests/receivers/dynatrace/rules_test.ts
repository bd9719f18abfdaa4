import assert from "node:assert/strict";
import { redactTokens } from "../../../src/redact/redact.ts";
import {
  allRules,
  histogramKey,
  RULES,
  storedDimensionKey,
  storedMetricKey,
  tokenFacts,
} from "../../../src/receivers/dynatrace/rules.ts";
import { CASES } from "./cases.ts";

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
  ["https://x.example/v1/traces/v1/metrics", "--endpoint", []],
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
    [`Api-Token ${PLATFORM}`, ["token-scheme"], /says Api-Token, but .* requires Bearer/],
    [`Bearer ${ACCESS}`, ["token-scheme"], /says Bearer, but .* requires Api-Token/],
    ["Basic dXNlcjpwYXNz", ["token-shape", "token-scheme"], /starts with Basic/],
    [ACCESS, ["token-scheme"], /has no scheme/],
    [`Api-Token ${ACCESS}B`, ["token-shape"], /there are 24 and 65 characters, not 24 and 64/],
    [`Api-Token ${ACCESS.slice(0, -1)}`, ["token-shape"], /there are 24 and 63 characters/],
    [`Api-Token ${ACCESS.toLowerCase()}`, ["token-shape"], /only capitals and digits/],
    ["Api-Token abc", ["token-shape"], /does not look like dt0c01\. followed by 24 characters/],
    [`Api-Token x${ACCESS}`, ["token-shape"], /does not look like/],
    ["Bearer dt0s16.ABC", ["token-shape"], /does not look like/],
    ["Api-Token dt0s01.AB.CD", ["token-kind"], /starts with dt0s01/],
    ["Bearer dt0s02.AB.CD", ["token-kind"], /starts with dt0s02/],
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
    ...ENDPOINTS.flatMap(([, , ids]) => ids),
    ...AUTHORIZATIONS.flatMap(([, ids]) => ids),
    // The tests of preflight have theirs.
    "request-size",
    "tuples-metric",
  ]);
  const checked = Object.values(RULES).flat().filter((rule) => rule.broken !== undefined);
  assert.deepEqual(checked.map(({ id }) => id).filter((id) => !told.has(id)), []);
  const ids = allRules().map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
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
