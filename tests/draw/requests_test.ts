import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { drawRequests } from "../../src/draw/requests.ts";
import { type Canvas, canvasOf, wrapWords } from "../../src/console/canvas.ts";
import { uncolored } from "../support/terminal.ts";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  ExponentialHistogramDataPointSchema,
  HistogramDataPointSchema,
} from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";

const bare = { columns: undefined, env: () => undefined };
const canvas: Canvas = { ...canvasOf(bare), width: 40 };

const text = (key: string, value: string) => ({
  key,
  value: { value: { case: "stringValue" as const, value } },
});

/** A request of one resource, with a data point for each of the counts in its middle bucket. */
function request(service: string, ...counts: readonly number[]) {
  const points = counts.map((n): MessageInitShape<typeof HistogramDataPointSchema> => ({
    attributes: [text("n", String(n))],
    count: BigInt(n),
    explicitBounds: [10, 20],
    bucketCounts: [0n, BigInt(n), 0n],
  }));
  return create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      resource: { attributes: service === "" ? [] : [text("service.name", service)] },
      scopeMetrics: [{
        metrics: [{ name: "m", data: { case: "histogram", value: { dataPoints: points } } }],
      }],
    }],
  });
}

function exponential(point: MessageInitShape<typeof ExponentialHistogramDataPointSchema>) {
  return create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      scopeMetrics: [{
        metrics: [{
          name: "e",
          unit: "s",
          data: { case: "exponentialHistogram", value: { dataPoints: [point] } },
        }],
      }],
    }],
  });
}

/** The lines that name a series or a resource. */
const names = (lines: readonly string[]) => lines.filter((line) => /^ {2}\S/.test(line));

Deno.test("drawRequests() draws a block a data point: names, figures, percentiles, bars", () => {
  assert.deepEqual(drawRequests([request("shop", 4)], canvas), [
    "  resource service.name=shop",
    "  m n=4",
    "    count 4",
    "    estimated p50 15, p90 19, p99 19.9",
    "    (-∞, 10] 0",
    `    (10, 20] ${"█".repeat(25)} 4`,
    "    (20, +∞) 0",
  ]);
});

Deno.test("drawRequests() puts the largest first, over all requests, and names a resource that is another", () => {
  const lines = drawRequests([request("a", 2, 9, 5), request("b", 7), request("a", 3)], canvas);
  assert.deepEqual(names(lines), [
    "  resource service.name=a",
    "  m n=9",
    "  resource service.name=b",
    "  m n=7",
    "  resource service.name=a",
    "  m n=5",
    "  m n=3",
    "  m n=2",
  ]);
});

Deno.test("drawRequests() keeps the order of data points of the same size", () => {
  const equal = request("", 3, 3, 3);
  equal.resourceMetrics[0]?.scopeMetrics[0]?.metrics[0]?.data.value?.dataPoints.forEach((it, i) =>
    it.attributes.push(
      create(ExportMetricsServiceRequestSchema, {
        resourceMetrics: [{ resource: { attributes: [text("i", String(i))] } }],
      }).resourceMetrics[0]?.resource?.attributes[0] ?? assert.fail(),
    )
  );
  assert.deepEqual(names(drawRequests([equal], canvas)), [
    "  m n=3 i=0",
    "  m n=3 i=1",
    "  m n=3 i=2",
  ]);
});

Deno.test("drawRequests() says that a percentile lies above the last bound, whether or not max is known", () => {
  const open = request("", 1);
  const value = open.resourceMetrics[0]?.scopeMetrics[0]?.metrics[0]?.data;
  assert.equal(value?.case, "histogram");
  const [point] = value?.case === "histogram" ? value.value.dataPoints : [];
  assert.ok(point !== undefined);
  point.bucketCounts = [0n, 1n, 1n];
  assert.ok(drawRequests([open], canvas).includes("    estimated p50 20, p90 > 20, p99 > 20"));
  point.max = 30;
  assert.ok(drawRequests([open], canvas).includes("    count 1, max 30"));
  assert.ok(drawRequests([open], canvas).includes("    estimated p50 20, p90 > 20, p99 > 20"));
});

Deno.test("drawRequests() leaves percentiles out when the counts do not fit the bounds", () => {
  const broken = request("", 5);
  const data = broken.resourceMetrics[0]?.scopeMetrics[0]?.metrics[0]?.data;
  const [point] = data?.case === "histogram" ? data.value.dataPoints : [];
  point?.bucketCounts.push(3n);
  assert.deepEqual(drawRequests([broken], canvas).filter((line) => line.includes("estimated")), []);
});

