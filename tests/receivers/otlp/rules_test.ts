import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  AggregationTemporality,
  DataPointFlags,
  type ExponentialHistogramDataPointSchema,
  type HistogramDataPointSchema,
  type MetricSchema,
  type SummaryDataPoint,
  type SummaryDataPointSchema,
} from "../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { each } from "../../support/cases.ts";
import { judgeOtlp } from "../../../src/receivers/otlp/rules.ts";

type MetricInit = MessageInitShape<typeof MetricSchema>;
type HistogramPoint = MessageInitShape<typeof HistogramDataPointSchema>;
type ExponentialPoint = MessageInitShape<typeof ExponentialHistogramDataPointSchema>;

const TIMES = { startTimeUnixNano: 1n, timeUnixNano: 2n };
const GOOD: HistogramPoint = {
  ...TIMES,
  count: 3n,
  sum: 20,
  min: 2,
  max: 12,
  bucketCounts: [1n, 1n, 1n],
  explicitBounds: [5, 10],
};
const GOOD_EXPONENTIAL: ExponentialPoint = {
  ...TIMES,
  count: 6n,
  sum: 30,
  min: 0,
  max: 12,
  zeroCount: 1n,
  positive: { offset: 0, bucketCounts: [2n, 3n] },
};

function judge(...metrics: MetricInit[]) {
  return judgeOtlp(
    create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: [{ scopeMetrics: [{ metrics }] }],
    }),
  );
}

function histogram(points: HistogramPoint[], name = "m"): MetricInit {
  const value = { aggregationTemporality: AggregationTemporality.DELTA, dataPoints: points };
  return { name, data: { case: "histogram", value } };
}

function exponential(point: ExponentialPoint): MetricInit {
  const value = { aggregationTemporality: AggregationTemporality.DELTA, dataPoints: [point] };
  return { name: "m", data: { case: "exponentialHistogram", value } };
}

const broken: [string, string, HistogramPoint, RegExp][] = [
  ["bucket-sum", "error", { count: 4n }, /sum to 3, but count is 4/],
  [
    "bucket-count",
    "error",
    { bucketCounts: [1n, 2n] },
    /2 bucket counts with 2 bounds: expected 3/,
  ],
  ["bucket-count", "error", { explicitBounds: [5, 10, 15] }, /3 bucket counts with 3 bounds/],
  ["bounds-order", "error", { explicitBounds: [5, 5] }, /bound 5 does not follow 5/],
  ["bounds-order", "error", { explicitBounds: [10, 5] }, /bound 5 does not follow 10/],
  ["bounds-order", "error", { explicitBounds: [NaN, 10] }, /bound 1 is not a number/],
  ["bounds-order", "error", { explicitBounds: [5, NaN] }, /bound 2 is not a number/],
  ["bounds-infinite", "warning", {
    explicitBounds: [5, Infinity],
    bucketCounts: [1n, 2n, 0n],
  }, /stays empty/],
  ["time-order", "error", { startTimeUnixNano: 3n }, /starts 1 ns after it ends/],
  ["time-missing", "warning", { timeUnixNano: 0n, startTimeUnixNano: 0n }, /not set/],
  ["not-finite", "error", { sum: Infinity }, /sum is Infinity/],
  ["not-finite", "warning", { sum: NaN }, /sum is NaN/],
  ["not-finite", "error", { max: NaN }, /max is NaN/],
  ["sum-range", "warning", { sum: 5 }, /sum 5 is less than count 3 times min 2/],
  ["sum-range", "warning", { sum: 36.1 }, /sum 36.1 is more than count 3 times max 12/],
  ["min-bucket", "warning", { min: 5.5 }, /min 5.5 is outside \(-∞, 5\]/],
  ["max-bucket", "warning", { max: 10 }, /max 10 is outside \(10, \+∞\)/],
  ["sum-negative", "warning", { min: -1 }, /negative/],
  [
    "attribute-keys",
    "error",
    { attributes: [{ key: "a" }, { key: "b" }, { key: "a" }] },
    /the data point has the attribute "a" more than once/,
  ],
  [
    "attribute-keys",
    "error",
    { attributes: [...Array.from({ length: 20 }, (_, i) => ({ key: `k${i}` })), { key: "k3" }] },
    /the data point has the attribute "k3" more than once/,
  ],
  ["sum-empty", "error", {
    count: 0n,
    bucketCounts: [],
    explicitBounds: [],
    sum: 1,
  }, /sum is 1 but count is 0/],
];

