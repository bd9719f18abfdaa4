import { VERIFIES_REGARDLESS } from "../base/older_deno.ts";
import { DYNATRACE_BASES, type Endpoint, isDynatracePage } from "../config/endpoint.ts";
import { rateLimitText } from "./rate_limit.ts";
import type { Failure, Trouble } from "./reply.ts";

/**
 * What probably is wrong, and what to do; undefined where nothing useful is known. `said` is the receiver's message, where
 * there is one.
 */
export function hintFor(
  trouble: Trouble | undefined,
  endpoint: Endpoint,
  said = "",
): string | undefined {
  if (trouble === undefined) return undefined;
  return trouble.kind === "failure"
    ? failureHint(trouble, endpoint)
    : statusHint(trouble.status, trouble.headers, endpoint, said);
}

/** The same for an answer's status. */
export function statusHint(
  status: number,
  headers: Headers,
  endpoint: Endpoint,
  said = "",
): string | undefined {
  if (status >= 300 && status < 400) return redirectHint(headers.get("location"), endpoint);
  // Of a 2xx nothing but a web page needs a hint.
  if (status >= 200 && status < 300) {
    return "a sign-in page or a proxy answers instead of an OTLP receiver: check the URL " +
      endpoint.shown;
  }
  switch (status) {
    case 400:
      return wantsHttps(said) ? IS_IT_HTTPS : undefined;
    case 401:
      return endpoint.dynatrace
        ? "the token is missing, mistyped, expired or revoked, or goes with the wrong scheme: an access token (dt0c01) " +
          "needs Api-Token and the scope metrics.ingest, a platform token (dt0s16) needs Bearer and " +
          "openpipeline:metrics:ingest; older and Managed endpoints take no Bearer; dt0s01 and dt0s02 do not ingest"
        : "the receiver wants credentials: give them with --header, --token-file or DT_API_TOKEN";
    case 403:
      return endpoint.dynatrace
        ? "the token lacks the scope metrics.ingest (an access token, sent as Api-Token) or openpipeline:metrics:ingest " +
          "(a platform token, sent as Bearer; its owner needs that permission, too), a platform token has expired, or it " +
          "is another environment's"
        : "the credentials are known, but may not send metrics here";
    case 404:
      return notFoundHint(endpoint);
    case 405:
      return `this URL takes no POST: check its path, ${endpoint.url.pathname}`;
    case 407:
      return "the proxy wants user name and password: put them into HTTPS_PROXY or HTTP_PROXY, http://USER:PASSWORD@HOST:PORT";
    case 413:
      return "a single data point is larger than this receiver takes";
    case 415:
      return "this program sends protobuf over HTTP (application/x-protobuf), neither JSON nor gRPC, and this URL takes " +
        "it not: use the port for OTLP over HTTP (4318, not 4317)";
    case 429: {
      const limit = rateLimitText(headers);
      return "the receiver is busy or a quota is used up: send less often, or ask for a higher limit" +
        (limit === undefined ? "" : `; ${limit}`);
    }
    case 502:
    case 503:
    case 504:
      return "the receiver or something in front of it is overloaded or restarting";
    default:
      return undefined;
  }
}

function redirectHint(location: string | null, endpoint: Endpoint): string {
  const target = location === null ? null : URL.parse(location, endpoint.url);
  const to = target === null ? "" : ` to ${target.origin}`;
  return `the receiver redirects${to}; redirects are not followed, so that a token never reaches another host: give the final URL`;
}

function notFoundHint({ url, dynatrace }: Endpoint): string {
  if (isDynatracePage(url)) {
    return "a host with .apps. serves Dynatrace's pages, not its API: use ENV.live.dynatrace.com";
  }
  const signal = /\/v1\/(?:traces|logs)(?=\/|$)/.exec(url.pathname)?.[0];
  if (signal !== undefined) {
    return `${signal} takes another signal and no metrics: leave it out, /v1/metrics is added`;
  }
  if (url.port === "14499") {
    return "port 14499 is a OneAgent's, which takes no OTLP metrics: send to the environment, an ActiveGate or a Collector";
  }
  return dynatrace
    ? `check the environment's ID and the path; the base URL is ${DYNATRACE_BASES}; this request went to ${url.pathname}`
    : `no OTLP receiver at ${url.pathname}: a Collector's base is http://HOST:4318, Dynatrace's is ${DYNATRACE_BASES}`;
}

