import type { MetricConfig } from "../aggregate/metric_config.ts";
import type { DestinationConfig } from "../http/destination_config.ts";
import type { Endpoint } from "../http/endpoint.ts";
import type { Credentials } from "../http/exchange.ts";
import type { Profile } from "../http/profile.ts";
import type { Trouble } from "../http/reply.ts";
import type { DataPoint } from "../otlp/data_points.ts";
import type { ExportMetricsServiceRequest } from "../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { MeasuredInterval } from "../aggregate/snapshot.ts";
import type { EncodedRequest, RequestLimits } from "../otlp/request.ts";
import type { Finding } from "./finding.ts";
import type { Problem } from "./problem.ts";

/**
 * Everything about what a kind of receiver accepts and means. The object itself is light, because every send loads it;
 * its methods import the rest when they are called.
 */
export interface ReceiverProfile extends Profile {
  /** Size of the requests that are sent to such a receiver. */
  readonly limits: RequestLimits;
  /** Bodies that such a receiver accepts; `receive` enforces them. */
  readonly body: BodyLimits;
  /** Largest difference between its clock and ours, in ms, that loses no data points. */
  readonly maxSkewMs: number;
  /** Opens the explanations of its responses. */
  explainer(): Promise<Explainer>;
  /** Checks what a send is configured to do, before its first request. */
  preflight(plan: SendPlan): Promise<Advice>;
  /** Checks a URL, which may be another receiver's. */
  inspectEndpoint(endpoint: Endpoint): Promise<readonly Finding[]>;
  /** Checks an Authorization value; `from` names its setting. */
  inspectToken(authorization: string, from: string): Promise<readonly Finding[]>;
  /** Opens the judge that answers requests as such a receiver does; `now` in ms since 1970. */
  judge(now: () => number): Promise<Judge>;
  /** Lists the ids of the rules that the judge may report. */
  rules(): Promise<readonly string[]>;
}

/** Profile of a vendor's receivers, with what tells their URLs from others. */
export interface VendorProfile extends ReceiverProfile {
  readonly vendor: string;
  /** Tells whether the receiver at a URL is this vendor's, or something that stands in for one. */
  acceptsAt(url: URL): boolean;
  /** Tells whether a host is the vendor's own, whatever the path. */
  ownsHost(url: URL): boolean;
  /** Opens what a 404 of another receiver depends on. */
  addresses(): Promise<VendorAddresses>;
}

/** Addresses of a vendor's receivers. */
export interface VendorAddresses {
  /** Base URLs, for a hint. */
  readonly bases: string;
  /** Explains a URL of the vendor's that has never accepted metrics; undefined for any other URL. */
  explainMisplaced(url: URL): string | undefined;
}

/** Rule that a request breaks which is too large. */
export type TooLargeRule = "body-size" | "request-size";

/** Bodies of requests that a receiver accepts. */
export interface BodyLimits {
  readonly formats: readonly ("protobuf" | "json")[];
  readonly encodings: readonly ("gzip" | "deflate" | "zstd")[];
  /** Bytes, as they came and unpacked. */
  readonly bytes: number;
  /** Refusal of a larger one: the broken rule, and the words that its message begins with. */
  readonly tooLarge: { readonly rule: TooLargeRule; readonly words: string };
}

/** Explanations of a receiver's responses, for people. */
export interface Explainer {
  /**
   * Says what probably is wrong and what to do; undefined where nothing useful is known. `words` is the receiver's
   * message, if any; without trouble it alone counts.
   */
  hint(trouble: Trouble | undefined, endpoint: Endpoint, words?: string): string | undefined;
  /** Explains the reasons in a receiver's message, one line each. */
  reasons(message: string): readonly string[];
  /** Says where to look for metrics that the receiver at a URL accepted, one line each. */
  whereToLook(
    metrics: readonly StoredMetric[],
    endpoint: Pick<Endpoint, "url">,
  ): readonly string[];
}

/** Parts of a metric that a query for it depends on. */
export interface StoredMetric {
  readonly metric: string;
  /** Keys of its data points' attributes. */
  readonly dimensions: readonly string[];
  readonly exponential: boolean;
  /** Age of the oldest measurement in ms; by default the metric is new. */
  readonly ageMs?: number;
}

/** Parts of a send's configuration that the rules of a receiver are about. */
export interface SendPlan {
  readonly destination: Pick<DestinationConfig, "endpoint" | "authorization">;
  readonly credentials: Pick<Credentials, "authorization">;
  readonly metric:
    & Pick<
      MetricConfig,
      "name" | "unit" | "description" | "maxSeries" | "resource" | "attributes"
    >
    & { readonly bounds: readonly number[] | "exponential" };
  /** Names of the metrics; more are added while a source is read. */
  readonly metrics: readonly string[];
  /** `series`: number of series of generated measurements. */
  readonly source: { readonly kind: string; readonly series?: number | undefined };
}

/** Advice around a send: before it, on its data, and after it. */
export interface Advice {
  /** Findings about the configuration. */
  readonly findings: readonly Finding[];
  /**
   * Checks the data of the first send and leaves out what `reported` holds; loads the OTLP schema, which takes some
   * milliseconds. `now` in ms since 1970.
   */
  review(
    requests: readonly EncodedRequest[],
    now: number,
    reported: readonly Finding[],
  ): Promise<readonly Finding[]>;
  /** Finds the intervals that are too old or too far ahead. `now` in ms since 1970. */
  untimely(measured: readonly MeasuredInterval[], now: number): readonly Finding[];
  /** Says where to look for what was accepted, one line each. */
  whereToLook(): readonly string[];
}

/** Judge of decoded requests: what a receiver would answer. */
export type Judge = (request: ExportMetricsServiceRequest) => Verdict;

/** Verdict on one decoded request. */
export interface Verdict {
  readonly problems: readonly Problem[];
  readonly points: number;
  /** Sum of the data points' `count`; a number data point has none. */
  readonly measurements: number;
  readonly rejectedPoints: number;
  /** Data points that are rejected, unless the status refuses all of them. */
  readonly rejected: ReadonlySet<DataPoint>;
  /** 200, or the status that refuses the request as a whole. */
  readonly status: number;
  /** Message of the response: a partial success's error_message or a Status's message. */
  readonly message: string;
}
