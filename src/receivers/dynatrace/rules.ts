import { clip } from "../../redact/clip.ts";
import { counted } from "../../console/plural.ts";
import { otherSignal } from "../../http/endpoint.ts";
import { LIMITS, TOO_LARGE } from "./limits.ts";
import { isOtlpApi, OTLP_PATH } from "./api_path.ts";
import type { DimensionFacts, Rule, RuleText, Subjects, TokenFacts } from "./rule.ts";
import { ACCESS, PLATFORM } from "./tokens.ts";
import { BASES, MISPLACED } from "./urls.ts";

// Dynatrace's rules for OTLP metrics, as data. Preflight, the local judge, the explanations and docs/dynatrace-rules.md
// are made from this one table. Light on purpose: `send` loads it when its destination is Dynatrace.

const NAME = "NAME";
const DELTA =
  "use DELTA: OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta in an SDK, the cumulativetodelta processor in a Collector";
const CLASSIC_TOKEN = `${ACCESS.prefix}. followed by 24 characters, a dot and 64 characters`;

/** Status of a response about data points: 200 when others were taken, 400 when there are none. */
const PARTIAL = { status: "200 or 400", statusFrom: "documented" } as const;
/** Status where no document says how Dynatrace responds. */
const ASSUMED = { status: "200 or 400", statusFrom: "ours" } as const;
/** Status of a response that refuses nothing. */
const WARNED = { status: "200", statusFrom: "ours" } as const;

