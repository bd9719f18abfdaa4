import { lacksDescriptors } from "../platform/errors.ts";
import { DYNATRACE_BASES, type Endpoint, EXACT_ENDPOINT, isDynatracePage } from "./endpoint.ts";
import { proxyFailureHint, proxyStatusHint } from "./proxy_hints.ts";
import { rateLimitText } from "./rate_limit.ts";
import { type Failure, isTooLarge, type Trouble } from "./reply.ts";

/**
 * What probably is wrong, and what to do; undefined where nothing useful is known. `said` is the receiver's message, where
 * there is one.
 */
export function hintFor(
  trouble: Trouble | undefined,
  endpoint: Endpoint,
  said = "",
): string | undefined {
  if (trouble === undefined) return wordsHint(said);
  return trouble.kind === "failure"
    ? failureHint(trouble, endpoint)
    : statusHint(trouble.status, trouble.headers, endpoint, said);
}

/** Statuses that name another URL (RFC 9110, 15.4); a 304 and its like do not. */
const REDIRECTS = [301, 302, 303, 307, 308];

/** The same for an answer's status. */
export function statusHint(
  status: number,
  headers: Headers,
  endpoint: Endpoint,
  said = "",
): string | undefined {
  const { proxy, url } = endpoint;
  const hint = proxy && proxyStatusHint(status, headers, { url, proxy });
  if (hint !== undefined) return hint;
  if (REDIRECTS.includes(status)) return redirectHint(headers.get("location"), endpoint);
  const words = wordsHint(said);
  if (words !== undefined) return words;
  // Of a 2xx nothing but a web page needs a hint.
  if (status >= 200 && status < 300) {
    return exactPathHint(endpoint) ??
      "a sign-in page or a proxy answers instead of an OTLP receiver: check the URL " +
        endpoint.shown;
  }
  if (isTooLarge(status, said)) {
    return "one data point, or a request of less than 128 KiB, is too large for this receiver: raise its limit, or " +
      "use fewer buckets or attributes";
  }
  switch (status) {
    case 400:
      if (wantsHttps(said)) return IS_IT_HTTPS;
      return refusesCompression(said) ? NO_COMPRESSION : undefined;
    case 401:
      return endpoint.dynatrace
        ? "the token is missing, mistyped, expired or revoked, or goes with the wrong scheme: an access token (dt0c01) " +
          "needs Api-Token and the scope metrics.ingest, a platform token (dt0s16) needs Bearer and " +
          "openpipeline:metrics:ingest; older and Managed endpoints take no Bearer; dt0s01 and dt0s02 do not ingest"
        : "the receiver requires other credentials, or any: give them with --header, --token-file or DT_API_TOKEN";
    case 403:
      return endpoint.dynatrace
        ? "the token lacks the scope metrics.ingest (an access token, sent as Api-Token) or openpipeline:metrics:ingest " +
          "(a platform token, sent as Bearer; its owner needs that permission, too), a platform token has expired, or it " +
          "is another environment's"
        : "the receiver does not allow sending metrics to this URL, or not with these credentials: check both";
    case 404:
      return notFoundHint(endpoint);
    case 405:
      return exactPathHint(endpoint) ??
        `this URL takes no POST: check its path, ${endpoint.url.pathname}`;
    case 407:
      return "a proxy in front of the receiver requires a user name and password, which this program cannot give it: " +
        "use a URL that does not lead through it";
    case 415:
      return mediaTypeHint(said, endpoint);
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

/** Words that tell what is wrong whatever the status is, and what to do. */
const BY_WORDS: readonly (readonly [words: RegExp, hint: string])[] = [
  [
    // Prometheus answers 500, Mimir, Thanos and Cortex 400, all in the words of one translator.
    /invalid temporality|\bdelta\b[^.;]*\b(?:not\b[^.;]*\b(?:supported|accepted|allowed)|unsupported)|(?:unsupported|not support\w*)[^.;]*\bdelta\b|\bonly\b[^.;]*\bcumulative\b/i,
    "the receiver accepts only cumulative temporality, and this program sends delta: send to a Collector with the " +
    "processor deltatocumulative in front of the receiver, start Prometheus with " +
    "--enable-feature=otlp-deltatocumulative, or use VictoriaMetrics, which accepts delta",
  ],
  [
    // Mimir, Cortex and Loki.
    /\bno org id\b/i,
    "the receiver requires the name of a tenant: add --header X-Scope-OrgID=TENANT",
  ],
  [
    /needs to be enabled with --(?:web\.enable-otlp-receiver|enable-feature=otlp-write-receiver)/i,
    "start Prometheus with the flag that it names",
  ],
  [
    // nginx with ssl_verify_client, which ends no handshake over it.
    /no required SSL certificate was sent/i,
    "the server requires a client certificate: give one with --client-cert and --client-key",
  ],
  [
    /the SSL certificate error/i,
    "the server rejects your client certificate (--client-cert), most often because it does not trust the CA that signed " +
    "it or because the certificate has expired: use one that it accepts; its log says what is wrong",
  ],
  [
    // VictoriaMetrics.
    /unsupported path requested/i,
    "the receiver has nothing at this path: VictoriaMetrics' base URL is http://HOST:8428/opentelemetry",
  ],
];

/** What a receiver's words alone tell; undefined where they are none of those that are known. */
export function wordsHint(said: string): string | undefined {
  return BY_WORDS.find(([words]) => words.test(said))?.[1];
}

const NO_COMPRESSION = "the receiver does not accept gzip: send with --compression none";

function refusesCompression(said: string): boolean {
  return /content-encoding|unsupported compression|\bgzip\b/i.test(said);
}

function mediaTypeHint(said: string, endpoint: Endpoint): string {
  if (refusesCompression(said)) return NO_COMPRESSION;
  const sent =
    "this program sends protobuf over HTTP (application/x-protobuf), neither JSON nor gRPC";
  const { port, pathname } = endpoint.url;
  if (port === "4317" || /\bgrpc\b/i.test(said)) {
    return `${sent}, and this is a port for gRPC: use the one for OTLP over HTTP, usually 4318`;
  }
  return `${sent}, which the receiver does not accept at ${pathname}: check the path; for a receiver that accepts only ` +
    "JSON, send to a Collector whose exporter otlphttp has encoding: json";
}

/** About a URL that was used as it is and does not end as OTLP's paths do, or that ends so twice. */
function exactPathHint({ url, setting }: Endpoint): string | undefined {
  const { pathname } = url;
  const { name } = setting;
  if (/(?:\/v1\/metrics){2,}\/*$/.test(pathname)) {
    return `the path ${pathname} holds /v1/metrics twice: leave one out of ${name}`;
  }
  if (name !== EXACT_ENDPOINT || pathname.endsWith("/v1/metrics")) return undefined;
  return pathname.endsWith("/v1/metrics/")
    ? `${name} is used as it is: remove the slash at its end`
    : `${name} is used as it is: add /v1/metrics to it, or give the base URL in OTEL_EXPORTER_OTLP_ENDPOINT`;
}

function redirectHint(location: string | null, endpoint: Endpoint): string {
  const target = location === null ? null : URL.parse(location, endpoint.url);
  const to = target === null ? "" : ` to ${target.origin}`;
  return `the receiver redirects${to}; redirects are not followed, so that a token never reaches another host: give the final URL`;
}

function notFoundHint(endpoint: Endpoint): string {
  const { url, dynatrace } = endpoint;
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
  const exact = exactPathHint(endpoint);
  if (exact !== undefined) return exact;
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
export function failureHint(
  { cause, message, hint }: Failure,
  endpoint: Endpoint,
): string | undefined {
  const { hostname, host, port, protocol } = endpoint.url;
  if (lacksDescriptors(message)) {
    return "this process may not open more files and connections: raise the limit (ulimit -n), or use fewer --workers";
  }
  const { proxy, url } = endpoint;
  const known = (proxy && proxyFailureHint({ cause, message }, { url, proxy })) ?? hint;
  if (known !== undefined) return known;
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
    case "tls":
      return `${host} does not speak TLS as expected: is it ${
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
    case "certificate": // its hint comes with it
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
  // An answer came, in the words of hyper or of node:http.
  if (
    /Parse Error|message head is too large|invalid HTTP (header|status)|invalid content-length/
      .test(message)
  ) {
    return `the response of ${host} breaks the rules of HTTP or has too large a head: check the URL, and the receiver or ` +
      "proxy that answers there";
  }
  if (protocol === "https:") {
    return `${broke}${closed}; does it want a client certificate (--client-cert)?`;
  }
  // A server that speaks TLS may begin an answer, too, before it closes.
  return message.includes("reading a body")
    ? `${broke}${closed}; if it speaks TLS at this port: is it https://?`
    : `${broke}is it https://? Or a port for gRPC (${GRPC_PORT})? Else ${closed}`;
}
