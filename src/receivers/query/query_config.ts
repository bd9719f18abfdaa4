import { headerOf } from "../../http/header.ts";
import type { DestinationConfig } from "../../http/destination_config.ts";
import { type Endpoint, exactEndpoint } from "../../http/endpoint.ts";
import type { Environment } from "../../http/proxy.ts";
import { demandInsecureWorks } from "../../http/tls_config.ts";
import type { Secrets } from "../../redact/secrets.ts";
import { percentDecode } from "../../redact/percent.ts";
import { UsageError } from "../../platform/errors.ts";
import type { BackendName, QueryBase } from "../backend.ts";
import { backendAt, derivedQueryBase } from "../backends.ts";
import type { ReceiverProfile } from "../profile.ts";
import { RECEIVERS } from "../profiles.ts";
import {
  choiceSetting,
  halfOfPair,
  keyValue,
  type Setting,
  type Variables,
} from "../../settings/setting.ts";
import {
  rowOf,
  settingOf,
  settingsOf,
  variableOf,
  type VerifyFlags,
} from "../../settings/settings.ts";
import { SETTINGS } from "../../settings/settings_table.ts";

/** Credentials of queries: where their Authorization header comes from. */
export type QueryAuthorization =
  | { readonly kind: "none" }
  | { readonly kind: "value"; readonly value: string; readonly from: string }
  | { readonly kind: "token"; readonly setting: Setting }
  | { readonly kind: "token-file"; readonly setting: Setting }
  | { readonly kind: "oauth"; readonly id: Setting; readonly secret: Setting }
  /** The receiver's own, for a query API on the same host. */
  | { readonly kind: "endpoint" };

