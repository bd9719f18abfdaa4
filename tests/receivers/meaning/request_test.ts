import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { InstrumentationScopeSchema } from "../../../src/otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import type { ExportMetricsServiceRequest } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { dataPointsOf, metricsIn } from "../../../src/otlp/data_points.ts";
import { RequestMeaning } from "../../../src/receivers/meaning/request.ts";
import { MeaningWatch } from "../../../src/receivers/meaning/watch.ts";
import { histogram, point, type PointInit, requestOf, SDK_BOUNDS, spread } from "./cases.ts";

const NONE = new Set<never>();
const BOUNDS = [10, 20, 30];

function delta(values: readonly number[], name = "a"): ExportMetricsServiceRequest {
  return requestOf(histogram(name, "ms", [point(BOUNDS, values)]));
}

function total(values: readonly number[], change: PointInit = {}): ExportMetricsServiceRequest {
  return requestOf(
    histogram("a", "ms", [point(BOUNDS, values, change)], AggregationTemporality.CUMULATIVE),
  );
}

/** The rules that each request breaks for the first time. */
function rulesOf(meaning: RequestMeaning, ...requests: ExportMetricsServiceRequest[]): string[] {
  return requests.map((request) => meaning.add(request, NONE).map(({ rule }) => rule).join());
}

Deno.test("a rule counts over requests and fires once per metric, with the request that broke it", () => {
  const half = delta(spread(10, 15));
  assert.deepEqual(
    rulesOf(new RequestMeaning(), half, half, half, delta(spread(20, 5), "b"), half),
    ["", "one-bucket", "", "one-bucket", ""],
  );
});

Deno.test("values elsewhere keep one-bucket from firing, whenever they come", () => {
  const half = delta(spread(10, 15));
  assert.deepEqual(rulesOf(new RequestMeaning(), half, delta([5]), half, half), ["", "", "", ""]);
});

Deno.test("a running total is replaced, not added", () => {
  const meaning = new RequestMeaning();
  const same = total(spread(10, 15));
  assert.deepEqual(rulesOf(meaning, same, same, same), ["", "", ""]);
  assert.deepEqual(rulesOf(meaning, total(spread(20, 15))), ["one-bucket"]);
});

Deno.test("running totals of several series add up, and each counts for itself", () => {
  const two = (a: number, b: number) =>
    requestOf(histogram(
      "a",
      "ms",
      [a, b].map((count, i) =>
        point(BOUNDS, spread(count, 15), {
          attributes: [{ key: "i", value: { value: { case: "intValue", value: BigInt(i) } } }],
        })
      ),
      AggregationTemporality.CUMULATIVE,
    ));
  assert.deepEqual(rulesOf(new RequestMeaning(), two(6, 6), two(8, 8), two(12, 8)), [
    "",
    "",
    "one-bucket",
  ]);
});

Deno.test("running totals of scopes that differ only in attributes each count for themselves", () => {
  const of = (count: number, id: string) => {
    const request = total(spread(count, 15));
    const [scopeMetrics] = request.resourceMetrics[0]?.scopeMetrics ?? [];
    assert.ok(scopeMetrics !== undefined);
    const attributes = [{
      key: "id",
      value: { value: { case: "stringValue", value: id } },
    }] as const;
    scopeMetrics.scope = create(InstrumentationScopeSchema, { attributes: [...attributes] });
    return request;
  };
  const meaning = new RequestMeaning();
  assert.deepEqual(rulesOf(meaning, of(9, "a"), of(5, "b"), of(9, "a"), of(5, "b")), [
    "",
    "",
    "",
    "",
  ]);
  assert.deepEqual(rulesOf(meaning, of(15, "a")), ["one-bucket"]);
});

Deno.test("a running total that began again counts as a whole", () => {
  const again = total(spread(9, 15), { startTimeUnixNano: 2n, timeUnixNano: 3n });
  const fallen = total(spread(3, 15));
  assert.deepEqual(rulesOf(new RequestMeaning(), total(spread(12, 15)), again), [
    "",
    "one-bucket",
  ]);
  assert.deepEqual(rulesOf(new RequestMeaning(), total(spread(17, 15)), fallen), [
    "",
    "one-bucket",
  ]);
});

Deno.test("running totals of two processes with the same resource each count for themselves", () => {
  const of = (startTimeUnixNano: bigint, values: number) =>
    total(spread(values, 15), { startTimeUnixNano, timeUnixNano: 9n });
  const meaning = new RequestMeaning();
  assert.deepEqual(rulesOf(meaning, of(1n, 9), of(2n, 9), of(1n, 9), of(2n, 9)), ["", "", "", ""]);
  assert.deepEqual(rulesOf(meaning, of(1n, 11)), ["one-bucket"]);
});

Deno.test("a running total that comes late counts nothing, and what follows is not counted twice", () => {
  const at = (values: number, timeUnixNano: bigint) => total(spread(values, 15), { timeUnixNano });
  assert.deepEqual(
    rulesOf(new RequestMeaning(), at(17, 4n), at(10, 3n), at(18, 5n), at(19, 6n), at(20, 7n)),
    ["", "", "", "", "one-bucket"],
  );
});

Deno.test("rejected data points count for no rule", () => {
  const request = requestOf(
    histogram("a", "s", [point(SDK_BOUNDS, spread(30, 1))]),
    histogram("b", "s", [point(SDK_BOUNDS, spread(30, 1))]),
  );
  const [first] = metricsIn(request);
  assert.ok(first !== undefined);
  const found = new RequestMeaning().add(request, new Set(dataPointsOf(first)));
  assert.deepEqual(found.map(({ rule, metric }) => [rule, metric]), [
    ["bounds-unit", "b"],
    ["one-bucket", "b"],
  ]);
});

Deno.test("series without room are not counted, and say nothing", () => {
  const meaning = new RequestMeaning(0);
  assert.deepEqual(rulesOf(meaning, total(spread(100, 15))), [""]);
  assert.deepEqual(rulesOf(meaning, delta(spread(100, 15))), ["one-bucket"]);
});

Deno.test("metrics without room are not judged, and the memory stays bounded", () => {
  const watch = new MeaningWatch(10_000);
  const added = { bounds: BOUNDS, counts: [0, 20, 0, 0], count: 20, sum: 300 };
  for (let i = 0; i < 1000; i++) watch.add(`m${i}`, "ms", added);
  const found = watch.take();
  assert.ok(found.length > 5 && found.length < 40, `${found.length} metrics`);
  watch.add("m0", "ms", added);
  watch.add("m999", "ms", added);
  assert.deepEqual(watch.take(), []);
});

Deno.test("a metric that comes in many layouts is counted in twenty of them", () => {
  const watch = new MeaningWatch();
  for (let i = 1; i <= 21; i++) {
    watch.add("a", "ms", { bounds: [i], counts: [1, 0], count: 1, sum: 0 });
  }
  const many = (bound: number) => ({ bounds: [bound], counts: [20, 0], count: 20, sum: 0 });
  watch.add("a", "ms", many(21));
  assert.deepEqual(watch.take(), []);
  watch.add("a", "ms", many(20));
  assert.deepEqual(watch.take().map(({ rule }) => rule), ["one-bucket"]);
});
