import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ExportMetricsServiceRequestSchema } from "../../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  AggregationTemporality,
  type MetricSchema,
} from "../../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { dataPointsOf, metricsIn } from "../../../../src/otlp/data_points.ts";
import { History, HISTORY_LIMITS } from "../../../../src/commands/receive/page/history.ts";
import { histogramRequest } from "../../../support/otlp_histograms.ts";

const OPENED = 1_000_000;

function requestOf(...metrics: MessageInitShape<typeof MetricSchema>[]) {
  return create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{ scopeMetrics: [{ metrics }] }],
  });
}

function rows(history: History, id = 0) {
  return history.series[id]?.rowsFrom(-Infinity);
}

Deno.test("History.add() adds the deltas of a slice, and begins a row for the next", () => {
  const history = new History(OPENED);
  history.add(histogramRequest([{ name: "m", counts: [1, 2, 0, 0] }]), OPENED);
  history.add(histogramRequest([{ name: "m", counts: [1, 0, 0, 5] }]), OPENED + 999);
  history.add(histogramRequest([{ name: "m", counts: [0, 1, 0, 0] }]), OPENED + 1000);
  assert.deepEqual(rows(history), [
    [1000, 9, null, null, null, 2, 2, 0, 5],
    [1001, 1, null, null, null, 0, 1, 0, 0],
  ]);
});

Deno.test("History.add() tells series apart by attributes, in whatever order they come", () => {
  const history = new History(OPENED);
  const series = (names: readonly string[]) =>
    histogramRequest(names.map((it) => ({ name: "m", attributes: { it }, counts: [1, 0, 0, 0] })));
  history.add(series(["a", "b", "c"]), OPENED);
  history.add(series(["c", "a", "d"]), OPENED);
  const counts = history.series.map(({ names, count }) => [names.attributes.join(), count]);
  assert.deepEqual(counts, [["it=a", 2], ["it=b", 1], ["it=c", 2], ["it=d", 1]]);
});

function cumulative(start: bigint, counts: readonly number[]) {
  return requestOf({
    name: "m",
    data: {
      case: "histogram",
      value: {
        aggregationTemporality: AggregationTemporality.CUMULATIVE,
        dataPoints: [{
          startTimeUnixNano: start,
          timeUnixNano: start + 1n,
          count: BigInt(counts.reduce((sum, it) => sum + it, 0)),
          sum: 10,
          bucketCounts: counts.map(BigInt),
          explicitBounds: [1],
        }],
      },
    },
  });
}

Deno.test("History.add() takes a cumulative histogram by what it grew", () => {
  const history = new History(OPENED);
  // Begun before we listened: the first reading tells nothing of our time.
  history.add(cumulative(5n, [100, 10]), OPENED);
  history.add(cumulative(5n, [101, 12]), OPENED + 1000);
  // Begun again.
  history.add(cumulative(6n, [1, 1]), OPENED + 2000);
  assert.deepEqual(rows(history)?.map((row) => [row[1], ...row.slice(5)]), [[3, 1, 2], [2, 1, 1]]);
});

Deno.test("History.add() takes what two processes with the same resource gained", () => {
  const history = new History(OPENED);
  const start = (i: number) => BigInt(OPENED + i) * 1_000_000n;
  const gained = ([[1, 5], [2, 7], [1, 5], [2, 7], [1, 6], [2, 9]] as const).map(([i, count]) =>
    history.add(cumulative(start(i), [count, 0]), OPENED + 10)
  );
  assert.deepEqual(gained, [5, 7, 0, 0, 1, 2]);
});

Deno.test("History.add() takes what counters of two processes gained", () => {
  const history = new History(OPENED);
  const counter = (start: number, value: number) =>
    requestOf({
      name: "c",
      data: {
        case: "sum",
        value: {
          isMonotonic: true,
          aggregationTemporality: AggregationTemporality.CUMULATIVE,
          dataPoints: [{
            startTimeUnixNano: BigInt(OPENED + start) * 1_000_000n,
            value: { case: "asDouble", value },
          }],
        },
      },
    });
  for (const [start, value] of [[1, 4], [2, 6], [1, 4], [2, 7]] as const) {
    history.add(counter(start, value), OPENED);
  }
  const sum = rows(history)?.reduce((all, row) => all + Number(row[2]), 0);
  assert.equal(sum, 11);
});