/** Query API to ask, and how. */
export interface QueryConfig {
  readonly backend: BackendName;
  readonly endpoint: Endpoint;
  readonly authorization: QueryAuthorization;
  /** Headers other than Authorization. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Flags about where to query, and with which credentials. */
export type QueryFlags = Pick<
  VerifyFlags,
  "queryUrl" | "backend" | "queryTokenFile" | "queryHeader"
>;

/** Adds the secrets among the settings of queries, used or not, before any setting is read. */
export function addQuerySecrets(secrets: Secrets, flags: QueryFlags, find: Variables): void {
  for (const key of ["queryToken", "queryClientSecret"] as const) {
    for (const name of rowOf(key).variables ?? []) {
      const value = find(name)?.value;
      if (value !== undefined) secrets.addHeader("authorization", value);
    }
  }
  for (const header of flags.queryHeader ?? []) {
    const [name, value] = keyValue(header) ?? ["", header];
    secrets.addHeader(name, value);
    secrets.addHeader(name, percentDecode(value));
  }
  for (const text of [flags.queryUrl, variableOf("queryUrl", find)?.value]) {
    const url = URL.parse(text?.trim() ?? "");
    if (url !== null) secrets.addUrl(url);
  }
}

/** Reads which query API to ask, with which credentials; throws a UsageError where that does not follow. */
export function queryConfig(
  flags: QueryFlags,
  find: Variables,
  environment: Environment,
  destination: DestinationConfig<ReceiverProfile>,
): QueryConfig {
  const config = followingQuery(flags, find, environment, destination);
  if (config === undefined) throw noQueryApi(flags, destination.endpoint);
  const problem = bearerProblem(config);
  if (problem !== undefined) {
    throw new UsageError(`${problem}: ${GRAIL_TOKEN}\nNothing was sent`);
  }
  return config;
}

/**
 * Reads which query API to ask and with which credentials, fit for it or not. Undefined if no API follows from the
 * settings; throws a UsageError for a setting that does not parse.
 */
export function followingQuery(
  flags: QueryFlags,
  find: Variables,
  environment: Environment,
  destination: DestinationConfig<ReceiverProfile>,
): QueryConfig | undefined {
  const named = settingOf("queryUrl", flags, find);
  const chosen = chosenBackend(flags);
  const derived = derivedQueryBase(destination.endpoint, chosen);
  const api = named === undefined
    ? derived && derivedApi(derived, destination.endpoint, environment)
    : namedApi(named, environment, chosen ?? derived?.backend);
  if (api === undefined) return undefined;
  if (api.endpoint.url.protocol === "https:") demandInsecureWorks(destination.tls);
  const headers = new Map(
    settingsOf("queryHeader", flags).map((setting) => {
      const [name, value] = headerOf(setting, "NAME=VALUE, for example X-Scope-OrgID=team-a");
      return [name, { value, setting }] as const;
    }),
  );
  const header = headers.get("authorization");
  const authorization: QueryAuthorization = header === undefined
    ? tokenOf(flags, find, api, named === undefined ? destination : undefined)
    : { kind: "value", value: header.value, from: header.setting.name };
  headers.delete("authorization");
  return {
    ...api,
    authorization,
    headers: Object.fromEntries([...headers].map(([name, { value }]) => [name, value])),
  };
}

function chosenBackend(flags: QueryFlags): BackendName | undefined {
  const choice = settingOf("backend", flags);
  return choice && choiceSetting(choice, SETTINGS.backend.choices);
}

type Api = Pick<QueryConfig, "backend" | "endpoint">;

function derivedApi(
  { backend, url }: QueryBase,
  { setting }: Endpoint,
  environment: Environment,
): Api {
  return {
    backend,
    endpoint: exactEndpoint({ ...setting, value: url.href }, environment, RECEIVERS),
  };
}

function noQueryApi(flags: QueryFlags, { shown, setting }: Endpoint): UsageError {
  const chosen = chosenBackend(flags);
  const kind = chosen === undefined ? "" : ` of --backend ${chosen}`;
  return new UsageError(
    `No query API${kind} follows from ${setting.name} "${shown}" (${setting.source}): name the base URL of the ` +
      "backend's query API with --query-url, for example --query-url http://localhost:9090 for a Prometheus behind " +
      "a Collector\nNothing was sent",
  );
}

/** Paths that are appended to a base. */
const PATHS: Readonly<Record<BackendName, string>> = {
  grail: "/platform/storage/query/v1",
  "metrics-v2": "/api/v2/metrics/query",
  prometheus: "/api/v1/query",
};

function namedApi(
  setting: Setting,
  environment: Environment,
  known: BackendName | undefined,
): Api {
  const endpoint = exactEndpoint(setting, environment, RECEIVERS);
  const backend = known ?? backendAt(endpoint.url) ?? "prometheus";
  const path = endpoint.url.pathname.replace(/\/+$/, "");
  const suffix = PATHS[backend];
  endpoint.url.pathname = path.endsWith(suffix) ? path.slice(0, -suffix.length) : path;
  return { backend, endpoint };
}

/** Finds the token of queries; that of the receiver only for a query API that follows from it on the same host. */
function tokenOf(
  flags: QueryFlags,
  find: Variables,
  { backend, endpoint }: Api,
  derivedFrom: DestinationConfig<ReceiverProfile> | undefined,
): QueryAuthorization {
  if (flags.queryTokenFile !== undefined) {
    const setting = { name: "--query-token-file", source: "command line" };
    return { kind: "token-file", setting: { ...setting, value: flags.queryTokenFile } };
  }
  const token = variableOf("queryToken", find);
  if (token !== undefined) return { kind: "token", setting: token };
  const file = variableOf("queryTokenFile", find);
  if (file !== undefined) return { kind: "token-file", setting: file };
  const id = variableOf("queryClientId", find);
  const secret = variableOf("queryClientSecret", find);
  if ((id === undefined) !== (secret === undefined)) {
    throw halfOfPair(
      id ?? secret,
      id === undefined ? "DT_QUERY_CLIENT_ID" : "DT_QUERY_CLIENT_SECRET",
    );
  }
  if (backend === "grail" && id !== undefined && secret !== undefined) {
    return { kind: "oauth", id, secret };
  }
  if (endpoint.basic !== undefined) {
    return { kind: "value", value: endpoint.basic, from: endpoint.setting.name };
  }
  return derivedFrom !== undefined && derivedFrom.endpoint.url.host === endpoint.url.host
    ? { kind: "endpoint" }
    : { kind: "none" };
}

/** Token, or Authorization value, that Grail may accept. */
const PLATFORM_TOKEN = /^(Bearer\s+)?dt0s16\.|^Bearer\s/i;

/** Says why Grail cannot accept credentials; undefined if it may. Those in a file are checked when it is read. */
export function bearerProblem(
  { backend, authorization }: Pick<QueryConfig, "backend" | "authorization">,
): string | undefined {
  const { kind } = authorization;
  if (backend !== "grail" || kind === "oauth" || kind === "token-file") return undefined;
  const value = kind === "value"
    ? authorization.value
    : kind === "token"
    ? authorization.setting.value.trim()
    : undefined;
  if (value === undefined) return "No token for queries";
  return PLATFORM_TOKEN.test(value) ? undefined : "The token for queries is not a platform token";
}

/** Remedy for credentials that Grail does not accept. */
export const GRAIL_TOKEN =
  "a Grail query requires a platform token (dt0s16.…) with the scopes storage:metrics:read and storage:buckets:read; " +
  "set DT_QUERY_TOKEN, or --query-token-file FILE";
