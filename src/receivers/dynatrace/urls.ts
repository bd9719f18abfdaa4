import type { EndpointFacts, Rule } from "./rule.ts";
import { OTLP_PATH } from "./api_path.ts";

/** Base URLs ("Dynatrace OTLP API endpoints"). */
export const BASES = `https://ENV.live.dynatrace.com${OTLP_PATH} (SaaS), ` +
  `https://DOMAIN/e/ENV${OTLP_PATH} (Managed), https://HOST:9999/e/ENV${OTLP_PATH} (ActiveGate) or ` +
  `https://HOST/e/ENV${OTLP_PATH} (ActiveGate in a container)`;

/** Rules about URLs of Dynatrace's own that have never accepted metrics; they also explain a 404. */
export const MISPLACED: readonly Rule<EndpointFacts>[] = [
  {
    id: "endpoint-apps",
    level: "error",
    checks: "The host does not end in .apps.dynatrace.com or .apps.dynatracelabs.com",
    effect: "a host with .apps. serves Dynatrace's web pages, not its API, and answers 404",
    remedy: "use ENV.live.dynatrace.com",
    source: "endpoints",
    // An OpenShift route is *.apps.CLUSTER too.
    broken: ({ url: { hostname } }) =>
      /\.apps\.dynatrace(labs)?\.com\.?$/.test(hostname) ? `the host is ${hostname}` : undefined,
  },
  {
    id: "endpoint-oneagent",
    level: "warning",
    checks: "The port is not 14499, where a OneAgent listens",
    effect: "a OneAgent accepts traces and logs on this port, but not metrics",
    remedy: "send to the environment, to an ActiveGate or to a Collector",
    source: "endpoints",
    broken: ({ url }) => url.port === "14499" ? "port 14499 is a OneAgent's" : undefined,
  },
];

/** Tells whether a host is SaaS; another may be Managed, or an ActiveGate in front of either. */
export function isSaas({ hostname }: URL): boolean {
  return /\.(live|sprint|dev)\.dynatrace(labs)?\.com$/.test(hostname);
}

/** Explains why a URL of MISPLACED is not found. */
export function explainMisplaced(url: URL): string | undefined {
  for (const { broken, effect, remedy } of MISPLACED) {
    const wrong = broken?.({ url, setting: "" });
    if (wrong !== undefined) return `${wrong}: ${effect}; ${remedy}`;
  }
  return undefined;
}
