/** Commands that have settings. */
export type CommandName =
  | "send"
  | "exec"
  | "check"
  | "verify"
  | "receive"
  | "plot"
  | "diff"
  | "demo"
  | "merge-summaries";

/** Headings of the help, in order. */
export const GROUPS = [
  "Destination",
  "Query",
  "TLS",
  "Metric",
  "Input",
  "Generated data",
  "Loop",
  "Delivery",
  "Listening",
  "Behaviour",
  "Results",
  "Comparison",
  "Output",
] as const;

/** One setting: its flag, its variables and its help. The code that uses it gives its value a meaning. */
export interface SettingRow {
  /** Flag without its dashes; by default the row's key in kebab case. False if only a variable sets it. */
  readonly flag?: string | false;
  /** `toggle` takes no argument; `file` and `directory` are paths, which a shell can complete. */
  readonly kind: "text" | "toggle" | "file" | "directory" | "choice";
  /** Placeholder for the argument in the help; that of a choice is made of its words. */
  readonly argument?: string;
  /** Value of the flag without its argument; by default it needs one. */
  readonly bare?: string;
  /** Words of a `choice`. */
  readonly choices?: readonly string[];
  /** Words that a `file` may be in place of a path. */
  readonly words?: readonly string[];
  /** Set if the flag may be given several times. */
  readonly repeats?: true;
  /** Set if no message may show the value. */
  readonly secret?: true;
  /** Environment variables; the first that is set wins. Each may be in `.env` too. */
  readonly variables?: readonly string[];
  /** Note about the variables, for the documentation. */
  readonly variablesNote?: string;
  /** Default, in the form in which it would be given. */
  readonly default?: string;
  /** Defaults of the commands that have another one. */
  readonly defaultOf?: Readonly<Partial<Record<CommandName, string>>>;
  readonly group: (typeof GROUPS)[number];
  readonly commands: readonly CommandName[];
  /** One line of help, without its full stop. */
  readonly help: string;
}

const SEND = ["send"] as const;
const CHECK = ["check"] as const;
const VERIFY = ["verify"] as const;
/** Commands that query a backend. */
const QUERYING = ["check", "verify"] as const;
const RECEIVE = ["receive"] as const;
const PLOT = ["plot"] as const;
/** Commands that listen. */
const SERVER = ["receive", "demo"] as const;
/** Commands that connect to a receiver. */
const CLIENT = ["send", "exec", "check", "verify"] as const;
/** Commands that send measurements. */
const SENDING = ["send", "exec"] as const;
/** Commands that read measurements. */
const MEASURING = ["send", "plot"] as const;
const DIFF = ["diff"] as const;
const EVERY = [
  "send",
  "exec",
  "check",
  "verify",
  "receive",
  "plot",
  "diff",
  "merge-summaries",
] as const;
/** Commands that print text or JSON. */
const PRINTING = [
  "send",
  "exec",
  "check",
  "verify",
  "receive",
  "diff",
  "merge-summaries",
] as const;

/** The OTLP exporter specification's variables: the one for metrics overrides the one for all signals. */
function otlp<const Name extends string>(name: Name) {
  return [`OTEL_EXPORTER_OTLP_METRICS_${name}`, `OTEL_EXPORTER_OTLP_${name}`] as const;
}

/**
 * Every setting of every command. The parser and its types, help, completions, docs/settings.md, the check of
 * .env.example and the variables that the executable may read all come from here.
 */
