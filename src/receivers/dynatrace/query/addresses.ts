import type { BackendName, QueryBase } from "../../backend.ts";
import { isSaas } from "../urls.ts";

/**
 * Finds the query API behind a URL of Dynatrace's OTLP API: Grail for SaaS, on the host of its apps, and the Metrics
 * API v2 on the same host for Managed and ActiveGates, which serve no platform API.
 */
export function dynatraceQueryBase(url: URL, backend?: BackendName): QueryBase | undefined {
  const [, environment] = /^(\/e\/[^/]+)\/api\/v2\/otlp(?:\/|$)/.exec(url.pathname) ?? [];
  const isOwnHost = isSaas(url) && environment === undefined;
  if (isOwnHost && backend !== "metrics-v2") {
    return { backend: "grail", url: new URL(`https://${appsHost(url.hostname)}/`) };
  }
  if (backend === "grail") return undefined;
  if (environment !== undefined) {
    return { backend: "metrics-v2", url: new URL(`${url.origin}${environment}`) };
  }
  // Classic SaaS has the Metrics API on the host of its OTLP API.
  return isOwnHost ? { backend: "metrics-v2", url: new URL(url.origin) } : undefined;
}

/** Names the query API at a URL: Grail on the hosts of apps, the Metrics API on an environment's. */
export function dynatraceBackendAt(url: URL): BackendName | undefined {
  if (/\.apps\.dynatrace(labs)?\.com$/.test(url.hostname)) return "grail";
  if (isSaas(url) || /\/e\/[^/]+(\/|$)/.test(url.pathname)) return "metrics-v2";
  return undefined;
}

/** `X.live.dynatrace.com` -> `X.apps.dynatrace.com`; `X.dev.dynatracelabs.com` -> `X.dev.apps.dynatracelabs.com`. */
function appsHost(hostname: string): string {
  return hostname.replace(/\.live\.dynatrace\.com$/, ".apps.dynatrace.com")
    .replace(/\.(dev|sprint)\.dynatracelabs\.com$/, ".$1.apps.dynatracelabs.com");
}
