import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { compareTotals } from "../../../src/commands/diff/compare.ts";
import { CaptureTotals, type IgnoredParts } from "../../../src/otlp/capture_totals.ts";
import { ExportMetricsServiceRequestSchema } from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  AggregationTemporality,
  type MetricSchema,
} from "../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { each } from "../../support/cases.ts";

const { DELTA, CUMULATIVE } = AggregationTemporality;
type MetricInit = MessageInitShape<typeof MetricSchema>;

interface PointShape {
  readonly counts: readonly number[];
  readonly sum?: number;
  readonly start?: number;
  readonly time?: number;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly bounds?: readonly number[];
  readonly flags?: number;
}

function point(
  { counts, sum = 1, start = 1, time = 2, attributes = {}, bounds, flags = 0 }: PointShape,
) {
  return {
    startTimeUnixNano: BigInt(start),
    timeUnixNano: BigInt(time),
    count: BigInt(counts.reduce((total, count) => total + count, 0)),
    sum,
    flags,
    bucketCounts: counts.map(BigInt),
    explicitBounds: [...bounds ?? counts.slice(1).map((_, i) => i + 1)],
    attributes: Object.entries(attributes).map(([key, value]) => text(key, value)),
  };
}

function text(key: string, value: string) {
  return { key, value: { value: { case: "stringValue" as const, value } } };
}

function histogram(
  points: readonly PointShape[],
  { name = "m", unit = "ms", temporality = DELTA } = {},
): MetricInit {
  const value = { aggregationTemporality: temporality, dataPoints: points.map(point) };
  return { name, unit, data: { case: "histogram", value } };
}

function exponential(scale: number, offset: number, counts: readonly number[]): MetricInit {
  return {
    name: "m",
    data: {
      case: "exponentialHistogram",
      value: {
        aggregationTemporality: DELTA,
        dataPoints: [{
          count: BigInt(counts.reduce((total, count) => total + count, 0)),
          sum: 1,
          scale,
          positive: { offset, bucketCounts: counts.map(BigInt) },
        }],
      },
    },
  };
}

interface Place {
  readonly service?: string;
  /** Undefined for a scope that is not set. */
  readonly scope?: string | undefined;
}

function request(metrics: readonly MetricInit[], place: Place = {}) {
  const { service, scope } = { service: "shop", scope: "s", ...place };
  return create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      resource: { attributes: [text("service.name", service)] },
      scopeMetrics: [{
        ...scope !== undefined && { scope: { name: scope } },
        metrics: [...metrics],
      }],
    }],
  });
}

type Requests = readonly ReturnType<typeof request>[];

const NOTHING: IgnoredParts = { attributes: [], resource: false, scope: false };

function compare(a: Requests, b: Requests, ignored = NOTHING) {
  const [left, right] = [a, b].map((requests) => {
    const totals = new CaptureTotals(ignored);
    for (const each of requests) totals.add(each);
    return totals.totals();
  });
  assert.ok(left !== undefined && right !== undefined);
  return compareTotals(left, right);
}

const delta = (...points: PointShape[]) => request([histogram(points)]);
const cumulative = (...points: PointShape[]) =>
  request([histogram(points, { temporality: CUMULATIVE })]);

