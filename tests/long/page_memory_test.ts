import assert from "node:assert/strict";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  AggregationTemporality,
  type MetricSchema,
} from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { type Judge, MB, peakMemory, post, startJudge } from "../support/judge.ts";
import { each } from "../support/cases.ts";
import { figure } from "../support/figure.ts";

/** Peak memory of `receive --ui` that docs/receive.md promises. */
const MOST_MEMORY = 400 * MB;

type MetricInit = MessageInitShape<typeof MetricSchema>;

function text(value: string) {
  return { value: { case: "stringValue" as const, value } };
}

function histogram(name: string, attribute?: string, count = 1n): MetricInit {
  return {
    name,
    data: {
      case: "histogram",
      value: {
        aggregationTemporality: AggregationTemporality.DELTA,
        dataPoints: [{
          timeUnixNano: BigInt(Date.now()) * 1_000_000n,
          count,
          sum: 1,
          bucketCounts: [1n, 0n],
          explicitBounds: [5],
          attributes: attribute === undefined ? [] : [{ key: "k", value: text(attribute) }],
        }],
      },
    },
  };
}

function body(resources: readonly (readonly [id: string, metrics: MetricInit[]])[]) {
  return toBinary(
    ExportMetricsServiceRequestSchema,
    create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: resources.map(([id, metrics]) => ({
        resource: { attributes: [{ key: "id", value: text(id) }] },
        scopeMetrics: [{ metrics }],
      })),
    }),
  );
}

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** Text of that length, different for each seed. */
function textOf(length: number, seed: number): string {
  return `${seed}-`.padEnd(length, "x");
}

/** Requests, one after the other, that what is kept for the page could grow with. */
const LOADS: readonly [
  name: string,
  requests: number,
  make: (i: number) => Uint8Array<ArrayBuffer>,
][] = [
  ["60,000 resources", 60, (i) => body(times(1000, (j) => [`r${i}-${j}`, [histogram("m")]]))],
  [
    "120,000 metrics without data points",
    12,
    (i) => body([["r", times(10_000, (j) => emptyMetric(`m${i}-${j}`))]]),
  ],
  [
    "names of 1 KB",
    60,
    (i) => body([["r", times(1000, (j) => histogram(textOf(1000, 1000 * i + j)))]]),
  ],
  [
    "60,000 refused series with names of 1 KB",
    60,
    (i) => body([["r", times(1000, (j) => histogram(textOf(1000, 1000 * i + j), "a", 2n))]]),
  ],
  [
    "attribute values of 400 KB",
    500,
    (i) => body([["r", [histogram("m", textOf(400_000, i))]]]),
  ],
  [
    "549 attributes of 3.9 MB",
    549,
    (i) => body([["r", [histogram("m", textOf(3_900_000, i))]]]),
  ],
];

function emptyMetric(name: string): MetricInit {
  const aggregationTemporality = AggregationTemporality.DELTA;
  return { name, data: { case: "histogram", value: { aggregationTemporality, dataPoints: [] } } };
}

each(
  LOADS,
  ([name]) => `receive --ui keeps its memory with ${name}`,
  async ([name, count, make]) => {
    await using judge = await startJudge("--ui", "--rules", "otlp");
    for (let i = 0; i < count; i++) {
      const { status } = await post(judge, make(i));
      assert.equal(status, 200);
    }
    await assertBelow(judge, name);
  },
);

async function assertBelow(judge: Judge, name: string): Promise<void> {
  if (Deno.build.os !== "linux") return;
  const peak = await peakMemory(judge);
  await figure(`receive --ui, ${name}: ${Math.round(peak / MB)} MB at its peak`);
  assert.ok(peak > 0 && peak < MOST_MEMORY, `${Math.round(peak / MB)} MB at its peak`);
}