export const SETTINGS = {
  endpoint: {
    kind: "text",
    argument: "URL",
    variables: ["DT_ENDPOINT", ...otlp("ENDPOINT")],
    variablesNote: "the one with METRICS is used as is",
    group: "Destination",
    commands: CLIENT,
    help: "Base URL of the receiver (required); /v1/metrics is appended if missing",
  },
  apiToken: {
    flag: false,
    kind: "text",
    secret: true,
    variables: ["DT_API_TOKEN"],
    group: "Destination",
    commands: CLIENT,
    help: "API token; required for Dynatrace unless a file or an Authorization header holds it",
  },
  tokenFile: {
    kind: "file",
    argument: "FILE",
    variables: ["DT_API_TOKEN_FILE"],
    variablesNote: "DT_API_TOKEN overrides it",
    group: "Destination",
    commands: CLIENT,
    help: "File with the API token, read again for every send",
  },
  header: {
    kind: "text",
    argument: "NAME=VALUE",
    repeats: true,
    secret: true,
    variables: otlp("HEADERS"),
    variablesNote: "separate several with commas",
    group: "Destination",
    commands: CLIENT,
    help: "Request header, percent-decoded",
  },
  queryUrl: {
    kind: "text",
    argument: "URL",
    variables: ["OTLP_HISTOGRAM_QUERY_URL"],
    group: "Query",
    commands: QUERYING,
    help: "Base URL of the query API; by default derived from the endpoint",
  },
  backend: {
    kind: "choice",
    choices: ["grail", "metrics-v2", "prometheus"],
    group: "Query",
    commands: QUERYING,
    help: "Query API; by default derived from the URLs",
  },
  queryTokenFile: {
    kind: "file",
    argument: "FILE",
    variables: ["DT_QUERY_TOKEN_FILE"],
    variablesNote: "DT_QUERY_TOKEN overrides it",
    group: "Query",
    commands: QUERYING,
    help: "File with the query token, read again for every query",
  },
  queryToken: {
    flag: false,
    kind: "text",
    secret: true,
    variables: ["DT_QUERY_TOKEN"],
    group: "Query",
    commands: QUERYING,
    help: "Query token; Grail requires a platform token",
  },
  queryClientId: {
    flag: false,
    kind: "text",
    variables: ["DT_QUERY_CLIENT_ID"],
    group: "Query",
    commands: QUERYING,
    help: "OAuth client ID for Grail queries",
  },
  queryClientSecret: {
    flag: false,
    kind: "text",
    secret: true,
    variables: ["DT_QUERY_CLIENT_SECRET"],
    group: "Query",
    commands: QUERYING,
    help: "OAuth client secret for Grail queries",
  },
  queryHeader: {
    kind: "text",
    argument: "NAME=VALUE",
    repeats: true,
    secret: true,
    group: "Query",
    commands: QUERYING,
    help: "Header of every query, percent-decoded",
  },
  insecure: {
    kind: "toggle",
    variables: ["INSECURE_SSL"],
    variablesNote: "true, 1 or yes",
    group: "TLS",
    commands: CLIENT,
    help: "Do not verify the receiver's certificate",
  },
  ca: {
    kind: "file",
    argument: "FILE",
    variables: otlp("CERTIFICATE"),
    group: "TLS",
    commands: CLIENT,
    help: "PEM file of CA certificates to trust in addition to the public ones",
  },
  clientCert: {
    kind: "file",
    argument: "FILE",
    variables: otlp("CLIENT_CERTIFICATE"),
    group: "TLS",
    commands: CLIENT,
    help: "PEM file of the client certificate",
  },
  clientKey: {
    kind: "file",
    argument: "FILE",
    variables: otlp("CLIENT_KEY"),
    group: "TLS",
    commands: CLIENT,
    help: "PEM file of the client certificate's private key",
  },
  envFile: {
    kind: "file",
    argument: "FILE",
    default: ".env",
    group: "Destination",
    commands: ["send", "exec", "check", "verify", "plot"],
    help: "File of variables to read instead of .env; it must exist",
  },
  metric: {
    kind: "text",
    argument: "NAME",
    default: "http.server.duration",
    defaultOf: { exec: "process.command.duration", verify: "otlp_histogram.verify" },
    group: "Metric",
    commands: ["send", "exec", "check", "verify", "plot"],
    help:
      "Name of the metric. A histogram of OpenTelemetry's semantic conventions brings its unit and its advised bounds",
  },
  unit: {
    kind: "text",
    argument: "UNIT",
    default: "ms",
    group: "Metric",
    commands: MEASURING,
    help: "Unit of the metric; overrides that of the semantic conventions",
  },
  description: {
    kind: "text",
    argument: "TEXT",
    default: "HTTP request duration",
    defaultOf: { exec: "Duration of a command" },
    group: "Metric",
    commands: SENDING,
    help: "Description of the metric; the default applies only to the default metric",
  },
  buckets: {
    kind: "text",
    argument: "B1,B2,...",
    default: "5,10,25,50,75,100,250,500,1000,2500,5000",
    // Eleven, since Dynatrace Managed keeps 12 buckets per data point.
    defaultOf: { exec: "0.1,0.5,1,5,10,30,60,300,900,3600,14400" },
    group: "Metric",
    commands: ["send", "exec", "plot"],
    help:
      "Upper bounds of the buckets, in increasing order. Without them: the bounds that the semantic conventions advise, or those of the unit (s: 0.005 to 10; us and ns: the ms bounds scaled)",
  },
  exponential: {
    kind: "toggle",
    variables: ["OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"],
    variablesNote: "explicit_bucket_histogram or base2_exponential_bucket_histogram",
    group: "Metric",
    commands: SENDING,
    help: "Use base-2 exponential buckets instead of upper bounds",
  },
  service: {
    kind: "text",
    argument: "NAME",
    variables: ["OTEL_SERVICE_NAME"],
    group: "Metric",
    commands: CLIENT,
    help:
      "Resource attribute service.name; by default my-service for samples and generated data, unknown_service:otlp-histogram for your own",
  },
  resource: {
    kind: "text",
    argument: "KEY=VALUE",
    repeats: true,
    variables: ["OTEL_RESOURCE_ATTRIBUTES"],
    variablesNote: "separate several with commas",
    group: "Metric",
    commands: CLIENT,
    help:
      "Resource attribute; by default deployment.environment=prod for samples and generated data, none for your own",
  },
  attr: {
    kind: "text",
    argument: "KEY=VALUE",
    repeats: true,
    group: "Metric",
    commands: ["send", "exec", "verify", "plot"],
    help: "Attribute of every data point, as text",
  },
  maxSeries: {
    kind: "text",
    argument: "N",
    default: "10000",
    group: "Metric",
    commands: MEASURING,
    help:
      "Maximum number of series per send, each one data point. Extra series are merged into one, with a warning. Raised automatically by --series",
  },
  value: {
    kind: "text",
    argument: "N",
    repeats: true,
    group: "Input",
    commands: MEASURING,
    help: "Send this measurement",
  },
  since: {
    kind: "text",
    argument: "TIME",
    group: "Input",
    commands: MEASURING,
    help: "Send one measurement: the time since TIME (seconds since 1970, or RFC 3339), in --unit",
  },
  input: {
    kind: "file",
    argument: "FILE|-",
    repeats: true,
    group: "Input",
    commands: MEASURING,
    help:
      "Read measurements from FILE (plain or gzip), or from standard input with -. Sends once at the end of the input, or every interval with --loop",
  },
  follow: {
    kind: "toggle",
    group: "Input",
    commands: MEASURING,
    help:
      "Keep reading one --input FILE as it grows, across log rotation. send requires --loop; plot redraws the terminal every second",
  },
  from: {
    kind: "choice",
    choices: ["start", "end"],
    group: "Input",
    commands: SEND,
    help:
      "Where --follow starts in a file whose position the spool does not hold; by default at its end, with --time-field at its start",
  },
  inputFormat: {
    kind: "choice",
    argument: "FORMAT",
    choices: [
      "auto",
      "ndjson",
      "csv",
      "tsv",
      "text",
      "logfmt",
      "combined",
      "pattern",
      "w3c",
      "prometheus",
    ],
    default: "auto",
    group: "Input",
    commands: MEASURING,
    help:
      "ndjson, csv, tsv, text, logfmt, combined (access log), pattern, w3c (IIS, CloudFront) or prometheus; auto detects it from the first line",
  },
  pattern: {
    kind: "text",
    argument: "REGEX",
    group: "Input",
    commands: MEASURING,
    help:
      "Regular expression whose named groups are the fields, for example: took (?<value>\\d+) ms",
  },
  logFormat: {
    kind: "text",
    argument: "FORMAT",
    group: "Input",
    commands: MEASURING,
    help: "nginx log_format or Apache LogFormat string that wrote the lines",
  },
  delimiter: {
    kind: "text",
    argument: "CHAR",
    group: "Input",
    commands: MEASURING,
    help: "CSV delimiter; by default detected from the header (comma, semicolon or tab)",
  },
  columns: {
    kind: "text",
    argument: "A,B,C",
    group: "Input",
    commands: MEASURING,
    help: "Column names of CSV or TSV without a header",
  },
  unwrap: {
    kind: "text",
    argument: "FIELD",
    group: "Input",
    commands: MEASURING,
    help: "JSON field that holds JSON or logfmt as text: read the fields in it",
  },
  decimalComma: {
    kind: "toggle",
    group: "Input",
    commands: MEASURING,
    help: "Numbers have a decimal comma: 1.234,5",
  },
  valueField: {
    kind: "text",
    argument: "NAME[=METRIC[:UNIT]]",
    repeats: true,
    default: "value",
    group: "Input",
    commands: MEASURING,
    help: "Field that holds the value of --metric, or of METRIC, in UNIT (default: that of --unit)",
  },
  attrField: {
    kind: "text",
    argument: "NAME[=KEY]",
    repeats: true,
    group: "Input",
    commands: MEASURING,
    help:
      "Field that becomes an attribute, named KEY if given. By default none; ndjson has the object attributes",
  },
  pathTemplate: {
    kind: "text",
    argument: "FIELD",
    repeats: true,
    group: "Input",
    commands: MEASURING,
    help:
      "Attribute field that holds a path: replace identifiers in it with {id} and drop its query",
  },
  where: {
    kind: "text",
    argument: "CONDITION",
    repeats: true,
    group: "Input",
    commands: MEASURING,
    help:
      "Read only lines that match: FIELD=VALUE, FIELD!=VALUE, FIELD~REGEX, or FIELD>N (>=, <, <=) for numbers and times. Several conditions must all hold",
  },
  scale: {
    kind: "text",
    argument: "N",
    default: "1",
    group: "Input",
    commands: MEASURING,
    help: "Factor for every value without a unit of time: 1000 turns seconds into ms",
  },
  timeField: {
    kind: "text",
    argument: "NAME",
    group: "Input",
    commands: MEASURING,
    help: "Field with the time of a line; its measurement counts in the interval of that time",
  },
  timeFormat: {
    kind: "choice",
    argument: "FORMAT",
    choices: ["auto", "rfc3339", "clf", "s", "ms", "us", "ns"],
    default: "auto",
    group: "Input",
    commands: MEASURING,
    help:
      "Format of --time-field: rfc3339, clf (access log), or a number of s, ms, us or ns; auto detects it",
  },
  timeZone: {
    kind: "text",
    argument: "ZONE",
    group: "Input",
    commands: MEASURING,
    help: "Time zone of times without one: a name (Europe/Berlin) or an offset (+02:00)",
  },
  lateness: {
    kind: "text",
    argument: "SECONDS",
    group: "Input",
    commands: SEND,
    help:
      "How long to wait for late lines after an interval ends (default: one interval). Later lines are sent as an additional data point",
  },
  scrape: {
    kind: "text",
    argument: "URL",
    group: "Input",
    commands: SEND,
    help:
      "Scrape a Prometheus endpoint every interval and send the increase of its histograms. Requires --loop",
  },
  scrapeHeader: {
    kind: "text",
    argument: "NAME=VALUE",
    repeats: true,
    secret: true,
    group: "Input",
    commands: SEND,
    help: "Header of the --scrape request, percent-decoded",
  },
  replay: {
    kind: "file",
    argument: "FILE|-",
    group: "Input",
    commands: MEASURING,
    help:
      "Send recorded requests again, unchanged (plot: draw them): OTLP/JSON lines (plain or gzip) of receive --save or of a Collector's file exporter",
  },
  retime: {
    kind: "toggle",
    group: "Input",
    commands: SEND,
    help: "Shift the times of a replay so that its first request happens now",
  },
  speed: {
    kind: "text",
    argument: "N",
    group: "Input",
    commands: SEND,
    help:
      "Keep the rhythm of a replay (1) or change it (2 is twice as fast). Without it, requests are sent one right after the other",
  },
  scenario: {
    kind: "file",
    argument: "FILE|NAME",
    words: ["web-shop", "latency-incident"],
    group: "Generated data",
    commands: MEASURING,
    help:
      "Generate the mix that a JSON file describes (docs/scenarios.md), or a built-in one: web-shop, " +
      "latency-incident",
  },
  series: {
    kind: "text",
    argument: "N",
    default: "1",
    group: "Generated data",
    commands: MEASURING,
    help: "Generate N data points, distinguished by the attribute series",
  },
  count: {
    kind: "text",
    argument: "N",
    group: "Generated data",
    commands: MEASURING,
    help:
      "Generate N measurements per send (default: one per series). 0 sends only what is in the spool",
  },
  rate: {
    kind: "text",
    argument: "N",
    group: "Generated data",
    commands: SEND,
    help:
      "Generate N measurements per second, however long sends take; those of one series in an " +
      "interval are one data point",
  },
  pointRate: {
    kind: "text",
    argument: "N|FROM..TO",
    group: "Generated data",
    commands: SEND,
    help:
      "Send N data points per second, with --series and --loop; FROM..TO rises over --duration " +
      "and finds the highest rate that holds for 10 s",
  },
  pointsPerRequest: {
    kind: "text",
    argument: "N",
    group: "Generated data",
    commands: SEND,
    help: "Data points per request of --point-rate; by default as many as make 50 requests per " +
      "second and process, at most 1000",
  },
  distribution: {
    kind: "text",
    argument: "SPEC",
    default: "lognormal(40,400)",
    group: "Generated data",
    commands: MEASURING,
    help:
      "Distribution of the values, in the metric's unit: constant(x), uniform(a,b), normal(mean,stddev), " +
      "lognormal(median,p99) or exponential(mean)",
  },
  seed: {
    kind: "text",
    argument: "TEXT",
    group: "Generated data",
    commands: MEASURING,
    help: "Generate the same numbers on every run and every machine (default: random)",
  },
  slo: {
    kind: "text",
    argument: "MS",
    group: "Generated data",
    commands: SEND,
    help: "Highest p99 of the latency of requests that --point-rate FROM..TO accepts",
  },
  workers: {
    kind: "text",
    argument: "N",
    default: "1",
    group: "Generated data",
    commands: SEND,
    help:
      "Number of connections, each with one request in flight; a series always uses the same one",
  },
  shards: {
    kind: "text",
    argument: "N",
    default: "1",
    group: "Generated data",
    commands: SEND,
    help:
      "Split the work across N processes: each sends its share of the series, of --count, --rate and --point-rate",
  },
  shard: {
    kind: "text",
    argument: "I",
    variables: ["JOB_COMPLETION_INDEX"],
    variablesNote: "Kubernetes sets it in an Indexed Job",
    group: "Generated data",
    commands: SEND,
    help: "Index of this process among --shards, from 0",
  },
  loop: {
    kind: "toggle",
    group: "Loop",
    commands: SEND,
    help: "Send repeatedly, until Ctrl+C or an end that you set",
  },
  interval: {
    kind: "text",
    argument: "SECONDS",
    variables: ["INTERVAL"],
    default: "60",
    group: "Loop",
    commands: ["send", "verify"],
    help: "Time between sends; 0 sends one right after the other",
  },
  iterations: {
    kind: "text",
    argument: "N",
    group: "Loop",
    commands: SEND,
    help: "End the loop after N intervals, with or without data to send",
  },
  duration: {
    kind: "text",
    argument: "SECONDS",
    group: "Loop",
    commands: SEND,
    help: "End the loop after this time, when the next send is due",
  },
  repeat: {
    kind: "text",
    argument: "N",
    default: "1",
    group: "Loop",
    commands: VERIFY,
    help: "Send and query N times; the summary has the distribution of the times",
  },
  compression: {
    kind: "choice",
    choices: ["gzip", "none"],
    variables: otlp("COMPRESSION"),
    default: "gzip",
    group: "Delivery",
    commands: CLIENT,
    help: "Compression of requests",
  },
  timeout: {
    kind: "text",
    argument: "SECONDS",
    variables: otlp("TIMEOUT"),
    variablesNote: "in milliseconds",
    default: "10",
    group: "Delivery",
    commands: CLIENT,
    help: "Time limit of one request",
  },
  retryFor: {
    kind: "text",
    argument: "SECONDS",
    default: "30",
    defaultOf: { exec: "5" },
    group: "Delivery",
    commands: ["send", "exec", "verify"],
    help:
      "How long to retry one send; in a loop at most until the next send is due, for exec including the last request",
  },
  spool: {
    kind: "directory",
    argument: "DIR",
    variables: ["OTLP_HISTOGRAM_SPOOL"],
    group: "Delivery",
    commands: SENDING,
    help: "Directory for unsent data. It survives even a kill; the next start sends it",
  },
  maxPendingMb: {
    kind: "text",
    argument: "N",
    default: "64",
    group: "Delivery",
    commands: SENDING,
    help: "Keep at most N MB of unsent data. Beyond that, the oldest is lost, with a warning",
  },
  maxAge: {
    kind: "text",
    argument: "SECONDS",
    default: "3600",
    group: "Delivery",
    commands: SENDING,
    help: "How long to keep unsent data. Dynatrace probably drops data points older than one hour",
  },
  strict: {
    kind: "toggle",
    group: "Delivery",
    commands: SEND,
    help:
      "Treat broken Dynatrace rules as errors: send nothing and exit with code 2 (default: warn and send)",
  },
  canary: {
    kind: "toggle",
    group: "Delivery",
    commands: CHECK,
    help: "Also send one sample measurement, which the receiver must accept",
  },
  host: {
    kind: "text",
    argument: "HOST",
    default: "127.0.0.1",
    group: "Listening",
    commands: RECEIVE,
    help: "Address to listen on",
  },
  port: {
    kind: "text",
    argument: "PORT",
    default: "4318",
    group: "Listening",
    commands: RECEIVE,
    help: "Port to listen on; 0 picks a free one (default with a COMMAND)",
  },
  tlsCert: {
    kind: "file",
    argument: "FILE",
    group: "Listening",
    commands: RECEIVE,
    help: "PEM file of the certificate, for HTTPS",
  },
  tlsKey: {
    kind: "file",
    argument: "FILE",
    group: "Listening",
    commands: RECEIVE,
    help: "PEM file of the certificate's private key",
  },
  rules: {
    kind: "choice",
    choices: ["otlp", "dynatrace"],
    default: "otlp",
    group: "Behaviour",
    commands: RECEIVE,
    help:
      "Rules to check, in addition to the rules of meaning; dynatrace adds Dynatrace's limits, reasons and responses",
  },
  demandedToken: {
    flag: "token-file",
    kind: "file",
    argument: "FILE",
    group: "Behaviour",
    commands: RECEIVE,
    help:
      "Respond 401 unless Authorization holds the token in this file, read again for every request",
  },
  respond: {
    kind: "text",
    argument: "LIST",
    group: "Behaviour",
    commands: RECEIVE,
    help:
      "Scripted responses, in order: a status, a status with Retry-After (429:2), or hang. 200, and every request after the list, is checked as usual",
  },
  exam: {
    kind: "toggle",
    group: "Behaviour",
    commands: RECEIVE,
    help: "Test how an exporter reacts to nine kinds of trouble; end when each has its verdict",
  },
  requests: {
    kind: "text",
    argument: "N",
    group: "Behaviour",
    commands: RECEIVE,
    help: "End after N requests for metrics; not with a COMMAND, which ends the run itself",
  },
  ui: {
    kind: "toggle",
    group: "Results",
    commands: SERVER,
    help: "Serve a live page of the received data at / on the same port",
  },
  save: {
    kind: "file",
    argument: "FILE",
    group: "Results",
    commands: RECEIVE,
    help:
      "Append every accepted request to FILE, one line of OTLP/JSON per request; --replay sends them",
  },
  saveMb: {
    kind: "text",
    argument: "N",
    default: "100",
    group: "Results",
    commands: RECEIVE,
    help: "Keep at most N MB in FILE and its predecessor FILE.1 together",
  },
  failOn: {
    kind: "choice",
    choices: ["error", "warning"],
    group: "Results",
    commands: RECEIVE,
    help: "Exit with code 1 after a problem of that level or above, or without any metrics",
  },
  ignore: {
    kind: "text",
    argument: "RULE",
    repeats: true,
    group: "Results",
    commands: RECEIVE,
    help: "Show problems of that rule, but do not count them for --fail-on",
  },
  expect: {
    kind: "text",
    argument: "METRIC",
    repeats: true,
    group: "Results",
    commands: RECEIVE,
    help:
      "Exit with code 1 unless an accepted data point is of METRIC, or matches 'METRIC{KEY=VALUE} unit=s count>=3'",
  },
  junit: {
    kind: "file",
    argument: "FILE",
    group: "Results",
    commands: RECEIVE,
    help: "Write the expectations and broken rules to FILE as JUnit XML at the end of the run",
  },
  wait: {
    kind: "text",
    argument: "SECONDS",
    defaultOf: { verify: "300" },
    group: "Results",
    commands: ["verify", "receive"],
    help:
      "Time limit of the queries of verify. receive ends after this time, with exit code 1 if requests are missing (--requests); a COMMAND gets SIGTERM",
  },
  ignoreAttr: {
    kind: "text",
    argument: "KEY",
    repeats: true,
    group: "Comparison",
    commands: DIFF,
    help: "Add up series that differ only in this attribute of the data points",
  },
  ignoreResource: {
    kind: "toggle",
    group: "Comparison",
    commands: DIFF,
    help: "Add up series that differ only in their resource",
  },
  ignoreScope: {
    kind: "toggle",
    group: "Comparison",
    commands: DIFF,
    help: "Add up series that differ only in their instrumentation scope",
  },
  dryRun: {
    kind: "toggle",
    group: "Output",
    commands: SEND,
    help: "Print the request as OTLP/JSON and send nothing",
  },
  output: {
    kind: "choice",
    choices: ["text", "json"],
    default: "text",
    group: "Output",
    commands: PRINTING,
    help: "Output format; json is one object per line",
  },
  plotOutput: {
    flag: "output",
    kind: "choice",
    choices: ["text", "json", "scenario"],
    default: "text",
    group: "Output",
    commands: PLOT,
    help:
      "Output format; json is one object per line, scenario a file for --scenario that generates such data",
  },
  quiet: {
    kind: "toggle",
    group: "Output",
    commands: SENDING,
    help: "Print only warnings and errors; with --output json also notes and the summary",
  },
  verbose: {
    kind: "toggle",
    group: "Output",
    commands: ["send", "exec", "verify"],
    help: "Also print each request and its response, on standard error",
  },
  plot: {
    kind: "toggle",
    group: "Output",
    commands: SEND,
    help:
      "Draw the accepted data after each send: buckets, counts and estimated p50, p90, p99 of each series. With --dry-run, draw the request on standard error",
  },
  suggestBuckets: {
    kind: "text",
    argument: "[N]",
    bare: "11",
    group: "Output",
    commands: PLOT,
    help:
      "Suggest the N upper bounds (default 11, at most 100) that estimate p50, p90 and p99 best, ready to paste as --buckets and as SDK views",
  },
  keepBound: {
    kind: "text",
    argument: "N",
    repeats: true,
    group: "Output",
    commands: PLOT,
    help: "Upper bound that --suggest-buckets must keep, such as an SLO; it is one of the N",
  },
  health: {
    kind: "text",
    argument: "HOST:PORT",
    variables: ["OTLP_HISTOGRAM_HEALTH"],
    group: "Output",
    commands: SEND,
    help: "Serve /livez and /readyz for probes, and /metrics for Prometheus",
  },
  noColor: {
    flag: false,
    kind: "text",
    variables: ["NO_COLOR"],
    group: "Output",
    commands: EVERY,
    help: "Print without colour, whatever its value (https://no-color.org)",
  },
} as const satisfies Readonly<Record<string, SettingRow>>;
