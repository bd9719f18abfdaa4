import assert from "node:assert/strict";
import { allRules } from "../../../src/receivers/dynatrace/rules.ts";
import type { ExportMetricsServiceRequest } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  at,
  attribute,
  bounds,
  CUMULATIVE,
  DELTA,
  exponential,
  gauge,
  histogram,
  keyValues,
  many,
  metric,
  NOW,
  POINT,
  points,
  request,
  sum,
  SUMMARY,
  temporality,
  text,
  UNSPECIFIED,
  withBounds,
} from "./requests.ts";

/** Requests on the limit of a rule and past it, and what is wrong then. */
export const CASES: readonly (readonly [
  rule: string,
  fine: ExportMetricsServiceRequest,
  past: ExportMetricsServiceRequest,
  wrong: RegExp,
])[] = [
  [
    "request-points-suggested",
    request([points(Array.from({ length: 3000 }, () => POINT))]),
    request([points(Array.from({ length: 3001 }, () => POINT))]),
    /3001 data points, more than the suggested 3000/,
  ],
  [
    "request-points",
    request([points(Array.from({ length: 15_000 }, () => POINT))]),
    request([points(Array.from({ length: 15_001 }, () => POINT))]),
    /15001 data points, the maximum is 15000/,
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
  ["metric-key-reserved", metric({ name: "dtx.a" }), metric({ name: "dt.a" }), /starts with dt\./],
  [
    "unit-length",
    metric({ unit: "u".repeat(63) }),
    metric({ unit: "u".repeat(64) }),
    /has 64 characters, the maximum is 63/,
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
    /1 bucket count for 1 bound[;:]/,
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
    /10 minutes in the future/,
  ],
  [
    "dimension-count",
    request([histogram({ attributes: keyValues(many(50)) })]),
    request([histogram({ attributes: keyValues(many(51)) })]),
    /51 dimensions, the maximum is 50/,
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
    /20 attributes of its own, 51 with those of its scope and its resource; the maximum is 50 dimensions/,
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
  ["dimension-key-empty", attribute("TEAM"), attribute("-"), /"-" has neither letter nor digit/],
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
    /"dt\.system" is reserved by Dynatrace/,
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

/** Finds a rule of the table. */
export function ruleOf(id: string) {
  const rule = allRules().find((it) => it.id === id);
  assert.ok(rule, `no rule ${id}`);
  return rule;
}
