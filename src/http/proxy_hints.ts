import type { Proxy } from "./proxy.ts";
import type { Failure, FailureCause } from "./reply.ts";

/** Request through a proxy. */
export interface Route {
  readonly url: URL;
  readonly proxy: Proxy;
}

/** Hint for a request through a proxy that got no response; undefined if the proxy is not the cause. */
export function proxyFailureHint(
  { cause, message }: Pick<Failure, "cause" | "message">,
  route: Route,
): string | undefined {
  const { url: { host, protocol }, proxy: { kind, shown, variable } } = route;
  const isOwn = message.startsWith("tunnel error");
  // A SOCKS proxy tells why it could not connect, in words that a system has for the same.
  const isTold = kind === "socks5" && (!isOwn || message.includes("answered: ")) &&
    /general SOCKS|(network|host) unreachable|refused|TTL expired/i.test(message);
  if (isTold || /answered (404|5\d\d)/.test(message)) {
    return `the proxy ${shown} cannot connect to ${host}: check the endpoint's host and port, or exclude the host with NO_PROXY`;
  }
  if (/authenticat|auth (failure|methods)|answered 407|rejected the user name/i.test(message)) {
    return credentialsHint(route);
  }
  if (/answered 403|by ruleset/i.test(message)) {
    return `the proxy ${shown} does not allow a connection to ${host}: this is the proxy's policy, not your token; ` +
      "ask its administrator, or exclude the host with NO_PROXY";
  }
  // fetch does not tell the status.
  if (message.includes("unsuccessful tunnel")) {
    return `the proxy ${shown} did not connect to ${host}: usually this is the proxy's policy, not your token, or it ` +
      'cannot reach the host; "check" shows the response of the proxy. Ask its administrator, or exclude the host with NO_PROXY';
  }
  const isCertain = protocol === "http:" || message.includes("TLS with the proxy");
  if (kind === "https" && message.includes("invalid peer certificate")) {
    const whose = isCertain ? shown : `${shown} or of ${host} ("check" shows which)`;
    return `the certificate of the proxy ${whose} is not trusted: ` +
      (message.includes("UnknownIssuer")
        ? "set --ca FILE to the CA that signed it"
        : "use one that is valid now and names this host");
  }
  if (
    kind === "https" &&
    /corrupt message|InvalidContentType|handshake eof|TLS with the proxy: (?!.*alert)/i.test(
      message,
    )
  ) {
    const remedy = `set ${variable}=http://HOST:PORT`;
    return isCertain
      ? `the proxy ${shown} does not speak TLS: ${remedy}`
      : `the proxy ${shown} probably speaks plain HTTP: ${remedy}; if it does speak TLS, ${host} does not`;
  }
  // In fetch: of a request without TLS, and of the dialogue with a SOCKS proxy.
  const isGarbled = kind === "socks5"
    ? message.startsWith("unexpected end of file: ")
    : protocol === "http:" && /HTTP version|closed before message/.test(message);
  if (isGarbled || /eof while tunneling|answered |response version|SOCKS5/i.test(message)) {
    return `the server at ${shown} does not respond as ${NAMES[kind]}: check ${variable}`;
  }
  return reachHint(cause === "proxy" ? reachCause(message) : cause, route);
}

/** Derives why a connection to the proxy failed. */
function reachCause(message: string): FailureCause {
  if (/lookup|ENOTFOUND/i.test(message)) return "dns";
  if (/refused|server unreachable/i.test(message)) return "refused";
  return /unreachable|no route/i.test(message) ? "unreachable" : "proxy";
}

const NAMES = {
  http: "an HTTP proxy (one that speaks TLS needs https://, a SOCKS proxy socks5://)",
  https: "an HTTP proxy",
  socks5: "a SOCKS5 proxy, or hangs up on wrong credentials",
} as const;

/** Hint for a proxy that cannot be reached; undefined for any other cause. */
export function reachHint(
  cause: FailureCause,
  { url: { host }, proxy: { shown, variable, kind } }: Route,
): string | undefined {
  const remedy = `check ${variable}, or exclude the host with NO_PROXY`;
  const way = `requests to ${host} go through the proxy ${shown}`;
  switch (cause) {
    case "dns":
      return `${way}, whose name cannot be resolved: ${remedy}`;
    case "refused":
      return `${way}, where nothing is listening: ${remedy}`;
    case "unreachable":
      return `${way}, to which there is no route: ${remedy}`;
    case "timeout":
      return `${way}, and no response came in time: ${remedy}, or increase --timeout` +
        (kind === "http" ? "" : `; an HTTP proxy set as ${kind}:// may not respond`);
    default:
      return undefined;
  }
}

/** Hint for a response that may be the proxy's; only a request without TLS can get one. */
export function proxyStatusHint(
  status: number,
  headers: Headers,
  route: Route,
): string | undefined {
  const { url: { host, protocol }, proxy: { kind, shown } } = route;
  if (protocol !== "http:" || kind === "socks5") return undefined;
  if (status === 407) return credentialsHint(route);
  if (status !== 403) return undefined;
  // Squid, and RFC 9209.
  const isOwn = headers.has("x-squid-error") ||
    /;\s*error=/.test(headers.get("proxy-status") ?? "");
  const policy =
    "is the proxy's policy, not your token: ask its administrator, or exclude the host with NO_PROXY";
  return isOwn
    ? `the proxy ${shown} does not allow requests to ${host}: this ${policy}`
    : `the proxy ${shown} may not allow requests to ${host}, which ${policy}; if ${host} itself answered, it knows the ` +
      "credentials, which may not send metrics here";
}

function credentialsHint({ url, proxy: { kind, shown, variable, credentials } }: Route): string {
  if (kind === "https" && url.protocol === "http:" && credentials !== undefined) {
    return `the proxy ${shown} requires a user name and password, which a proxy set as https:// gets only for an https:// ` +
      `endpoint: use one, or set ${variable}=http://USER:PASSWORD@HOST:PORT`;
  }
  const what = credentials === undefined
    ? "requires a user name and password"
    : "rejects this user name and password";
  return `the proxy ${shown} ${what}: set ${variable}=${kind}://USER:PASSWORD@HOST:PORT, with special characters percent-encoded`;
}
