import { UsageError } from "../platform/errors.ts";
import { HIDDEN, redactUrlText } from "../redact/redact.ts";

/** The real environment: fetch reads its proxies there, whatever `.env` says. */
export type Environment = (name: string) => string | undefined;

/** A proxy in front of a host, as Deno's fetch reads it from a variable. */
export interface Proxy {
  readonly kind: "http" | "https" | "socks5";
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  readonly credentials: ProxyCredentials | undefined;
  /** Its URL without user name and password. */
  readonly shown: string;
  /** The variable that names it. */
  readonly variable: string;
}

/** Decoded. */
export interface ProxyCredentials {
  readonly user: string;
  readonly password: string;
}

/**
 * The proxy that fetch uses for a URL; undefined: none. The rules are those of Deno's ext/fetch/proxy.rs, and a test holds
 * them against fetch. Throws a UsageError for what fetch takes for a proxy, and this program or fetch itself cannot connect to.
 */
export function proxyFor(url: URL, environment: Environment): Proxy | undefined {
  for (const { name, value } of candidates(url, environment)) {
    const proxy = parseProxy(name, value);
    if (proxy !== undefined) return proxy;
  }
  return undefined;
}

/** A warning for each variable that should name the proxy of a URL, and that fetch passes over as unreadable. */
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

/** User names and passwords in the proxy variables, encoded and decoded, whether or not fetch can read the value. */
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

/** The variables that count for a URL, the first one first. */
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
 * Parts of a URL as the crate `http` reads it. With a scheme, path and query are allowed (and ignored by fetch); without
 * one, they are not.
 */
const URI =
  /^(?:([a-z0-9+.-]*):\/\/([^/?#]+)(?:\/[!$-;=@-_a-z|~"{}\x80-\uffff]*)?(?:\?[!$-;=?-~\x80-\uffff]*)?(?:#.*)?|([^/?#]+))$/i;

const AUTHORITY =
  /^(?:[!$-;=@-Z_a-z~%[\]]*@)?(?:\[[0-9a-z.:]+\]|[!$&-.0-9;=A-Z_a-z~]*)(?::[!$&-.0-9;=A-Z_a-z~]*)?$/;

const DEFAULT_PORTS = { http: 80, https: 443, socks5: 1080 } as const;

/** Undefined where fetch takes the value for none at all. */
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
    throw new UsageError(problem(variable, value, "an @ stands behind the host"));
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
    host: host.replace(/^\[(.*)\]$/, "$1"),
    port,
    credentials: userinfo === undefined ? undefined : {
      user: percentDecodeLossy(userinfo.slice(0, colon)),
      password: percentDecodeLossy(userinfo.slice(colon + 1)),
    },
    shown: `${scheme.toLowerCase()}://${hidden}${host}:${port}/`,
    variable,
  };
}

/** Bytes that are not UTF-8 become U+FFFD, as in fetch; a % that begins no escape stays. */
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

/** Whether NO_PROXY excepts a host. `*` stands for every name, but for no address. */
function isExempt(hostname: string, list: string): boolean {
  if (list === "") return false;
  const entries = list.split(",").map((entry) => entry.trim());
  const address = addressOf(hostname.replace(/^\[(.*)\]$/, "$1"));
  return address === undefined
    ? entries.some((entry) => isDomainOf(hostname, entry))
    : entries.some((entry) => isInNetwork(address, entry));
}

/** A domain, with or without a dot in front, stands for itself and what is below it. */
function isDomainOf(hostname: string, domain: string): boolean {
  if (domain === "*" || hostname === domain || `.${hostname}` === domain) return true;
  return hostname.endsWith(domain) &&
    (domain.startsWith(".") || hostname.at(-domain.length - 1) === ".");
}

/** An IP address as a number of so many bits. */
export interface Address {
  readonly bits: bigint;
  readonly width: 32 | 128;
}

/** Whether an entry is the address, or a network (CIDR) that holds it. */
function isInNetwork({ bits, width }: Address, entry: string): boolean {
  const [, text = "", , prefix = String(width)] = /^(.*?)(\/(\d{1,3}))?$/.exec(entry) ?? [];
  const network = addressOf(text);
  if (network?.width !== width || Number(prefix) > width) return false;
  const rest = BigInt(width - Number(prefix));
  return bits >> rest === network.bits >> rest;
}

/** Undefined for a name. */
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
