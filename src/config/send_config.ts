import { METRIC_NAME } from "../base/metric_name.ts";
import { baseEndpoint, type Endpoint, exactEndpoint } from "./endpoint.ts";
import { UsageError } from "../base/errors.ts";
import { decimal } from "../base/number.ts";
import type { Environment } from "./proxy.ts";
import { redactToken } from "../base/redact.ts";
import type { SendFlags } from "./send_flags.ts";
import { type SourceConfig, sourceConfig } from "./source_config.ts";
import {
  booleanSetting,
  choiceSetting,
  firstOf,
  flag,
  invalid,
  keyValue,
  keyValueList,
  numberSetting,
  percentDecode,
  type Setting,
  type Variables,
} from "./setting.ts";

/** The Authorization header: none, a fixed value, or made from a file that is read for every send. */
export type Authorization =
  | { readonly kind: "none" }
  | { readonly kind: "value"; readonly value: string; readonly from: Setting["name"] }
  | { readonly kind: "token-file"; readonly path: string; readonly from: Setting["name"] };

export interface TlsConfig {
  readonly insecure: boolean;
  readonly ca: Setting | undefined;
  readonly client: { readonly cert: Setting; readonly key: Setting } | undefined;
}

export interface DestinationConfig {
  readonly endpoint: Endpoint;
  readonly authorization: Authorization;
  /** Every header but Authorization and those that describe the body. */
  readonly headers: readonly (readonly [string, string])[];
  readonly tls: TlsConfig;
  readonly compression: "gzip" | "none";
  readonly timeoutMs: number;
}