/** Table of the rules, by subject. */
export const RULES: { readonly [S in keyof Subjects]: readonly Rule<Subjects[S]>[] } = {
  endpoint: [
    ...MISPLACED,
    {
      id: "endpoint-placeholder",
      level: "warning",
      checks: "The URL names your environment, not a placeholder from the documentation",
      effect: "no environment has this address",
      remedy: "replace it with your environment ID and your host",
      source: "endpoints",
      broken: ({ url }) => {
        const found = documentedPlaceholder(url);
        return found === undefined ? undefined : `"${found}" is a placeholder`;
      },
    },
    {
      id: "endpoint-path",
      level: "warning",
      checks: `The path contains ${OTLP_PATH}`,
      effect: "Dynatrace answers 404",
      remedy: `use ${BASES}`,
      source: "endpoints",
      broken: ({ url, setting }) =>
        !isOtlpApi(url) && (setting === "DT_ENDPOINT" || isDynatrace(url))
          ? `the path ${url.pathname} does not contain ${OTLP_PATH}`
          : undefined,
    },
    {
      id: "endpoint-doubled",
      level: "warning",
      checks: "The path contains /v1/metrics once",
      effect: "Dynatrace answers 404",
      remedy: "remove /v1/metrics from the setting, or give it once",
      source: "endpoints",
      broken: ({ url }) =>
        /\/v1\/metrics\/.*v1\/metrics/.test(url.pathname)
          ? `the path ${url.pathname} holds /v1/metrics twice`
          : undefined,
    },
    {
      id: "endpoint-signal",
      level: "warning",
      checks: "The path is /v1/metrics, not /v1/traces or /v1/logs",
      effect: "that path accepts another signal, not metrics",
      remedy: "remove it from the setting: /v1/metrics is appended",
      source: "endpoints",
      broken: ({ url }) => {
        // The configuration itself warns of other URLs.
        const signal = isOtlpApi(url) ? otherSignal(url) : undefined;
        return signal === undefined ? undefined : `the path ${url.pathname} holds ${signal}`;
      },
    },
    {
      id: "endpoint-http",
      level: "warning",
      checks: "A host outside the private network is reached over https",
      effect: "everything is sent unencrypted, even the token, and Dynatrace accepts only https",
      remedy: "use https://",
      source: "api",
      broken: ({ url }) =>
        url.protocol === "http:" && !isPrivate(url.hostname)
          ? `${url.hostname} is a public host, but the URL starts with http://`
          : undefined,
    },
    {
      id: "endpoint-activegate",
      level: "warning",
      checks: "An ActiveGate (port 9999) is reached over https, with the environment in the path",
      effect: "an ActiveGate identifies the environment by the path",
      remedy:
        `use https://HOST:9999/e/ENV${OTLP_PATH}; its certificate is self-signed unless you changed it: name its CA with --ca`,
      source: "endpoints",
      broken: ({ url }) =>
        url.port === "9999" && (url.protocol === "http:" || !/^\/e\/[^/]+\//.test(url.pathname))
          ? `port 9999 is an ActiveGate's, but the URL is ${url.protocol}//…:9999${url.pathname}`
          : undefined,
    },
    {
      id: "endpoint-grpc",
      level: "warning",
      checks: "The port is not 4317, the gRPC port",
      effect: "this program uses OTLP over HTTP, and Dynatrace does not accept gRPC",
      remedy: "use port 4318 of a Collector; a Dynatrace URL needs no port",
      source: "endpoints",
      broken: ({ url }) => url.port === "4317" ? "port 4317 is the OTLP port for gRPC" : undefined,
    },
  ],
  token: [
    {
      id: "token-kind",
      level: "warning",
      checks: "The token does not start with dt0s01 or dt0s02, the prefixes of OAuth clients",
      effect: "such a token cannot ingest: Dynatrace answers 401",
      remedy:
        "create an access token with the scope metrics.ingest, or a platform token with openpipeline:metrics:ingest",
      source: "tokens",
      broken: ({ token }) => {
        const kind = /^dt0s0[12](?=\.)/.exec(token)?.[0];
        return kind === undefined ? undefined : `the token starts with ${kind}`;
      },
    },
    {
      id: "token-shape",
      level: "warning",
      checks:
        `An access token is ${CLASSIC_TOKEN}; a platform token starts with dt0s16 and has two dots`,
      effect: "Dynatrace answers 401 to anything that is not one of its tokens",
      remedy: "copy the whole token, including its two dots; Dynatrace shows it only once",
      source: "tokens",
      broken: ({ scheme, token }) => {
        // Behind Bearer there may be what an OAuth server has issued, whose form is its own affair.
        if (!/^dt\d/.test(token) && scheme.toLowerCase() === "bearer") return undefined;
        if (/^dt0s0[12]\./.test(token) || /^dt0s16\.[^.]+\.[^.]+$/.test(token)) return undefined;
        if (/^dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}$/.test(token)) return undefined;
        const [, first, second] = /^dt0c01\.([^.]*)\.([^.]*)$/.exec(token) ?? [];
        return first === undefined || second === undefined
          ? `the token does not look like ${CLASSIC_TOKEN}`
          : first.length === 24 && second.length === 64
          ? "an access token has only capitals and digits after dt0c01., but this one has other characters"
          : `after dt0c01. there are ${first.length} and ${second.length} characters, not 24 and 64`;
      },
    },
    {
      id: "token-scheme",
      level: "warning",
      checks:
        "The header is Authorization: Api-Token … for an access token (dt0c01), Bearer … for a platform token (dt0s16)",
      effect:
        "Dynatrace answers 401 to another scheme; older and Managed endpoints do not support Bearer",
      remedy: "set DT_API_TOKEN to the token without a scheme: the program adds the right one",
      source: "tokens",
      answer: {
        line: "Authorization header contains unsupported authorization scheme",
        wording: "seen",
        status: "401",
        statusFrom: "seen",
      },
      broken: ({ scheme, token }) => {
        const named = scheme.toLowerCase();
        if (named !== "api-token" && named !== "bearer") {
          return scheme === ""
            ? "the Authorization header has no scheme"
            : /^(?:basic|digest|oauth|token|apikey|api-key)$/.test(named)
            ? `the Authorization header starts with ${scheme}`
            // Anything else may be the token itself.
            : "the Authorization header starts with something that is not a Dynatrace scheme";
        }
        const kind = [ACCESS, PLATFORM].find(({ prefix }) => token.startsWith(`${prefix}.`));
        const right = kind?.scheme ?? scheme;
        return named === right.toLowerCase()
          ? undefined
          : `the header says ${scheme}, but this kind of token requires ${right}`;
      },
    },
  ],
  request: [
    {
      id: "request-size",
      level: "error",
      checks: "A request has at most 4 MB (4,000,000 bytes), uncompressed",
      effect: "Dynatrace answers 413 and drops the whole request",
      remedy: "send fewer data points per request",
      source: "ingest",
      answer: {
        line: `Request dropped - Reason: ${TOO_LARGE}`,
        wording: "reason",
        status: "413",
        statusFrom: "documented",
      },
      broken: ({ bytes }) =>
        bytes > LIMITS.requestBytes
          ? `the request has ${bytes} bytes uncompressed, the maximum is ${LIMITS.requestBytes}`
          : undefined,
    },
    {
      id: "request-points",
      level: "error",
      checks: "A request has at most 15,000 data points",
      effect: "Dynatrace drops the whole request",
      remedy: "send fewer data points per request: 3,000 are suggested",
      source: "ingest",
      answer: {
        line: "Request dropped details: 'Too many metric data points'",
        wording: "ours",
        status: "413",
        statusFrom: "ours",
      },
      broken: ({ points }) =>
        points > LIMITS.requestPoints
          ? `the request has ${points} data points, the maximum is ${LIMITS.requestPoints}`
          : undefined,
    },
    {
      id: "request-points-suggested",
      level: "warning",
      checks: "A request has no more than the 3,000 data points of Dynatrace's Collector example",
      effect: "Dynatrace accepts it, but suggests smaller requests",
      remedy: "send fewer data points per request",
      source: "ingest",
      broken: ({ points }) =>
        points > LIMITS.suggestedPoints && points <= LIMITS.requestPoints
          ? `the request has ${points} data points, more than the suggested ${LIMITS.suggestedPoints}`
          : undefined,
    },
  ],
  metric: [
    {
      id: "cumulative-histogram",
      level: "error",
      checks: "A histogram is DELTA",
      effect: "Dynatrace rejects cumulative histograms",
      remedy: DELTA,
      source: "ingest",
      // No other reason is documented for exponential ones.
      answer: {
        line:
          `Unsupported metric: '${NAME}' - Reason: UNSUPPORTED_METRIC_TYPE_CUMULATIVE_HISTOGRAM`,
        wording: "seen",
        ...PARTIAL,
      },
      broken: ({ type, temporality }) =>
        (type === "histogram" || type === "exponential") && temporality === "cumulative"
          ? "the histogram is cumulative"
          : undefined,
    },
    {
      id: "cumulative-sum",
      level: "error",
      checks: "A monotonic sum (a counter) is DELTA; one that also falls may be cumulative",
      effect: "Dynatrace rejects monotonic cumulative sums",
      remedy: DELTA,
      source: "rejections",
      answer: {
        line:
          `Unsupported metric: '${NAME}' - Reason: UNSUPPORTED_METRIC_TYPE_MONOTONIC_CUMULATIVE_SUM`,
        wording: "seen",
        ...PARTIAL,
      },
      broken: ({ type, temporality, monotonic }) =>
        type === "sum" && monotonic && temporality === "cumulative"
          ? "the counter is cumulative"
          : undefined,
    },
    {
      id: "summary",
      level: "error",
      checks: "The metric is not a summary",
      effect: "Dynatrace rejects summaries",
      remedy: "send a histogram, or the summary's count, sum and quantiles as gauges",
      source: "rejections",
      answer: {
        line: `Unsupported metric: '${NAME}' - Reason: UNSUPPORTED_METRIC_TYPE_SUMMARY`,
        wording: "seen",
        ...PARTIAL,
      },
      broken: ({ type }) => type === "summary" ? "the metric is a summary" : undefined,
    },
    {
      id: "temporality-missing",
      level: "error",
      checks: "A sum or a histogram is marked as delta or cumulative",
      effect: "Dynatrace accepts only DELTA and cannot tell which it is",
      remedy: "set aggregation_temporality to DELTA",
      source: "ingest",
      answer: {
        line: `Unsupported metric: '${NAME}' details: 'Aggregation temporality is not set'`,
        wording: "ours",
        ...ASSUMED,
      },
      broken: ({ type, temporality }) =>
        ["sum", "histogram", "exponential"].includes(type) && temporality === "unspecified"
          ? "the aggregation temporality is not set"
          : undefined,
    },
    {
      id: "metric-key-invalid",
      level: "error",
      checks: "A metric key has at least one letter or digit",
      effect: "Dynatrace drops the data points: no valid character of the key is left",
      remedy: "choose a name of A-Z a-z 0-9 _ - and dots (--metric)",
      source: "ingest",
      settings: ["metric"],
      answer: {
        line: `Metric dropped: '${NAME}' details: 'The metric key is invalid'`,
        wording: "ours",
        ...PARTIAL,
      },
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
      effect: "Dynatrace rejects such a key, and the data points are lost",
      remedy: "choose a name of 2 to 255 characters (--metric)",
      source: "ingest",
      settings: ["metric"],
      answer: {
        line: `Metric dropped: '${NAME}' details: 'The metric key has an invalid length'`,
        wording: "ours",
        ...ASSUMED,
      },
      broken: ({ name }) => {
        const { least, most } = LIMITS.metricKey;
        const length = characters(name);
        return name === "" || (length >= least && length <= most)
          ? undefined
          : `the metric key ${quoted(name)} has ${counted(length, "character")}, ` +
            `${least} to ${most} are allowed`;
      },
    },
    {
      id: "metric-key-characters",
      level: "warning",
      checks:
        "A metric key starts with a letter and has sections of A-Z a-z 0-9 _ - joined by dots",
      effect: "Dynatrace replaces every other character by _",
      remedy:
        "choose such a name (--metric), or search for the name that Dynatrace derives from it",
      source: "ingest",
      settings: ["metric"],
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
      checks:
        "A metric key does not start with dt. (a rule of the line protocol; not documented for OTLP)",
      effect:
        "Dynatrace reserves dt. for its own metrics, and its line protocol rejects such a key",
      remedy: "choose another name (--metric)",
      source: "protocol",
      settings: ["metric"],
      broken: ({ name }) =>
        name.startsWith("dt.") ? `the metric key ${quoted(name)} starts with dt.` : undefined,
    },
    {
      id: "unit-length",
      level: "warning",
      checks: "A unit has at most 63 characters",
      effect: "Dynatrace drops the unit",
      remedy: "use a UCUM unit, for example ms, By or {request} (--unit)",
      source: "ingest",
      settings: ["unit"],
      broken: ({ unit }) =>
        characters(unit) > LIMITS.unit
          ? `the unit has ${characters(unit)} characters, the maximum is ${LIMITS.unit}`
          : undefined,
    },
    {
      id: "unit-characters",
      level: "warning",
      checks: "A unit consists of printable ASCII characters without spaces, as in UCUM",
      effect: "Dynatrace drops the unit",
      remedy: "use a UCUM unit, for example us instead of µs (--unit)",
      source: "collector",
      settings: ["unit"],
      answer: {
        line: `Unit dropped. key: '${NAME}' - Reason: METRIC_UNIT_INVALID_CHARACTERS`,
        wording: "reason",
        ...WARNED,
      },
      broken: ({ unit }) =>
        /^[\x21-\x7e]*$/.test(unit)
          ? undefined
          : `the unit ${quoted(unit)} has characters that UCUM does not allow`,
    },
    {
      id: "description-length",
      level: "warning",
      checks: "A description has at most 1,023 characters",
      effect: "Dynatrace truncates the description",
      remedy: "shorten it (--description)",
      source: "ingest",
      settings: ["description"],
      broken: ({ description }) =>
        characters(description) > LIMITS.description
          ? `the description has ${
            characters(description)
          } characters, Dynatrace keeps ${LIMITS.description}`
          : undefined,
    },
    {
      id: "exponential-buckets",
      level: "warning",
      checks: "A histogram has explicit bounds",
      effect:
        "Dynatrace keeps min, max, sum and count of an exponential histogram, but not its buckets",
      remedy: "use explicit bounds (--buckets) if you want percentiles",
      source: "histograms",
      settings: ["exponential"],
      broken: ({ type }) => type === "exponential" ? "the histogram is exponential" : undefined,
    },
  ],
  histograms: [
    {
      id: "metric-key-histogram",
      level: "warning",
      checks:
        "No two histograms differ only in .histogram: Managed appends it to a key that does not end in it",
      effect: "Managed stores both under one key, NAME.histogram",
      remedy: "rename one of them (--metric)",
      source: "managed",
      settings: ["metric"],
      broken: (names) => {
        const stored = new Set(names.map(storedMetricKey));
        const found = [...stored].find((key) => {
          return histogramKey(key) !== key && stored.has(histogramKey(key));
        });
        return found && `${quoted(found)} and ${quoted(histogramKey(found))} are both histograms`;
      },
    },
  ],
  bounds: [
    {
      id: "bounds-sorted",
      level: "error",
      checks: "The explicit bounds of a histogram increase strictly",
      effect: "Dynatrace drops the histogram",
      remedy: "sort the bounds and remove duplicates (--buckets)",
      source: "rejections",
      settings: ["buckets"],
      answer: {
        line:
          `Histogram metric dropped. key: '${NAME}' details: 'Histogram boundaries are not sorted' - Reason: HISTOGRAM_BUCKET_INVALID`,
        wording: "seen",
        ...PARTIAL,
      },
      broken: ({ bounds }) => {
        const at = bounds.findIndex((bound, i) => bound <= (bounds[i - 1] ?? NaN));
        return at < 0 ? undefined : `the bound ${bounds[at]} follows ${bounds[at - 1]}`;
      },
    },
    {
      id: "bounds-finite",
      level: "error",
      checks: "The explicit bounds of a histogram are finite numbers",
      effect: "Dynatrace drops the histogram",
      remedy: "remove NaN and infinity: the last bucket has no upper bound anyway (--buckets)",
      source: "histograms",
      settings: ["buckets"],
      answer: {
        line:
          `Histogram metric dropped. key: '${NAME}' details: 'Histogram boundaries are not finite' - Reason: HISTOGRAM_BUCKET_INVALID`,
        wording: "reason",
        ...PARTIAL,
      },
      broken: ({ bounds }) => {
        const found = bounds.find((bound) => !Number.isFinite(bound));
        return found === undefined ? undefined : `a bound is ${found}`;
      },
    },
    {
      id: "bounds-negative",
      level: "warning",
      checks: "The explicit bounds of a histogram are not negative",
      effect:
        "Dynatrace does not support negative bounds, and does not document what happens to them",
      remedy: "start with 0 or more (--buckets)",
      source: "managed",
      settings: ["buckets"],
      broken: ({ bounds }) => {
        const found = bounds.find((bound) => bound < 0);
        return found === undefined ? undefined : `the bound ${found} is negative`;
      },
    },
    {
      id: "bucket-limit",
      level: "warning",
      checks: "A histogram for Managed has at most 12 buckets, that is 11 bounds",
      effect: "Dynatrace Managed stores 12 buckets per data point and loses the others",
      remedy:
        "set at most 11 bounds (--buckets; in an SDK with a view, because its default has 15)",
      source: "managed",
      settings: ["buckets"],
      broken: ({ bounds, saas }) =>
        bounds.length >= LIMITS.buckets && !saas
          ? `the histogram has ${
            bounds.length + 1
          } buckets, of which Managed stores ${LIMITS.buckets}`
          : undefined,
    },
  ],
  buckets: [
    {
      id: "bucket-counts",
      level: "error",
      checks: "A histogram has one more bucket than bounds, and their counts sum to its count",
      effect: "the histogram is inconsistent, which OTLP forbids: expect Dynatrace to drop it",
      remedy: "update the exporter: this is a bug in the exporter",
      source: "otlp",
      settings: ["buckets"],
      answer: {
        line:
          `Histogram metric dropped. key: '${NAME}' details: 'Histogram bucket counts do not match' - Reason: HISTOGRAM_BUCKET_INVALID`,
        wording: "ours",
        ...ASSUMED,
      },
      broken: ({ bounds, counts, count }) => {
        if (counts.length === 0 && bounds.length === 0) return undefined;
        if (counts.length !== bounds.length + 1) {
          return `the data point has ${counted(counts.length, "bucket count")} for ${
            counted(bounds.length, "bound")
          }`;
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
      effect: "Dynatrace drops a histogram data point without a sum",
      remedy: "do not record negative values: they make an SDK leave out the sum",
      source: "histograms",
      answer: {
        line: `Histogram metric dropped. key: '${NAME}' details: 'Histogram has no sum'`,
        wording: "ours",
        ...PARTIAL,
      },
      broken: ({ sumMissing }) => sumMissing ? "the data point has no sum" : undefined,
    },
    {
      id: "value-nan",
      level: "error",
      checks: "No value is NaN",
      effect: "Dynatrace drops the data point",
      remedy: "do not record NaN",
      source: "collector",
      answer: {
        line:
          `Metric value dropped. key: '${NAME}' details: 'Value was NaN' - Reason: VALUE_INVALID`,
        wording: "seen",
        ...PARTIAL,
      },
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
      remedy: "do not record infinite values",
      source: "histograms",
      answer: {
        line:
          `Metric value dropped. key: '${NAME}' details: 'Value was infinite' - Reason: VALUE_INVALID`,
        wording: "reason",
        ...ASSUMED,
      },
      broken: ({ figures }) => {
        const found = figures.find(([, value]) => Math.abs(value) === Infinity);
        return found && `${found[0]} is ${found[1]}`;
      },
    },
    {
      id: "time-past",
      level: "error",
      checks:
        "A data point is at most 1 hour old (documented for the line protocol, assumed for OTLP)",
      effect: "expect Dynatrace to drop the data point",
      remedy: "send in time (--max-age 3600), and correct the clock",
      source: "protocol",
      answer: {
        line: `Metric value dropped. key: '${NAME}' details: 'Timestamp is too far in the past'`,
        wording: "ours",
        ...ASSUMED,
      },
      broken: ({ time, now }) =>
        now - time > LIMITS.pastMs
          ? time === 0
            ? "time_unix_nano is not set"
            : `the data point is ${
              Math.floor((now - time) / 60_000)
            } minutes old, the maximum is 60`
          : undefined,
    },
    {
      id: "time-future",
      level: "error",
      checks:
        "A data point is at most 10 minutes in the future (documented for the line protocol, assumed for OTLP)",
      effect: "expect Dynatrace to drop the data point",
      remedy: "correct the clock",
      source: "protocol",
      answer: {
        line: `Metric value dropped. key: '${NAME}' details: 'Timestamp is too far in the future'`,
        wording: "ours",
        ...ASSUMED,
      },
      broken: ({ time, now }) =>
        time - now > LIMITS.futureMs
          ? `the data point is ${
            Math.floor((time - now) / 60_000)
          } minutes in the future, the maximum is 10`
          : undefined,
    },
  ],
  series: [
    {
      id: "tuples-metric",
      level: "warning",
      checks: "A metric has at most 1,000,000 tuples (combinations of dimension values) in 30 days",
      effect: "Dynatrace rejects further tuples of the metric",
      remedy: "send fewer series (--series, --max-series), and keep IDs out of attributes",
      source: "ingest",
      broken: (series) =>
        series > LIMITS.tuples
          ? `${series} series were requested, the maximum is ${LIMITS.tuples} tuples`
          : undefined,
    },
  ],
  dimensions: [
    {
      id: "dimension-count",
      level: "error",
      checks: "A data point has at most 50 attributes of its own: each is a dimension",
      effect: "Dynatrace drops the data point",
      remedy: "send fewer attributes (--attr)",
      source: "ingest",
      settings: ["attr"],
      answer: {
        line: `Metric dropped: '${NAME}' - Reason: DIMENSION_COUNT_EXCEEDED`,
        wording: "reason",
        ...PARTIAL,
      },
      broken: ({ own }) =>
        own > LIMITS.dimensions
          ? `a data point has ${own} dimensions, the maximum is ${LIMITS.dimensions}`
          : undefined,
    },
    {
      id: "dimension-count-all",
      level: "warning",
      checks: "A data point, its scope and its resource have at most 50 attributes together",
      effect:
        "Dynatrace drops the data point if its allow list admits so many of them that there are over 50 dimensions",
      remedy: "send fewer attributes (--attr, --resource)",
      source: "ingest",
      settings: ["attr", "resource"],
      broken: ({ own, all }) =>
        own <= LIMITS.dimensions && all > LIMITS.dimensions
          ? `a data point has ${own} attributes of its own, ` +
            `${all} with those of its scope and its resource; the maximum is ${LIMITS.dimensions} dimensions`
          : undefined,
    },
  ],
  keys: [
    {
      id: "dimension-key-collision",
      level: "warning",
      checks: "No two attributes become the same dimension key",
      effect:
        "Dynatrace keeps one value: the data point's, then the scope's, then the resource's; on one level the first",
      remedy: "rename one of the attributes",
      source: "ingest",
      broken: ({ stored, wins, loses }) =>
        wins.key === loses.key
          ? undefined
          : `the attribute keys ${quoted(wins.key)} (${wins.level}) and ${quoted(loses.key)} ` +
            `(${loses.level}) both become ${quoted(stored)}`,
    },
    {
      id: "dimension-key-twice",
      level: "warning",
      checks: "An attribute key occurs once",
      effect: "Dynatrace keeps the first value",
      remedy: "send each attribute once",
      source: "ingest",
      broken: ({ wins, loses }) =>
        wins.key === loses.key && wins.level === loses.level
          ? `a ${wins.level} has the attribute key ${quoted(wins.key)} twice`
          : undefined,
    },
    {
      id: "dimension-key-levels",
      level: "warning",
      checks: "An attribute key occurs on one level: data point, scope or resource",
      effect:
        "Dynatrace prefers the data point's value to the scope's, and the scope's to the resource's",
      remedy: "remove or rename one of the attributes",
      source: "ingest",
      broken: ({ wins, loses }) =>
        wins.key === loses.key && wins.level !== loses.level
          ? `${quoted(wins.key)} is an attribute of a ${wins.level} and of its ${loses.level}`
          : undefined,
    },
  ],
  dimension: [
    {
      id: "dimension-key-empty",
      level: "warning",
      checks: "A dimension key has at least one letter or digit",
      effect: "Dynatrace drops the dimension",
      remedy: "choose an attribute key of a-z 0-9 _ . -",
      source: "collector",
      answer: {
        line: `Dimension dropped. key: '${NAME}' - Reason: DIMENSION_KEY_OR_VALUE_EMPTY`,
        wording: "reason",
        ...WARNED,
      },
      broken: ({ key }) =>
        key === ""
          ? "an attribute key is empty"
          : /[A-Za-z0-9]/.test(key)
          ? undefined
          : `the attribute key ${quoted(key)} has neither letter nor digit`,
    },
    {
      id: "dimension-key-characters",
      level: "warning",
      checks: "A dimension key starts with a letter and has only a-z 0-9 _ . -, no capitals",
      effect: "Dynatrace converts capitals to lower case and replaces every other character by _",
      remedy: "use lower-case letters, digits and _ . - in the attribute key",
      source: "ingest",
      broken: ({ key }) =>
        !/[A-Za-z0-9]/.test(key) || DIMENSION_KEY.test(key)
          ? undefined
          : `the attribute key ${quoted(key)} becomes ${quoted(storedDimensionKey(key))}`,
    },
    {
      id: "dimension-key-length",
      level: "warning",
      checks: "A dimension key has at most 100 characters",
      effect: "Dynatrace truncates the key",
      remedy: "shorten the attribute key",
      source: "ingest",
      broken: ({ key }) =>
        characters(key) > LIMITS.dimensionKey
          ? `the attribute key ${quoted(key)} has ${characters(key)} characters, ` +
            `Dynatrace keeps ${LIMITS.dimensionKey}`
          : undefined,
    },
    {
      id: "dimension-key-system",
      level: "warning",
      checks: "A dimension key is not dt.system; other keys that start with dt. are accepted",
      effect: "Dynatrace sets dt.system itself and does not accept it from outside",
      remedy: "choose another key",
      source: "ingest",
      broken: ({ key }) =>
        /^dt\.system(\.|$)/i.test(key)
          ? `the attribute key ${quoted(key)} is reserved by Dynatrace`
          : undefined,
    },
    {
      id: "dimension-value-empty",
      level: "warning",
      checks: "A dimension value has at least 1 character",
      effect: "Dynatrace drops the dimension",
      remedy: "remove the attribute, or give it a value",
      source: "collector",
      answer: {
        line: `Dimension dropped. key: '${NAME}' - Reason: DIMENSION_KEY_OR_VALUE_EMPTY`,
        wording: "reason",
        ...WARNED,
      },
      broken: ({ key, type, text }) =>
        type === "none" || (type === "string" && text === "")
          ? `the attribute ${quoted(key)} has no value`
          : undefined,
    },
    {
      id: "dimension-value-length",
      level: "warning",
      checks: "A dimension value has at most 255 characters",
      effect: "Dynatrace truncates the value",
      remedy: "shorten the attribute value",
      source: "ingest",
      broken: ({ key, text }) =>
        characters(text) > LIMITS.dimensionValue
          ? `the value of the attribute ${quoted(key)} has ${characters(text)} characters, ` +
            `Dynatrace keeps ${LIMITS.dimensionValue}`
          : undefined,
    },
    {
      id: "dimension-value-type",
      level: "warning",
      checks: "A dimension value is a string, a boolean or an integer; Dynatrace stores it as text",
      effect: "Dynatrace drops the dimension",
      remedy: "send the attribute as a string, or remove it",
      source: "ingest",
      broken: ({ key, type }) =>
        DROPPED_TYPES.includes(type)
          ? `the attribute ${quoted(key)} is ${type === "array" ? "an" : "a"} ${type}`
          : undefined,
    },
  ],
  service: [
    {
      id: "status-401",
      level: "error",
      checks:
        "The Authorization header holds a valid token: Api-Token with an access token (dt0c01), Bearer with a platform token (dt0s16)",
      effect: "the token is missing, mistyped, expired or revoked, or has the wrong scheme",
      remedy:
        "use an access token (dt0c01) with Api-Token and the scope metrics.ingest, or a platform token (dt0s16) with Bearer and openpipeline:metrics:ingest; older and Managed endpoints do not accept Bearer; dt0s01 and dt0s02 do not ingest",
      source: "tokens",
      answer: {
        line: "Token Authentication failed",
        wording: "seen",
        status: "401",
        statusFrom: "seen",
      },
      statuses: [401],
    },
    {
      id: "status-403",
      level: "error",
      checks:
        "An access token (Api-Token, dt0c01) has the scope metrics.ingest in this environment",
      effect: "the access token lacks the scope metrics.ingest or belongs to another environment",
      remedy: "add the scope metrics.ingest to the token, or use a token of this environment",
      source: "tokens",
      answer: {
        line: "Token is missing required scope",
        wording: "seen",
        status: "403",
        statusFrom: "seen",
      },
      statuses: [403],
    },
    {
      id: "status-403-platform",
      level: "error",
      checks:
        "A platform token (Bearer, dt0s16) has the scope openpipeline:metrics:ingest and has not expired, and its owner also has that permission",
      effect:
        "the platform token lacks the scope openpipeline:metrics:ingest or has expired, or its owner lacks that permission",
      remedy:
        "add the scope openpipeline:metrics:ingest to the token, and a policy that grants it to the owner; renew an expired token",
      source: "tokens",
      answer: {
        line: "OAuth token is missing required scope",
        wording: "seen",
        status: "403",
        statusFrom: "seen",
      },
      statuses: [403],
    },
    {
      id: "status-404",
      level: "error",
      checks: "The URL is BASE/v1/metrics, its base ending in /api/v2/otlp",
      effect: "the environment does not exist, or the path has no OTLP API",
      remedy: `check the environment's ID and the path; the base URL is ${BASES}`,
      source: "endpoints",
      statuses: [404],
    },
    {
      id: "status-415",
      level: "error",
      checks:
        "The body is binary protobuf (application/x-protobuf) over HTTP, not JSON and not gRPC; the 415 for others is not an OTLP Status",
      effect: "Dynatrace accepts only protobuf over HTTP, not JSON and not gRPC",
      remedy:
        "set an SDK's exporter to http/protobuf. This program always sends protobuf: check the path",
      source: "api",
      statuses: [415],
    },
    {
      id: "status-429",
      level: "error",
      checks: "The environment is not busy, and its quota is not used up",
      effect: "Dynatrace is busy or a quota is used up",
      remedy: "send less often, or ask for a higher limit",
      source: "api",
      statuses: [429],
    },
    {
      id: "status-5xx",
      level: "error",
      checks: "The service is available; a 500 is an internal failure that a retry does not fix",
      effect: "Dynatrace, or a server before it, is paused, overloaded or restarting",
      remedy: "send again later",
      source: "api",
      statuses: [502, 503, 504],
    },
    {
      id: "histogram-version",
      level: "error",
      checks: "Dynatrace has version 1.300 or later; Managed has 1.324, and its ActiveGate 1.321",
      effect: "older versions do not accept histograms",
      remedy: "update Dynatrace, or the ActiveGate in between",
      source: "managed",
    },
    {
      id: "buckets-latest",
      level: "warning",
      checks:
        "Latest Dynatrace: the rate card has Metrics powered by Grail; then all buckets are stored, without a setting",
      effect: "without it percentile() does not work",
      remedy: "query avg(), max() and sum()",
      source: "histograms",
    },
    {
      id: "buckets-managed",
      level: "warning",
      checks:
        "Managed: the key is NAME.histogram (just NAME if it ends in .histogram or _histogram), with 12 buckets per data point",
      effect: "a search for only the name does not find it",
      remedy: "look for NAME.histogram",
      source: "managed",
    },
    {
      id: "buckets-classic",
      level: "warning",
      checks:
        'Dynatrace Classic: Settings > Metrics > Histograms > "Ingest complete explicit bucket histograms" is on',
      effect:
        "Classic keeps only min, max, sum and count; with the setting it also stores the buckets as NAME_bucket",
      remedy: "turn the setting on, and search for NAME_bucket",
      source: "classicSettings",
    },
    {
      id: "buckets-drawn",
      level: "warning",
      checks: "A chart shows percentiles over time",
      effect: "Dynatrace cannot draw a distribution over the buckets",
      remedy: "draw it here: otlp-histogram receive, or --plot",
      source: "histograms",
    },
    {
      id: "resource-attributes",
      level: "warning",
      checks:
        "A resource or scope attribute is on the allow list (Settings > Metrics > OpenTelemetry metrics) under its original name, including capitals",
      effect:
        "it does not become a dimension: host.name, os.type and process.pid are not on the default list, service.name and deployment.environment may not be",
      remedy:
        "add it to the allow list, or put it on the data points (--attr); with Advanced OTLP metric dimensions every attribute becomes a dimension, its key is unchanged, and other limits apply",
      source: "settings",
    },
    {
      id: "metric-keys-environment",
      level: "error",
      checks: "An environment has at most 100,000 metric keys",
      effect: "Dynatrace rejects new metric keys",
      remedy: "use dimensions for variable parts, not metric names",
      source: "ingest",
    },
    {
      id: "tuples-environment",
      level: "error",
      checks: "All custom metrics together have at most 50,000,000 tuples in 30 days",
      effect: "Dynatrace rejects further tuples",
      remedy: "keep IDs and other values that never repeat out of attributes",
      source: "ingest",
    },
  ],
};

/** Broken rule, with what is wrong. */
interface Broken {
  readonly rule: RuleText;
  readonly wrong: string;
}

const NOTHING: readonly Broken[] = [];

/** Finds the broken rules of one kind. */
export function broken<S extends keyof Subjects>(
  kind: S,
  subject: Subjects[S],
): readonly Broken[] {
  // A large request asks half a million times, and mostly nothing is wrong: then nothing is made.
  let found: Broken[] | undefined;
  for (const rule of RULES[kind]) {
    const wrong = rule.broken?.(subject);
    if (wrong !== undefined) (found ??= []).push({ rule, wrong });
  }
  return found ?? NOTHING;
}

/** Lists every rule, in the order of the table. */
export function allRules(): readonly RuleText[] {
  return Object.values(RULES).flat();
}

const DROPPED_TYPES: readonly DimensionFacts["type"][] = ["double", "array", "map", "bytes"];
const METRIC_KEY = /^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/;
const DIMENSION_KEY = /^[a-z][a-z0-9_.-]*$/;

/** Makes the key under which Dynatrace stores a metric of that name. */
export function storedMetricKey(name: string): string {
  return name.replace(/[^A-Za-z0-9_.-]/gu, "_").replace(/^[^A-Za-z]/, "_");
}

/** Makes the key under which Managed stores a histogram of that metric key. */
export function histogramKey(key: string): string {
  return /[._]histogram$/.test(key) ? key : `${key}.histogram`;
}

/** Makes the key under which Dynatrace stores an attribute as a dimension. */
export function storedDimensionKey(key: string): string {
  if (DIMENSION_KEY.test(key) && key.length <= LIMITS.dimensionKey) return key;
  return key.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase())
    .replace(/[^a-z0-9_.-]/gu, "_").replace(/^[^a-z]/, "_").slice(0, LIMITS.dimensionKey);
}

/** Takes an Authorization header apart for the rules about tokens. */
export function tokenFacts(authorization: string): TokenFacts {
  const [, scheme = "", token = authorization] = /^(\S+)\s+(.*)$/.exec(authorization.trim()) ?? [];
  return { scheme, token: token.trim() };
}

/** Finds what the documentation prints where a reader has to put a name of his own. */
function documentedPlaceholder({ hostname, pathname }: URL): string | undefined {
  const path = pathname.replaceAll(/%3C/gi, "<").replaceAll(/%3E/gi, ">")
    .replaceAll(/%7B/gi, "{").replaceAll(/%7D/gi, "}");
  const marked = /<[^<>]+>|\{[^{}]+\}/.exec(`${hostname}${path}`)?.[0];
  if (marked !== undefined) return marked;
  if (!isDynatrace({ hostname, port: "", pathname })) return undefined;
  const [label = ""] = hostname.split(".", 1);
  const environment = /^\/e\/([^/]+)\//.exec(path)?.[1] ?? "";
  const word = /^(env|host|domain|(env|environment|tenant)[-_]?id|your[-_][a-z_-]+)$/i;
  return [label, environment].find((name) => word.test(name));
}

function isDynatrace(
  { hostname, port, pathname }: Pick<URL, "hostname" | "port" | "pathname">,
): boolean {
  return /\.dynatrace(labs)?\.com$/.test(hostname) || port === "9999" ||
    /^\/e\/[^/]+\//.test(pathname);
}

/** Tells whether a host is of this machine or of a private network (RFC 1918, 3927, 4193, 6762), by name or address. */
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

/** Quotes a name from a request, short enough for a message. */
function quoted(text: string): string {
  return `"${clip(text, 60)}"`;
}
