/** A flag that takes a text; src/config.ts and its like find out what it means. */
const optional = (brief: string, placeholder: string) =>
  ({ kind: "parsed", parse: String, optional: true, brief, placeholder }) as const;
const repeatable = (brief: string, placeholder: string) =>
  ({ kind: "parsed", parse: String, optional: true, variadic: true, brief, placeholder }) as const;
const toggle = (brief: string) =>
  ({ kind: "boolean", optional: true, withNegated: false, brief }) as const;

/** Where to send and how, of `send` and of `check`. */
const destinationFlags = {
  endpoint: optional(
    "Base URL of the receiver; /v1/metrics is added unless it is there [DT_ENDPOINT, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT (as it is), OTEL_EXPORTER_OTLP_ENDPOINT]",
    "URL",
  ),
  tokenFile: optional(
    "File with the API token, read again for every send [DT_API_TOKEN, DT_API_TOKEN_FILE]",
    "FILE",
  ),
  header: repeatable(
    "A request header; percent-encoding is decoded; repeatable [OTEL_EXPORTER_OTLP_METRICS_HEADERS, OTEL_EXPORTER_OTLP_HEADERS]",
    "NAME=VALUE",
  ),
  insecure: toggle("Do not verify the receiver's certificate [INSECURE_SSL=true]"),
  ca: optional(
    "PEM file of CA certificates, added to the public roots [OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE, OTEL_EXPORTER_OTLP_CERTIFICATE]",
    "FILE",
  ),
  clientCert: optional(
    "PEM file of the client certificate [OTEL_EXPORTER_OTLP_[METRICS_]CLIENT_CERTIFICATE]",
    "FILE",
  ),
  clientKey: optional(
    "PEM file of its private key [OTEL_EXPORTER_OTLP_[METRICS_]CLIENT_KEY]",
    "FILE",
  ),
  compression: optional(
    "gzip (default) or none [OTEL_EXPORTER_OTLP_[METRICS_]COMPRESSION]",
    "gzip|none",
  ),
  timeout: optional(
    "Of one request; default 10 [OTEL_EXPORTER_OTLP_[METRICS_]TIMEOUT, in ms]",
    "SECONDS",
  ),
} as const;

