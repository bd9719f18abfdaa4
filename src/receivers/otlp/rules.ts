import { counted } from "../../console/plural.ts";
import {
  AggregationTemporality,
  type ExponentialHistogramDataPoint,
  type HistogramDataPoint,
  type Metric,
  type SummaryDataPoint,
} from "../../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { type DataPoint, dataPointsOf, isStaleMarker, pointCount } from "../../otlp/data_points.ts";
import type { Judge } from "../profile.ts";
import type { KeyValue } from "../../otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import { clip, quoteClipped } from "../../redact/clip.ts";
import { type Folding, type Level, type Problem, ProblemFold } from "../problem.ts";

// The rules of opentelemetry-proto's metrics.proto, as far as a receiver can see them in one request.

/** Ids of all rules. */
export const OTLP_RULES = [
  "metric-name",
  "metric-data",
  "temporality",
  "attribute-keys",
  "time-missing",
  "time-order",
  "value-missing",
  "not-finite",
  "min-max",
  "sum-empty",
  "sum-negative",
  "sum-range",
  "quantile-range",
  "quantile-negative",
  "bounds-order",
  "bounds-infinite",
  "bucket-count",
  "bucket-sum",
  "min-bucket",
  "max-bucket",
] as const;
type OtlpRule = typeof OTLP_RULES[number];

/** Complaint about a metric or a data point. */
export interface Complaint {
  readonly rule: OtlpRule;
  readonly level: Level;
  readonly message: string;
}

/** Judges by the OTLP rules alone: what they forbid is rejected as a partial success. */
export const judgeOtlp: Judge = (request) => {
  const problems = new ProblemFold(FOLDING);
  let points = 0;
  const rejected = new Set<DataPoint>();
  let measurements = 0n;
  /** Reports complaints; true when one of them is an error. */
  const report = (complaints: readonly Complaint[], metric = ""): boolean => {
    for (const complaint of complaints) problems.add({ ...complaint, metric });
    return complaints.some(isError);
  };
  for (const { resource, scopeMetrics } of request.resourceMetrics) {
    const resourceFails = report(keyComplaints("resource", resource?.attributes));
    for (const { scope, metrics } of scopeMetrics) {
      const scopeFails = report(keyComplaints("scope", scope?.attributes));
      for (const metric of metrics) {
        const metricFails = report(metricComplaints(metric), metric.name);
        for (const point of dataPointsOf(metric)) {
          const pointFails = report(pointComplaints(point), metric.name);
          if (resourceFails || scopeFails || metricFails || pointFails) rejected.add(point);
          measurements += pointCount(point);
          points++;
        }
      }
    }
  }
  const list = problems.problems();
  const rejectedPoints = rejected.size;
  return {
    problems: list,
    points,
    measurements: Number(measurements),
    rejectedPoints,
    rejected,
    status: 200,
    message: rejectedPoints === 0
      ? ""
      : `${rejectedPoints} of ${points} data points rejected: ${firstErrors(list)}`,
  };
};

/** Complaint with the name of its metric. */
interface MetricComplaint extends Complaint {
  readonly metric: string;
}

const FOLDING: Folding<MetricComplaint> = {
  // A rule may give a warning about one data point and an error about another, which rejects it.
  key: ({ rule, level, metric }) => `${rule}\n${level}\n${metric}`,
  level: ({ level }) => level,
  problem: ({ rule, level, metric, message }, times) => ({
    rule,
    level,
    metric: clip(metric, 300),
    message: times === 1 ? message : `${message} (${times} times)`,
  }),
};

function isError(complaint: { readonly level: Level }): boolean {
  return complaint.level === "error";
}

function firstErrors(problems: readonly Problem[]): string {
  const errors = problems.filter(isError);
  const first = errors.slice(0, 3).map(({ rule, metric, message }) =>
    `${rule}: ${metric === "" ? "" : `${metric}: `}${message}`
  );
  return first.join("; ") + (errors.length > 3 ? `; and ${errors.length - 3} more problems` : "");
}

function error(rule: OtlpRule, message: string): Complaint {
  return { rule, level: "error", message };
}

function warning(rule: OtlpRule, message: string): Complaint {
  return { rule, level: "warning", message };
}

