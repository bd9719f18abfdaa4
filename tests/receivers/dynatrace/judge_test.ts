import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { limitsFor } from "../../../src/commands/receive/body.ts";
import { decodeResponse, decodeStatus } from "../../../src/otlp/decode.ts";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { EXPLAINER } from "../../../src/receivers/dynatrace/explain.ts";
import { judgeDynatrace } from "../../../src/receivers/dynatrace/judge.ts";
import { DYNATRACE } from "../../../src/receivers/dynatrace/profile.ts";
import { CASES, ruleOf } from "./cases.ts";
import {
  at,
  attribute,
  CUMULATIVE,
  DELTA,
  exponential,
  gauge,
  histogram,
  keyValues,
  many,
  type MetricInit,
  NOW,
  POINT,
  points,
  request,
  sum,
  SUMMARY,
  temporality,
  text,
  withBounds,
} from "./requests.ts";
import { gzip } from "../../support/gzip.ts";
import * as serving from "../../commands/receive/serving.ts";

const judge = judgeDynatrace(() => NOW);

for (const [i, [id, fine, past, wrong]] of CASES.entries()) {
  const rule = ruleOf(id);

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
}

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
    rejected: new Set(),
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
    message: "5 further problems are not listed",
  });
  assert.match(verdict.message, /… and 950 more$/);
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

/** Posts once to a receiver that judges as Dynatrace would. */
async function post(
  body: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Uint8Array; rules: string[] }> {
  await using running = serving.start({
    token: () => Promise.resolve("Api-Token dt0c01.A.B"),
    judge: judgeDynatrace(() => Date.now()),
    limit: limitsFor(DYNATRACE.body),
  });
  const authorization = { Authorization: "Api-Token dt0c01.A.B", ...headers };
  const answer = await serving.post(running.url, body, authorization);
  await running.told(1);
  const rules = running.events.flatMap(({ problems }) => problems.map(({ rule }) => rule));
  return { status: answer.status, body: answer.body, rules };
}

/** A request of exactly that many bytes: what is added is a field that OTLP does not know. */
function sized(bytes: number): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(bytes);
  const length = bytes - 5;
  body.set([0x7a, length & 127 | 128, length >> 7 & 127 | 128, length >> 14 & 127 | 128]);
  body.set([length >> 21], 4);
  return body;
}

Deno.test("receive with Dynatrace's rules takes 4,000,000 bytes and answers 413 to one more", async () => {
  assert.equal((await post(sized(4_000_000))).status, 200);
  const large = await post(sized(4_000_001));
  assert.deepEqual([large.status, large.rules], [413, ["request-size"]]);
  assert.match(decodeStatus(large.body).message, /^OTLP_MESSAGE_MAX_SIZE_EXCEEDED/);
  assert.match(EXPLAINER.reasons(decodeStatus(large.body).message)[0] ?? "", /4 MB/);
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
