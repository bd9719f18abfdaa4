import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { canvasOf } from "../../../src/console/canvas.ts";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  AggregationTemporality,
  MetricSchema,
} from "../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import type { RequestEvent } from "../../../src/commands/receive/event.ts";
import { RequestTotals } from "../../../src/commands/receive/totals.ts";
import { eventOf } from "./serving.ts";

const canvas = { ...canvasOf({ columns: undefined, env: () => undefined }), width: 30 };
const { DELTA, CUMULATIVE } = AggregationTemporality;

type MetricInit = MessageInitShape<typeof MetricSchema>;

function event(
  metrics: readonly MetricInit[],
  different: Partial<RequestEvent> = {},
): RequestEvent {
  const request = create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      resource: { attributes: [attribute("service.name", "shop")] },
      scopeMetrics: [{ metrics: [...metrics] }],
    }],
  });
  return eventOf({ points: metrics.length, request, ...different });
}

const attribute = (key: string, value: string | bigint) => ({
  key,
  value: {
    value: typeof value === "string"
      ? { case: "stringValue" as const, value }
      : { case: "intValue" as const, value },
  },
});

interface PointInit {
  readonly counts: readonly bigint[];
  readonly bounds?: number[];
  readonly min?: number;
  readonly max?: number;
  readonly sum?: number;
  readonly attributes?: ReturnType<typeof attribute>[];
}

function histogram(
  name: string,
  { counts, bounds = [10], min, max, sum, attributes = [] }: PointInit,
  aggregationTemporality = DELTA,
): MetricInit {
  const dataPoints = [{
    count: counts.reduce((total, count) => total + count, 0n),
    bucketCounts: [...counts],
    explicitBounds: bounds,
    attributes,
    ...min !== undefined && { min },
    ...max !== undefined && { max },
    ...sum !== undefined && { sum },
  }];
  return { name, data: { case: "histogram", value: { aggregationTemporality, dataPoints } } };
}

function totals(...events: readonly RequestEvent[]): readonly string[] {
  const added = new RequestTotals();
  for (const it of events) added.add(it);
  return added.draw(canvas);
}

const series = (lines: readonly string[]) =>
  lines.filter((line) => /^ {2}\S|^ {4}(count|value)/.test(line)).map((line) => line.trim());

Deno.test("RequestTotals.draw() adds up deltas of a series: counts, sum, min and max", () => {
  const lines = totals(
    event([histogram("m", { counts: [1n, 2n], min: 4, max: 12, sum: 28 })]),
    event([histogram("m", { counts: [3n, 2n], min: 1, max: 11.5, sum: 30 })]),
  );
  assert.deepEqual(lines, [
    "Totals of 2 requests:",
    "  resource service.name=shop",
    "  m",
    "    count 8, min 1, max 12, sum 58",
    // Four of eight: all of the first bucket; the others lie above the last bound.
    "    estimated p50 10, p90 > 10, p99 > 10",
    `    (-∞, 10] ${"█".repeat(15)} 4`,
    `    (10, +∞) ${"█".repeat(15)} 4`,
  ]);
});

Deno.test("RequestTotals.draw() knows no sum, min or max that one of the data points lacks", () => {
  const lines = totals(
    event([histogram("m", { counts: [1n, 0n], min: 4, max: 4, sum: 4 })]),
    event([histogram("m", { counts: [1n, 0n] })]),
  );
  assert.deepEqual(series(lines), ["resource service.name=shop", "m", "count 2"]);
});

Deno.test("RequestTotals.draw() keeps the last of a cumulative series", () => {
  const lines = totals(
    event([histogram("m", { counts: [1n, 2n] }, CUMULATIVE)]),
    event([histogram("m", { counts: [1n, 6n] }, CUMULATIVE)]),
  );
  assert.deepEqual(series(lines).slice(1), ["m (cumulative: the last)", "count 7"]);
});

Deno.test("RequestTotals.draw() keeps apart what differs in name, attributes or bounds; the largest is first", () => {
  const a = [attribute("k", "1"), attribute("l", "x")];
  const lines = totals(
    event([
      histogram("m", { counts: [1n, 0n], attributes: a }),
      histogram("m", { counts: [2n, 0n], attributes: [attribute("k", 1n), attribute("l", "x")] }),
      histogram("m", { counts: [3n, 0n], attributes: a, bounds: [20] }),
      histogram("n", { counts: [4n, 0n], attributes: a }),
    ]),
    // The same attributes in another order are the same series.
    event([histogram("m", { counts: [9n, 0n], attributes: a.toReversed() })]),
  );
  assert.deepEqual(series(lines).slice(1), [
    "m k=1 l=x",
    "count 10",
    "n k=1 l=x",
    "count 4",
    "m k=1 l=x",
    "count 3",
    "m k=1 l=x",
    "count 2",
  ]);
});