Deno.test("drawRequests() estimates from all of an exponential histogram's buckets, not from those drawn", () => {
  const counts = Array.from({ length: 160 }, () => 1n);
  const lines = drawRequests([
    exponential({ count: 160n, scale: 5, positive: { offset: 0, bucketCounts: counts } }),
  ], canvas);
  // The 80th bucket of 2^(1/32) ends at 2^(80/32); the drawn buckets are 16 times as wide.
  assert.match(lines[2] ?? "", /^ {4}estimated p50 5\.65685, p90 22\.6274, /);
  assert.equal(lines.filter((line) => line.includes("█")).length, 10);
});

Deno.test("drawRequests() tells the bounds of a narrow exponential bucket apart", () => {
  const lines = drawRequests([
    exponential({ count: 1n, scale: 20, positive: { offset: 6_000_000, bucketCounts: [1n] } }),
  ], canvas);
  const [, from, to] = /\((\S+), (\S+)\] █/.exec(lines.join("\n")) ?? [];
  assert.ok(Number(from) < Number(to), `(${from}, ${to}]`);
});

Deno.test("drawRequests() keeps to a terminal's width, with long names broken and nothing lost", () => {
  const request = exponential({
    count: 1000n,
    sum: 123456.789,
    positive: { offset: 0, bucketCounts: [999n, 1n] },
    attributes: [text("http.method", "GET"), text("path", "/a/very/long/path/".repeat(9))],
  });
  for (const columns of [30, 50, 80, 200]) {
    const lines = drawRequests([request], canvasOf({ ...bare, columns, env: () => "1" }));
    assert.equal(Math.max(...lines.map((line) => line.length)), columns);
    assert.equal(lines.map((line) => line.trim()).join("").match(/\/long\//g)?.length, 9);
  }
});

Deno.test("drawRequests() keeps a figure's name and value on one line", () => {
  const narrow = drawRequests([request("", 4)], { ...canvas, breakAt: 30 });
  assert.deepEqual(narrow.slice(1, 4), [
    "    count 4",
    "    estimated p50 15, p90 19,",
    "      p99 19.9",
  ]);
});

Deno.test("drawRequests() breaks no line where no terminal shows it", () => {
  const request = exponential({ attributes: [text("a", "x".repeat(200)), text("b", "y")] });
  assert.equal(drawRequests([request], canvas)[0], `  e (s) a=${"x".repeat(200)} b=y`);
});

Deno.test("drawRequests() shows nobody what has to be hidden", () => {
  const hide = (word: string) => word.replaceAll("SECRET", "***");
  const lines = drawRequests([request("SECRET", 1)], { ...canvasOf(bare), hide });
  assert.equal(lines[0], "  resource service.name=***");
});

Deno.test("canvasOf() paints on a terminal alone, and not when NO_COLOR is set to something", () => {
  const painted = (columns: number | undefined, noColor: string | undefined, color = true) =>
    canvasOf({ columns, env: (name) => name === "NO_COLOR" ? noColor : undefined }, { color })
      .paint.bar("x") !== "x";
  assert.equal(painted(80, undefined), true);
  assert.equal(painted(80, ""), true);
  assert.equal(painted(80, "0"), false);
  assert.equal(painted(80, undefined, false), false);
  assert.equal(painted(undefined, undefined), false);
});

Deno.test("drawRequests() in colour differs from it without only by what a terminal takes out", () => {
  const terminal = { ...bare, columns: 60 };
  const colored = drawRequests([request("shop", 3, 4)], canvasOf(terminal));
  const plain = drawRequests([request("shop", 3, 4)], canvasOf(terminal, { color: false }));
  assert.deepEqual(uncolored(colored), plain);
  const bar = colored.find((line) => line.includes("█")) ?? "";
  // deno-lint-ignore no-control-regex
  assert.match(bar, /^ +\x1b\[2m *\(.*\]\x1b\[22m \x1b\[36m█+\x1b\[39m 4$/);
});

Deno.test("wrapWords() breaks between words, and a word that is longer than a line", () => {
  assert.deepEqual(wrapWords(["one", "two", "three"], 2, 9), ["  one two", "    three"]);
  assert.deepEqual(wrapWords(["a", "bcdefghijk", "l"], 1, 6), [
    " a",
    "   bcd",
    "   efg",
    "   hij",
    "   k l",
  ]);
  assert.deepEqual(wrapWords(["one", "two"], 2, Infinity), ["  one two"]);
  assert.deepEqual(wrapWords([], 2, 80), []);
});
