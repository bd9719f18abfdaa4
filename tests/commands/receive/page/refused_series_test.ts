import assert from "node:assert/strict";
import { dataPointsOf, metricsIn } from "../../../../src/otlp/data_points.ts";
import type { Problem } from "../../../../src/receivers/problem.ts";
import {
  REFUSED_LIMITS,
  type RefusedLimits,
  RefusedSeries,
} from "../../../../src/commands/receive/page/refused_series.ts";
import type { RequestEvent } from "../../../../src/commands/receive/event.ts";
import { each } from "../../../support/cases.ts";
import { histogramRequest, type HistogramSeries } from "../../../support/otlp_histograms.ts";
import { eventOf } from "../serving.ts";

function refusedEvent(
  series: readonly HistogramSeries[],
  change: Partial<RequestEvent> = {},
): RequestEvent {
  return eventOf({
    status: 400,
    outcome: "rejected",
    points: series.length,
    rejectedPoints: series.length,
    request: histogramRequest(series),
    ...change,
  });
}

function errorOf(metric: string, rule: string): Problem {
  return { rule, level: "error", metric, message: `broken ${rule}` };
}

const A = { name: "a", counts: [1, 0, 0, 0] };
const B = { name: "b", counts: [1, 0, 0, 0] };

Deno.test("RefusedSeries.add() counts all data points of a rejected request, with their reasons", () => {
  const refused = new RefusedSeries();
  const problems = [errorOf("", "of-request"), errorOf("a", "of-metric")];
  refused.add(refusedEvent([A, B], { problems }), 1);
  refused.add(refusedEvent([A], { problems }), 2);
  assert.deepEqual(
    refused.since(0).map(({ name, points, reason }) => [name, points, reason.rule]),
    [["a", 2, "of-metric"], ["b", 1, "of-request"]],
  );
  assert.deepEqual(refused.since(1).map(({ name }) => name), ["a"]);
});

Deno.test("RefusedSeries.add() counts only the rejected data points of a partial success", () => {
  const event = refusedEvent([A, B], { outcome: "partial", status: 200 });
  const [, second] = event.request === undefined ? [] : [...metricsIn(event.request)];
  const rejected = new Set(second === undefined ? [] : dataPointsOf(second));
  const refused = new RefusedSeries();
  refused.add({ ...event, rejected }, 1);
  refused.add(refusedEvent([A], { outcome: "accepted", status: 200 }), 2);
  assert.deepEqual(refused.since(0).map(({ name, points }) => [name, points]), [["b", 1]]);
});

Deno.test("RefusedSeries.add() gives the status as reason when no rule was broken", () => {
  const refused = new RefusedSeries();
  refused.add(refusedEvent([A], { status: 503 }), 1);
  assert.deepEqual(refused.since(0)[0]?.reason.message, "answered with status 503");
});

Deno.test("RefusedSeries.add() ignores requests that could not be read or were not answered", () => {
  const refused = new RefusedSeries();
  refused.add(refusedEvent([A], { request: undefined }), 1);
  refused.add(refusedEvent([A], { outcome: "unanswered", status: null }), 2);
  assert.deepEqual(refused.since(0), []);
});

const LIMITS: readonly (readonly [what: string, limits: Partial<RefusedLimits>])[] = [
  ["series", { mostSeries: 1 }],
  ["bytes", { mostBytes: 500 }],
  ["length", { longestName: 150 }],
];

each(
  LIMITS,
  ([what]) => `RefusedSeries.add() only counts what is beyond the limit of ${what}`,
  ([, limits]) => {
    const refused = new RefusedSeries({ ...REFUSED_LIMITS, ...limits });
    const long = { name: "l".repeat(200), counts: [1, 0, 0, 0] };
    refused.add(refusedEvent([A, long]), 1);
    refused.add(refusedEvent([A, long]), 2);
    assert.deepEqual(refused.since(0).map(({ name, points }) => [name, points]), [["a", 2]]);
    assert.equal(refused.more, 2);
  },
);

Deno.test("RefusedSeries.add() hides secrets in names", () => {
  const refused = new RefusedSeries(REFUSED_LIMITS, (text) => text.replaceAll("SECRET", "***"));
  refused.add(refusedEvent([{ ...A, name: "SECRET", attributes: { a: "SECRET" } }]), 1);
  assert.doesNotMatch(JSON.stringify(refused.since(0)), /SECRET/);
});
