import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  base2Buckets,
  bothEstimates,
  explicitBuckets,
  type Interpolation,
} from "../../src/aggregate/quantile.ts";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { inDirectory } from "../support/directory.ts";
import { seeded } from "../support/seeded.ts";
import { missing, namedUnless } from "../support/tools.ts";
import { startPrometheus, startVictoriaMetrics } from "../support/metric_stores.ts";

// The estimates from buckets only against histogram_quantile of a real Prometheus and a real VictoriaMetrics.

const SHARES = [0.5, 0.9, 0.99] as const;
const SDK = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];
const LAYOUTS = [SDK, [0.005, 0.01, 0.1, 1, 10], [1], [-10, -1, 3, 100]];

interface Case {
  readonly series: string;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** Histograms of several layouts: all in one bucket, all above the last bound, and random ones. */
function cases(): readonly Case[] {
  const random = seeded(22);
  return LAYOUTS.flatMap((bounds, layout) => {
    const buckets = bounds.map((_, i) => i).concat(bounds.length);
    const only = (at: number) => buckets.map((i) => i === at ? 100 : 0);
    const any = () => buckets.map(() => random() < 0.4 ? 0 : Math.floor(random() * 1000));
    return [only(0), only(1), only(bounds.length), any(), any(), any()].map((counts, i) => ({
      series: `${layout}-${i}`,
      bounds,
      counts,
    }));
  });
}

const EXPONENTIAL = [
  { series: "narrow", scale: 3, offset: 20, counts: [1, 5, 9, 2, 0, 4] },
  { series: "wide", scale: -1, offset: -3, counts: [3, 1, 7, 20] },
  { series: "one", scale: 0, offset: 4, counts: [50] },
];

const attributesOf = (series: string) => [{
  key: "series",
  value: { value: { case: "stringValue" as const, value: series } },
}];

/** Running totals of all cases, as Prometheus takes them. */
function otlp(): Uint8Array<ArrayBuffer> {
  const now = BigInt(Date.now()) * 1_000_000n;
  const times = { startTimeUnixNano: now - 1_000_000_000n, timeUnixNano: now };
  const aggregationTemporality = AggregationTemporality.CUMULATIVE;
  const total = (counts: readonly number[]) =>
    BigInt(counts.reduce((sum, count) => sum + count, 0));
  const explicit = cases().map(({ series, bounds, counts }) => ({
    ...times,
    attributes: attributesOf(series),
    count: total(counts),
    sum: 1,
    explicitBounds: [...bounds],
    bucketCounts: counts.map(BigInt),
  }));
  const exponential = EXPONENTIAL.map(({ series, scale, offset, counts }) => ({
    ...times,
    attributes: attributesOf(series),
    count: total(counts),
    sum: 1,
    scale,
    positive: { offset, bucketCounts: counts.map(BigInt) },
  }));
  const request = create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      scopeMetrics: [{
        metrics: [
          {
            name: "m",
            data: { case: "histogram", value: { aggregationTemporality, dataPoints: explicit } },
          },
          {
            name: "e",
            data: {
              case: "exponentialHistogram",
              value: { aggregationTemporality, dataPoints: exponential },
            },
          },
        ],
      }],
    }],
  });
  return toBinary(ExportMetricsServiceRequestSchema, request);
}

/** The same in Prometheus' text format. */
function exposition(): string {
  return cases().flatMap(({ series, bounds, counts }) => {
    let below = 0;
    return [...bounds, "+Inf"].map((bound, i) => {
      below += counts[i] ?? 0;
      return `m_bucket{series="${series}",le="${bound}"} ${below}\n`;
    });
  }).join("");
}

/** The values of a query, by the label `series`. */
async function query(url: string, text: string): Promise<ReadonlyMap<string, number>> {
  const body = new URLSearchParams({ query: text, time: String(Date.now() / 1000 + 1) });
  const answer = await fetch(`${url}/api/v1/query`, { method: "POST", body });
  const { data }: { data: { result: { metric: { series: string }; value: [number, string] }[] } } =
    await answer.json();
  return new Map(data.result.map(({ metric, value }) => [metric.series, Number(value[1])]));
}

async function assertQuantiles(url: string, of: readonly Case[]): Promise<void> {
  for (const share of SHARES) {
    const found = await query(url, `histogram_quantile(${share}, m_bucket)`);
    for (const { series, bounds, counts } of of) {
      const buckets = explicitBuckets(bounds, counts);
      assertClose(found.get(series), aloneOf(share, buckets, "linear"), `${share} of ${series}`);
    }
  }
}

function aloneOf(
  share: number,
  buckets: ReturnType<typeof explicitBuckets>,
  between: Interpolation,
): number {
  const estimates = bothEstimates(share, buckets, { min: undefined, max: undefined }, between);
  return estimates?.alone?.value ?? NaN;
}

function assertClose(actual: number | undefined, expected: number, what: string): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= 1e-9 * Math.abs(expected),
    `${what}: ${actual} there, ${expected} here`,
  );
}

Deno.test({
  ...namedUnless(
    missing("PROMETHEUS"),
    "bothEstimates() computes from buckets only what histogram_quantile of Prometheus does",
  ),
  async fn() {
    await inDirectory(async (directory) => {
      await using store = await startPrometheus(directory, "native-histograms");
      const answer = await fetch(`${store.url}/api/v1/otlp/v1/metrics`, {
        method: "POST",
        body: otlp(),
        headers: { "Content-Type": "application/x-protobuf" },
      });
      assert.equal(answer.status, 200, await answer.text());
      await assertQuantiles(store.url, cases());
      for (const share of SHARES) {
        const found = await query(store.url, `histogram_quantile(${share}, e)`);
        for (const { series, scale, offset, counts } of EXPONENTIAL) {
          const buckets = base2Buckets({
            scale,
            zeroCount: 0,
            positive: { offset, counts },
            negative: { offset: 0, counts: [] },
          });
          const alone = aloneOf(share, buckets, "exponential");
          assertClose(found.get(series), alone, `${share} of ${series}`);
        }
      }
    });
  },
});

Deno.test({
  ...namedUnless(
    missing("VICTORIAMETRICS"),
    "bothEstimates() computes from buckets only what histogram_quantile of VictoriaMetrics does",
  ),
  async fn() {
    await inDirectory(async (directory) => {
      await using store = await startVictoriaMetrics(directory, {
        flags: ["--search.latencyOffset=1ms"],
      });
      const { url } = store;
      const answer = await fetch(`${url}/api/v1/import/prometheus`, {
        method: "POST",
        body: exposition(),
      });
      assert.ok(answer.ok, await answer.text());
      await (await fetch(`${url}/internal/force_flush`)).body?.cancel();
      // It takes the bounds of a first bucket below 0 for 0 and its upper one.
      const positive = cases().filter(({ bounds: [first = 0] }) => first >= 0);
      await assertQuantiles(url, positive);
    });
  },
});
