import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  AggregationTemporality,
  DataPointFlags,
  type HistogramDataPointSchema,
  type MetricSchema,
} from "../../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";

export type MetricInit = MessageInitShape<typeof MetricSchema>;
export type PointInit = MessageInitShape<typeof HistogramDataPointSchema>;

/** The SDKs' default bounds, which are for milliseconds. */
export const SDK_BOUNDS = [
  0,
  5,
  10,
  25,
  50,
  75,
  100,
  250,
  500,
  750,
  1000,
  2500,
  5000,
  7500,
  10000,
];
/** Bounds that the semantic conventions advise for durations in s. */
export const SECONDS = [
  0.005,
  0.01,
  0.025,
  0.05,
  0.075,
  0.1,
  0.25,
  0.5,
  0.75,
  1,
  2.5,
  5,
  7.5,
  10,
];

/** A data point of these values. */
export function point(
  bounds: readonly number[],
  values: readonly number[],
  change: PointInit = {},
): PointInit {
  const bucketCounts = new Array<bigint>(bounds.length + 1).fill(0n);
  for (const value of values) {
    const found = bounds.findIndex((bound) => value <= bound);
    const bucket = found < 0 ? bounds.length : found;
    bucketCounts[bucket] = (bucketCounts[bucket] ?? 0n) + 1n;
  }
  return {
    startTimeUnixNano: 1n,
    timeUnixNano: 2n,
    count: BigInt(values.length),
    sum: values.reduce((sum, value) => sum + value, 0),
    explicitBounds: [...bounds],
    bucketCounts,
    ...change,
  };
}

export function histogram(
  name: string,
  unit: string,
  dataPoints: PointInit[],
  aggregationTemporality = AggregationTemporality.DELTA,
): MetricInit {
  return {
    name,
    unit,
    data: { case: "histogram", value: { aggregationTemporality, dataPoints } },
  };
}

export function requestOf(...metrics: MetricInit[]): ExportMetricsServiceRequest {
  return create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{ scopeMetrics: [{ metrics }] }],
  });
}

/** `count` values, evenly from `from` to `to`. */
export function spread(count: number, from: number, to = from): number[] {
  return Array.from({ length: count }, (_, i) => from + (to - from) * i / Math.max(1, count - 1));
}

/** Metrics and the rules that they break, none or several. */
export interface MeaningCase {
  readonly name: string;
  readonly rules: readonly string[];
  readonly metrics: readonly MetricInit[];
}

const { CUMULATIVE } = AggregationTemporality;

function firing(name: string, rules: readonly string[], ...metrics: MetricInit[]): MeaningCase {
  return { name, rules, metrics };
}

function silent(name: string, ...metrics: MetricInit[]): MeaningCase {
  return { name, rules: [], metrics };
}

const MS = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000];