function metricComplaints(metric: Metric): Complaint[] {
  const found: Complaint[] = [];
  if (metric.name === "") found.push(error("metric-name", "the metric has no name"));
  if (metric.data.case === undefined) {
    found.push(warning("metric-data", "the metric has no known data type"));
  } else if (
    "aggregationTemporality" in metric.data.value &&
    metric.data.value.aggregationTemporality !== AggregationTemporality.DELTA &&
    metric.data.value.aggregationTemporality !== AggregationTemporality.CUMULATIVE
  ) {
    found.push(error("temporality", "the aggregation temporality is neither delta nor cumulative"));
  }
  return found;
}

/**
 * Finds a key that attributes have twice (common.proto: "Attribute keys MUST be unique"). Compares each pair of a few
 * keys, which a set would take longer for.
 */
function keyComplaints(where: string, attributes: readonly KeyValue[] = []): Complaint[] {
  const twice = attributes.length > MANY_ATTRIBUTES
    ? twiceAmongMany(attributes)
    : attributes.find(({ key }, i) => attributes.findIndex((other) => other.key === key) < i);
  if (twice === undefined) return [];
  const key = quoteClipped(twice.key, 300);
  return [error("attribute-keys", `the ${where} has the attribute ${key} more than once`)];
}

const MANY_ATTRIBUTES = 16;

function twiceAmongMany(attributes: readonly KeyValue[]): KeyValue | undefined {
  const keys = new Set<string>();
  return attributes.find(({ key }) => keys.has(key) || !keys.add(key));
}

function pointComplaints(point: DataPoint): Complaint[] {
  const found = [...keyComplaints("data point", point.attributes), ...timeComplaints(point)];
  if (isStaleMarker(point)) return found;
  switch (point.$typeName) {
    case "opentelemetry.proto.metrics.v1.HistogramDataPoint":
      found.push(...bucketComplaints(point));
      found.push(...distributionComplaints(point, !found.some(isError)));
      break;
    case "opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint":
      found.push(...exponentialComplaints(point));
      found.push(...distributionComplaints(point, !found.some(isError)));
      break;
    case "opentelemetry.proto.metrics.v1.NumberDataPoint":
      if (point.value.case === undefined) {
        found.push(warning("value-missing", "the data point has no value"));
      }
      break;
    case "opentelemetry.proto.metrics.v1.SummaryDataPoint":
      found.push(...summaryComplaints(point));
      break;
  }
  return found;
}

function timeComplaints(point: DataPoint): Complaint[] {
  const { startTimeUnixNano: start, timeUnixNano: end } = point;
  if (end === 0n) return [warning("time-missing", "time_unix_nano is not set")];
  // A start of 0 means that it is not known.
  if (start > end) {
    return [error("time-order", `it starts ${start - end} ns after it ends`)];
  }
  return [];
}

function distributionComplaints(
  point: HistogramDataPoint | ExponentialHistogramDataPoint,
  countIsSound: boolean,
): Complaint[] {
  const { sum, min, max } = point;
  const found: Complaint[] = [];
  for (const [name, value] of Object.entries({ sum, min, max })) {
    if (value !== undefined && !Number.isFinite(value)) found.push(notFinite(name, value));
  }
  if (found.length > 0) return found;
  if (min !== undefined && max !== undefined && min > max) {
    found.push(error("min-max", `min ${min} is above max ${max}`));
  }
  if (sum === undefined) return found;
  if (point.count === 0n) {
    if (sum !== 0) found.push(error("sum-empty", `sum is ${sum} but count is 0`));
    return found;
  }
  if (hasNegative(point)) {
    found.push(warning("sum-negative", "sum is set although negative values were measured"));
  }
  if (!countIsSound) return found;
  const count = Number(point.count);
  // Summing in another order changes the last digits.
  const slack = 1e-9 * count *
    Math.max(Math.abs(min ?? 0), Math.abs(max ?? 0), Math.abs(sum / count));
  if (min !== undefined && sum < count * min - slack) {
    found.push(warning("sum-range", `sum ${sum} is less than count ${count} times min ${min}`));
  } else if (max !== undefined && sum > count * max + slack) {
    found.push(warning("sum-range", `sum ${sum} is more than count ${count} times max ${max}`));
  }
  return found;
}

/** A sum of measurements that were not numbers is not a number, and the buckets still are what was measured. */
function notFinite(name: string, value: number): Complaint {
  const isMeasured = name === "sum" && Number.isNaN(value);
  return (isMeasured ? warning : error)("not-finite", `${name} is ${value}`);
}

