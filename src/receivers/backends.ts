import type { Endpoint } from "../http/endpoint.ts";
import type { BackendName, QueryBase } from "./backend.ts";
import { dynatraceBackendAt, dynatraceQueryBase } from "./dynatrace/query/addresses.ts";

/**
 * Finds the query API that belongs to a receiver; with `backend` the one of that kind. Undefined if the URL does not
 * tell.
 */
export function derivedQueryBase(
  { url }: Pick<Endpoint, "url">,
  backend?: BackendName,
): QueryBase | undefined {
  return backend === "prometheus"
    ? prometheusBase(url)
    : dynatraceQueryBase(url, backend) ?? (backend === undefined ? prometheusBase(url) : undefined);
}

/** Names the query API at a URL that the user gave; undefined if the URL does not tell. */
export function backendAt(url: URL): BackendName | undefined {
  return dynatraceBackendAt(url);
}

/**
 * Paths of OTLP that only one kind of server has, each beside its query API: VictoriaMetrics' and Prometheus' own. A
 * VictoriaMetrics cluster has another host for queries, and its paths begin with /insert/.
 */
const PROMETHEUS_PATHS = /^(.*)\/(?:opentelemetry(?:\/api)?|api\/v1\/otlp)\/v1\/metrics$/;

function prometheusBase(url: URL): QueryBase | undefined {
  const [, prefix] = PROMETHEUS_PATHS.exec(url.pathname) ?? [];
  if (prefix === undefined || /^\/insert(\/|$)/.test(prefix)) return undefined;
  return { backend: "prometheus", url: new URL(`${url.origin}${prefix}/`) };
}
