import assert from "node:assert/strict";
import { FineHistogram } from "../../../src/aggregate/fine.ts";
import type { JsonObject } from "../../../src/platform/json_object.ts";
import { mergeSummaries, worstExitCode } from "../../../src/commands/merge_summaries/merge.ts";
import { mergedJson } from "../../../src/commands/merge_summaries/report.ts";
import { type ProcessSummary, readSummary } from "../../../src/commands/merge_summaries/summary.ts";
import { latencyHistogram } from "../../../src/commands/send/latency_histogram.ts";
import { seededRandom } from "../../../src/source/generate/random.ts";

/** Summary of a process that sent 5 measurements, with changes. */
function summaryOf(changes: JsonObject = {}): ProcessSummary {
  const summary = readSummary({
    type: "summary",
    ...{ recorded: 5, delivered: 5, rejected: 0, dropped: 0, pending: 0, invalid: 0, skipped: 0 },
    ...{ rejectedPoints: 0, sends: 1, exitCode: 0, elapsedMs: 100, requests: 1, points: 3 },
    bytes: 400,
    latencyMs: { p50: 10, p90: 10, p99: 10, max: 10 },
    startTime: "2026-01-31T12:00:00.000Z",
    latencyHistogram: { bounds: [9, 11], counts: [0, 1, 0] },
    shard: null,
    ...changes,
  });
  assert.ok(summary !== undefined);
  return summary;
}

/** Summary of a process with these latencies in ms. */
function withLatencies(values: readonly number[]): ProcessSummary {
  const fine = new FineHistogram();
  for (const value of values) fine.add(value);
  return summaryOf({
    requests: values.length,
    latencyMs: { max: Math.max(...values) },
    latencyHistogram: latencyHistogram(fine.buckets()),
  });
}

Deno.test("mergeSummaries() finds percentiles of all latencies within 4.5%", () => {
  const random = seededRandom("latency");
  // Four processes near their receiver, one far from it.
  const all = [1, 1, 2, 3, 50].map((scale) =>
    Array.from({ length: 2000 }, () => scale * Math.exp(2 * random()))
  );
  const { latencyMs } = mergeSummaries(all.map(withLatencies));
  const sorted = all.flat().sort((a, b) => a - b);
  for (const [key, q] of [["p50", 0.5], ["p90", 0.9], ["p99", 0.99]] as const) {
    const exact = sorted[Math.ceil(q * sorted.length) - 1] ?? NaN;
    const found = latencyMs[key] ?? NaN;
    assert.ok(Math.abs(found - exact) <= 0.045 * exact, `${key}: ${found}, exactly ${exact}`);
  }
  assert.equal(latencyMs.max, sorted.at(-1));
});

Deno.test("mergeSummaries() never puts a percentile above the max", () => {
  const { latencyMs } = mergeSummaries([withLatencies([8.1]), withLatencies([8.1])]);
  assert.equal(latencyMs.max, 8.1);
  for (const percentile of [latencyMs.p50, latencyMs.p90, latencyMs.p99]) {
    assert.ok(percentile !== null && percentile > 7.9 && percentile <= 8.1, `${percentile}`);
  }
});

Deno.test("mergeSummaries() measures from the first start to the last end", () => {
  const merged = mergeSummaries([
    summaryOf({ startTime: "2026-01-31T12:00:02.000Z", elapsedMs: 500 }),
    summaryOf({ startTime: "2026-01-31T12:00:01.000Z", elapsedMs: 700 }),
    summaryOf({ startTime: undefined, elapsedMs: 900 }),
  ]);
  assert.equal(merged.startTime, Date.parse("2026-01-31T12:00:01.000Z"));
  assert.equal(merged.elapsedMs, 1500);
});

Deno.test("mergeSummaries() counts summaries without a histogram, and those with other bounds", () => {
  const { withoutLatency, counts, latency } = mergeSummaries([
    summaryOf(),
    summaryOf({ latencyHistogram: undefined }),
    summaryOf({ latencyHistogram: { bounds: [1], counts: [0, 1] } }),
    summaryOf({ latencyHistogram: { bounds: [9, 11], counts: [1] } }),
  ]);
  assert.deepEqual([withoutLatency, counts.requests], [3, 4]);
  assert.deepEqual(latency?.counts, [0, 1, 0]);
});

for (
  const [codes, worst] of [
    [[0, 0], 0],
    [[0, 3], 3],
    [[3, 1], 1],
    [[1, 2], 2],
    [[0, 143], 1],
  ] as const
) {
  Deno.test(`worstExitCode() of ${codes.join(" and ")} is ${worst}`, () => {
    const { exitCodes } = mergeSummaries(codes.map((exitCode) => summaryOf({ exitCode })));
    assert.equal(worstExitCode(exitCodes), worst);
  });
}

Deno.test("mergeSummaries() adds capacities only when every process has one", () => {
  const capacity = { pointsPerSecond: 1000, requestsPerSecond: 10, p99Ms: 20, limitedBy: "none" };
  const limited = { pointsPerSecond: 500, requestsPerSecond: 5, p99Ms: 90, limitedBy: "status" };
  const both = mergeSummaries([summaryOf({ capacity }), summaryOf({ capacity: limited })]);
  assert.deepEqual(both.capacity, {
    pointsPerSecond: 1500,
    requestsPerSecond: 15,
    p99Ms: 90,
    limitedBy: "status",
  });
  const one = mergeSummaries([summaryOf({ capacity }), summaryOf()]);
  assert.deepEqual([one.capacity, one.withoutCapacity], [undefined, 1]);
  const idle = { recorded: 0, delivered: 0, sends: 0, requests: 0 };
  const withIdle = mergeSummaries([summaryOf({ capacity }), summaryOf(idle)]);
  assert.deepEqual([withIdle.capacity?.pointsPerSecond, withIdle.withoutCapacity], [1000, 0]);
  assert.equal(mergeSummaries([summaryOf(idle)]).capacity, undefined);
});

Deno.test("A merge of merges is the merge of all, gaps in the shards too", () => {
  const shards = [0, 1, 1, 3].map((index) => summaryOf({ shard: { index, of: 5 }, exitCode: 3 }));
  const again = (part: readonly ProcessSummary[]) => {
    const summary = readSummary(JSON.parse(mergedJson(mergeSummaries(part), 1)));
    assert.ok(summary !== undefined);
    return summary;
  };
  const all = mergeSummaries(shards);
  assert.deepEqual(all.shards, [{ of: 5, missing: [2, 4], repeated: [1] }]);
  assert.equal(all.processes, 4);
  assert.deepEqual(
    mergedJson(mergeSummaries([again(shards.slice(0, 3)), again(shards.slice(3))]), 1),
    mergedJson(all, 1),
  );
});