export interface MetricConfig {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Upper bounds of the buckets, strictly increasing, in the metric's unit; or base-2 exponential ones. */
  readonly bounds: readonly number[] | "exponential";
  /** Data points a send at most. */
  readonly maxSeries: number;
  readonly resource: Readonly<Record<string, string>>;
  /** What of it the user gave: it beats a scenario's. */
  readonly resourceGiven: Readonly<Record<string, string>>;
  /** On every data point; beats a measurement's own attribute of that name. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** When sends are due. */
export interface ScheduleConfig {
  readonly loop: boolean;
  readonly intervalMs: number;
  readonly iterations: number;
  readonly durationMs: number;
}

/** How long one send goes on, and how much and how long unsent data is kept. */
export interface KeepConfig {
  readonly retryForMs: number;
  readonly spool: Setting | undefined;
  readonly maxPendingBytes: number;
  readonly maxAgeMs: number;
}

export interface OutputConfig {
  readonly format: "text" | "json";
  readonly level: "quiet" | "normal" | "verbose";
}

/** How what was accepted is drawn; `color`: as far as a terminal shows it. */
export interface PlotConfig {
  readonly color: boolean;
}

export interface SendConfig {
  readonly destination: DestinationConfig;
  readonly metric: MetricConfig;
  readonly schedule: ScheduleConfig;
  readonly keep: KeepConfig;
  readonly output: OutputConfig;
  /** Undefined draws nothing. */
  readonly plot: PlotConfig | undefined;
  readonly source: SourceConfig;
  /** A broken rule of Dynatrace's ends the program before anything is sent. */
  readonly strict: boolean;
  /** What is odd, but can be done. */
  readonly warnings: readonly string[];
}

/** A send as it would be: nothing is sent, so no destination is needed. */
export type DryRunConfig = Omit<SendConfig, "destination">;

/** Settings -> what `send` does, or a UsageError. Reads nothing but its arguments. */
export function sendConfig(
  flags: SendFlags,
  find: Variables,
  environment: Environment,
): SendConfig {
  const { warnings, ...config } = commonConfig(flags, find);
  const odd = [...warnings];
  const destination = destinationConfig(flags, find, environment, odd);
  return { ...config, destination, warnings: odd };
}

/** The same without a destination. */
export function dryRunConfig(flags: SendFlags, find: Variables): DryRunConfig {
  if (flags.loop) throw new UsageError("--dry-run shows a single send: leave out --loop");
  if (flags.plot) throw new UsageError("--plot draws what was accepted: leave out --dry-run");
  return commonConfig(flags, find);
}

function commonConfig(flags: SendFlags, find: Variables): DryRunConfig {
  const warnings: string[] = [];
  const output = outputConfig(flags);
  const schedule = scheduleConfig(flags, find, warnings);
  const metric = metricConfig(flags, find);
  const keep = keepConfig(flags, find);
  const source = sourceConfig(flags, schedule.loop, keep.spool !== undefined);
  const plot = plotConfig(flags, output, find);
  return { metric, schedule, keep, output, plot, source, strict: flags.strict ?? false, warnings };
}

const SECONDS_EXPECTED = "a number of seconds greater than 0, for example 10 or 0.5";
const SECONDS_OR_0_EXPECTED = "a number of seconds, 0 or more, for example 60 or 0.5";
/** A timer takes no more milliseconds than fit in 31 bits, 24 days. */
const isSeconds = (seconds: number) => seconds > 0 && seconds <= 2_000_000;
const isSecondsOr0 = (seconds: number) => seconds >= 0 && seconds <= 1e9;

function secondsSetting(setting: Setting): number {
  return numberSetting(setting, SECONDS_EXPECTED, isSeconds) * 1000;
}

export function outputConfig(flags: Pick<SendFlags, "output" | "quiet" | "verbose">): OutputConfig {
  const format = flag("--output", flags.output);
  if (flags.quiet && flags.verbose) {
    throw new UsageError("--quiet and --verbose contradict each other: give one of them");
  }
  return {
    format: format === undefined ? "text" : choiceSetting(format, ["text", "json"]),
    level: flags.quiet ? "quiet" : flags.verbose ? "verbose" : "normal",
  };
}

function plotConfig(
  flags: SendFlags,
  { format, level }: OutputConfig,
  find: Variables,
): PlotConfig | undefined {
  if (!flags.plot) return undefined;
  if (format === "json") throw new UsageError("--plot draws text: leave out --output json");
  if (level === "quiet") {
    throw new UsageError("--plot and --quiet contradict each other: give one of them");
  }
  return { color: find("NO_COLOR") === undefined };
}

function scheduleConfig(flags: SendFlags, find: Variables, warnings: string[]): ScheduleConfig {
  const loop = flags.loop ?? false;
  const interval = flag("--interval", flags.interval) ?? find("INTERVAL");
  const iterations = flag("--iterations", flags.iterations);
  const duration = flag("--duration", flags.duration);
  for (const setting of [iterations, duration]) {
    if (setting !== undefined && !loop) {
      throw new UsageError(`${setting.name} ends a loop: add --loop, or leave it out`);
    }
  }
  if (flags.interval !== undefined && !loop) {
    warnings.push("--interval has no effect on a single send: add --loop to send repeatedly");
  }
  return {
    loop,
    intervalMs: interval === undefined
      ? 60_000
      : numberSetting(interval, SECONDS_OR_0_EXPECTED, isSecondsOr0) * 1000,
    iterations: iterations === undefined
      ? Infinity
      : numberSetting(iterations, "a whole number, 1 or more", isWholeFrom(1)),
    durationMs: duration === undefined
      ? Infinity
      : numberSetting(duration, SECONDS_EXPECTED, (n) => n > 0) * 1000,
  };
}

export const isWholeFrom = (least: number) => (n: number) => Number.isSafeInteger(n) && n >= least;

function keepConfig(flags: SendFlags, find: Variables): KeepConfig {
  const retryFor = flag("--retry-for", flags.retryFor);
  const maxPending = flag("--max-pending-mb", flags.maxPendingMb);
  const maxAge = flag("--max-age", flags.maxAge);
  const spool = flag("--spool", flags.spool) ?? find("OTLP_HISTOGRAM_SPOOL");
  if (spool?.value.trim() === "") throw invalid(spool, "the path of a directory");
  return {
    retryForMs: retryFor === undefined
      ? 30_000
      : numberSetting(retryFor, SECONDS_OR_0_EXPECTED, isSecondsOr0) * 1000,
    spool,
    maxPendingBytes: maxPending === undefined ? 64e6 : numberSetting(
      maxPending,
      "a number of megabytes greater than 0, for example 64",
      (n) => n > 0 && n <= 1e6,
    ) * 1e6,
    maxAgeMs: maxAge === undefined
      ? 3_600_000
      : numberSetting(maxAge, SECONDS_EXPECTED, (n) => n > 0) * 1000,
  };
}

/** The predecessor's instrument; 11 bounds make the 12 buckets that Dynatrace Classic and Managed store. */
const DEFAULT_BOUNDS = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000] as const;