export const MEANING_CASES: readonly MeaningCase[] = [
  firing(
    "seconds in the SDKs' default bounds, all below 5 s",
    ["bounds-unit", "one-bucket"],
    histogram("a", "s", [point(SDK_BOUNDS, spread(100, 0.1, 0.4))]),
  ),
  firing(
    "a single value in s in the SDKs' default bounds",
    ["bounds-unit"],
    histogram("a", "s", [point(SDK_BOUNDS, [0.2])]),
  ),
  firing(
    "seconds in the SDKs' default bounds, spread",
    ["bounds-unit"],
    histogram("a", "s", [point(SDK_BOUNDS, spread(100, 1, 900))]),
  ),
  firing(
    "seconds in the SDKs' default bounds of before 2022",
    ["bounds-unit"],
    histogram("a", "s", [point([0, 5, 10, 25, 50, 75, 100, 250, 500, 1000], [0.2])]),
  ),
  firing(
    "a running total in s in the SDKs' default bounds",
    ["bounds-unit"],
    histogram("a", "s", [point(SDK_BOUNDS, [0.2])], CUMULATIVE),
  ),
  firing(
    "20 values in one bucket",
    ["one-bucket"],
    histogram("a", "ms", [point([1, 2, 3], spread(20, 1.5))]),
  ),
  firing(
    "20 values in the first bucket",
    ["one-bucket"],
    histogram("a", "ms", [point(MS, spread(20, 0.1, 4.9))]),
  ),
  firing(
    "20 values above the last bound",
    ["one-bucket"],
    histogram("a", "ms", [point(MS, spread(20, 6000))]),
  ),
  firing(
    "100 values above the last bound",
    ["one-bucket", "overflow-bucket"],
    histogram("a", "ms", [point(MS, spread(100, 6000))]),
  ),
  firing(
    "20 values of two series in the same bucket",
    ["one-bucket"],
    histogram("a", "ms", [point(MS, spread(10, 30)), point(MS, spread(10, 40))]),
  ),
  firing(
    "20 values of one metric in two parts of a request",
    ["one-bucket"],
    histogram("a", "ms", [point(MS, spread(10, 30))]),
    histogram("a", "ms", [point(MS, spread(10, 40))]),
  ),
  firing(
    "20 values in one of two buckets",
    ["one-bucket"],
    histogram("a", "ms", [point([100], spread(20, 30))]),
  ),
  firing(
    "20 equal sizes in one bucket",
    ["one-bucket"],
    histogram("a", "By", [point(SDK_BOUNDS, spread(20, 512))]),
  ),
  firing(
    "20 values in one bucket of a running total",
    ["one-bucket"],
    histogram("a", "ms", [point(MS, spread(20, 30))], CUMULATIVE),
  ),
  firing(
    "20 values in one bucket in each of two layouts, reported once",
    ["one-bucket"],
    histogram("a", "ms", [point(MS, spread(20, 30))]),
    histogram("a", "ms", [point([1, 2], spread(20, 1.5))]),
  ),
  firing(
    "2 of 100 values above the last bound",
    ["overflow-bucket"],
    histogram("a", "ms", [point(MS, [...spread(98, 10, 4000), 6000, 7000])]),
  ),
  firing(
    "11 of 1000 values above the last bound",
    ["overflow-bucket"],
    histogram("a", "ms", [point(MS, [...spread(989, 10, 4000), ...spread(11, 6000)])]),
  ),
  firing(
    "sizes of which a tenth lies above the last bound",
    ["overflow-bucket"],
    histogram("http.server.request.body.size", "By", [
      point(SDK_BOUNDS, [...spread(90, 10, 9000), ...spread(10, 20_000)]),
    ]),
  ),
  firing(
    "100 values above the last bound in two series",
    ["overflow-bucket"],
    histogram("a", "ms", [
      point(MS, spread(98, 10, 4000)),
      point(MS, spread(2, 6000)),
    ]),
  ),
  firing(
    "request durations of the semantic conventions in ms",
    ["convention-unit"],
    histogram("http.server.request.duration", "ms", [point(MS, [12])]),
  ),
  firing(
    "database durations of the semantic conventions in ms",
    ["convention-unit"],
    histogram("db.client.operation.duration", "ms", [point(MS, [12])]),
  ),
  firing(
    "body sizes of the semantic conventions in kB",
    ["convention-unit"],
    histogram("http.server.request.body.size", "kBy", [point(MS, [12])]),
  ),
  firing(
    "request durations in ms without bounds",
    ["convention-unit"],
    histogram("http.client.request.duration", "ms", [point([], [12])]),
  ),
  firing(
    "an exponential histogram of request durations in ms",
    ["convention-unit"],
    {
      name: "http.server.request.duration",
      unit: "ms",
      data: {
        case: "exponentialHistogram",
        value: {
          aggregationTemporality: AggregationTemporality.DELTA,
          dataPoints: [{ count: 1n, sum: 12, positive: { offset: 3, bucketCounts: [1n] } }],
        },
      },
    },
  ),
  silent(
    "request durations in s with the advised bounds",
    histogram("http.server.request.duration", "s", [point(SECONDS, spread(200, 0.01, 3))]),
  ),
  silent(
    "request durations in ms with the SDKs' default bounds",
    histogram("a", "ms", [point(SDK_BOUNDS, spread(200, 1, 3000))]),
  ),
  silent("a metric without a unit", histogram("a", "", [point(SDK_BOUNDS, spread(200, 1, 3000))])),
  silent(
    "sizes in By with the SDKs' default bounds",
    histogram("http.server.request.body.size", "By", [point(SDK_BOUNDS, spread(200, 10, 9000))]),
  ),
  silent(
    "sizes in By with powers of two",
    histogram("rpc.server.request.size", "By", [
      point([64, 1024, 16_384, 262_144, 4_194_304], spread(200, 10, 300_000)),
    ]),
  ),
  silent(
    "a gauge of sizes",
    {
      name: "http.server.request.body.size",
      unit: "kBy",
      data: {
        case: "gauge",
        value: {
          dataPoints: spread(200, 3).map((value) => ({
            timeUnixNano: 2n,
            value: { case: "asDouble" as const, value },
          })),
        },
      },
    },
  ),
  silent(
    "a sum under the name of a histogram of the conventions",
    {
      name: "http.server.request.duration",
      unit: "ms",
      data: {
        case: "sum",
        value: {
          aggregationTemporality: AggregationTemporality.DELTA,
          isMonotonic: true,
          dataPoints: [{ timeUnixNano: 2n, value: { case: "asInt", value: 7n } }],
        },
      },
    },
  ),
  silent(
    "a summary",
    {
      name: "http.server.request.duration",
      unit: "ms",
      data: { case: "summary", value: { dataPoints: [{ count: 100n, sum: 5 }] } },
    },
  ),
  silent("a histogram without bounds", histogram("a", "s", [point([], spread(200, 3))])),
  silent(
    "a histogram without buckets",
    histogram("a", "s", [point([], spread(200, 3), { bucketCounts: [] })]),
  ),
  silent(
    "a single bucket up to +∞",
    histogram("a", "ms", [point([Infinity], spread(200, 3))]),
  ),
  silent(
    "a single bucket from -∞ to +∞",
    histogram("a", "ms", [point([-Infinity, Infinity], spread(200, 3))]),
  ),
  firing(
    "20 values in one of two buckets between infinite bounds",
    ["one-bucket"],
    histogram("a", "ms", [point([-Infinity, 10, Infinity], spread(20, 3))]),
  ),
  silent("19 values in one bucket", histogram("a", "ms", [point(MS, spread(19, 30))])),
  silent(
    "20 values in two buckets",
    histogram("a", "ms", [point(MS, [...spread(19, 30), 60])]),
  ),
  silent(
    "20 values in one bucket each of two metrics' halves",
    histogram("a", "ms", [point(MS, spread(10, 30))]),
    histogram("b", "ms", [point(MS, spread(10, 30))]),
  ),
  silent(
    "two series of 19 values in different buckets",
    histogram("a", "ms", [point(MS, spread(19, 30)), point(MS, spread(19, 60))]),
  ),
  silent(
    "1 of 100 values above the last bound",
    histogram("a", "ms", [point(MS, [...spread(99, 10, 4000), 6000])]),
  ),
  silent(
    "half of 99 values above the last bound",
    histogram("a", "ms", [point(MS, [...spread(50, 10, 4000), ...spread(49, 6000)])]),
  ),
  silent(
    "values on the last bound",
    histogram("a", "ms", [point(MS, [...spread(90, 10, 4000), ...spread(10, 5000)])]),
  ),
  silent(
    "an old name of the conventions in its old unit",
    histogram("http.server.duration", "ms", [point(MS, spread(19, 10, 400))]),
  ),
  silent(
    "a metric of the conventions without a unit",
    histogram("http.server.request.duration", "", [point(SECONDS, [0.1])]),
  ),
  silent(
    "a unit that differs only in its annotation",
    histogram("gen_ai.client.token.usage", "{tokens}", [point([1, 4, 16, 64], [3])]),
  ),
  silent(
    "a name that is not of the conventions in ms",
    histogram("http.server.request.duration.custom", "ms", [point(MS, [12])]),
  ),
  silent(
    "an exponential histogram of equal values",
    {
      name: "a",
      unit: "s",
      data: {
        case: "exponentialHistogram",
        value: {
          aggregationTemporality: AggregationTemporality.DELTA,
          dataPoints: [{ count: 200n, sum: 600, positive: { offset: 1, bucketCounts: [200n] } }],
        },
      },
    },
  ),
  silent(
    "a stale marker",
    histogram("a", "s", [
      point(SDK_BOUNDS, [0.2], { flags: DataPointFlags.NO_RECORDED_VALUE_MASK }),
    ], CUMULATIVE),
  ),
  silent(
    "seconds in millisecond bounds that a user chose",
    histogram("a", "s", [point([0, 5, 10, 25], [0.2])]),
  ),
];
