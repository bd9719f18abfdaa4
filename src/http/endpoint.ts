import { type Environment, type Proxy, type ProxyCredentials, proxyFor } from "./proxy.ts";
import type { Profile, Receivers } from "./profile.ts";
import { percentDecode } from "../redact/percent.ts";
import { redactUrl, redactUrlText } from "../redact/redact.ts";
import { invalid, type Setting } from "../settings/setting.ts";

/** Endpoint of requests, with the profile of the receiver that its URL names. */
export interface Endpoint<P extends Profile = Profile> {
  /** URL of the request itself, without user name and password. */
  readonly url: URL;
  /** URL as it may be shown. */
  readonly shown: string;
  /** Authorization value of the URL's user name and password. */
  readonly basic: string | undefined;
  /** Setting that names it. */
  readonly setting: Setting;
  /** Proxy that every connection goes through. */
  readonly proxy: Proxy | undefined;
  readonly profile: P;
}

const SIGNAL_PATH = "/v1/metrics";

/** Makes the endpoint of a setting that names the base of all signals: `/v1/metrics` is added unless it is there. */
export function baseEndpoint<P extends Profile>(
  setting: Setting,
  environment: Environment,
  receivers: Receivers<P>,
): Endpoint<P> {
  const url = parseEndpoint(setting, receivers);
  const path = url.pathname.replace(/\/+$/, "");
  url.pathname = path.endsWith(SIGNAL_PATH) ? path : path + SIGNAL_PATH;
  return endpoint(url, setting, environment, receivers);
}

/** Variable whose URL is used as it is (OTLP exporter specification). */
export const EXACT_ENDPOINT = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

/** Makes the endpoint of `EXACT_ENDPOINT`. */
export function exactEndpoint<P extends Profile>(
  setting: Setting,
  environment: Environment,
  receivers: Receivers<P>,
): Endpoint<P> {
  return endpoint(parseEndpoint(setting, receivers), setting, environment, receivers);
}

/** Finds the path of another signal in a URL, `/v1/traces` or `/v1/logs`, which accepts no metrics. */
export function otherSignal({ pathname }: URL): string | undefined {
  return /\/v1\/(?:traces|logs)(?=\/|$)/.exec(pathname)?.[0];
}

function endpoint<P extends Profile>(
  url: URL,
  setting: Setting,
  environment: Environment,
  receivers: Receivers<P>,
): Endpoint<P> {
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
    profile: receivers.profileAt(url),
  };
}

function parseEndpoint(setting: Setting, { examples }: Receivers): URL {
  const text = setting.value.trim();
  const url = URL.parse(text);
  const isHttp = url !== null && ["http:", "https:"].includes(url.protocol);
  const shown = () => `"${redactUrlText(setting.value)}"`;
  const placeholder = placeholderInHost(isHttp ? url.hostname : text);
  if (placeholder !== undefined) {
    throw invalid(
      setting,
      `your own name instead of "${placeholder}", for example ${
        examples.url.replace("ENV", "abc12345")
      }`,
      shown(),
    );
  }
  // No URL ends with this one, though the parser takes it for a part of the path.
  if (!isHttp || /["`\u201c\u201d]$/.test(text)) {
    throw invalid(
      setting,
      `a URL that starts with http:// or https://, for example ${examples.url}`,
      shown(),
    );
  }
  return url;
}

/** Finds a placeholder of some documentation in a host: `<cluster>`, `{id}`. */
function placeholderInHost(text: string): string | undefined {
  // A password may hold such characters, and is not quoted.
  const [host = ""] = text.replace(/^[a-z]+:\/\//i, "").replace(/^.*@/s, "").split(/[/?#]/, 1);
  return /<[^<>]*>|\$?\{\{?[^{}]*\}\}?|\$[A-Z_]+/i.exec(host)?.[0];
}

/** Makes an Authorization value (RFC 7617, in UTF-8). */
export function basicAuthorization({ user, password }: ProxyCredentials): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