function metricConfig(flags: SendFlags, find: Variables): MetricConfig {
  const name = flag("--metric", flags.metric);
  const maxSeries = flag("--max-series", flags.maxSeries);
  const resourceGiven = givenResource(flags, find);
  if (name !== undefined && !METRIC_NAME.test(name.value)) {
    throw invalid(
      name,
      "an OpenTelemetry instrument name: a letter, then up to 254 letters, digits or any of _ . - /",
    );
  }
  return {
    name: name?.value ?? "http.server.duration",
    unit: flags.unit ?? "ms",
    description: flags.description ?? "HTTP request duration",
    bounds: boundsSetting(flags, find),
    maxSeries: maxSeries === undefined ? 10_000 : numberSetting(
      maxSeries,
      "a whole number from 1 to 1000000",
      (n) => isWholeFrom(1)(n) && n <= 1_000_000,
    ),
    resource: { ...DEFAULT_RESOURCE, ...resourceGiven },
    resourceGiven,
    attributes: Object.fromEntries(keyValueFlags("--attr", flags.attr)),
  };
}

function boundsSetting(flags: SendFlags, find: Variables): MetricConfig["bounds"] {
  const setting = flag("--buckets", flags.buckets);
  if (flags.exponential && setting !== undefined) {
    throw new UsageError("--buckets and --exponential contradict each other: give one of them");
  }
  if (flags.exponential) return "exponential";
  if (setting === undefined) {
    const aggregation = find("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION");
    const kind = aggregation && choiceSetting(aggregation, [
      "explicit_bucket_histogram",
      "base2_exponential_bucket_histogram",
    ]);
    return kind === "base2_exponential_bucket_histogram" ? "exponential" : DEFAULT_BOUNDS;
  }
  const bounds = setting.value.split(",").map(decimal);
  const increasing = bounds.every((bound, i) =>
    Number.isFinite(bound) && (i === 0 || bound > (bounds[i - 1] ?? NaN))
  );
  if (!increasing) {
    throw invalid(setting, "numbers in strictly increasing order, for example 5,10,25.5,100");
  }
  return bounds;
}

export const DEFAULT_RESOURCE = { "service.name": "my-service", "deployment.environment": "prod" };

function givenResource(flags: SendFlags, find: Variables): Readonly<Record<string, string>> {
  const listed = find("OTEL_RESOURCE_ATTRIBUTES");
  const service = find("OTEL_SERVICE_NAME");
  return {
    ...listed && Object.fromEntries(keyValueList(listed, "KEY=VALUE,KEY=VALUE,…")),
    ...service && { "service.name": service.value },
    ...Object.fromEntries(keyValueFlags("--resource", flags.resource)),
    ...flags.service !== undefined && { "service.name": flags.service },
  };
}

function keyValueFlags(
  name: string,
  values: readonly string[] = [],
): readonly (readonly [string, string])[] {
  return values.map((value) => {
    const pair = keyValue(value);
    if (pair === undefined) {
      throw invalid({ name, source: "command line", value }, "KEY=VALUE, for example region=eu");
    }
    return pair;
  });
}

