import type { SettingKey } from "../../settings/settings.ts";
import type { Level } from "../problem.ts";

/** Documents that the rules come from. */
export const SOURCES = {
  ingest: "https://docs.dynatrace.com/docs/ingest-from/opentelemetry/otlp-api/ingest-otlp-metrics",
  managed: "https://docs.dynatrace.com/managed/shortlink/otel-getstarted-metrics-ingest",
  classic:
    "https://docs.dynatrace.com/docs/ingest-from/opentelemetry-classic/otlp-api/ingest-otlp-metrics/about-metrics-ingest-classic",
  settings:
    "https://docs.dynatrace.com/docs/ingest-from/opentelemetry/otlp-api/ingest-otlp-metrics/configure-otlp-metrics",
  classicSettings:
    "https://docs.dynatrace.com/docs/ingest-from/opentelemetry/otlp-api/ingest-otlp-metrics/configure-otlp-metrics-classic",
  histograms: "https://docs.dynatrace.com/docs/analyze-explore-automate/metrics/histograms",
  endpoints: "https://docs.dynatrace.com/docs/shortlink/otel-getstarted-otlpexport",
  api:
    "https://docs.dynatrace.com/docs/discover-dynatrace/references/dynatrace-api/environment-api/opentelemetry/post-metrics",
  protocol: "https://docs.dynatrace.com/docs/shortlink/metric-ingestion-protocol",
  tokens: "https://docs.dynatrace.com/docs/shortlink/api-authentication",
  rejections:
    "https://community.dynatrace.com/t5/Troubleshooting/Why-are-my-OpenTelemetry-metrics-not-ingested/ta-p/269428",
  collector: "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/33650",
  otlp: "https://opentelemetry.io/docs/specs/otel/metrics/data-model/#histogram",
} as const;

/** URL of an endpoint, as rules look at it. */
export interface EndpointFacts {
  readonly url: URL;
  /** Name of its setting. */
  readonly setting: string;
}

/** Authorization header, taken apart. */
export interface TokenFacts {
  /** `Api-Token`, `Bearer` or another; empty when there is none. */
  readonly scheme: string;
  readonly token: string;
}

/** Size of a request. */
export interface RequestFacts {
  readonly points: number;
  /** Uncompressed. */
  readonly bytes: number;
}

/** Metric without its data points. */
export interface MetricFacts {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly type: "gauge" | "sum" | "histogram" | "exponential" | "summary" | "none";
  readonly temporality: "delta" | "cumulative" | "unspecified";
  readonly monotonic: boolean;
}

/** Bounds of a histogram. */
export interface BoundFacts {
  readonly bounds: readonly number[];
  /** Sent to SaaS, to which the rules of Managed do not apply. */
  readonly saas: boolean;
}

/** Buckets of a histogram data point. */
export interface BucketFacts {
  readonly bounds: readonly number[];
  readonly counts: readonly bigint[];
  readonly count: bigint;
}

/** Figures and time of a data point. */
export interface PointFacts {
  /** sum, min and max of a histogram, the value of a number. */
  readonly figures: readonly (readonly [string, number])[];
  /** True for a histogram, explicit or exponential, without its sum. */
  readonly sumMissing: boolean;
  /** `time_unix_nano` as ms since 1970. */
  readonly time: number;
  readonly now: number;
}

/** Level of an attribute: of several attributes with one key, Dynatrace keeps that of the first level. */
export type AttributeLevel = "data point" | "scope" | "resource";

/** Dimensions of a data point, counted. */
export interface DimensionCounts {
  /** Number of different keys of the data point's own attributes. */
  readonly own: number;
  /** Number with those of its scope and its resource. */
  readonly all: number;
}

/** Key of an attribute on its level. */
export interface LevelledKey {
  readonly level: AttributeLevel;
  readonly key: string;
}

/** Clash of two attributes that Dynatrace would store under one key. */
export interface KeyClash {
  readonly stored: string;
  readonly wins: LevelledKey;
  readonly loses: LevelledKey;
}

/** Attribute that may become a dimension. */
export interface DimensionFacts {
  readonly level: AttributeLevel;
  readonly key: string;
  readonly type: "string" | "boolean" | "integer" | "double" | "array" | "map" | "bytes" | "none";
  /** The value, where it is a string. */
  readonly text: string;
}

/** Subjects of the rules, by kind. */
export interface Subjects {
  readonly endpoint: EndpointFacts;
  readonly token: TokenFacts;
  readonly request: RequestFacts;
  readonly metric: MetricFacts;
  /** The names of a request's histograms, each once. */
  readonly histograms: readonly string[];
  readonly bounds: BoundFacts;
  readonly buckets: BucketFacts;
  readonly point: PointFacts;
  /** Number of series of one metric. */
  readonly series: number;
  readonly dimensions: DimensionCounts;
  readonly keys: KeyClash;
  readonly dimension: DimensionFacts;
  /** Known only to Dynatrace: an answer's status, a version, a quota. */
  readonly service: never;
}

/** Origin of a statement: a document of Dynatrace's, a published response, or this program alone. */
export type Origin = "documented" | "seen" | "ours";

/** Response of Dynatrace when a rule is broken. */
export interface Answer {
  /** A line of the message; NAME stands for the metric. */
  readonly line: string;
  /** `reason`: the reason in it has been seen, the words around it are ours. */
  readonly wording: Origin | "reason";
  readonly status: "200" | "200 or 400" | "401" | "403" | "413";
  readonly statusFrom: Origin;
}

/** Rule as text, for the documentation and the explanations. */
export interface RuleText {
  readonly id: string;
  readonly level: Level;
  readonly checks: string;
  /** Consequence in Dynatrace. */
  readonly effect: string;
  readonly remedy: string;
  readonly source: keyof typeof SOURCES;
  /** None: Dynatrace says nothing. */
  readonly answer?: Answer;
  /** Settings to change; none where a rule is not about a setting. */
  readonly settings?: readonly SettingKey[];
  /** Statuses of responses that mean that the rule is broken: `effect` and `remedy` explain them. */
  readonly statuses?: readonly number[];
}

/** Rule with its check. */
export interface Rule<T> extends RuleText {
  /** Says what is wrong, or undefined; only Dynatrace can check a rule without it. */
  readonly broken?: (subject: T) => string | undefined;
}
