/** Commands that have settings. */
export type CommandName = "send" | "check" | "receive" | "plot" | "demo";

/** Headings of the help, in order. */
export const GROUPS = [
  "Where to",
  "TLS",
  "Environment",
  "What is measured",
  "From data",
  "Generated",
  "Loop",
  "Delivery",
  "Listening",
  "Answers",
  "What came",
  "Output",
] as const;

/** One setting: its flag, its variables and its help. The code that uses it gives its value a meaning. */
export interface SettingRow {
  /** Flag without its dashes; by default the row's key in kebab case. False if only a variable sets it. */
  readonly flag?: string | false;
  /** `toggle` takes no argument; `file` and `folder` are paths, which a shell can complete. */
  readonly kind: "text" | "toggle" | "file" | "folder" | "choice";
  /** Placeholder for the argument in the help; that of a choice is made of its words. */
  readonly argument?: string;
  /** Value of the flag without its argument; by default it needs one. */
  readonly bare?: string;
  /** Words of a `choice`. */
  readonly choices?: readonly string[];
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
  readonly group: (typeof GROUPS)[number];
  readonly commands: readonly CommandName[];
  /** One line of help, without its full stop. */
  readonly help: string;
}

const SEND = ["send"] as const;
const CHECK = ["check"] as const;
const RECEIVE = ["receive"] as const;
const PLOT = ["plot"] as const;
/** Commands that listen. */
const SERVER = ["receive", "demo"] as const;
/** Commands that connect to a receiver. */
const CLIENT = ["send", "check"] as const;
/** Commands that read measurements. */
const MEASURING = ["send", "plot"] as const;
const EVERY = ["send", "check", "receive", "plot"] as const;