Deno.test("History.add() keeps gauges as they are, and sums by what was added", () => {
  const history = new History(OPENED);
  const number = (value: number) => [{ value: { case: "asDouble" as const, value } }];
  const sum = (name: string, aggregationTemporality: AggregationTemporality, value: number) => ({
    name,
    data: {
      case: "sum" as const,
      value: { isMonotonic: true, aggregationTemporality, dataPoints: number(value) },
    },
  });
  for (const [i, value] of [4, 6, 7].entries()) {
    history.add(
      requestOf(
        { name: "g", data: { case: "gauge", value: { dataPoints: number(value) } } },
        sum("d", AggregationTemporality.DELTA, value),
        sum("c", AggregationTemporality.CUMULATIVE, value),
      ),
      OPENED + i * 400,
    );
  }
  assert.deepEqual(rows(history, 0), [[1000, 3, 17, 4, 7, 7]]);
  assert.deepEqual(rows(history, 1), [[1000, 3, 17, 4, 7, 7]]);
  assert.deepEqual(rows(history, 2), [[1000, 2, 3, 1, 2, 1]]);
});

function exponential(scale: number, offset: number, counts: readonly number[]) {
  return requestOf({
    name: "e",
    data: {
      case: "exponentialHistogram",
      value: {
        aggregationTemporality: AggregationTemporality.DELTA,
        dataPoints: [{
          count: BigInt(counts.reduce((sum, it) => sum + it, 0)),
          scale,
          zeroCount: 0n,
          positive: { offset, bucketCounts: counts.map(BigInt) },
        }],
      },
    },
  });
}

Deno.test("History.add() moves an exponential histogram's columns, and loses nothing", () => {
  const history = new History(OPENED);
  history.add(exponential(3, 0, [1, 2, 3]), OPENED);
  history.add(exponential(20, 5_000_000, [4]), OPENED);
  history.add(exponential(0, -300, [5]), OPENED + 1000);
  history.add(exponential(0, 900, [6]), OPENED + 2000);
  const [series] = history.series;
  assert.equal(series?.totals.reduce((sum, it) => sum + it), 21);
  assert.ok((series?.totals.length ?? 0) < 200);
  assert.equal(series?.bounds.length, (series?.totals.length ?? 0) - 1);
  assert.deepEqual(
    rows(history)?.map((row) => row.slice(5).reduce((sum: number, it) => sum + (it ?? 0), 0)),
    [10, 5, 6],
  );
});

Deno.test("History.add() makes slices longer, then forgets the oldest, and says so", () => {
  const limits = { ...HISTORY_LIMITS, mostSlices: 8, longestSliceMs: 2000 };
  const history = new History(OPENED, limits);
  for (let i = 0; i < 12; i++) {
    history.add(histogramRequest([{ name: "m", counts: [1, 0, 0, 0] }]), OPENED + i * 1000);
  }
  assert.equal(history.sliceMs, 2000);
  assert.deepEqual(rows(history)?.map(([slice, count]) => [slice, count]), [
    [500, 2],
    [501, 2],
    [502, 2],
    [503, 2],
    [504, 2],
    [505, 2],
  ]);
  assert.equal(history.forgottenBefore, undefined);
  history.add(histogramRequest([{ name: "m", counts: [1, 0, 0, 0] }]), OPENED + 30_000);
  assert.equal(history.forgottenBefore, 1_016_000);
  assert.deepEqual(rows(history)?.map(([slice]) => slice), [515]);
  assert.equal(history.series[0]?.count, 13);
});