each<readonly [name: string, a: Requests, b: Requests]>(
  [
    [
      "the same deltas in two requests, in another order",
      [delta({ counts: [1, 0], sum: 3 }, { counts: [0, 2], sum: 4 })],
      [delta({ counts: [0, 2], sum: 4 }), delta({ counts: [1, 0], sum: 3 })],
    ],
    [
      "deltas and the last cumulative data point",
      [delta({ counts: [1, 0], sum: 3 }), delta({ counts: [2, 5], sum: 4 })],
      [
        cumulative({ counts: [1, 0], sum: 3, time: 10 }),
        cumulative({ counts: [3, 5], sum: 7, time: 20 }),
      ],
    ],
    [
      "cumulative data points in any order, one of them twice",
      [cumulative({ counts: [3, 5], sum: 7, time: 20 })],
      [
        cumulative({ counts: [3, 5], sum: 7, time: 20 }),
        cumulative({ counts: [1, 0], sum: 3, time: 10 }),
        cumulative({ counts: [3, 5], sum: 7, time: 20 }),
      ],
    ],
    [
      "a cumulative series that began again",
      [delta({ counts: [4, 6], sum: 9 })],
      [
        cumulative({ counts: [3, 5], sum: 7, start: 1, time: 20 }),
        cumulative({ counts: [1, 1], sum: 2, start: 30, time: 40 }),
      ],
    ],
    [
      "a cumulative series whose count fell without a new start",
      [delta({ counts: [4, 6], sum: 9 })],
      [
        cumulative({ counts: [3, 5], sum: 7, time: 20 }),
        cumulative({ counts: [1, 1], sum: 2, time: 40 }),
      ],
    ],
    [
      "a cumulative series whose count fell twice and rose above what it was",
      [delta({ counts: [15, 18], sum: 36 })],
      [
        ...[[3, 5, 8, 1], [5, 6, 12, 2], [1, 1, 2, 3], [9, 9, 19, 4], [1, 3, 5, 5]].map(
          ([first = 0, second = 0, sum = 0, time = 0]) =>
            cumulative({ counts: [first, second], sum, time }),
        ),
      ],
    ],
    [
      "a cumulative series with a start time, of which a bucket was read too late",
      [delta({ counts: [6, 1], sum: 9 })],
      [
        cumulative({ counts: [4, 2], sum: 8, time: 20 }),
        cumulative({ counts: [6, 1], sum: 9, time: 40 }),
      ],
    ],
    [
      "a cumulative series that began again with a greater count, without a start time",
      [delta({ counts: [3, 6], sum: 9 })],
      [
        cumulative({ counts: [3, 0], sum: 3, start: 0, time: 20 }),
        cumulative({ counts: [0, 6], sum: 6, start: 0, time: 40 }),
      ],
    ],
    [
      "a cumulative series that began again with other bounds, without a start time",
      [delta({ counts: [3, 1], sum: 3 }, { counts: [5, 6], sum: 6, bounds: [7] })],
      [
        cumulative({ counts: [3, 1], sum: 3, start: 0, time: 20 }),
        cumulative({ counts: [5, 6], sum: 6, start: 0, time: 40, bounds: [7] }),
      ],
    ],
    [
      "a scope that is empty, and one that is not set",
      [request([histogram([{ counts: [1, 2] }])], { scope: "" })],
      [request([histogram([{ counts: [1, 2] }])], { scope: undefined })],
    ],
    [
      "sums whose last digits differ",
      [delta({ counts: [3], sum: 0.1 + 0.2 + 0.3 })],
      [delta({ counts: [3], sum: 0.3 + 0.2 + 0.1 })],
    ],
    [
      "one bucket, written or not",
      [request([histogram([{ counts: [3], bounds: [] }])])],
      [
        request([{
          name: "m",
          unit: "ms",
          data: {
            case: "histogram",
            value: { aggregationTemporality: DELTA, dataPoints: [{ count: 3n, sum: 1 }] },
          },
        }]),
      ],
    ],
    [
      "a data point without measurements, which says nothing",
      [delta({ counts: [1, 0] })],
      [delta({ counts: [1, 0] }, { counts: [0, 0], sum: 0, attributes: { k: "new" } })],
    ],
    [
      "a stale marker",
      [delta({ counts: [1, 0] })],
      [delta({ counts: [1, 0] }, { counts: [9, 9], flags: 1 })],
    ],
    [
      "exponential histograms of different scales, at the coarser one",
      [request([exponential(1, 0, [1, 2, 3, 4])])],
      [request([exponential(0, 0, [3, 7])])],
    ],
    [
      "exponential histograms of single values, millions of buckets apart",
      [request([exponential(20, 0, [1])]), request([exponential(20, 2 ** 31 - 1, [1])])],
      [
        request([exponential(20, 2 ** 31 - 1, [0, 0]), exponential(20, 2 ** 31 - 2, [0, 1])]),
        request([
          exponential(20, -1, [0, 1]),
        ]),
      ],
    ],
  ],
  ([name]) => `compareTotals() finds equal: ${name}`,
  ([, a, b]) => {
    const { differences, series, equal } = compare(a, b);
    assert.deepEqual([differences, series, equal], [[], 1, 1]);
  },
);

each<readonly [what: string, a: Requests, b: Requests, found: readonly unknown[]]>(
  [
    ["missing", [delta({ counts: [1, 2] })], [], [["missing", 3, null]]],
    ["extra", [], [delta({ counts: [1, 2] })], [["extra", null, 3]]],
    [
      "count and bucket",
      [delta({ counts: [1, 2] })],
      [delta({ counts: [1, 3] })],
      [["count", 3, 4], ["bucket", [1, 2], [1, 3]]],
    ],
    [
      "bucket alone",
      [delta({ counts: [1, 2] })],
      [delta({ counts: [2, 1] })],
      [["bucket", [1, 2], [2, 1]]],
    ],
    ["sum", [delta({ counts: [1], sum: 1 })], [delta({ counts: [1], sum: 1.001 })], [[
      "sum",
      1,
      1.001,
    ]]],
    [
      "unit",
      [request([histogram([{ counts: [1] }])])],
      [request([histogram([{ counts: [1] }], { unit: "s" })])],
      [["unit", "ms", "s"]],
    ],
    [
      "bounds",
      [delta({ counts: [1, 0], bounds: [5] })],
      [delta({ counts: [1, 0], bounds: [10] })],
      [["bounds", [5], [10]]],
    ],
    [
      "one retry counted twice",
      [delta({ counts: [1, 2], sum: 4 })],
      [delta({ counts: [1, 2], sum: 4 }), delta({ counts: [1, 2], sum: 4 })],
      [["count", 3, 6], ["sum", 4, 8], ["bucket", [1, 2], [2, 4]]],
    ],
    [
      "an attribute's type",
      [delta({ counts: [1], attributes: { k: "1" } })],
      [delta({ counts: [1] })],
      [["missing", 1, null], ["extra", null, 1]],
    ],
  ],
  ([what]) => `compareTotals() finds a difference: ${what}`,
  ([, a, b, found]) => {
    const { differences, series, equal, different, missing, extra } = compare(a, b);
    assert.deepEqual(differences.map((it) => [it.what, it.a, it.b]), found);
    assert.equal(equal + different + missing + extra, series);
    assert.equal(equal, 0);
  },
);

