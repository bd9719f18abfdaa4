import { type Environment, proxyFor } from "./proxy.ts";
import { redactUrl, redactUrlText } from "../base/redact.ts";
import { invalid, percentDecode, type Setting } from "./setting.ts";

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
  /** The proxy on the way there, as it may be shown. */
  readonly proxy: string | undefined;
  /** Dynatrace, an ActiveGate or something that stands in for one: the path says so. */
  readonly dynatrace: boolean;
}

const SIGNAL_PATH = "/v1/metrics";

/** The URL of a setting that names the base of all signals: `/v1/metrics` is added unless it is there. */
export function baseEndpoint(setting: Setting, environment: Environment): Endpoint {
  const url = parse(setting);
  const path = url.pathname.replace(/\/+$/, "");
  url.pathname = path.endsWith(SIGNAL_PATH) ? path : path + SIGNAL_PATH;
  return endpoint(url, setting, environment);
}

/** The URL of OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, used as it is (OTLP exporter specification). */
export function exactEndpoint(setting: Setting, environment: Environment): Endpoint {
  return endpoint(parse(setting), setting, environment);
}

function endpoint(url: URL, setting: Setting, environment: Environment): Endpoint {
  const shown = redactUrl(url);
  const basic = basicAuthorization(url);
  url.username = "";
  url.password = "";
  url.hash = "";
  const proxy = proxyFor(url, environment);
  return {
    url,
    shown,
    basic,
    setting,
    proxy: proxy && redactUrl(proxy),
    dynatrace: url.pathname.includes("/api/v2/otlp"),
  };
}

function parse(setting: Setting): URL {
  const url = URL.parse(setting.value.trim());
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw invalid(
      setting,
      "a URL that begins with http:// or https://, for example https://ENV.live.dynatrace.com/api/v2/otlp",
      `"${redactUrlText(setting.value)}"`,
    );
  }
  return url;
}

/** User name and password of a URL as the value of an Authorization header (RFC 7617, in UTF-8). */
export function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const bytes = new TextEncoder().encode(`${percentDecode(username)}:${percentDecode(password)}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