/** Whether a server says that TLS is spoken at its port, in the words of nginx or of Go's net/http, which a Collector uses. */
export function wantsHttps(said: string): boolean {
  return /HTTP request (was sent )?to (an )?HTTPS/i.test(said);
}

const IS_IT_HTTPS = "is it https://? The server speaks TLS at this port, and the URL says http://";

const GRPC_PORT = "4317 is gRPC; OTLP/HTTP is 4318";

/** What is to be said of the port for gRPC, behind what stands before. */
function grpcNote({ url }: Endpoint, before: string): string {
  return url.port === "4317" ? before + GRPC_PORT : "";
}

/** The same for a request that got no answer. */
export function failureHint({ cause, message }: Failure, endpoint: Endpoint): string | undefined {
  const { hostname, host, port, protocol } = endpoint.url;
  const { proxy } = endpoint;
  if (proxy !== undefined && ["dns", "refused", "unreachable", "timeout"].includes(cause)) {
    return `requests to ${host} go through the proxy ${proxy}: check HTTPS_PROXY or HTTP_PROXY, or except the host with NO_PROXY`;
  }
  switch (cause) {
    case "dns":
      return `the name ${hostname} is not known here: check its spelling, DNS and proxy (HTTPS_PROXY)`;
    case "refused":
      return `nothing listens at ${host}: is the receiver running, and is the port right?` +
        (protocol === "http:" && port === "" ? " Is it https://?" : "") + grpcNote(endpoint, " ");
    case "unreachable":
      return `no route to ${host}: check the network, firewall and proxy (HTTPS_PROXY)`;
    case "timeout":
      return `${host} does not answer in time: check firewall and proxy (HTTPS_PROXY), or allow more with --timeout` +
        grpcNote(endpoint, "; ");
    case "certificate":
      return certificateHint(message, hostname);
    case "tls":
      return /certificate/i.test(message)
        ? certificateHint(message, hostname)
        : `${host} does not speak TLS as expected: is it ${
          protocol === "https:" ? "http:// instead of https://" : "the right port"
        }?${grpcNote(endpoint, " ")}`;
    case "proxy":
      return "the proxy refused to connect: check HTTPS_PROXY, its user name and password, and NO_PROXY";
    case "broken":
      return brokenHint(message, endpoint);
    case "setup":
      return /port \d+ are blocked/.test(message)
        ? "the Fetch standard blocks this port, which belongs to another service: let the receiver listen at another port"
        : undefined;
    case "interrupted":
      return undefined;
  }
}

/** Of a connection that opened, and ended before there was an answer. */
function brokenHint(message: string, endpoint: Endpoint): string {
  const { host, protocol, port } = endpoint.url;
  const broke = `the connection to ${host} broke: `;
  const closed = "a proxy, a load balancer or the receiver closed it";
  if (port === "4317") return broke + GRPC_PORT;
  if (protocol === "https:") {
    return `${broke}${closed}; does it want a client certificate (--client-cert)?`;
  }
  // A server that speaks TLS may begin an answer, too, before it closes.
  return message.includes("reading a body")
    ? `${broke}${closed}; if it speaks TLS at this port: is it https://?`
    : `${broke}is it https://? Or a port for gRPC (${GRPC_PORT})? Else ${closed}`;
}

/** The last resort, where this program can take it. */
const OR_UNVERIFIED = VERIFIES_REGARDLESS ? "" : ", or, for a test only, set INSECURE_SSL=true";

function certificateHint(message: string, hostname: string): string {
  if (/required|alert/i.test(message)) {
    return "the receiver wants a client certificate it knows: --client-cert and --client-key";
  }
  if (message.includes("CaUsedAsEndEntity")) {
    return "the receiver's certificate is a CA's own, as openssl req -x509 makes it, and TLS takes no such one from a " +
      "server; naming it with --ca does not help: make one with openssl req -x509 -addext basicConstraints=CA:FALSE " +
      `and name that with --ca, or sign a server certificate with it${OR_UNVERIFIED}`;
  }
  if (/expired|not (yet valid|valid yet)|NotValidYet/i.test(message)) {
    return "the receiver's certificate is not valid today: renew it, or check this machine's clock";
  }
  if (/not valid for( name)?|NotValidForName/i.test(message)) {
    return `the receiver's certificate is for another name than ${hostname}: use a name it holds`;
  }
  return `the receiver's certificate is not signed by a known authority: name its CA with --ca FILE${OR_UNVERIFIED}`;
}
