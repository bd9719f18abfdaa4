import { hasQuotes, UsageError } from "../platform/errors.ts";
import { type Authorization, authorizationOf } from "./authorization.ts";
import { baseEndpoint, type Endpoint, EXACT_ENDPOINT, exactEndpoint } from "./endpoint.ts";
import { headersOf } from "./header.ts";
import type { Environment } from "./proxy.ts";
import { numberSetting, secondsSetting, type Variables } from "../settings/setting.ts";
import {
  choiceOf,
  type SendFlags,
  settingOf,
  settingOrDefault,
  variableOf,
} from "../settings/settings.ts";
import { demandInsecureWorks, type TlsConfig, tlsConfig } from "./tls_config.ts";

/** Receiver, and how to send to it. */
export interface DestinationConfig {
  readonly endpoint: Endpoint;
  readonly authorization: Authorization;
  /** Headers other than Authorization and those that describe the body. */
  readonly headers: readonly (readonly [string, string])[];
  readonly tls: TlsConfig;
  readonly compression: "gzip" | "none";
  readonly timeoutMs: number;
}

/** Reads the destination; throws a UsageError, and adds to `warnings` settings that are odd but possible. */
export function destinationConfig(
  flags: SendFlags,
  find: Variables,
  environment: Environment,
  warnings: string[],
): DestinationConfig {
  const endpoint = endpointOf(flags, find, environment);
  const headers = headersOf(flags, find);
  const authorization = authorizationOf(
    flags,
    find,
    headers.get("authorization"),
    endpoint,
    warnings,
  );
  if (endpoint === undefined) throw missing(find, "DT_ENDPOINT");
  for (const [name, { value, setting }] of headers) {
    if (name === "authorization" || !hasQuotes(value)) continue;
    warnings.push(
      `the value of the header ${name} (${setting.name}, ${setting.source}) is sent with its quotes: remove them ` +
        "unless the receiver requires them",
    );
  }
  if (
    authorization.kind === "none" &&
    (endpoint.setting.name === "DT_ENDPOINT" || endpoint.dynatrace)
  ) {
    throw missing(find, "DT_API_TOKEN");
  }
  const signal = /\/v1\/(?:traces|logs)(?=\/|$)/.exec(endpoint.url.pathname)?.[0];
  // Dynatrace's rules cover its own endpoints.
  if (signal !== undefined && !endpoint.dynatrace) {
    warnings.push(
      `the path of ${endpoint.setting.name} (${endpoint.setting.source}) holds ${signal}, which takes another signal ` +
        "and no metrics: leave it out, /v1/metrics is added",
    );
  }
  const tls = tlsConfig(flags, find);
  if (endpoint.url.protocol === "https:") demandInsecureWorks(tls);
  return {
    endpoint,
    authorization,
    headers: [...headers.entries()].filter(([name]) => name !== "authorization").map(
      ([name, header]) => [name, header.value],
    ),
    tls,
    compression: choiceOf("compression", flags, find),
    timeoutMs: timeoutOf(flags, find),
  };
}

/** Longest timeout in seconds, 23 days: a timer accepts milliseconds of 31 bits. */
const LONGEST_SECONDS = 2_000_000;

/**
 * Reads the timeout in milliseconds. The flag is in seconds, the variables are in milliseconds (OTLP exporter
 * specification).
 */
export function timeoutOf(flags: Pick<SendFlags, "timeout">, find: Variables): number {
  const variable = flags.timeout === undefined ? variableOf("timeout", find) : undefined;
  return variable === undefined
    ? secondsSetting(settingOrDefault("timeout", flags), LONGEST_SECONDS)
    : numberSetting(
      variable,
      "a number of milliseconds greater than 0, for example 10000",
      (ms) => ms > 0 && ms <= LONGEST_SECONDS * 1000,
    );
}

function endpointOf(
  flags: SendFlags,
  find: Variables,
  environment: Environment,
): Endpoint | undefined {
  const setting = settingOf("endpoint", flags, find);
  if (setting === undefined) return undefined;
  return setting.name === EXACT_ENDPOINT
    ? exactEndpoint(setting, environment)
    : baseEndpoint(setting, environment);
}

function missing(find: Variables, name: "DT_ENDPOINT" | "DT_API_TOKEN"): UsageError {
  const isSet = variableOf("apiToken", find) === undefined ? "" : " (DT_API_TOKEN is set)";
  const more = name === "DT_ENDPOINT"
    ? isSet
    : ', or an Authorization header with --header "Authorization=Api-Token …" or "Authorization=Bearer …"';
  return new UsageError(
    `Please set DT_ENDPOINT and DT_API_TOKEN. ${name} is missing${more}.\n` +
      "  DT_ENDPOINT example: https://ENV.live.dynatrace.com/api/v2/otlp\n" +
      "  DT_API_TOKEN example: dt0c01.…, an access token with the scope metrics.ingest, or dt0s16.…, a platform token " +
      "with the scope openpipeline:metrics:ingest\n" +
      "  Any other OTLP receiver: --endpoint http://localhost:4318",
  );
}