each<readonly [flag: string, ignored: IgnoredParts, b: Requests]>(
  [
    ["--ignore-resource", { ...NOTHING, resource: true }, [
      request([histogram([{ counts: [1, 2], attributes: { k: "v" } }])], { service: "other" }),
    ]],
    ["--ignore-scope", { ...NOTHING, scope: true }, [
      request([histogram([{ counts: [1, 2], attributes: { k: "v" } }])], { scope: "other" }),
    ]],
    ["--ignore-attr", { ...NOTHING, attributes: ["k"] }, [
      delta({ counts: [1, 0], sum: 0.5, attributes: { k: "a" } }, {
        counts: [0, 2],
        sum: 0.5,
        attributes: { k: "b" },
      }),
    ]],
  ],
  ([flag]) => `compareTotals() leaves out what ${flag} names`,
  ([, ignored, b]) => {
    const a = [delta({ counts: [1, 2], attributes: { k: "v" } })];
    assert.equal(compare(a, b).equal, 0);
    assert.deepEqual(compare(a, b, ignored).differences, []);
  },
);

each<readonly [flag: string, ignored: IgnoredParts, parts: Requests]>(
  [
    ["--ignore-resource", { ...NOTHING, resource: true }, [
      request([histogram([{ counts: [1, 0], sum: 1 }], { temporality: CUMULATIVE })], {
        service: "a",
      }),
      request([histogram([{ counts: [0, 2], sum: 2 }], { temporality: CUMULATIVE })], {
        service: "b",
      }),
    ]],
    ["--ignore-scope", { ...NOTHING, scope: true }, [
      request([histogram([{ counts: [1, 0], sum: 1 }], { temporality: CUMULATIVE })]),
      request([histogram([{ counts: [0, 2], sum: 2 }], { temporality: CUMULATIVE })], {
        scope: "other",
      }),
    ]],
    ["--ignore-attr", { ...NOTHING, attributes: ["k"] }, [
      cumulative(
        { counts: [1, 0], sum: 1, attributes: { k: "a" } },
        { counts: [0, 2], sum: 2, attributes: { k: "b" } },
      ),
    ]],
  ],
  ([flag]) => `compareTotals() adds up the cumulative series that ${flag} makes one`,
  ([, ignored, parts]) => {
    const whole = [delta({ counts: [1, 2], sum: 3 })];
    assert.deepEqual(compare(whole, parts, ignored).differences, []);
  },
);

Deno.test("compareTotals() tells counts apart that are one number as doubles", () => {
  const twice = (counts: readonly [bigint, bigint]) => {
    const each = delta({ counts: [0, 0], sum: 1 });
    const metric = each.resourceMetrics[0]?.scopeMetrics[0]?.metrics[0];
    assert.ok(metric?.data.case === "histogram");
    for (const point of metric.data.value.dataPoints) {
      point.count = counts[0] + counts[1];
      point.bucketCounts = [...counts];
    }
    return [each];
  };
  const { differences } = compare(twice([2n ** 60n, 1n]), twice([2n ** 60n + 1n, 0n]));
  assert.deepEqual(differences.map(({ what, a, b }) => [what, a, b]), [
    ["bucket", ["1152921504606846976", 1], ["1152921504606846977", 0]],
  ]);
});

Deno.test("compareTotals() lists exponential buckets at a scale at which they differ", () => {
  const file = (offset: number) =>
    [0, 5_000_000, offset].map((each) => request([exponential(20, each, [1])]));
  const [difference, ...others] = compare(file(5_002_000), file(5_004_000)).differences;
  assert.deepEqual([difference?.what, others], ["bucket", []]);
  assert.notDeepEqual(difference?.a, difference?.b);
  const lengths = [difference?.a, difference?.b].map((side) => JSON.stringify(side).length);
  assert.ok(lengths.every((length) => length < 10_000), `${lengths}`);
});

Deno.test("CaptureTotals.others names metrics of other types", () => {
  const totals = new CaptureTotals(NOTHING);
  totals.add(request([
    { name: "g", data: { case: "gauge", value: { dataPoints: [{}] } } },
    { name: "empty", data: { case: "sum", value: {} } },
  ]));
  assert.deepEqual([...totals.others].map(([type, names]) => [type, [...names]]), [["gauge", [
    "g",
  ]]]);
  assert.equal(totals.totals().size, 0);
});
