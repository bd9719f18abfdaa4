import {
  aboutAttribute,
  brokenByAttribute,
  DimensionCounter,
  sharedKeys,
} from "./dimension_keys.ts";
import type {
  AttributeLevel,
  DimensionFacts,
  KeyClash,
  MetricFacts,
  PointFacts,
  RuleText,
  Subjects,
} from "./rule.ts";
import { broken } from "./rules.ts";
import type { ExportMetricsServiceRequest } from "../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { AnyValue, KeyValue } from "../../otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import {
  AggregationTemporality,
  type Metric,
} from "../../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { type DataPoint, dataPointsOf, isStaleMarker, pointCount } from "../../otlp/data_points.ts";

/** Breach of a rule by something in a request. */
export interface Breach {
  readonly rule: RuleText;
  /** Name of the metric; empty for a breach that is not one metric's. */
  readonly metric: string;
  /** Attribute that breaks the rule; empty for any other part of a metric. */
  readonly about: string;
  readonly wrong: string;
}

/** Totals of an inspected request. */
export interface Inspection {
  readonly points: number;
  /** The sum of the data points' `count`. */
  readonly measurements: number;
  /** Data points that an error drops. */
  readonly rejected: ReadonlySet<DataPoint>;
}

/** Circumstances of a request that the rules depend on. */
export interface Circumstances {
  /** In ms since 1970. */
  readonly now: number;
  readonly saas: boolean;
}

/** Reports every breach of a rule by a decoded request, repeated ones too. */
export function inspect(
  request: ExportMetricsServiceRequest,
  { now, saas }: Circumstances,
  tell: (breach: Breach) => void,
): Inspection {
  const histograms = new Set<string>();
  let points = 0;
  const rejected = new Set<DataPoint>();
  let measurements = 0n;
  for (const { resource, scopeMetrics } of request.resourceMetrics) {
    const ofResource = resource?.attributes ?? [];
    tellAttributes(ofResource, "resource", "", tell);
    for (const { scope, metrics } of scopeMetrics) {
      const ofScope = scope?.attributes ?? [];
      tellAttributes(ofScope, "scope", "", tell);
      const shared = sharedKeys(ofScope, ofResource, clashTeller("", tell));
      const counter = new DimensionCounter(shared);
      for (const metric of metrics) {
        const check = checker(metric.name, tell);
        const tellClash = clashTeller(metric.name, tell);
        if (metric.data.case === "histogram") histograms.add(metric.name);
        const metricFails = check("metric", metricFacts(metric), "");
        for (const point of dataPointsOf(metric)) {
          points++;
          measurements += pointCount(point);
          const pointFails = [
            // Each is told of: a point may be wrong in several ways.
            check("dimensions", counter.count(point.attributes, tellClash), ""),
            check("point", pointFacts(point, now), ""),
            !isStaleMarker(point) && checkBuckets(point, saas, check),
          ].includes(true);
          tellAttributes(point.attributes, "data point", metric.name, tell);
          if (metricFails || pointFails) rejected.add(point);
        }
      }
    }
  }
  checker("", tell)("histograms", [...histograms], "");
  return { points, measurements: Number(measurements), rejected };
}

function clashTeller(metric: string, tell: (breach: Breach) => void): (clash: KeyClash) => void {
  const check = checker(metric, tell);
  return (clash) => {
    check("keys", clash, aboutAttribute(clash.loses.level, clash.loses.key));
  };
}

/** Reports the broken rules of a subject; true when an error is among them. */
type Check = <S extends keyof Subjects>(kind: S, subject: Subjects[S], about: string) => boolean;

function checker(metric: string, tell: (breach: Breach) => void): Check {
  return (kind, subject, about) => {
    let fails = false;
    for (const { rule, wrong } of broken(kind, subject)) {
      tell({ rule, metric, about, wrong });
      fails ||= rule.level === "error";
    }
    return fails;
  };
}

function tellAttributes(
  attributes: readonly KeyValue[],
  level: AttributeLevel,
  metric: string,
  tell: (breach: Breach) => void,
): void {
  for (const { key, value } of attributes) {
    for (const { rule, wrong } of brokenByAttribute({ level, key, ...valueFacts(value) })) {
      tell({ rule, metric, about: aboutAttribute(level, key), wrong });
    }
  }
}

function checkBuckets(point: DataPoint, saas: boolean, check: Check): boolean {
  if (point.$typeName !== "opentelemetry.proto.metrics.v1.HistogramDataPoint") return false;
  const { explicitBounds: bounds, bucketCounts: counts, count } = point;
  const found = [
    check("bounds", { bounds, saas }, ""),
    check("buckets", { bounds, counts, count }, ""),
  ];
  return found.includes(true);
}

const TYPES = {
  gauge: "gauge",
  sum: "sum",
  histogram: "histogram",
  exponentialHistogram: "exponential",
  summary: "summary",
} as const;

function metricFacts({ name, unit, description, data }: Metric): MetricFacts {
  const { value } = data;
  const temporality = value !== undefined && "aggregationTemporality" in value
    ? value.aggregationTemporality
    : undefined;
  return {
    name,
    unit,
    description,
    type: data.case === undefined ? "none" : TYPES[data.case],
    temporality: temporality === AggregationTemporality.DELTA
      ? "delta"
      : temporality === AggregationTemporality.CUMULATIVE
      ? "cumulative"
      : "unspecified",
    monotonic: data.case === "sum" && data.value.isMonotonic,
  };
}

function pointFacts(point: DataPoint, now: number): PointFacts {
  const time = Number(point.timeUnixNano / 1_000_000n);
  if (isStaleMarker(point)) return { figures: [], sumMissing: false, time, now };
  switch (point.$typeName) {
    case "opentelemetry.proto.metrics.v1.HistogramDataPoint":
    case "opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint": {
      const { sum, min, max } = point;
      return { figures: figures({ sum, min, max }), sumMissing: sum === undefined, time, now };
    }
    case "opentelemetry.proto.metrics.v1.NumberDataPoint": {
      const { value } = point.value;
      const double = typeof value === "number" ? value : undefined;
      return { figures: figures({ "the value": double }), sumMissing: false, time, now };
    }
    case "opentelemetry.proto.metrics.v1.SummaryDataPoint":
      // A summary is refused whatever is in it.
      return { figures: [], sumMissing: false, time, now };
  }
}

function figures(named: Readonly<Record<string, number | undefined>>): PointFacts["figures"] {
  return Object.entries(named).flatMap(([name, value]): [string, number][] =>
    value === undefined ? [] : [[name, value]]
  );
}

function valueFacts(value: AnyValue | undefined): Pick<DimensionFacts, "type" | "text"> {
  const held = value?.value;
  switch (held?.case) {
    case "stringValue":
      return { type: "string", text: held.value };
    case "boolValue":
      return { type: "boolean", text: "" };
    case "intValue":
      return { type: "integer", text: "" };
    case "doubleValue":
      return { type: "double", text: "" };
    case "arrayValue":
      return { type: "array", text: "" };
    case "kvlistValue":
      return { type: "map", text: "" };
    case "bytesValue":
      return { type: "bytes", text: "" };
    default:
      return { type: "none", text: "" };
  }
}
