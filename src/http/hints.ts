import { lacksDescriptors } from "../platform/errors.ts";
import type { Endpoint } from "./endpoint.ts";
import { proxyFailureHint, proxyStatusHint } from "./proxy_hints.ts";
import type { Failure, Trouble } from "./reply.ts";

// Hints that follow from HTTP and the connection alone. The meaning of a status to a receiver is explained in receivers/.

/** Statuses that name another URL (RFC 9110, 15.4); a 304 and its like do not. */
const REDIRECTS = [301, 302, 303, 307, 308];

/** Kind of server at an endpoint, as hints name it. */
export type ServerRole = "receiver" | "query API";

/** Explains a response that HTTP itself settles; undefined for one that only its receiver explains. */
export function responseHint(
  { status, headers }: Exclude<Trouble, Failure>,
  endpoint: Endpoint,
  words: string,
  role: ServerRole = "receiver",
): string | undefined {
  const { proxy, url } = endpoint;
  const hint = proxy && proxyStatusHint(status, headers, { url, proxy });
  if (hint !== undefined) return hint;
  if (REDIRECTS.includes(status)) return redirectHint(headers.get("location"), endpoint, role);
  if (status === 400 && requiresHttps(words)) return USE_HTTPS;
  return status === 407
    ? `a reverse proxy before the ${role} requires a user name and password, which this program cannot send: ` +
      "use a URL that bypasses it"
    : undefined;
}

function redirectHint(location: string | null, endpoint: Endpoint, role: ServerRole): string {
  const target = location === null ? null : URL.parse(location, endpoint.url);
  const to = target === null ? "" : ` to ${target.origin}`;
  return `the ${role} redirects${to}; redirects are not followed, so that a token never reaches another host: set ` +
    `${endpoint.setting.name} to the final URL`;
}

/** Tells whether a server says that TLS is spoken at its port, in the words of nginx or of Go's net/http, which a Collector uses. */
export function requiresHttps(words: string): boolean {
  return /HTTP request (was sent )?to (an )?HTTPS/i.test(words);
}

const USE_HTTPS = "use https:// in the URL: the server speaks TLS on this port";

const GRPC_PORT = "4317 is gRPC; OTLP/HTTP is 4318";

/** Names the port for OTLP over HTTP when the URL has that of gRPC. */
function grpcNote({ url }: Endpoint, before: string): string {
  return url.port === "4317" ? before + GRPC_PORT : "";
}

/** Explains why a request got no response, and what to do; undefined where nothing useful is known. */
export function failureHint(
  { cause, message, hint }: Failure,
  endpoint: Endpoint,
  role: ServerRole = "receiver",
): string | undefined {
  const { hostname, host, port, protocol } = endpoint.url;
  if (lacksDescriptors(message)) {
    return "this process cannot open more files and connections: raise the limit (ulimit -n), or use fewer --workers";
  }
  const { proxy, url } = endpoint;
  const known = (proxy && proxyFailureHint({ cause, message }, { url, proxy })) ?? hint;
  if (known !== undefined) return known;
  switch (cause) {
    case "dns":
      return `the name ${hostname} cannot be resolved: check its spelling, DNS and proxy (HTTPS_PROXY)`;
    case "refused":
      return `nothing is listening on ${host}: start the ${role}, or check the port` +
        (protocol === "http:" && port === "" ? `; for a ${role} with TLS use https://` : "") +
        grpcNote(endpoint, "; ");
    case "unreachable":
      return `no route to ${host}: check the network, firewall and proxy (HTTPS_PROXY)`;
    case "timeout":
      return `${host} does not respond in time: check firewall and proxy (HTTPS_PROXY), or increase --timeout` +
        grpcNote(endpoint, "; ");
    case "tls":
      return `${host} does not speak TLS as expected: check the port${
        protocol === "https:" ? ", or use http:// instead of https://" : ""
      }${grpcNote(endpoint, "; ")}`;
    case "proxy":
      return "the proxy did not connect: check HTTPS_PROXY, its user name and password, and NO_PROXY";
    case "broken":
      return brokenHint(message, endpoint, role);
    case "setup":
      return /port \d+ are blocked/.test(message)
        ? "the Fetch standard blocks this port, which belongs to another service: configure the receiver to listen on another port"
        : undefined;
    case "certificate": // its hint comes with it
    case "interrupted":
      return undefined;
  }
}

/** Explains a connection that opened and ended before there was a response. */
function brokenHint(message: string, endpoint: Endpoint, role: ServerRole): string {
  const { host, protocol, port } = endpoint.url;
  const broke = `the connection to ${host} broke: `;
  const closed = `a proxy, a load balancer or the ${role} closed it`;
  if (port === "4317") return broke + GRPC_PORT;
  // An answer came, in the words of hyper or of node:http.
  if (
    /Parse Error|message head is too large|invalid HTTP (header|status)|invalid content-length/
      .test(message)
  ) {
    return `the response of ${host} violates HTTP or has too large a header: check the URL, and the ${role} or ` +
      "proxy that responds there";
  }
  if (protocol === "https:") {
    return `${broke}${closed}; if it requires a client certificate, set --client-cert`;
  }
  return `${broke}use https:// if the server speaks TLS on this port, or another port if this one is for gRPC ` +
    `(${GRPC_PORT}); otherwise ${closed}`;
}