export function destinationConfig(
  flags: SendFlags,
  find: Variables,
  environment: Environment,
  warnings: string[],
): DestinationConfig {
  const endpoint = endpointSetting(flags, find, environment);
  const headers = headerSettings(flags, find);
  const authorization = authorizationSetting(flags, find, headers, endpoint, warnings);
  if (endpoint === undefined) throw missing(find, "DT_ENDPOINT");
  if (
    authorization.kind === "none" &&
    (endpoint.setting.name === "DT_ENDPOINT" || endpoint.dynatrace)
  ) {
    throw missing(find, "DT_API_TOKEN");
  }
  const timeout = flag("--timeout", flags.timeout);
  const timeoutVariable = otlpVariable(find, "TIMEOUT");
  const compression = flag("--compression", flags.compression) ?? otlpVariable(find, "COMPRESSION");
  return {
    endpoint,
    authorization,
    headers: [...headers.entries()].filter(([name]) => name !== "authorization").map(
      ([name, header]) => [name, header.value],
    ),
    tls: tlsConfig(flags, find),
    compression: compression === undefined ? "gzip" : choiceSetting(compression, ["gzip", "none"]),
    timeoutMs: timeout !== undefined
      ? secondsSetting(timeout)
      : timeoutVariable !== undefined
      ? numberSetting(
        timeoutVariable,
        "a number of milliseconds greater than 0, for example 10000",
        (ms) => isSeconds(ms / 1000),
      )
      : 10_000,
  };
}

/** The metrics' own OTLP variable beats the general one (OTLP exporter specification). */
function otlpVariable(find: Variables, name: string): Setting | undefined {
  return firstOf(find, `OTEL_EXPORTER_OTLP_METRICS_${name}`, `OTEL_EXPORTER_OTLP_${name}`);
}

function endpointSetting(
  flags: SendFlags,
  find: Variables,
  environment: Environment,
): Endpoint | undefined {
  const base = flag("--endpoint", flags.endpoint) ?? find("DT_ENDPOINT");
  if (base !== undefined) return baseEndpoint(base, environment);
  const exact = find("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT");
  if (exact !== undefined) return exactEndpoint(exact, environment);
  const general = find("OTEL_EXPORTER_OTLP_ENDPOINT");
  return general === undefined ? undefined : baseEndpoint(general, environment);
}

function missing(find: Variables, name: string): UsageError {
  const example = name === "DT_ENDPOINT"
    ? ""
    : `, or an Authorization header with --header "Authorization=Api-Token …"`;
  const set = find("DT_API_TOKEN") === undefined ? "" : " (DT_API_TOKEN is set)";
  return new UsageError(
    `Please set DT_ENDPOINT and DT_API_TOKEN. ${name} is missing${
      name === "DT_ENDPOINT" ? set : example
    }.\n` +
      "  DT_ENDPOINT example: https://ENV.live.dynatrace.com/api/v2/otlp\n" +
      "  DT_API_TOKEN example: dt0c01.…, with the scope metrics.ingest\n" +
      "  Any other OTLP receiver: --endpoint http://localhost:4318",
  );
}

interface Header {
  readonly value: string;
  readonly setting: Setting;
}

/** Described by the program itself: a header of this name would contradict the body. */
const OWN_HEADERS = [
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "transfer-encoding",
];