/** The OTLP exporter specification's variables: the one for metrics beats the one for all signals. */
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
    variablesNote: "the one with METRICS is used as it is",
    group: "Where to",
    commands: CLIENT,
    help: "Base URL of the receiver, required; /v1/metrics is added unless it is there",
  },
  apiToken: {
    flag: false,
    kind: "text",
    secret: true,
    variables: ["DT_API_TOKEN"],
    group: "Where to",
    commands: CLIENT,
    help: "API token, required for Dynatrace unless a file or an Authorization header has it",
  },
  tokenFile: {
    kind: "file",
    argument: "FILE",
    variables: ["DT_API_TOKEN_FILE"],
    variablesNote: "DT_API_TOKEN beats it",
    group: "Where to",
    commands: CLIENT,
    help: "File with the API token, read again for every send",
  },
  header: {
    kind: "text",
    argument: "NAME=VALUE",
    repeats: true,
    secret: true,
    variables: otlp("HEADERS"),
    variablesNote: "several with commas",
    group: "Where to",
    commands: CLIENT,
    help: "Request header, percent-decoded",
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
    help: "PEM file of CA certificates to trust besides the public ones",
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
    help: "PEM file of its private key",
  },
  envFile: {
    kind: "file",
    argument: "FILE",
    default: ".env",
    group: "Environment",
    commands: ["send", "check", "plot"],
    help: "File with variables to read in place of .env; it must exist",
  },
  metric: {
    kind: "text",
    argument: "NAME",
    default: "http.server.duration",
    group: "What is measured",
    commands: ["send", "check", "plot"],
    help: "Name of the metric",
  },
  unit: {
    kind: "text",
    argument: "UNIT",
    default: "ms",
    group: "What is measured",
    commands: MEASURING,
    help: "Unit of the metric",
  },
  description: {
    kind: "text",
    argument: "TEXT",
    default: "HTTP request duration",
    group: "What is measured",
    commands: SEND,
    help: "Description of the metric; another metric than the default one has none by itself",
  },
  buckets: {
    kind: "text",
    argument: "B1,B2,...",
    default: "5,10,25,50,75,100,250,500,1000,2500,5000",
    group: "What is measured",
    commands: MEASURING,
    help:
      "Upper bounds of the buckets, increasing; the unit s has defaults of 0.005 to 10, us and " +
      "ns those of ms",
  },
  exponential: {
    kind: "toggle",
    variables: ["OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"],
    variablesNote: "explicit_bucket_histogram or base2_exponential_bucket_histogram",
    group: "What is measured",
    commands: SEND,
    help: "Base-2 exponential buckets in place of bounds",
  },
  service: {
    kind: "text",
    argument: "NAME",
    variables: ["OTEL_SERVICE_NAME"],
    default: "my-service",
    group: "What is measured",
    commands: CLIENT,
    help: "Resource attribute service.name",
  },
  resource: {
    kind: "text",
    argument: "KEY=VALUE",
    repeats: true,
    variables: ["OTEL_RESOURCE_ATTRIBUTES"],
    variablesNote: "several with commas",
    default: "deployment.environment=prod",
    group: "What is measured",
    commands: CLIENT,
    help: "Resource attribute",
  },
  attr: {
    kind: "text",
    argument: "KEY=VALUE",
    repeats: true,
    group: "What is measured",
    commands: MEASURING,
    help: "Attribute (text) of every data point",
  },
  maxSeries: {
    kind: "text",
    argument: "N",
    default: "10000",
    group: "What is measured",
    commands: MEASURING,
    help:
      "Most series, each a data point of a send; what is beyond is folded into one, with a warning; --series raises it",
  },
  value: {
    kind: "text",
    argument: "N",
    repeats: true,
    group: "From data",
    commands: MEASURING,
    help: "Take this measurement",
  },
  since: {
    kind: "text",
    argument: "TIME",
    group: "From data",
    commands: MEASURING,
    help: "Take one measurement: the time since TIME (seconds since 1970, or RFC 3339), in --unit",
  },
  input: {
    kind: "file",
    argument: "FILE|-",
    repeats: true,
    group: "From data",
    commands: MEASURING,
    help:
      "Take the measurements in a file (gzip too) or, with -, from standard input: once at its " +
      "end, with --loop every interval what has come",
  },
  follow: {
    kind: "toggle",
    group: "From data",
    commands: MEASURING,
    help:
      "Go on reading what is appended to one --input FILE, across rotations; send requires --loop, " +
      "plot draws on a terminal each second",
  },
  from: {
    kind: "choice",
    choices: ["start", "end"],
    group: "From data",
    commands: SEND,
    help:
      "Where --follow begins in a file that the spool keeps no position of; by default at its end, " +
      "with --time-field at its start",
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
    group: "From data",
    commands: MEASURING,
    help:
      "ndjson, csv, tsv, text, logfmt, combined (an access log), pattern, w3c (IIS, CloudFront) or " +
      "prometheus; auto " +
      "goes by the first line",
  },
  pattern: {
    kind: "text",
    argument: "REGEX",
    group: "From data",
    commands: MEASURING,
    help: "Regular expression whose named groups are the fields: took (?<value>\\d+) ms",
  },
  logFormat: {
    kind: "text",
    argument: "FORMAT",
    group: "From data",
    commands: MEASURING,
    help: "The log_format of nginx or the LogFormat of Apache that the lines were written with",
  },
  delimiter: {
    kind: "text",
    argument: "CHAR",
    group: "From data",
    commands: MEASURING,
    help: "What separates the cells of csv; by default , ; or a tab, as the header tells",
  },
  columns: {
    kind: "text",
    argument: "A,B,C",
    group: "From data",
    commands: MEASURING,
    help: "Names of the columns of csv or tsv without a header",
  },
  unwrap: {
    kind: "text",
    argument: "FIELD",
    group: "From data",
    commands: MEASURING,
    help: "Field of JSON whose text is JSON or logfmt: its fields are the line's",
  },
  decimalComma: {
    kind: "toggle",
    group: "From data",
    commands: MEASURING,
    help: "Numbers are written with a decimal comma: 1.234,5",
  },
  valueField: {
    kind: "text",
    argument: "NAME",
    default: "value",
    group: "From data",
    commands: MEASURING,
    help: "Field that holds the value",
  },
  attrField: {
    kind: "text",
    argument: "NAME[=KEY]",
    repeats: true,
    group: "From data",
    commands: MEASURING,
    help: "Field that becomes an attribute, named KEY if given; by default none, of ndjson the " +
      "object attributes",
  },
  pathTemplate: {
    kind: "text",
    argument: "FIELD",
    repeats: true,
    group: "From data",
    commands: MEASURING,
    help: "Attribute field that holds a path: replace its identifiers by {id}, and drop its query",
  },
  where: {
    kind: "text",
    argument: "CONDITION",
    repeats: true,
    group: "From data",
    commands: MEASURING,
    help: "Skip other lines: FIELD=VALUE, FIELD!=VALUE, FIELD~REGEX, or FIELD>N (>=, <, <=) of " +
      "numbers and times; several must all hold",
  },
  scale: {
    kind: "text",
    argument: "N",
    default: "1",
    group: "From data",
    commands: MEASURING,
    help: "Factor for every value without a unit of time: 1000 turns seconds into ms",
  },
  timeField: {
    kind: "text",
    argument: "NAME",
    group: "From data",
    commands: MEASURING,
    help: "Field with the time of a line: it counts in the interval in which it happened",
  },
  timeFormat: {
    kind: "choice",
    argument: "FORMAT",
    choices: ["auto", "rfc3339", "clf", "s", "ms", "us", "ns"],
    default: "auto",
    group: "From data",
    commands: MEASURING,
    help:
      "How it is written: rfc3339, clf (an access log), or the unit of a number, s, ms, us or " +
      "ns; auto goes by its look",
  },
  timeZone: {
    kind: "text",
    argument: "ZONE",
    group: "From data",
    commands: MEASURING,
    help: "Zone of times without one: a name, Europe/Berlin, or an offset, +02:00",
  },
  lateness: {
    kind: "text",
    argument: "SECONDS",
    group: "From data",
    commands: SEND,
    help: "How much later than its interval a line may come, by default one interval; one that " +
      "comes later is one more delta",
  },
  scrape: {
    kind: "text",
    argument: "URL",
    group: "From data",
    commands: SEND,
    help: "Send what the histograms of a Prometheus endpoint gain, every interval of --loop",
  },
  scrapeHeader: {
    kind: "text",
    argument: "NAME=VALUE",
    repeats: true,
    secret: true,
    group: "From data",
    commands: SEND,
    help: "Header of the request to that endpoint, percent-decoded",
  },
  replay: {
    kind: "file",
    argument: "FILE|-",
    group: "From data",
    commands: SEND,
    help: "Send kept requests again, unchanged: the OTLP/JSON lines (gzip too) of receive --save " +
      "or of a Collector's file exporter",
  },
  retime: {
    kind: "toggle",
    group: "From data",
    commands: SEND,
    help: "Move the times of a replay so that its first request is of now",
  },
  speed: {
    kind: "text",
    argument: "N",
    group: "From data",
    commands: SEND,
    help:
      "Keep the rhythm of a replay (1), or change it (2 is twice as fast); without it requests " +
      "are sent one right after the other",
  },
  scenario: {
    kind: "file",
    argument: "FILE",
    group: "Generated",
    commands: MEASURING,
    help: "Generate the mix that a JSON file describes (see examples/)",
  },
  series: {
    kind: "text",
    argument: "N",
    default: "1",
    group: "Generated",
    commands: MEASURING,
    help: "Generate N data points, told apart by the attribute series",
  },
  count: {
    kind: "text",
    argument: "N",
    group: "Generated",
    commands: MEASURING,
    help: "Generate N measurements a send, by default one a series; 0 sends only what the spool " +
      "holds",
  },
  rate: {
    kind: "text",
    argument: "N|FROM..TO",
    group: "Generated",
    commands: SEND,
    help: "Generate N measurements a second, however long sends take; FROM..TO rises over " +
      "--duration, and the summary tells how much of it was taken",
  },
  distribution: {
    kind: "text",
    argument: "SPEC",
    default: "lognormal(40,400)",
    group: "Generated",
    commands: MEASURING,
    help: "Distribution of the values: constant(x), uniform(a,b), normal(mean,stddev), " +
      "lognormal(median,p99) or exponential(mean)",
  },
  seed: {
    kind: "text",
    argument: "TEXT",
    group: "Generated",
    commands: MEASURING,
    help: "Generate the same numbers every time, on every machine; without it they are random",
  },
  slo: {
    kind: "text",
    argument: "MS",
    group: "Generated",
    commands: SEND,
    help: "With --rate FROM..TO: the latency that the p99 of requests has to keep to",
  },
  workers: {
    kind: "text",
    argument: "N",
    default: "1",
    group: "Generated",
    commands: SEND,
    help: "Connections with a request each under way; every series keeps to one of them",
  },
  shards: {
    kind: "text",
    argument: "N",
    default: "1",
    group: "Generated",
    commands: SEND,
    help: "Processes that send together what one would: each has its part of the series, --count " +
      "and --rate",
  },
  shard: {
    kind: "text",
    argument: "I",
    variables: ["JOB_COMPLETION_INDEX"],
    variablesNote: "which Kubernetes sets in an Indexed Job",
    group: "Generated",
    commands: SEND,
    help: "Which of --shards this process is, from 0",
  },
  loop: {
    kind: "toggle",
    group: "Loop",
    commands: SEND,
    help: "Send again and again, until Ctrl+C or an end",
  },
  interval: {
    kind: "text",
    argument: "SECONDS",
    variables: ["INTERVAL"],
    default: "60",
    group: "Loop",
    commands: SEND,
    help: "Time between sends of a loop; 0 sends one right after the other",
  },
  iterations: {
    kind: "text",
    argument: "N",
    group: "Loop",
    commands: SEND,
    help: "End the loop after N intervals, whether or not there was something to send",
  },
  duration: {
    kind: "text",
    argument: "SECONDS",
    group: "Loop",
    commands: SEND,
    help: "End the loop when the next send is due after that time",
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
    help: "Longest time that one request may take",
  },
  retryFor: {
    kind: "text",
    argument: "SECONDS",
    default: "30",
    group: "Delivery",
    commands: SEND,
    help: "How long one send goes on trying; in a loop at most until the next send is due",
  },
  spool: {
    kind: "folder",
    argument: "DIR",
    variables: ["OTLP_HISTOGRAM_SPOOL"],
    group: "Delivery",
    commands: SEND,
    help:
      "Folder that keeps what is not delivered, even when the program is killed; the next start " +
      "sends it",
  },
  maxPendingMb: {
    kind: "text",
    argument: "N",
    default: "64",
    group: "Delivery",
    commands: SEND,
    help: "Most MB of unsent data to keep; beyond it the oldest is dropped, with a warning",
  },
  maxAge: {
    kind: "text",
    argument: "SECONDS",
    default: "3600",
    group: "Delivery",
    commands: SEND,
    help: "How long to keep unsent data; Dynatrace is not known to accept data older than an hour",
  },
  strict: {
    kind: "toggle",
    group: "Delivery",
    commands: SEND,
    help:
      "Send nothing, and end with 2, when a rule of Dynatrace's is broken; without it that is a " +
      "warning",
  },
  canary: {
    kind: "toggle",
    group: "Delivery",
    commands: CHECK,
    help: "Send one sample measurement too, and demand that it is accepted",
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
    help: "Port to listen on; 0 picks a free one",
  },
  tlsCert: {
    kind: "file",
    argument: "FILE",
    group: "Listening",
    commands: RECEIVE,
    help: "PEM file of the certificate, for https",
  },
  tlsKey: {
    kind: "file",
    argument: "FILE",
    group: "Listening",
    commands: RECEIVE,
    help: "PEM file of its private key",
  },
  rules: {
    kind: "choice",
    choices: ["otlp", "dynatrace"],
    default: "otlp",
    group: "Answers",
    commands: RECEIVE,
    help: "Whose rules to judge by; dynatrace adds its limits, reasons and answers",
  },
  demandedToken: {
    flag: "token-file",
    kind: "file",
    argument: "FILE",
    group: "Answers",
    commands: RECEIVE,
    help: "Answer 401 unless Authorization holds the token in this file, read again for every " +
      "request",
  },
  respond: {
    kind: "text",
    argument: "LIST",
    group: "Answers",
    commands: RECEIVE,
    help: "Scripted answers, in order: a status, a status with its Retry-After (429:2), or hang; " +
      "200, and whatever comes after the list, is judged as usual",
  },
  requests: {
    kind: "text",
    argument: "N",
    group: "Answers",
    commands: RECEIVE,
    help: "End after N requests",
  },
  ui: {
    kind: "toggle",
    group: "What came",
    commands: SERVER,
    help: "Serve a page at / on the same port that shows what comes, as it comes",
  },
  save: {
    kind: "file",
    argument: "FILE",
    group: "What came",
    commands: RECEIVE,
    help: "Append every accepted request to this file, a line of OTLP/JSON each; --replay sends it",
  },
  saveMb: {
    kind: "text",
    argument: "N",
    default: "100",
    group: "What came",
    commands: RECEIVE,
    help: "Most MB that FILE and the file before it, FILE.1, hold together",
  },
  failOn: {
    kind: "choice",
    choices: ["error", "warning"],
    group: "What came",
    commands: RECEIVE,
    help: "End with 1 when there was a problem of that level or above",
  },
  expect: {
    kind: "text",
    argument: "METRIC",
    repeats: true,
    group: "What came",
    commands: RECEIVE,
    help: "End with 1 when no accepted request held this metric",
  },
  wait: {
    kind: "text",
    argument: "SECONDS",
    group: "What came",
    commands: RECEIVE,
    help: "End after that time, with 1 when --requests had not come by then",
  },
  dryRun: {
    kind: "toggle",
    group: "Output",
    commands: SEND,
    help: "Print the request as OTLP/JSON, and send nothing",
  },
  output: {
    kind: "choice",
    choices: ["text", "json"],
    default: "text",
    group: "Output",
    commands: EVERY,
    help: "What to print; json is one object a line",
  },
  quiet: {
    kind: "toggle",
    group: "Output",
    commands: SEND,
    help: "Print only warnings and errors, with --output json the summary too",
  },
  verbose: {
    kind: "toggle",
    group: "Output",
    commands: SEND,
    help: "Print each request and its answer too, on standard error",
  },
  plot: {
    kind: "toggle",
    group: "Output",
    commands: SEND,
    help:
      "Draw what was accepted after each send: buckets, counts and estimated p50, p90, p99 of " +
      "each series; with --dry-run what would be sent, on standard error",
  },
  suggestBuckets: {
    kind: "text",
    argument: "[N]",
    bare: "11",
    group: "Output",
    commands: PLOT,
    help:
      "Suggest N bounds (without N 11, at most 100) from which p50, p90 and p99 are estimated best, " +
      "in the form to paste",
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
