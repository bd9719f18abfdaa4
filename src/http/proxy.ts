import { UsageError } from "../platform/errors.ts";
import { HIDDEN, redactUrlText } from "../redact/redact.ts";
import { withoutBrackets } from "./target.ts";

/** Looks up a variable of the real environment, where fetch reads its proxies, whatever `.env` says. */
export type Environment = (name: string) => string | undefined;

/** Proxy for a host, as Deno's fetch reads it from a variable. */
export interface Proxy {
  readonly kind: "http" | "https" | "socks5";
  /** Host, without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  readonly credentials: ProxyCredentials | undefined;
  /** URL for display, without user name and password. */
  readonly shown: string;
  /** Variable that names it. */
  readonly variable: string;
}

/** User name and password of a proxy, decoded. */
export interface ProxyCredentials {
  readonly user: string;
  readonly password: string;
}

/**
 * Finds the proxy that fetch uses for a URL, if any, by the rules of Deno's ext/fetch/proxy.rs; a test compares them
 * with fetch. Throws a UsageError for a proxy that this program or fetch cannot connect to.
 */
export function proxyFor(url: URL, environment: Environment): Proxy | undefined {
  for (const { name, value } of candidates(url, environment)) {
    const proxy = parseProxy(name, value);
    if (proxy !== undefined) return proxy;
  }
  return undefined;
}

/** Warns about each variable that should name the proxy of a URL and that fetch ignores as unreadable. */
export function proxyWarnings(url: URL, environment: Environment): readonly string[] {
  const warnings: string[] = [];
  for (const { name, value } of candidates(url, environment)) {
    if (parseProxy(name, value) !== undefined) break;
    warnings.push(problem(name, value, "it is ignored"));
  }
  return warnings;
}

function problem(variable: string, value: string, what: string): string {
  return `Invalid ${variable} "${
    redactUrlText(value)
  }" (environment): ${what}. Write it as http://HOST:PORT or ` +
    "http://USER:PASSWORD@HOST:PORT, or with https:// or socks5://; percent-encode special characters in USER and PASSWORD";
}

/** Lists user names and passwords in the proxy variables, encoded and decoded, whether or not fetch can read them. */
export function proxySecrets(environment: Environment): readonly string[] {
  return ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].flatMap((name) =>
    [name, name.toLowerCase()].flatMap((either) => {
      const [, userinfo] = /^(?:[a-z0-9+.-]*:\/+)?(.*)@/is.exec(environment(either) ?? "") ?? [];
      if (userinfo === undefined) return [];
      const colon = userinfo.indexOf(":");
      const parts = colon < 0 ? [] : [userinfo.slice(0, colon), userinfo.slice(colon + 1)];
      return [userinfo, ...parts].flatMap((part) => [part, percentDecodeLossy(part)]);
    })
  );
}

interface Candidate {
  readonly name: string;
  readonly value: string;
}

/** Lists the variables that apply to a URL, the first one first. */
function candidates(url: URL, environment: Environment): readonly Candidate[] {
  if (isExempt(url.hostname, environment("NO_PROXY") ?? environment("no_proxy") ?? "")) return [];
  // Under CGI a request's header "Proxy" becomes HTTP_PROXY (https://httpoxy.org).
  const isCgi = environment("REQUEST_METHOD") !== undefined;
  const own = url.protocol === "https:" ? "HTTPS_PROXY" : isCgi ? undefined : "HTTP_PROXY";
  return ["ALL_PROXY", own].flatMap((name) =>
    name === undefined ? [] : [name, name.toLowerCase()].flatMap((either) => {
      const value = environment(either);
      return value ? [{ name: either, value }] : [];
    })
  );
}

/**
 * Parts of a URL as the crate `http` reads it. With a scheme, path and query are allowed (and ignored by fetch);
 * without one, they are not.
 */
