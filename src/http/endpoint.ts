import { type Environment, type Proxy, type ProxyCredentials, proxyFor } from "./proxy.ts";
import { redactUrl, redactUrlText } from "../redact/redact.ts";
import { invalid, percentDecode, type Setting } from "../settings/setting.ts";

/** URL that requests go to, and the way there. */
export interface Endpoint {
  /** URL of the request, without user name and password. */
  readonly url: URL;
  /** URL for display, without secrets. */
  readonly shown: string;
  /** Authorization value of the URL's user name and password. */
  readonly basic: string | undefined;
  /** Setting that named it. */
  readonly setting: Setting;
  /** Proxy that every connection uses. */
  readonly proxy: Proxy | undefined;
  /** Whether this is Dynatrace, an ActiveGate or a stand-in for one: the path says so. */
  readonly dynatrace: boolean;
}

/** Examples of Dynatrace's base URLs ("Dynatrace OTLP API endpoints"). */
export const DYNATRACE_BASES = "https://ENV.live.dynatrace.com/api/v2/otlp (SaaS), " +
  "https://DOMAIN/e/ENV/api/v2/otlp (Managed), https://HOST:9999/e/ENV/api/v2/otlp (ActiveGate) or " +
  "https://HOST/e/ENV/api/v2/otlp (ActiveGate in a container)";

/** Whether a URL leads to Dynatrace's web pages, which are not an API. An OpenShift route is `*.apps.CLUSTER` too. */
export function isDynatracePage({ hostname }: URL): boolean {
  return /\.apps\.dynatrace(labs)?\.com\.?$/.test(hostname);
}

const SIGNAL_PATH = "/v1/metrics";

/** Builds the endpoint from the base URL of all signals: adds `/v1/metrics` unless it is there. */
export function baseEndpoint(setting: Setting, environment: Environment): Endpoint {
  const url = parseEndpoint(setting);
  const path = url.pathname.replace(/\/+$/, "");
  url.pathname = path.endsWith(SIGNAL_PATH) ? path : path + SIGNAL_PATH;
  return endpoint(url, setting, environment);
}

/** Variable whose URL is used unchanged (OTLP exporter specification). */
export const EXACT_ENDPOINT = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

/** Builds the endpoint from the URL of EXACT_ENDPOINT. */
export function exactEndpoint(setting: Setting, environment: Environment): Endpoint {
  return endpoint(parseEndpoint(setting), setting, environment);
}

function endpoint(url: URL, setting: Setting, environment: Environment): Endpoint {
  const shown = redactUrl(url);
  const basic = url.username === "" && url.password === "" ? undefined : basicAuthorization({
    user: percentDecode(url.username),
    password: percentDecode(url.password),
  });
  // Each of these is parsed as a whole URL.
  if (url.username !== "") url.username = "";
  if (url.password !== "") url.password = "";
  if (url.href.includes("#")) url.hash = "";
  return {
    url,
    shown,
    basic,
    setting,
    proxy: proxyFor(url, environment),
    dynatrace: url.pathname.includes("/api/v2/otlp"),
  };
}

function parseEndpoint(setting: Setting): URL {
  const text = setting.value.trim();
  const url = URL.parse(text);
  const isHttp = url !== null && ["http:", "https:"].includes(url.protocol);
  const shown = () => `"${redactUrlText(setting.value)}"`;
  const placeholder = placeholderInHost(isHttp ? url.hostname : text);
  if (placeholder !== undefined) {
    throw invalid(
      setting,
      `a name of yours in place of "${placeholder}", for example https://abc12345.live.dynatrace.com/api/v2/otlp`,
      shown(),
    );
  }
  // No URL ends with this one, though the parser takes it for a part of the path.
  if (!isHttp || /["`\u201c\u201d]$/.test(text)) {
    throw invalid(
      setting,
      "a URL that begins with http:// or https://, for example https://ENV.live.dynatrace.com/api/v2/otlp",
      shown(),
    );
  }
  return url;
}

/** Finds a placeholder of documentation in the host of a URL: `<cluster>`, `{id}`. */
function placeholderInHost(text: string): string | undefined {
  // A password may hold such characters, and is not quoted.
  const [host = ""] = text.replace(/^[a-z]+:\/\//i, "").replace(/^.*@/s, "").split(/[/?#]/, 1);
  return /<[^<>]*>|\$?\{\{?[^{}]*\}\}?|\$[A-Z_]+/i.exec(host)?.[0];
}

/** Encodes user name and password as an Authorization value (RFC 7617, in UTF-8). */
export function basicAuthorization({ user, password }: ProxyCredentials): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
