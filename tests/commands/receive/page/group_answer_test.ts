import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ExportMetricsServiceRequestSchema } from "../../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  AggregationTemporality,
  type MetricSchema,
} from "../../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { groupAnswer } from "../../../../src/commands/receive/page/group_answer.ts";
import { History, HISTORY_LIMITS } from "../../../../src/commands/receive/page/history.ts";
import { histogramRequest } from "../../../support/otlp_histograms.ts";

const OPENED = 1_000_000;
const ALL = { from: NaN, version: NaN, by: null };

function requestOf(...metrics: MessageInitShape<typeof MetricSchema>[]) {
  return create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{ scopeMetrics: [{ metrics }] }],
  });
}

function answer(history: History, query: Partial<Parameters<typeof groupAnswer>[2]> = {}) {
  return groupAnswer(history.groups[0] ?? [], history.sliceMs, { ...ALL, ...query });
}

function shop(counts: Readonly<Record<string, readonly number[]>>) {
  return histogramRequest(
    Object.entries(counts).map(([route, each]) => ({
      name: "m",
      attributes: { route },
      counts: each,
    })),
  );
}

Deno.test("groupAnswer() adds up the series of a metric per slice", () => {
  const history = new History(OPENED);
  history.add(shop({ a: [1, 2, 0, 0], b: [0, 1, 1, 0] }), OPENED);
  history.add(shop({ b: [5, 0, 0, 1] }), OPENED + 1000);
  const { rows, bounds, lines, isPart } = answer(history);
  assert.deepEqual(bounds, [10, 50, 100]);
  assert.deepEqual(rows, [
    [1000, 5, null, null, null, 1, 3, 1, 0],
    [1001, 6, null, null, null, 5, 0, 0, 1],
  ]);
  assert.deepEqual([lines, isPart], [[], false]);
});

Deno.test("groupAnswer() returns only later rows, until a series joins the group", () => {
  const history = new History(OPENED);
  history.add(shop({ a: [1, 0, 0, 0], b: [1, 0, 0, 0] }), OPENED);
  const { version } = answer(history);
  history.add(shop({ a: [2, 0, 0, 0] }), OPENED + 1000);
  const part = answer(history, { from: 1001, version });
  assert.deepEqual([part.isPart, part.rows.map(([slice, count]) => [slice, count])], [
    true,
    [[1001, 2]],
  ]);
  history.add(shop({ c: [4, 0, 0, 0] }), OPENED + 1000);
  const whole = answer(history, { from: 1001, version });
  assert.deepEqual([whole.isPart, whole.rows.map(([, count]) => count)], [false, [2, 6]]);
});

Deno.test("groupAnswer() makes a line per value of an attribute, and one of the rest", () => {
  const history = new History(OPENED);
  const counts = Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [`r${i}`, [0, 100 - i, 0, 0]]),
  );
  history.add(shop(counts), OPENED);
  const { lines } = answer(history, { by: "route" });
  assert.deepEqual(
    lines.map(({ value, isRest, series, count }) => [value, isRest, series, count]),
    [
      ...Array.from({ length: 7 }, (_, i) => [`r${i}`, false, 1, 100 - i]),
      [null, true, 5, 93 + 92 + 91 + 90 + 89],
    ],
  );
  assert.deepEqual(lines[0]?.columns, [0, 100, 0, 0]);
  assert.deepEqual(lines[0]?.rows, [[1000, 100, null, 30, 46, 49.6]]);
});

Deno.test("groupAnswer() finds an attribute of the resource, and series without the attribute", () => {
  const history = new History(OPENED);
  history.add(shop({ a: [1, 0, 0, 0], b: [1, 0, 0, 0] }), OPENED);
  const values = (by: string) => answer(history, { by }).lines.map(({ value }) => value);
  assert.deepEqual(values("service.name"), ["shop"]);
  assert.deepEqual(values("pod"), [null]);
});

Deno.test("groupAnswer() leaves min and max unknown when one series does not tell them", () => {
  const point = (extremes: object, value: string) => ({
    attributes: [{ key: "a", value: { value: { case: "stringValue" as const, value } } }],
    count: 1n,
    sum: 3,
    bucketCounts: [1n, 0n],
    explicitBounds: [5],
    ...extremes,
  });
  const metric = (...dataPoints: ReturnType<typeof point>[]) =>
    requestOf({
      name: "m",
      data: {
        case: "histogram",
        value: { aggregationTemporality: AggregationTemporality.DELTA, dataPoints },
      },
    });
  const known = new History(OPENED);
  known.add(metric(point({ min: 1, max: 3 }, "x"), point({ min: 2, max: 4 }, "y")), OPENED);
  assert.deepEqual(answer(known).rows, [[1000, 2, 6, 1, 4, 2, 0]]);
  const unknown = new History(OPENED);
  unknown.add(metric(point({ min: 1, max: 3 }, "x"), point({}, "y")), OPENED);
  assert.deepEqual(answer(unknown).rows, [[1000, 2, 6, null, null, 2, 0]]);
});

Deno.test("groupAnswer() adds up exponential histograms of different scales and ranges", () => {
  const point = (value: string, scale: number, offset: number, counts: readonly number[]) => ({
    attributes: [{ key: "a", value: { value: { case: "stringValue" as const, value } } }],
    count: BigInt(counts.reduce((sum, it) => sum + it, 0)),
    scale,
    positive: { offset, bucketCounts: counts.map(BigInt) },
  });
  const history = new History(OPENED);
  const dataPoints = [
    point("x", 3, 0, [1, 2, 3]),
    point("y", 0, 900, [4]),
    point("z", 2, -40, [5]),
  ];
  history.add(
    requestOf({
      name: "e",
      data: {
        case: "exponentialHistogram",
        value: { aggregationTemporality: AggregationTemporality.DELTA, dataPoints },
      },
    }),
    OPENED,
  );
  const { rows: [row = []], bounds } = answer(history);
  assert.equal(row[1], 15);
  assert.equal(row.length, 5 + bounds.length + 1);
  assert.equal(row.slice(5).reduce<number>((sum, count) => sum + (count ?? 0), 0), 15);
});

Deno.test("History.groups has a group per metric and buckets, across resources", () => {
  const history = new History(OPENED);
  const request = shop({ a: [1, 0, 0, 0] });
  history.add(request, OPENED);
  for (const { resource } of request.resourceMetrics) {
    if (resource !== undefined) resource.attributes = [];
  }
  history.add(request, OPENED);
  history.add(histogramRequest([{ name: "other", counts: [1, 0, 0, 0] }]), OPENED);
  assert.deepEqual(history.groups.map(({ length }) => length), [2, 1]);
  assert.deepEqual(history.series.map(({ group }) => group), [0, 0, 1]);
});

Deno.test("groupAnswer() copes with as many series as a history keeps", () => {
  const history = new History(OPENED);
  const many = Array.from({ length: 2100 }, (_, i) => [`r${i}`, [1, 0, 0, 0]]);
  history.add(shop(Object.fromEntries(many)), OPENED);
  const { rows, lines } = answer(history, { by: "route" });
  assert.equal(rows[0]?.[1], HISTORY_LIMITS.mostSeries);
  assert.equal(lines.length, 8);
});