const URI =
  /^(?:([a-z0-9+.-]*):\/\/([^/?#]+)(?:\/[!$-;=@-_a-z|~"{}\x80-\uffff]*)?(?:\?[!$-;=?-~\x80-\uffff]*)?(?:#.*)?|([^/?#]+))$/i;

const AUTHORITY =
  /^(?:[!$-;=@-Z_a-z~%[\]]*@)?(?:\[[0-9a-z.:]+\]|[!$&-.0-9;=A-Z_a-z~]*)(?::[!$&-.0-9;=A-Z_a-z~]*)?$/;

const DEFAULT_PORTS = { http: 80, https: 443, socks5: 1080 } as const;

/** Parses the value of a proxy variable; undefined if fetch ignores it. */
function parseProxy(variable: string, value: string): Proxy | undefined {
  if (/^(?:unix|vsock):/.test(value)) {
    throw new UsageError(problem(variable, value, "this program does not use such a proxy"));
  }
  const [, scheme = "http", full, bare] = URI.exec(value) ?? [];
  const authority = full ?? bare;
  const kind = proxyKind(scheme);
  if (authority === undefined || kind === undefined || !AUTHORITY.test(authority)) return undefined;
  // fetch would take what stands in front of the password's / for the host.
  if (value.slice(value.indexOf(authority) + authority.length).includes("@")) {
    throw new UsageError(problem(variable, value, "an @ follows the host"));
  }
  // fetch splits at the first @, so that a password with one more ends there.
  const at = authority.indexOf("@");
  const [userinfo, rest] = at < 0
    ? [undefined, authority]
    : [authority.slice(0, at), authority.slice(at + 1)];
  const colon = userinfo?.indexOf(":") ?? 0;
  if (rest === "" || colon < 0) return undefined;
  const hostPort = rest.slice(rest.lastIndexOf("@") + 1);
  const [, host = "", digits = ""] = /^(\[.*\]|[^:]*)(?::(\d+))?/.exec(hostPort) ?? [];
  if (host === "") throw new UsageError(problem(variable, value, "it has no host"));
  const port = digits !== "" && Number(digits) <= 65_535 ? Number(digits) : DEFAULT_PORTS[kind];
  const hidden = userinfo === undefined ? "" : `${HIDDEN}:${HIDDEN}@`;
  return {
    kind,
    host: withoutBrackets(host),
    port,
    credentials: userinfo === undefined ? undefined : {
      user: percentDecodeLossy(userinfo.slice(0, colon)),
      password: percentDecodeLossy(userinfo.slice(colon + 1)),
    },
    shown: `${scheme.toLowerCase()}://${hidden}${host}:${port}/`,
    variable,
  };
}

/**
 * Decodes percent escapes as fetch does: bytes that are not UTF-8 become U+FFFD, and a % that begins no escape stays.
 */
function percentDecodeLossy(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const decoded: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const escape = /^%([0-9a-f]{2})$/i.exec(String.fromCharCode(...bytes.subarray(at, at + 3)));
    decoded.push(escape === null ? bytes[at] ?? 0 : Number.parseInt(escape[1] ?? "", 16));
    if (escape !== null) at += 2;
  }
  return new TextDecoder().decode(new Uint8Array(decoded));
}

function proxyKind(scheme: string): Proxy["kind"] | undefined {
  // The schemes of SOCKS count in small letters only.
  if (scheme === "socks5" || scheme === "socks5h") return "socks5";
  const lower = scheme.toLowerCase();
  return lower === "http" || lower === "https" ? lower : undefined;
}

/** Whether NO_PROXY excludes a host. `*` matches every name but no address. */
function isExempt(hostname: string, list: string): boolean {
  if (list === "") return false;
  const entries = list.split(",").map((entry) => entry.trim());
  const address = addressOf(withoutBrackets(hostname));
  return address === undefined
    ? entries.some((entry) => isDomainOf(hostname, entry))
    : entries.some((entry) => isInNetwork(address, entry));
}

/** Whether a domain, with or without a leading dot, is the host or one of its parents. */
function isDomainOf(hostname: string, domain: string): boolean {
  if (domain === "*" || hostname === domain || `.${hostname}` === domain) return true;
  return hostname.endsWith(domain) &&
    (domain.startsWith(".") || hostname.at(-domain.length - 1) === ".");
}

/** IP address as a number of `width` bits. */
export interface Address {
  readonly bits: bigint;
  readonly width: 32 | 128;
}

/** Whether an entry of NO_PROXY is the address, or a network (CIDR) that contains it. */
function isInNetwork({ bits, width }: Address, entry: string): boolean {
  const [, text = "", , prefix = String(width)] = /^(.*?)(\/(\d{1,3}))?$/.exec(entry) ?? [];
  const network = addressOf(text);
  if (network?.width !== width || Number(prefix) > width) return false;
  const rest = BigInt(width - Number(prefix));
  return bits >> rest === network.bits >> rest;
}

/** Parses an IP address; undefined for a name. */
export function addressOf(text: string): Address | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const bytes = text.split(".");
    if (bytes.some((byte) => String(Number(byte)) !== byte || Number(byte) > 255)) return undefined;
    return { bits: bytes.reduce((bits, byte) => bits << 8n | BigInt(byte), 0n), width: 32 };
  }
  if (!text.includes(":")) return undefined;
  const canonical = URL.parse(`http://[${text}]`)?.hostname.slice(1, -1);
  if (canonical === undefined) return undefined;
  const [head = [], tail = []] = canonical.split("::").map((half) =>
    half === "" ? [] : half.split(":")
  );
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  const groups = [...head, ...zeros, ...tail];
  return {
    bits: groups.reduce((bits, group) => bits << 16n | BigInt(`0x${group}`), 0n),
    width: 128,
  };
}
