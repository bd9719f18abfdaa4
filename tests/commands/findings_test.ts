import assert from "node:assert/strict";
import type { DataFinding } from "../../src/aggregate/snapshot.ts";
import { FindingFilter } from "../../src/commands/findings.ts";

function endBucket(bucket: "first" | "last", nearest: number, metric = "m"): DataFinding {
  return { type: "end-bucket", endBucket: { metric, bucket, nearest, bound: 10 } };
}

function told(filter: FindingFilter, finding: DataFinding, values: number, isLast: boolean) {
  return [...filter.worthReporting([finding], values, isLast)].length;
}

Deno.test("FindingFilter lets everything through but end buckets", () => {
  const found: readonly DataFinding[] = [
    { type: "overflow", overflow: { measurements: 1, series: 1, more: false } },
    { type: "unequal-bounds", series: 2 },
    { type: "split-intervals", closedEarly: 1, reopened: 0 },
  ];
  const filter = new FindingFilter();
  for (let send = 0; send < 2; send++) {
    assert.deepEqual([...filter.worthReporting(found, 1, false)], found);
  }
});

Deno.test("FindingFilter waits for a hundred values while more may come, and reports a metric once", () => {
  const filter = new FindingFilter();
  const finding = endBucket("first", 9);
  assert.equal(told(filter, finding, 99, false), 0);
  assert.equal(told(filter, finding, 100, false), 1);
  assert.equal(told(filter, finding, 200, false), 0, "once");
  assert.equal(told(filter, endBucket("first", 9, "other"), 200, false), 1);
});

Deno.test("FindingFilter needs ten values at the end, or fewer that are far away", () => {
  const cases = [
    [endBucket("first", 9), 10, 1],
    [endBucket("first", 9), 9, 0],
    [endBucket("first", 1.9), 1, 1],
    [endBucket("first", 2), 1, 0],
    [endBucket("last", 51), 1, 1],
    [endBucket("last", 50), 1, 0],
  ] as const;
  for (const [finding, values, times] of cases) {
    assert.equal(told(new FindingFilter(), finding, values, true), times);
  }
});
