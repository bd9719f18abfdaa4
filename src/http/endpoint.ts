import { type Environment, type Proxy, type ProxyCredentials, proxyFor } from "./proxy.ts";
import { redactUrl, redactUrlText } from "../redact/redact.ts";
import { invalid, percentDecode, type Setting } from "../settings/setting.ts";

/** Where requests go. */
export interface Endpoint {
  /** The URL of the request itself, without user name and password. */
  readonly url: URL;
  /** The URL as it may be shown. */
  readonly shown: string;
  /** User name and password of the URL, as an Authorization value. */
  readonly basic: string | undefined;
  /** Which setting named it. */
  readonly setting: Setting;
  /** The proxy on the way there, which every connection uses. */
  readonly proxy: Proxy | undefined;
  /** Dynatrace, an ActiveGate or something that stands in for one: the path says so. */
  readonly dynatrace: boolean;
}

/** Dynatrace's base URLs ("Dynatrace OTLP API endpoints"). */
export const DYNATRACE_BASES = "https://ENV.live.dynatrace.com/api/v2/otlp (SaaS), " +
  "https://DOMAIN/e/ENV/api/v2/otlp (Managed), https://HOST:9999/e/ENV/api/v2/otlp (ActiveGate) or " +
  "https://HOST/e/ENV/api/v2/otlp (ActiveGate in a container)";

/** A host of Dynatrace's pages, which is no API; an OpenShift route is `*.apps.CLUSTER` too. */
export function isDynatracePage({ hostname }: URL): boolean {
  return /\.apps\.dynatrace(labs)?\.com\.?$/.test(hostname);
}

const SIGNAL_PATH = "/v1/metrics";

/** The URL of a setting that names the base of all signals: `/v1/metrics` is added unless it is there. */
export function baseEndpoint(setting: Setting, environment: Environment): Endpoint {
  const url = parseEndpoint(setting);
  const path = url.pathname.replace(/\/+$/, "");
  url.pathname = path.endsWith(SIGNAL_PATH) ? path : path + SIGNAL_PATH;
  return endpoint(url, setting, environment);
}

/** The variable whose URL is used as it is (OTLP exporter specification). */
export const EXACT_ENDPOINT = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

/** The URL of `EXACT_ENDPOINT`. */
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

/** What documentation prints where a name of one's own belongs, in a host that can be none: `<cluster>`, `{id}`. */
function placeholderInHost(text: string): string | undefined {
  // A password may hold such characters, and is not quoted.
  const [host = ""] = text.replace(/^[a-z]+:\/\//i, "").replace(/^.*@/s, "").split(/[/?#]/, 1);
  return /<[^<>]*>|\$?\{\{?[^{}]*\}\}?|\$[A-Z_]+/i.exec(host)?.[0];
}

/** The value of an Authorization header (RFC 7617, in UTF-8). */
export function basicAuthorization({ user, password }: ProxyCredentials): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