for (const [rule, level, change, message] of broken) {
  Deno.test(`judgeOtlp() finds ${rule} (${level}) when a histogram has ${describe(change)}`, () => {
    const verdict = judge(histogram([{ ...GOOD, ...change }]));
    assert.deepEqual(verdict.problems.map((it) => [it.rule, it.level, it.metric]), [[
      rule,
      level,
      "m",
    ]]);
    assert.match(verdict.problems[0]?.message ?? "", message);
    assert.equal(verdict.rejectedPoints, level === "error" ? 1 : 0);
    assert.equal(verdict.status, 200);
    if (level === "error") {
      assert.match(verdict.message, new RegExp(`1 of 1 data points .*${rule}: m: `));
    } else assert.equal(verdict.message, "");
  });
}

function describe(change: HistogramPoint): string {
  return Object.entries(change).map(([key, value]) => `${key} ${value}`).join(", ");
}

Deno.test("judgeOtlp() finds min-max when min is above max", () => {
  const point = { ...GOOD, min: 4, max: 3, bucketCounts: [3n, 0n, 0n] };
  const rules = judge(histogram([point])).problems.map((it) => it.rule);
  assert.ok(rules.includes("min-max"), rules.join());
});

const fine: [string, HistogramPoint][] = [
  ["every figure in order", {}],
  ["no buckets at all", { bucketCounts: [], explicitBounds: [] }],
  ["one bucket and no bounds", { bucketCounts: [3n], explicitBounds: [] }],
  ["no min and no max", { min: undefined, max: undefined }],
  ["negative values and no sum", { min: -1, sum: undefined }],
  ["a value on a bound, which is inclusive", { min: 5 }],
  ["a start that is not known", { startTimeUnixNano: 0n }],
  ["a start that is its end", { startTimeUnixNano: 2n }],
  ["a sum whose last digit is off", {
    count: 3n,
    min: 0.1,
    max: 0.1,
    sum: 0.30000000000000004,
    bucketCounts: [3n, 0n, 0n],
  }],
];

for (const [what, change] of fine) {
  Deno.test(`judgeOtlp() is content when a histogram has ${what}`, () => {
    assert.deepEqual(judge(histogram([{ ...GOOD, ...change }])), {
      problems: [],
      points: 1,
      measurements: 3,
      rejectedPoints: 0,
      rejected: new Set(),
      status: 200,
      message: "",
    });
  });
}

Deno.test("judgeOtlp() is content with an exponential histogram whose counts agree", () => {
  const verdict = judge(exponential(GOOD_EXPONENTIAL));
  assert.deepEqual(verdict.problems, []);
  assert.equal(verdict.measurements, 6);
});

Deno.test("judgeOtlp() finds bucket-sum when an exponential histogram's counts do not agree", () => {
  const { problems } = judge(exponential({
    ...GOOD_EXPONENTIAL,
    negative: { offset: 0, bucketCounts: [2n] },
    sum: undefined,
  }));
  assert.deepEqual(problems.map((it) => [it.rule, it.level]), [["bucket-sum", "error"]]);
  assert.match(
    problems[0]?.message ?? "",
    /zero count 1, positive 5 and negative buckets 2 sum to 8, but count is 6/,
  );
});

Deno.test("judgeOtlp() finds sum-negative when a negative bucket is filled", () => {
  const { problems } = judge(exponential({
    ...GOOD_EXPONENTIAL,
    min: undefined,
    count: 7n,
    negative: { offset: 0, bucketCounts: [1n] },
  }));
  assert.deepEqual(problems.map((it) => it.rule), ["sum-negative"]);
});

Deno.test("judgeOtlp() rejects all points of a metric without name or temporality", () => {
  const nameless = judge(histogram([GOOD, GOOD], ""), histogram([GOOD]));
  assert.deepEqual(nameless.problems.map((it) => it.rule), ["metric-name"]);
  assert.deepEqual([nameless.points, nameless.rejectedPoints, nameless.measurements], [3, 2, 9]);
  const unspecified = judge({
    name: "m",
    data: { case: "histogram", value: { dataPoints: [GOOD, GOOD] } },
  });
  assert.deepEqual(unspecified.problems.map((it) => it.rule), ["temporality"]);
  assert.equal(unspecified.rejectedPoints, 2);
});

Deno.test("judgeOtlp() counts number data points as points without measurements", () => {
  const number = { ...TIMES, value: { case: "asInt" as const, value: 7n } };
  const verdict = judge(
    { name: "g", data: { case: "gauge", value: { dataPoints: [number, number] } } },
    {
      name: "s",
      data: {
        case: "sum",
        value: { aggregationTemporality: AggregationTemporality.CUMULATIVE, dataPoints: [number] },
      },
    },
    histogram([GOOD]),
  );
  assert.deepEqual([verdict.points, verdict.measurements, verdict.rejectedPoints], [4, 3, 0]);
  assert.deepEqual(verdict.problems, []);
});

