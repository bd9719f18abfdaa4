import type { Level } from "../otlp/rules.ts";

// Dynatrace's rules for OTLP metrics, as data. Preflight, the local judge, the explanations and docs/dynatrace-rules.md
// are made from this one table. Light on purpose: `send` loads it when its destination is Dynatrace.

/** The documents that the rules come from. */
export const SOURCES = {
  ingest: "https://docs.dynatrace.com/docs/ingest-from/opentelemetry/otlp-api/ingest-otlp-metrics",
  classic:
    "https://docs.dynatrace.com/docs/ingest-from/opentelemetry-classic/otlp-api/ingest-otlp-metrics/about-metrics-ingest-classic",
  histograms: "https://docs.dynatrace.com/docs/analyze-explore-automate/metrics/histograms",
  api:
    "https://docs.dynatrace.com/docs/discover-dynatrace/references/dynatrace-api/environment-api/opentelemetry/post-metrics",
  protocol: "https://docs.dynatrace.com/docs/shortlink/metric-ingestion-protocol",
  tokens: "https://docs.dynatrace.com/docs/shortlink/api-authentication",
  rejections:
    "https://community.dynatrace.com/t5/Troubleshooting/Why-are-my-OpenTelemetry-metrics-not-ingested/ta-p/269428",
  collector: "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/33650",
} as const;

export interface EndpointFacts {
  readonly url: URL;
  /** Which setting named it. */
  readonly setting: string;
}

export interface RequestFacts {
  readonly points: number;
  /** Uncompressed. */
  readonly bytes: number;
}

export interface MetricFacts {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly type: "gauge" | "sum" | "histogram" | "exponential" | "summary" | "none";
  readonly temporality: "delta" | "cumulative" | "unspecified";
  readonly monotonic: boolean;
}

export interface BucketFacts {
  readonly bounds: readonly number[];
  readonly counts: readonly bigint[];
  readonly count: bigint;
}

export interface PointFacts {
  /** sum, min and max of a histogram, the value of a number. */
  readonly figures: readonly (readonly [string, number])[];
  /** A histogram, explicit or exponential, without its sum. */
  readonly sumMissing: boolean;
  /** `time_unix_nano` as ms since 1970. */
  readonly time: number;
  readonly now: number;
}

export interface DimensionFacts {
  readonly key: string;
  readonly type: "string" | "boolean" | "integer" | "double" | "array" | "map" | "bytes" | "none";
  /** The value, where it is a string. */
  readonly text: string;
}

/** What the rules are about. */
export interface Subjects {
  readonly endpoint: EndpointFacts;
  readonly token: string;
  readonly request: RequestFacts;
  readonly metric: MetricFacts;
  readonly bounds: readonly number[];
  readonly buckets: BucketFacts;
  readonly point: PointFacts;
  /** How many different keys point, scope and resource have together. */
  readonly dimensions: number;
  readonly dimension: DimensionFacts;
  /** Known only to Dynatrace: an answer's status, a version, a quota. */
  readonly service: never;
}

/** A rule as text; the documentation and the explanations need no more. */
export interface RuleText {
  readonly id: string;
  readonly level: Level;
  readonly checks: string;
  /** What Dynatrace does with what breaks it. */
  readonly effect: string;
  readonly remedy: string;
  readonly source: keyof typeof SOURCES;
  /**
   * The line of Dynatrace's answer, NAME standing for the metric. Where the documents give a reason or a wording, it
   * is theirs; the other lines follow their form. None: Dynatrace says nothing.
   */
  readonly answer?: string;
}

export interface Rule<T> extends RuleText {
  /** What is wrong, or undefined; a rule without it is one that only Dynatrace can check. */
  readonly broken?: (subject: T) => string | undefined;
}

export const LIMITS = {
  /** 4 MB, uncompressed. */
  requestBytes: 4_000_000,
  requestPoints: 15_000,
  suggestedPoints: 3000,
  dimensions: 50,
  metricKey: { least: 2, most: 255 },
  dimensionKey: 100,
  dimensionValue: 255,
  unit: 63,
  description: 1023,
  /** Buckets that Classic and Managed store of a data point. */
  buckets: 12,
  pastMs: 3_600_000,
  futureMs: 600_000,
} as const;

