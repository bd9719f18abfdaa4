import { hasQuotes, UsageError } from "../platform/errors.ts";
import { type Authorization, authorizationOf } from "./authorization.ts";
import {
  baseEndpoint,
  type Endpoint,
  EXACT_ENDPOINT,
  exactEndpoint,
  otherSignal,
} from "./endpoint.ts";
import { headersOf } from "./header.ts";
import type { Profile, Receivers } from "./profile.ts";
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

/** Destination of a send: where to send, and how. */
export interface DestinationConfig<P extends Profile = Profile> {
  readonly endpoint: Endpoint<P>;
  readonly authorization: Authorization;
  /** Headers other than Authorization and those that describe the body. */
  readonly headers: readonly (readonly [string, string])[];
  readonly tls: TlsConfig;
  readonly compression: "gzip" | "none";
  readonly timeoutMs: number;
}

/** Reads the settings of a destination; adds to `warnings` what is odd, but can be done. */
export function destinationConfig<P extends Profile>(
  flags: SendFlags,
  find: Variables,
  environment: Environment,
  receivers: Receivers<P>,
  warnings: string[],
): DestinationConfig<P> {
  const { examples } = receivers;
  const endpoint = endpointOf(flags, find, environment, receivers);
  const headers = headersOf(flags, find);
  const authorization = authorizationOf(
    flags,
    find,
    headers.get("authorization"),
    endpoint,
    receivers,
    warnings,
  );
  if (endpoint === undefined) throw missing(find, "DT_ENDPOINT", examples);
  for (const [name, { value, setting }] of headers) {
    if (name === "authorization" || !hasQuotes(value)) continue;
    warnings.push(
      `the value of the header ${name} (${setting.name}, ${setting.source}) is sent with its quotes: remove the quotes ` +
        "unless the receiver requires them",
    );
  }
  if (
    authorization.kind === "none" &&
    (endpoint.setting.name === "DT_ENDPOINT" || endpoint.profile.requiresToken)
  ) {
    throw missing(find, "DT_API_TOKEN", examples);
  }
  const signal = otherSignal(endpoint.url);
  // A vendor's rules say so themselves.
  if (signal !== undefined && endpoint.profile.vendor === undefined) {
    warnings.push(
      `the path of ${endpoint.setting.name} (${endpoint.setting.source}) contains ${signal}, the path of another signal: ` +
        "remove it, /v1/metrics is appended",
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
      `a number of milliseconds from 1 to ${LONGEST_SECONDS * 1000}, for example 10000`,
      (ms) => ms >= 1 && ms <= LONGEST_SECONDS * 1000,
    );
}

/** Reads the endpoint; undefined while none is set. */
export function endpointOf<P extends Profile>(
  flags: SendFlags,
  find: Variables,
  environment: Environment,
  receivers: Receivers<P>,
): Endpoint<P> | undefined {
  const setting = settingOf("endpoint", flags, find);
  if (setting === undefined) return undefined;
  return setting.name === EXACT_ENDPOINT
    ? exactEndpoint(setting, environment, receivers)
    : baseEndpoint(setting, environment, receivers);
}

function missing(
  find: Variables,
  name: "DT_ENDPOINT" | "DT_API_TOKEN",
  examples: Receivers["examples"],
): UsageError {
  const isSet = variableOf("apiToken", find) === undefined ? "" : " (DT_API_TOKEN is set)";
  const more = name === "DT_ENDPOINT"
    ? isSet
    : '. An Authorization header is enough too: --header "Authorization=Api-Token …" or "Authorization=Bearer …"';
  return new UsageError(
    `Please set DT_ENDPOINT and DT_API_TOKEN. ${name} is missing${more}.\n` +
      `  DT_ENDPOINT example: ${examples.url}\n` +
      `  DT_API_TOKEN example: ${examples.tokens}\n` +
      "  Any other OTLP receiver: --endpoint http://localhost:4318",
  );
}