Deno.test("RequestTotals.draw() adds exponential histograms of different scales", () => {
  const exponential = (scale: number, offset: number, ...bucketCounts: bigint[]): MetricInit => ({
    name: "e",
    data: {
      case: "exponentialHistogram",
      value: {
        aggregationTemporality: DELTA,
        dataPoints: [{ count: 3n, scale, positive: { offset, bucketCounts } }],
      },
    },
  });
  const lines = totals(event([exponential(1, 0, 1n, 2n)]), event([exponential(0, 1, 3n)]));
  assert.deepEqual(lines.slice(3), [
    "    count 6",
    "    estimated p50 2, p90 3.6, p99 3.96",
    "    (-∞, 1] 0",
    `     (1, 2] ${"█".repeat(16)} 3`,
    `     (2, 4] ${"█".repeat(16)} 3`,
    "    (4, +∞) 0",
  ]);
});

Deno.test("RequestTotals.draw() adds delta sums and keeps the last of a gauge", () => {
  const sum = (value: bigint): MetricInit => ({
    name: "s",
    data: {
      case: "sum",
      value: {
        aggregationTemporality: DELTA,
        dataPoints: [{ value: { case: "asInt", value } }],
      },
    },
  });
  const gauge = (value: number): MetricInit => ({
    name: "g",
    data: { case: "gauge", value: { dataPoints: [{ value: { case: "asDouble", value } }] } },
  });
  const lines = totals(event([sum(2n), gauge(0.5)]), event([sum(3n), gauge(0.25)]));
  assert.deepEqual(series(lines).slice(1), ["s", "value 5", "g", "value 0.25"]);
});

Deno.test("RequestTotals.draw() draws nothing for one request, and leaves out what was not answered with 200", () => {
  const one = event([histogram("m", { counts: [1n, 0n] })]);
  assert.deepEqual(totals(one), []);
  assert.deepEqual(totals(one, { ...one, status: 503, outcome: "rejected" }), []);
  assert.deepEqual(totals(one, { ...one, outcome: "rejected", rejectedPoints: 1 }), []);
  assert.deepEqual(totals(one, event([])), []);
});

Deno.test("RequestTotals.draw() leaves out a data point whose counts do not fit its bounds, and says that some were rejected", () => {
  const lines = totals(
    event([histogram("m", { counts: [1n, 0n] })]),
    event([histogram("m", { counts: [1n, 0n] }), histogram("m", { counts: [1n, 2n, 3n] })], {
      outcome: "partial",
      rejectedPoints: 1,
    }),
  );
  assert.equal(lines[0], "Totals of 2 requests (rejected data points: 1):");
  assert.deepEqual(series(lines).slice(1), ["m", "count 2"]);
});

Deno.test("RequestTotals.add() keeps within its memory, draws ten series and counts the others", () => {
  const many = (from: number) =>
    event(
      Array.from({ length: 100 }, (_, i) =>
        histogram("m", { counts: [1n, 0n], attributes: [attribute("n", String(from + i))] })),
    );
  const added = new RequestTotals(undefined, 100_000);
  for (let from = 0; from < 1000; from += 100) added.add(many(from));
  added.add(many(0));
  const lines = added.draw(canvas);
  const drawn = series(lines).filter((line) => line.startsWith("m ")).length;
  assert.equal(drawn, 10);
  const [, more] = /^ {2}… and (\d+) more series$/m.exec(lines.join("\n")) ?? [];
  const kept = drawn + Number(more);
  assert.ok(kept >= 100 && kept < 250, `kept ${kept}`);
  assert.equal(lines[0], "Totals of 11 requests:");
  assert.equal(
    lines.at(-1),
    `  ${1000 - kept} data points are left out: too many series, or too long names, to add up`,
  );
  // Those that are kept go on being added up.
  assert.equal(series(lines)[2], "count 2");
});

Deno.test("RequestTotals.add() keeps no series of an endless name", () => {
  const endless = event([
    histogram("m", { counts: [1n, 0n], attributes: [attribute("a", "x".repeat(100_000))] }),
  ]);
  assert.deepEqual(totals(endless, endless), [
    "Totals of 2 requests:",
    "  2 data points are left out: too many series, or too long names, to add up",
  ]);
});

Deno.test("RequestTotals.draw() keeps sum, min and max when a delta holds no measurement", () => {
  const lines = totals(
    event([histogram("m", { counts: [2n, 0n], min: 1, max: 2, sum: 3 })]),
    event([histogram("m", { counts: [0n, 0n] })]),
  );
  assert.deepEqual(series(lines).slice(2), ["count 2, min 1, max 2, sum 3"]);
});