/** Headers by lower-case name: the variable's first, then `--header`, name by name. */
function headerSettings(flags: SendFlags, find: Variables): ReadonlyMap<string, Header> {
  const headers = new Map<string, Header>();
  const expected = "NAME=VALUE, for example X-Scope=team-a; in a variable several, with commas";
  const variable = otlpVariable(find, "HEADERS");
  const add = (name: string, value: string, setting: Setting) => {
    const key = name.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(key)) throw invalid(setting, expected, NOT_SHOWN);
    if (!isHeaderValue(value)) {
      throw invalid(setting, `a value of "${name}" without line breaks, in Latin-1`, NOT_SHOWN);
    }
    if (OWN_HEADERS.includes(key)) {
      throw invalid(setting, `another name than "${name}", which the program sets itself`, "");
    }
    headers.set(key, { value, setting });
  };
  if (variable !== undefined) {
    for (const [name, value] of keyValueList(variable, expected)) add(name, value, variable);
  }
  for (const value of flags.header ?? []) {
    const setting = { name: "--header", source: "command line", value };
    const pair = keyValue(value);
    if (pair === undefined) throw invalid(setting, expected, NOT_SHOWN);
    add(pair[0], percentDecode(pair[1]), setting);
  }
  return headers;
}

const NOT_SHOWN = "(value not shown)";

/** What an HTTP header's value may hold (RFC 9110, 5.5), as far as fetch takes it. */
function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/** A token as it stands in an Authorization header; the error never shows its secret part. */
export function tokenValue(setting: Setting): string {
  const token = setting.value.trim().replace(/^Api-Token\s+/i, "");
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw invalid(
      setting,
      "a token of printable ASCII characters without blanks, for example dt0c01.PUBLIC.SECRET",
      redactToken(token.split(/\s/, 1)[0] ?? ""),
    );
  }
  return token;
}

function authorizationSetting(
  flags: SendFlags,
  find: Variables,
  headers: ReadonlyMap<string, Header>,
  endpoint: Endpoint | undefined,
  warnings: string[],
): Authorization {
  const header = headers.get("authorization");
  if (header?.setting.name === "--header") return fixed(header);
  const named = endpoint?.setting.name;
  if (named === "--endpoint" || named === "DT_ENDPOINT" || endpoint?.dynatrace) {
    if (flags.tokenFile !== undefined) {
      return { kind: "token-file", path: flags.tokenFile, from: "--token-file" };
    }
    const token = find("DT_API_TOKEN");
    if (token !== undefined) {
      return { kind: "value", value: `Api-Token ${tokenValue(token)}`, from: token.name };
    }
    const file = find("DT_API_TOKEN_FILE");
    if (file !== undefined) return { kind: "token-file", path: file.value, from: file.name };
  } else if (flags.tokenFile !== undefined && endpoint !== undefined) {
    warnings.push(
      `The token of --token-file is not sent to ${endpoint.shown}: it goes to DT_ENDPOINT, to ` +
        "--endpoint or to a URL whose path holds /api/v2/otlp",
    );
  }
  if (header !== undefined) return fixed(header);
  if (endpoint?.basic !== undefined) {
    return { kind: "value", value: endpoint.basic, from: endpoint.setting.name };
  }
  return { kind: "none" };
}

function fixed({ value, setting }: Header): Authorization {
  return { kind: "value", value, from: setting.name };
}

function tlsConfig(flags: SendFlags, find: Variables): TlsConfig {
  const insecure = find("INSECURE_SSL");
  const cert = flag("--client-cert", flags.clientCert) ?? otlpVariable(find, "CLIENT_CERTIFICATE");
  const key = flag("--client-key", flags.clientKey) ?? otlpVariable(find, "CLIENT_KEY");
  if ((cert === undefined) !== (key === undefined)) {
    const [given, other] = cert === undefined ? [key, "--client-cert"] : [cert, "--client-key"];
    throw new UsageError(
      `${given?.name} (${given?.source}) needs the other half of the pair: add ${other}`,
    );
  }
  return {
    insecure: flags.insecure ?? (insecure === undefined ? false : booleanSetting(insecure)),
    ca: flag("--ca", flags.ca) ?? otlpVariable(find, "CERTIFICATE"),
    client: cert === undefined || key === undefined ? undefined : { cert, key },
  };
}