function summaryComplaints({ count, sum, quantileValues }: SummaryDataPoint): Complaint[] {
  const found: Complaint[] = [];
  if (!Number.isFinite(sum)) found.push(notFinite("sum", sum));
  else if (count === 0n && sum !== 0) {
    found.push(error("sum-empty", `sum is ${sum} but count is 0`));
  }
  const outside = quantileValues.find(({ quantile }) => !(quantile >= 0 && quantile <= 1));
  if (outside !== undefined) {
    found.push(error("quantile-range", `quantile ${outside.quantile} is not between 0 and 1`));
  }
  const negative = quantileValues.find(({ value }) => value < 0);
  if (negative !== undefined) {
    const { quantile, value } = negative;
    found.push(warning("quantile-negative", `the value at quantile ${quantile} is ${value}`));
  }
  return found;
}

function hasNegative(point: HistogramDataPoint | ExponentialHistogramDataPoint): boolean {
  if ((point.min ?? 0) < 0) return true;
  if (point.$typeName === "opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint") {
    return point.negative?.bucketCounts.some((count) => count > 0n) ?? false;
  }
  return point.bucketCounts.some((count, i) => count > 0n && (point.explicitBounds[i] ?? 0) < 0);
}

function bucketComplaints(point: HistogramDataPoint): Complaint[] {
  const { bucketCounts: counts, explicitBounds: bounds } = point;
  const found: Complaint[] = [];
  const disorder = bounds.findIndex((bound, i) =>
    Number.isNaN(bound) || bound <= (bounds[i - 1] ?? -Infinity) && i > 0
  );
  if (disorder >= 0) {
    found.push(error(
      "bounds-order",
      Number.isNaN(bounds[disorder])
        ? `bound ${disorder + 1} is not a number`
        : `bound ${bounds[disorder]} does not follow ${
          bounds[disorder - 1]
        } in strictly rising order`,
    ));
  } else if (bounds[0] === -Infinity || bounds.at(-1) === Infinity) {
    found.push(warning("bounds-infinite", "an infinite bound creates a bucket that stays empty"));
  }
  if (counts.length === 0 && bounds.length === 0) return found;
  if (counts.length !== bounds.length + 1) {
    found.push(error(
      "bucket-count",
      `${counted(counts.length, "bucket count")} with ${
        counted(bounds.length, "bound")
      }: expected ${bounds.length + 1}`,
    ));
    return found;
  }
  const sum = sumCounts(counts);
  if (sum !== point.count) {
    found.push(error("bucket-sum", `the bucket counts sum to ${sum}, but count is ${point.count}`));
  }
  if (disorder < 0) found.push(...extremeComplaints(point));
  return found;
}

/** min lies in the first bucket that is not empty, max in the last. */
function extremeComplaints(point: HistogramDataPoint): Complaint[] {
  const { bucketCounts: counts, explicitBounds: bounds } = point;
  const first = counts.findIndex((count) => count > 0n);
  const last = counts.findLastIndex((count) => count > 0n);
  if (first < 0) return [];
  const found: Complaint[] = [];
  const check = (name: "min" | "max", value: number | undefined, bucket: number) => {
    const lower = bounds[bucket - 1] ?? -Infinity;
    const upper = bounds[bucket] ?? Infinity;
    if (value !== undefined && Number.isFinite(value) && (value <= lower || value > upper)) {
      const end = upper === Infinity ? "+∞)" : `${upper}]`;
      found.push(warning(
        `${name}-bucket`,
        `${name} ${value} is outside (${lower === -Infinity ? "-∞" : lower}, ${end}, the ${
          name === "min" ? "first" : "last"
        } bucket that is not empty`,
      ));
    }
  };
  check("min", point.min, first);
  check("max", point.max, last);
  return found;
}

function exponentialComplaints(point: ExponentialHistogramDataPoint): Complaint[] {
  const positive = sumCounts(point.positive?.bucketCounts ?? []);
  const negative = sumCounts(point.negative?.bucketCounts ?? []);
  const sum = point.zeroCount + positive + negative;
  return sum === point.count ? [] : [error(
    "bucket-sum",
    `zero count ${point.zeroCount}, positive ${positive} and negative buckets ${negative} ` +
      `sum to ${sum}, but count is ${point.count}`,
  )];
}

function sumCounts(counts: readonly bigint[]): bigint {
  let sum = 0n;
  for (const count of counts) sum += count;
  return sum;
}