Deno.test("History.add() counts the data points of series that find no room", () => {
  const history = new History(OPENED, { ...HISTORY_LIMITS, mostSeries: 2 });
  const series = ["a", "b", "c"].map((it) => ({ name: it, counts: [1, 0, 0, 0] }));
  history.add(histogramRequest(series), OPENED);
  history.add(histogramRequest(series), OPENED);
  assert.equal(history.series.length, 2);
  assert.equal(history.leftOut, 2);
});

Deno.test("History.add() keeps within its memory", () => {
  const mostBytes = 100_000;
  const history = new History(OPENED, { ...HISTORY_LIMITS, mostBytes });
  const series = Array.from({ length: 20 }, (_, i) => ({ name: `m${i}`, counts: [1, 2, 3, 4] }));
  for (let i = 0; i < 2000; i++) history.add(histogramRequest(series), OPENED + i * 500);
  const bytes = history.series.reduce((sum, it) => sum + it.bytes, 0);
  assert.ok(bytes < 1.2 * mostBytes, `${bytes} bytes`);
});

Deno.test("History.add() returns what was gained: of cumulative data the growth", () => {
  const history = new History(OPENED);
  const start = BigInt(OPENED - 1) * 1_000_000n;
  const gained = [[5, 5], [6, 8], [6, 8], [1, 0]].map((counts) =>
    history.add(cumulative(start, counts), OPENED)
  );
  assert.deepEqual(gained, [0, 4, 0, 1], "the first says nothing about the time since");
  const delta = histogramRequest([{ name: "d", counts: [1, 2, 0, 0] }]);
  assert.equal(history.add(delta, OPENED), 3);
});

Deno.test("History.add() keeps min, max and sum when a delta holds no measurement", () => {
  const point = (count: bigint, known: object) =>
    requestOf({
      name: "m",
      data: {
        case: "histogram",
        value: {
          aggregationTemporality: AggregationTemporality.DELTA,
          dataPoints: [{ count, bucketCounts: [count, 0n], explicitBounds: [5], ...known }],
        },
      },
    });
  const history = new History(OPENED);
  history.add(point(2n, { sum: 3, min: 1, max: 2 }), OPENED);
  history.add(point(0n, {}), OPENED);
  const { sum, min, max } = history.series[0] ?? {};
  assert.deepEqual([sum, min, max], [3, 1, 2]);
});

Deno.test("History.add() ignores the figures of a stale marker", () => {
  const history = new History(OPENED);
  const request = histogramRequest([{ name: "m", counts: [1010, 0, 0, 0] }]);
  for (const metric of metricsIn(request)) for (const it of dataPointsOf(metric)) it.flags = 1;
  assert.equal(history.add(request, OPENED), 0);
  assert.equal(history.series[0]?.count, 0);
});

Deno.test("History.add() reads exponential offsets at the ends of 32 bits", () => {
  const history = new History(OPENED);
  history.add(exponential(20, 2 ** 31 - 1, [1, 2, 3]), OPENED);
  history.add(exponential(-10, -(2 ** 31), [4]), OPENED);
  assert.equal(history.series[0]?.totals.reduce((sum, it) => sum + it), 10);
});

Deno.test("History.add() remembers nothing of what is left out: long names, no room for names", () => {
  const long = new History(OPENED, { ...HISTORY_LIMITS, longestName: 100 });
  const name = "n".repeat(101);
  long.add(histogramRequest([{ name, counts: [1, 0, 0, 0] }]), OPENED);
  const attributes = { a: "v".repeat(101) };
  long.add(histogramRequest([{ name: "m", attributes, counts: [1, 0, 0, 0] }]), OPENED);
  assert.deepEqual([long.series.length, long.leftOut], [0, 2]);

  const full = new History(OPENED, { ...HISTORY_LIMITS, mostNameBytes: 2000 });
  const names = Array.from({ length: 20 }, (_, i) => `m${i}`);
  full.add(histogramRequest(names.map((it) => ({ name: it, counts: [1, 0, 0, 0] }))), OPENED);
  assert.ok(full.series.length > 0 && full.series.length < 20, String(full.series.length));
  assert.equal(full.leftOut, 20 - full.series.length);
});