Deno.test("judgeOtlp() folds what many points of a metric have in common", () => {
  const bad = { ...GOOD, count: 4n };
  const verdict = judge(histogram([bad, bad, bad], "a"), histogram([bad, GOOD], "b"));
  assert.deepEqual(verdict.problems.map((it) => it.metric), ["a", "b"]);
  assert.match(verdict.problems[0]?.message ?? "", / \(3 times\)$/);
  assert.doesNotMatch(verdict.problems[1]?.message ?? "", /times/);
  assert.deepEqual([verdict.points, verdict.rejectedPoints], [5, 4]);
});

Deno.test("judgeOtlp() reports an error beside a warning of the same rule", () => {
  const verdict = judge(histogram([{ ...GOOD, sum: NaN }, { ...GOOD, sum: Infinity }]));
  assert.deepEqual(
    verdict.problems.map(({ rule, level, message }) => [rule, level, message]),
    [["not-finite", "warning", "sum is NaN"], ["not-finite", "error", "sum is Infinity"]],
  );
  assert.equal(verdict.rejectedPoints, 1);
  assert.match(verdict.message, /^1 of 2 data points rejected: not-finite: m: sum is Infinity$/);
});

Deno.test("judgeOtlp() clips a metric's name that has no end", () => {
  const { problems } = judge(histogram([{ ...GOOD, count: 4n }], "m".repeat(100_000)));
  assert.deepEqual(problems.map(({ metric }) => metric.length), [301]);
});

type SummaryPoint = Exclude<MessageInitShape<typeof SummaryDataPointSchema>, SummaryDataPoint>;

const GOOD_SUMMARY: SummaryPoint = {
  ...TIMES,
  count: 3n,
  sum: 20,
  quantileValues: [{ quantile: 0, value: 2 }, { quantile: 0.5, value: 6 }, {
    quantile: 1,
    value: 12,
  }],
};

function summary(change: SummaryPoint = {}): MetricInit {
  const point: SummaryPoint = { ...GOOD_SUMMARY, ...change };
  return { name: "m", data: { case: "summary", value: { dataPoints: [point] } } };
}

const brokenSummaries: [string, string, SummaryPoint, RegExp][] = [
  ["quantile-range", "error", { quantileValues: [{ quantile: 50, value: 1 }] }, /quantile 50 is/],
  ["quantile-range", "error", { quantileValues: [{ quantile: NaN, value: 1 }] }, /quantile NaN is/],
  ["quantile-negative", "warning", { quantileValues: [{ quantile: 0.5, value: -1 }] }, /0.5 is -1/],
  ["sum-empty", "error", { count: 0n }, /sum is 20 but count is 0/],
  ["not-finite", "warning", { sum: NaN }, /sum is NaN/],
  ["not-finite", "error", { sum: -Infinity }, /sum is -Infinity/],
];

for (const [rule, level, change, message] of brokenSummaries) {
  Deno.test(`judgeOtlp() finds ${rule} (${level}) in a summary: ${message.source}`, () => {
    const { problems, rejectedPoints } = judge(summary(change));
    assert.deepEqual(problems.map((it) => [it.rule, it.level]), [[rule, level]]);
    assert.match(problems[0]?.message ?? "", message);
    assert.equal(rejectedPoints, level === "error" ? 1 : 0);
  });
}

Deno.test("judgeOtlp() accepts a summary whose quantiles and sum are in order", () => {
  assert.deepEqual(judge(summary()).problems, []);
});

const STALE = { ...TIMES, flags: DataPointFlags.NO_RECORDED_VALUE_MASK };

each<[string, MetricInit]>(
  [
    ["histogram", histogram([{ ...STALE, count: 1010n, sum: NaN, explicitBounds: [5, 5] }])],
    ["exponential histogram", exponential({ ...STALE, count: 1010n, sum: NaN })],
    ["summary", summary({ ...STALE, count: 1010n, sum: NaN })],
  ],
  ([type]) => `judgeOtlp() counts no measurements of a stale marker: ${type}`,
  ([, metric]) => {
    const { problems, points, measurements, rejectedPoints } = judge(metric);
    assert.deepEqual([problems, points, measurements, rejectedPoints], [[], 1, 0, 0]);
  },
);

Deno.test("judgeOtlp() rejects all data points of a resource that has a key twice", () => {
  const attributes = [{ key: "service.name" }, { key: "service.name" }];
  const { problems, rejectedPoints } = judgeOtlp(
    create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: [
        { resource: { attributes }, scopeMetrics: [{ metrics: [histogram([GOOD, GOOD])] }] },
        { scopeMetrics: [{ metrics: [histogram([GOOD])] }] },
      ],
    }),
  );
  assert.deepEqual(problems.map(({ rule, metric }) => [rule, metric]), [["attribute-keys", ""]]);
  assert.equal(rejectedPoints, 2);
});