const NAME = "NAME";
const DELTA =
  "use DELTA: OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta in an SDK, the cumulativetodelta processor in a Collector";

export const RULES: { readonly [S in keyof Subjects]: readonly Rule<Subjects[S]>[] } = {
  endpoint: [
    {
      id: "endpoint-apps",
      level: "error",
      checks: "The host is not the one of Dynatrace's pages, ENV.apps.dynatrace.com",
      effect: "a host with .apps. serves Dynatrace's pages, not its API, and answers 404",
      remedy: "use ENV.live.dynatrace.com",
      source: "api",
      broken: ({ url }) =>
        url.hostname.includes(".apps.") ? `the host is ${url.hostname}` : undefined,
    },
    {
      id: "endpoint-path",
      level: "warning",
      checks: "The path holds /api/v2/otlp",
      effect: "Dynatrace answers 404",
      remedy:
        "use https://ENV.live.dynatrace.com/api/v2/otlp, or https://HOST/e/ENV/api/v2/otlp for Managed and ActiveGate",
      source: "api",
      broken: ({ url, setting }) =>
        !url.pathname.includes("/api/v2/otlp") && (setting === "DT_ENDPOINT" || isDynatrace(url))
          ? `the path ${url.pathname} does not hold /api/v2/otlp`
          : undefined,
    },
    {
      id: "endpoint-doubled",
      level: "warning",
      checks: "The path holds /v1/metrics once",
      effect: "Dynatrace answers 404",
      remedy: "leave /v1/metrics out of the setting, or have it once",
      source: "api",
      broken: ({ url }) =>
        /\/v1\/metrics\/.*v1\/metrics/.test(url.pathname)
          ? `the path ${url.pathname} holds /v1/metrics twice`
          : undefined,
    },
    {
      id: "endpoint-http",
      level: "warning",
      checks: "A host that is not of the own network is reached over https",
      effect: "all travels unencrypted, the token too; Dynatrace takes https alone",
      remedy: "use https://",
      source: "api",
      broken: ({ url }) =>
        url.protocol === "http:" && !isPrivate(url.hostname)
          ? `${url.hostname} is a public host and the URL begins with http://`
          : undefined,
    },
    {
      id: "endpoint-activegate",
      level: "warning",
      checks: "An ActiveGate (port 9999) is reached over https, with the environment in the path",
      effect: "an ActiveGate finds the environment by its path alone",
      remedy:
        "use https://HOST:9999/e/ENV/api/v2/otlp; its certificate is often its own: name its CA with --ca",
      source: "api",
      broken: ({ url }) =>
        url.port === "9999" && (url.protocol === "http:" || !/^\/e\/[^/]+\//.test(url.pathname))
          ? `port 9999 is an ActiveGate's, but the URL is ${url.protocol}//…:9999${url.pathname}`
          : undefined,
    },
  ],
  token: [
    {
      id: "token-shape",
      level: "warning",
      checks: "A token looks like dt0c01.PUBLIC.SECRET; newer kinds may differ",
      effect: "Dynatrace answers 401 to anything but a token of its own",
      remedy: "copy all of the token, with its two dots, as Dynatrace showed it once",
      source: "tokens",
      broken: (token) =>
        /^dt\d[a-z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}$/.test(token)
          ? undefined
          : "the token does not look like dt0c01.PUBLIC.SECRET (24 and 64 characters)",
    },
  ],
  request: [
    {
      id: "request-size",
      level: "error",
      checks: "A request has at most 4 MB, uncompressed",
      effect: "Dynatrace answers 413 and drops the whole request",
      remedy: "send fewer data points a request",
      source: "ingest",
      answer: "Request dropped - Reason: OTLP_MESSAGE_MAX_SIZE_EXCEEDED",
      broken: ({ bytes }) =>
        bytes > LIMITS.requestBytes
          ? `the request has ${bytes} bytes uncompressed, ${LIMITS.requestBytes} are the most`
          : undefined,
    },
    {
      id: "request-points",
      level: "error",
      checks: "A request has at most 15,000 data points",
      effect: "Dynatrace answers 413 and drops the whole request",
      remedy: "send fewer data points a request: 3,000 are suggested",
      source: "ingest",
      answer: "Request dropped details: 'Too many metric data points'",
      broken: ({ points }) =>
        points > LIMITS.requestPoints
          ? `the request has ${points} data points, ${LIMITS.requestPoints} are the most`
          : undefined,
    },
    {
      id: "request-points-suggested",
      level: "warning",
      checks: "A request has no more than the 3,000 data points that Dynatrace suggests",
      effect: "Dynatrace takes it, but may throttle a sender of large requests (429)",
      remedy: "send fewer data points a request",
      source: "ingest",
      broken: ({ points }) =>
        points > LIMITS.suggestedPoints && points <= LIMITS.requestPoints
          ? `the request has ${points} data points, ${LIMITS.suggestedPoints} are suggested`
          : undefined,
    },
  ],
  metric: [
    {
      id: "cumulative-histogram",
      level: "error",
      checks: "A histogram is DELTA",
      effect: "Dynatrace refuses cumulative histograms",
      remedy: DELTA,
      source: "ingest",
      answer:
        // No other reason is documented for exponential ones.
        `Unsupported metric: '${NAME}' - Reason: UNSUPPORTED_METRIC_TYPE_CUMULATIVE_HISTOGRAM`,
      broken: ({ type, temporality }) =>
        (type === "histogram" || type === "exponential") && temporality === "cumulative"
          ? "the histogram is cumulative"
          : undefined,
    },
    {
      id: "cumulative-sum",
      level: "error",
      checks: "A monotonic sum (a counter) is DELTA; one that also falls may be cumulative",
      effect: "Dynatrace refuses monotonic cumulative sums",
      remedy: DELTA,
      source: "rejections",
      answer:
        `Unsupported metric: '${NAME}' - Reason: UNSUPPORTED_METRIC_TYPE_MONOTONIC_CUMULATIVE_SUM`,
      broken: ({ type, temporality, monotonic }) =>
        type === "sum" && monotonic && temporality === "cumulative"
          ? "the counter is cumulative"
          : undefined,
    },
    {
      id: "summary",
      level: "error",
      checks: "The metric is no summary",
      effect: "Dynatrace refuses summaries",
      remedy: "send a histogram, or the summary's count, sum and quantiles as gauges",
      source: "rejections",
      answer: `Unsupported metric: '${NAME}' - Reason: UNSUPPORTED_METRIC_TYPE_SUMMARY`,
      broken: ({ type }) => type === "summary" ? "the metric is a summary" : undefined,
    },
    {
      id: "temporality-missing",
      level: "error",
      checks: "A sum or a histogram says whether it is delta or cumulative",
      effect: "Dynatrace takes DELTA alone and cannot know",
      remedy: "set aggregation_temporality to DELTA",
      source: "ingest",
      answer: `Unsupported metric: '${NAME}' details: 'Aggregation temporality is not set'`,
      broken: ({ type, temporality }) =>
        ["sum", "histogram", "exponential"].includes(type) && temporality === "unspecified"
          ? "the aggregation temporality is not set"
          : undefined,
    },
    {
      id: "metric-key-invalid",
      level: "error",
      checks: "A metric key has at least one letter or digit",
      effect: "Dynatrace drops the data points: nothing of the key is left",
      remedy: "give the metric a name of A-Z a-z 0-9 _ - and dots",
      source: "ingest",
      answer: `Metric dropped: '${NAME}' details: 'The metric key is invalid'`,
      broken: ({ name }) =>
        /[A-Za-z0-9]/.test(name)
          ? undefined
          : name === ""
          ? "the metric has no name"
          : `the metric key ${quoted(name)} has neither letter nor digit`,
    },
    {
      id: "metric-key-length",
      level: "error",
      checks: "A metric key has 2 to 255 characters",
      effect: "Dynatrace takes no such key: the data points are lost",
      remedy: "choose a name of 2 to 255 characters (--metric)",
      source: "ingest",
      answer: `Metric dropped: '${NAME}' details: 'The metric key has an invalid length'`,
      broken: ({ name }) => {
        const { least, most } = LIMITS.metricKey;
        const length = characters(name);
        return name === "" || (length >= least && length <= most)
          ? undefined
          : `the metric key ${quoted(name)} has ${counted(length, "character")}`;
      },
    },
    {
      id: "metric-key-characters",
      level: "warning",
      checks:
        "A metric key begins with a letter and has sections of A-Z a-z 0-9 _ - joined by dots",
      effect: "Dynatrace replaces what is different by _",
      remedy: "choose such a name (--metric), or look for the other one in Dynatrace",
      source: "ingest",
      broken: ({ name }) =>
        !/[A-Za-z0-9]/.test(name) || METRIC_KEY.test(name)
          ? undefined
          : storedMetricKey(name) === name
          ? `the metric key ${quoted(name)} has an empty section`
          : `the metric key ${quoted(name)} becomes ${quoted(storedMetricKey(name))}`,
    },
    {
      id: "metric-key-reserved",
      level: "warning",
      checks: "A metric key does not begin with dt.",
      effect: "Dynatrace keeps dt. for its own metrics and may not ingest another of such a name",
      remedy: "choose another name (--metric)",
      source: "protocol",
      broken: ({ name }) =>
        name.startsWith("dt.") ? `the metric key ${quoted(name)} begins with dt.` : undefined,
    },
    {
      id: "unit-length",
      level: "warning",
      checks: "A unit has at most 63 characters",
      effect: "Dynatrace drops the unit",
      remedy: "use a unit of UCUM, for example ms, By or {request} (--unit)",
      source: "ingest",
      broken: ({ unit }) =>
        characters(unit) > LIMITS.unit
          ? `the unit has ${characters(unit)} characters, ${LIMITS.unit} are the most`
          : undefined,
    },
    {
      id: "unit-characters",
      level: "warning",
      checks: "A unit has printable ASCII characters without blanks, as UCUM's have",
      effect: "Dynatrace drops the unit",
      remedy: "use a unit of UCUM, for example us in place of µs (--unit)",
      source: "collector",
      answer: `Unit dropped. key: '${NAME}' - Reason: METRIC_UNIT_INVALID_CHARACTERS`,
      broken: ({ unit }) =>
        /^[\x21-\x7e]*$/.test(unit)
          ? undefined
          : `the unit ${quoted(unit)} has characters that no unit of UCUM has`,
    },
    {
      id: "description-length",
      level: "warning",
      checks: "A description has at most 1,023 characters",
      effect: "Dynatrace cuts the description",
      remedy: "shorten it (--description)",
      source: "ingest",
      broken: ({ description }) =>
        characters(description) > LIMITS.description
          ? `the description has ${
            characters(description)
          } characters, ${LIMITS.description} are the most`
          : undefined,
    },
    {
      id: "exponential-buckets",
      level: "warning",
      checks: "A histogram has explicit bounds",
      effect:
        "of an exponential histogram Dynatrace keeps min, max, sum and count, not the buckets",
      remedy: "use explicit bounds (--buckets) where percentiles are wanted",
      source: "histograms",
      broken: ({ type }) => type === "exponential" ? "the histogram is exponential" : undefined,
    },
  ],
  bounds: [
    {
      id: "bounds-sorted",
      level: "error",
      checks: "The explicit bounds of a histogram rise strictly",
      effect: "Dynatrace drops the histogram",
      remedy: "sort the bounds, and have each once (--buckets)",
      source: "rejections",
      answer:
        `Histogram metric dropped. key: '${NAME}' details: 'Histogram boundaries are not sorted' - Reason: HISTOGRAM_BUCKET_INVALID`,
      broken: (bounds) => {
        const at = bounds.findIndex((bound, i) => bound <= (bounds[i - 1] ?? NaN));
        return at < 0 ? undefined : `the bound ${bounds[at]} follows ${bounds[at - 1]}`;
      },
    },
    {
      id: "bounds-finite",
      level: "error",
      checks: "The explicit bounds of a histogram are finite numbers",
      effect: "Dynatrace drops the histogram",
      remedy: "leave NaN and infinity out: the last bucket has no upper bound anyway (--buckets)",
      source: "histograms",
      answer:
        `Histogram metric dropped. key: '${NAME}' details: 'Histogram boundaries are not finite' - Reason: HISTOGRAM_BUCKET_INVALID`,
      broken: (bounds) => {
        const found = bounds.find((bound) => !Number.isFinite(bound));
        return found === undefined ? undefined : `a bound is ${found}`;
      },
    },
    {
      id: "bounds-negative",
      level: "error",
      checks: "The explicit bounds of a histogram are not negative",
      effect: "Dynatrace drops the histogram",
      remedy: "begin with 0 or more (--buckets)",
      source: "histograms",
      answer:
        `Histogram metric dropped. key: '${NAME}' details: 'Histogram boundaries are negative' - Reason: HISTOGRAM_BUCKET_INVALID`,
      broken: (bounds) => {
        const found = bounds.find((bound) => bound < 0);
        return found === undefined ? undefined : `the bound ${found} is negative`;
      },
    },
    {
      id: "bucket-limit",
      level: "warning",
      checks: "A histogram has at most 12 buckets, made by 11 bounds",
      effect: "Dynatrace Classic and Managed store 12 buckets a data point, and not the others",
      remedy: "give at most 11 bounds (--buckets; in an SDK a view: its default has 15)",
      source: "classic",
      broken: (bounds) =>
        bounds.length >= LIMITS.buckets
          ? `the histogram has ${bounds.length + 1} buckets, of which ${LIMITS.buckets} are stored`
          : undefined,
    },
  ],
  buckets: [
    {
      id: "bucket-counts",
      level: "error",
      checks: "A histogram has one more bucket than bounds, and their counts sum to its count",
      effect: "the histogram contradicts itself (OTLP): expect Dynatrace to drop it",
      remedy: "this is a bug of the exporter: update it",
      source: "histograms",
      answer:
        `Histogram metric dropped. key: '${NAME}' details: 'Histogram bucket counts do not match' - Reason: HISTOGRAM_BUCKET_INVALID`,
      broken: ({ bounds, counts, count }) => {
        if (counts.length === 0 && bounds.length === 0) return undefined;
        if (counts.length !== bounds.length + 1) {
          return `there are ${counts.length} bucket counts for ${bounds.length} bounds`;
        }
        const sum = counts.reduce((total, one) => total + one, 0n);
        return sum === count ? undefined : `the bucket counts sum to ${sum}, but count is ${count}`;
      },
    },
  ],
  point: [
    {
      id: "sum-missing",
      level: "error",
      checks: "A histogram data point has a sum",
      effect: "Dynatrace does not ingest a histogram data point without sum",
      remedy: "record no negative values: they make an SDK leave the sum out",
      source: "histograms",
      answer: `Histogram metric dropped. key: '${NAME}' details: 'Histogram has no sum'`,
      broken: ({ sumMissing }) => sumMissing ? "the data point has no sum" : undefined,
    },
    {
      id: "value-nan",
      level: "error",
      checks: "No value is NaN",
      effect: "Dynatrace drops the data point",
      remedy: "leave out what could not be measured",
      source: "collector",
      answer:
        `Metric value dropped. key: '${NAME}' details: 'Value was NaN' - Reason: VALUE_INVALID`,
      broken: ({ figures }) => {
        const found = figures.find(([, value]) => Number.isNaN(value));
        return found && `${found[0]} is NaN`;
      },
    },
    {
      id: "value-infinite",
      level: "error",
      checks: "No value is infinite",
      effect: "Dynatrace drops the data point",
      remedy: "leave out what has no finite value",
      source: "histograms",
      answer:
        `Metric value dropped. key: '${NAME}' details: 'Value was infinite' - Reason: VALUE_INVALID`,
      broken: ({ figures }) => {
        const found = figures.find(([, value]) => Math.abs(value) === Infinity);
        return found && `${found[0]} is ${found[1]}`;
      },
    },
    {
      id: "time-past",
      level: "error",
      checks: "A data point is at most 1 hour old (documented for the line protocol)",
      effect: "Dynatrace drops the data point",
      remedy: "send in time (--max-age 3600), and set the clock right",
      source: "protocol",
      answer: `Metric value dropped. key: '${NAME}' details: 'Timestamp is too far in the past'`,
      broken: ({ time, now }) =>
        now - time > LIMITS.pastMs
          ? time === 0
            ? "time_unix_nano is not set"
            : `the data point is ${Math.floor((now - time) / 60_000)} minutes old`
          : undefined,
    },
    {
      id: "time-future",
      level: "error",
      checks: "A data point is at most 10 minutes ahead (documented for the line protocol)",
      effect: "Dynatrace drops the data point",
      remedy: "set the clock right",
      source: "protocol",
      answer: `Metric value dropped. key: '${NAME}' details: 'Timestamp is too far in the future'`,
      broken: ({ time, now }) =>
        time - now > LIMITS.futureMs
          ? `the data point is ${Math.floor((time - now) / 60_000)} minutes ahead`
          : undefined,
    },
  ],
  dimensions: [
    {
      id: "dimension-count",
      level: "error",
      checks:
        "A data point has at most 50 dimensions, its own attributes, its scope's and its resource's together",
      effect: "Dynatrace drops the data point",
      remedy: "send fewer attributes (--attr, --resource)",
      source: "ingest",
      answer: `Metric dropped: '${NAME}' - Reason: DIMENSION_COUNT_EXCEEDED`,
      broken: (count) =>
        count > LIMITS.dimensions
          ? `a data point has ${count} dimensions, ${LIMITS.dimensions} are the most`
          : undefined,
    },
  ],
  dimension: [
    {
      id: "dimension-key-empty",
      level: "warning",
      checks: "A dimension key has at least one letter or digit",
      effect: "Dynatrace drops the dimension",
      remedy: "give the attribute a key of a-z 0-9 _ . -",
      source: "collector",
      answer: `Dimension dropped. key: '${NAME}' - Reason: DIMENSION_KEY_OR_VALUE_EMPTY`,
      broken: ({ key }) =>
        key === ""
          ? "an attribute's key is empty"
          : /[a-z0-9]/.test(key)
          ? undefined
          : `the attribute key ${quoted(key)} has no character that is kept`,
    },
    {
      id: "dimension-key-characters",
      level: "warning",
      checks: "A dimension key begins with a letter and has a-z 0-9 _ . - alone: no capitals",
      effect: "Dynatrace renames the key: it replaces what is different by _",
      remedy: "use lower case letters, digits and _ . - for the attribute's key",
      source: "ingest",
      broken: ({ key }) =>
        !/[a-z0-9]/.test(key) || DIMENSION_KEY.test(key)
          ? undefined
          : `the attribute key ${quoted(key)} becomes ${quoted(storedDimensionKey(key))}`,
    },
    {
      id: "dimension-key-length",
      level: "warning",
      checks: "A dimension key has at most 100 characters",
      effect: "Dynatrace cuts the key",
      remedy: "shorten the attribute's key",
      source: "ingest",
      broken: ({ key }) =>
        characters(key) > LIMITS.dimensionKey
          ? `the attribute key ${quoted(key)} has ${characters(key)} characters`
          : undefined,
    },
    {
      id: "dimension-key-reserved",
      level: "warning",
      checks: "A dimension key does not begin with dt.",
      effect: "Dynatrace keeps dt. for its own dimensions and may drop or overwrite it",
      remedy: "choose another key",
      source: "protocol",
      broken: ({ key }) =>
        key.startsWith("dt.") ? `the attribute key ${quoted(key)} begins with dt.` : undefined,
    },
    {
      id: "dimension-value-empty",
      level: "warning",
      checks: "A dimension value has at least 1 character",
      effect: "Dynatrace drops the dimension",
      remedy: "leave the attribute out, or give it a value",
      source: "collector",
      answer: `Dimension dropped. key: '${NAME}' - Reason: DIMENSION_KEY_OR_VALUE_EMPTY`,
      broken: ({ key, type, text }) =>
        type === "none" || (type === "string" && text === "")
          ? `the attribute ${quoted(key)} has no value`
          : undefined,
    },
    {
      id: "dimension-value-length",
      level: "warning",
      checks: "A dimension value has at most 255 characters",
      effect: "Dynatrace cuts the value",
      remedy: "shorten the attribute's value",
      source: "ingest",
      broken: ({ key, text }) =>
        characters(text) > LIMITS.dimensionValue
          ? `the value of the attribute ${quoted(key)} has ${characters(text)} characters`
          : undefined,
    },
    {
      id: "dimension-value-type",
      level: "warning",
      checks: "A dimension value is a string, a boolean or an integer",
      effect: "Dynatrace drops the dimension",
      remedy: "send the attribute as a string, or leave it out",
      source: "ingest",
      broken: ({ key, type }) =>
        ["double", "array", "map", "bytes"].includes(type)
          ? `the attribute ${quoted(key)} is ${type === "array" ? "an" : "a"} ${type}`
          : undefined,
    },
  ],
  service: [
    {
      id: "status-401",
      level: "error",
      checks: "The header Authorization: Api-Token TOKEN is there, and the token is valid",
      effect: "Dynatrace answers 401",
      remedy: "make a token in Dynatrace under Access tokens, with the scope metrics.ingest",
      source: "tokens",
    },
    {
      id: "status-403",
      level: "error",
      checks: "The token has the scope metrics.ingest in this environment",
      effect: "Dynatrace answers 403",
      remedy: "add the scope metrics.ingest to the token, or use the environment's own token",
      source: "tokens",
    },
    {
      id: "status-404",
      level: "error",
      checks: "The URL is BASE/v1/metrics, its base ending in /api/v2/otlp",
      effect: "Dynatrace answers 404",
      remedy: "check host, environment and path",
      source: "api",
    },
    {
      id: "status-415",
      level: "error",
      checks: "The body is binary protobuf (application/x-protobuf) over HTTP; gzip is recommended",
      effect: "Dynatrace answers 415, to JSON too",
      remedy: "set the exporter to http/protobuf",
      source: "api",
    },
    {
      id: "status-429",
      level: "error",
      checks: "The environment's ingest is not used up",
      effect: "Dynatrace answers 429 and takes nothing for a while",
      remedy: "send less often, or larger requests; obey Retry-After",
      source: "api",
    },
    {
      id: "status-5xx",
      level: "error",
      checks: "The service is available",
      effect: "Dynatrace answers 500 for a failure of its own, 503 when it is paused or overloaded",
      remedy: "send a 503 again; a 500 will not get better by repeating it",
      source: "api",
    },
    {
      id: "histogram-version",
      level: "error",
      checks: "Histograms: Dynatrace has version 1.300 or later, Managed 1.324",
      effect: "older versions ingest no histogram",
      remedy: "update Dynatrace, or the ActiveGate in between",
      source: "ingest",
    },
    {
      id: "metric-keys-environment",
      level: "error",
      checks: "An environment has at most 100,000 metric keys",
      effect: "Dynatrace takes no new metric key",
      remedy: "keep what varies in dimensions, not in metric names",
      source: "ingest",
    },
    {
      id: "classic-key",
      level: "warning",
      checks: "In Dynatrace Classic the key of a histogram gains .histogram",
      effect: "a search for the name alone does not find it there",
      remedy: "look for NAME.histogram",
      source: "classic",
    },
  ],
};

/** The broken rules of one kind, each with what is wrong. */
export function broken<S extends keyof Subjects>(
  kind: S,
  subject: Subjects[S],
): readonly { readonly rule: RuleText; readonly wrong: string }[] {
  return RULES[kind].flatMap((rule) => {
    const wrong = rule.broken?.(subject);
    return wrong === undefined ? [] : [{ rule, wrong }];
  });
}

/** Every rule, in the order of the table. */
export function allRules(): readonly RuleText[] {
  return Object.values(RULES).flat();
}

const METRIC_KEY = /^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/;
const DIMENSION_KEY = /^[a-z][a-z0-9_.-]*$/;

/** The key under which Dynatrace stores a metric of that name. */
export function storedMetricKey(name: string): string {
  return name.replace(/[^A-Za-z0-9_.-]/gu, "_").replace(/^[^A-Za-z]/, "_");
}

/** The key under which Dynatrace stores an attribute as a dimension. */
export function storedDimensionKey(key: string): string {
  return key.replace(/[^a-z0-9_.-]/gu, "_").replace(/^[^a-z]/, "_").slice(0, LIMITS.dimensionKey);
}

function isDynatrace({ hostname, port, pathname }: URL): boolean {
  return /\.dynatrace(labs)?\.com$/.test(hostname) || port === "9999" ||
    /^\/e\/[^/]+\//.test(pathname);
}

/** Of this machine or of a private network (RFC 1918, 3927, 4193, 6762), by name or address. */
function isPrivate(hostname: string): boolean {
  return !hostname.includes(".") && !hostname.includes(":") ||
    /^(127|10)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\./.test(hostname) ||
    /^\[(::1|f[cd]|fe80)/.test(hostname) ||
    /\.(localhost|local|internal|svc|lan|home|test)$/.test(hostname);
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** A name from a request, short enough for a message. */
function quoted(text: string): string {
  return `"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`;
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