export const sendFlags = {
  ...destinationFlags,
  retryFor: optional(
    "How long one send goes on trying; default 30; in a loop at most until the next send is due",
    "SECONDS",
  ),
  spool: optional(
    "Directory that keeps what is not delivered, also when the program is killed; the next start sends it [OTLP_HISTOGRAM_SPOOL]",
    "DIR",
  ),
  maxPendingMb: optional(
    "How much unsent data is kept, in MB; beyond it the oldest is dropped, and said; default 64",
    "N",
  ),
  maxAge: optional(
    "How long unsent data is kept; default 3600 (Dynatrace takes nothing older than an hour)",
    "SECONDS",
  ),
  loop: toggle("Send again and again, until Ctrl+C or an end"),
  interval: optional(
    "Between sends in a loop; default 60; 0: one right after the other [INTERVAL]",
    "SECONDS",
  ),
  iterations: optional("Ends a loop after N sends", "N"),
  duration: optional("Ends a loop when the next send is due after that time", "SECONDS"),
  metric: optional("Name of the metric; default http.server.duration", "NAME"),
  unit: optional("Unit of the metric; default ms", "UNIT"),
  description: optional("Description of the metric; default HTTP request duration", "TEXT"),
  buckets: optional(
    "Upper bounds of the buckets, increasing; default 5,10,25,50,75,100,250,500,1000,2500,5000",
    "B1,B2,...",
  ),
  exponential: toggle(
    "Base-2 exponential buckets instead [OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=base2_exponential_bucket_histogram]",
  ),
  value: repeatable("Send this measurement; repeatable", "N"),
  input: optional(
    "Send the measurements of a file (.gz too), or with - of standard input; each counts as measured when it is read. With --loop what has come is sent every interval, without it once at the end",
    "FILE|-",
  ),
  inputFormat: optional(
    "auto (default: by the first line that is not blank: `{` ndjson, a number text, else csv), ndjson, csv or text",
    "FORMAT",
  ),
  valueField: optional("The field of a line that holds the value; default value", "NAME"),
  attrField: repeatable(
    "A field that becomes an attribute, named KEY if given; default: the object attributes (ndjson), every other column (csv); repeatable",
    "NAME[=KEY]",
  ),
  scale: optional("A factor for every value: 1000 for seconds to ms; default 1", "N"),
  scenario: optional("Generate what the JSON file describes; see examples/", "FILE"),
  series: optional(
    "Generate so many data points, told apart by the attribute series; default 1",
    "N",
  ),
  count: optional(
    "Generate N measurements a send; default: one a series; 0: send only what the spool holds",
    "N",
  ),
  rate: optional("Generate N measurements a second, however long sends take", "N"),
  distribution: optional(
    "Of generated values: constant(x), uniform(a,b), normal(mean,stddev), lognormal(median,p99) or exponential(mean); default lognormal(40,400)",
    "SPEC",
  ),
  seed: optional("The same random numbers every time, on every machine", "TEXT"),
  maxSeries: optional(
    "Data points a send at most; what is beyond is folded into one, and said; default 10000",
    "N",
  ),
  dryRun: toggle("Print the request as OTLP/JSON, and send nothing"),
  strict: toggle(
    "To Dynatrace: send nothing (exit status 2) when one of its rules would be broken; without it a warning says so",
  ),
  service: optional(
    "Resource attribute service.name; default my-service [OTEL_SERVICE_NAME]",
    "NAME",
  ),
  resource: repeatable(
    "A resource attribute; default deployment.environment=prod; repeatable [OTEL_RESOURCE_ATTRIBUTES]",
    "KEY=VALUE",
  ),
  attr: repeatable("An attribute (text) of every data point; repeatable", "KEY=VALUE"),
  output: optional("text (default) or json, one object a line", "text|json"),
  quiet: toggle("Print only warnings and errors (json: and the summary)"),
  verbose: toggle("Also print every request and its answer, on standard error"),
  plot: toggle(
    "Draw what was accepted, after each send: buckets, counts and estimated p50, p90, p99 of each series; without colour when NO_COLOR is set [NO_COLOR]",
  ),
  envFile: optional("Read FILE, which must exist, in place of .env", "FILE"),
} as const;

export const receiveFlags = {
  host: optional("Address to listen on; default 127.0.0.1", "HOST"),
  port: optional("Port to listen on; default 4318; 0 picks a free one", "PORT"),
  rules: optional(
    "Whose rules to judge by: otlp (default) or dynatrace, its limits, reasons and answers",
    "otlp|dynatrace",
  ),
  tokenFile: optional(
    "Demand `Authorization: Api-Token` with the token in this file",
    "FILE",
  ),
  tlsCert: optional("PEM file of the certificate, for https", "FILE"),
  tlsKey: optional("PEM file of its private key", "FILE"),
  respond: optional(
    "Scripted answers, in order: a status, a status with its Retry-After (429:2), hang; 200 is judged as usual, and so is what comes after the list",
    "LIST",
  ),
  requests: optional("End after N requests", "N"),
  output: optional("text (default) or json, one object a line", "text|json"),
} as const;

export const checkFlags = {
  ...destinationFlags,
  canary: toggle("Send one sample measurement too, and demand that it is accepted"),
  metric: optional("Its name; default http.server.duration", "NAME"),
  service: optional(
    "Its resource attribute service.name; default my-service [OTEL_SERVICE_NAME]",
    "NAME",
  ),
  resource: repeatable(
    "A resource attribute of it; repeatable [OTEL_RESOURCE_ATTRIBUTES]",
    "KEY=VALUE",
  ),
  output: optional("text (default) or json, one object a line", "text|json"),
  envFile: optional("Read FILE, which must exist, in place of .env", "FILE"),
} as const;
