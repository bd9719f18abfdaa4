import type { Endpoint } from "../config/endpoint.ts";
import type { Failure, Trouble } from "./reply.ts";

/** What probably is wrong, and what to do; undefined where nothing useful is known. */
export function hintFor(trouble: Trouble | undefined, endpoint: Endpoint): string | undefined {
  if (trouble === undefined) return undefined;
  return trouble.kind === "failure"
    ? failureHint(trouble, endpoint)
    : statusHint(trouble.status, trouble.headers, endpoint);
}

/** What probably is wrong, and what to do, for an answer's status; undefined where nothing useful is known. */
export function statusHint(
  status: number,
  headers: Headers,
  endpoint: Endpoint,
): string | undefined {
  if (status >= 300 && status < 400) return redirectHint(headers.get("location"), endpoint);
  switch (status) {
    case 200:
      return "a sign-in page or a proxy answers instead of an OTLP receiver: check the URL " +
        endpoint.shown;
    case 401:
      return endpoint.dynatrace
        ? "the token is missing, mistyped, expired or revoked: make a new one in Dynatrace under Access tokens, with the scope metrics.ingest"
        : "the receiver wants credentials: give them with --header, --token-file or DT_API_TOKEN";
    case 403:
      return endpoint.dynatrace
        ? "the token lacks the scope metrics.ingest, or belongs to another environment"
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
      return "the receiver does not take protobuf over HTTP: a gRPC port (often 4317) or a JSON-only receiver?";
    case 429:
      return "the receiver is busy or a quota is used up: send less often, or ask for a higher limit";
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
  if (url.hostname.includes(".apps.")) {
    return "a host with .apps. serves Dynatrace's pages, not its API: use ENV.live.dynatrace.com";
  }
  return dynatrace
    ? `check the environment's ID and the path: https://ENV.live.dynatrace.com/api/v2/otlp, or https://HOST/e/ENV/api/v2/otlp for Managed and ActiveGate; this request went to ${url.pathname}`
    : `no OTLP receiver at ${url.pathname}: Dynatrace's path ends in /api/v2/otlp, a Collector's base is http://HOST:4318`;
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
      return `nothing listens at ${host}: is the receiver running, and is the port right?${
        port === "4317" ? " 4317 is OTLP's gRPC port; HTTP is 4318" : ""
      }`;
    case "unreachable":
      return `no route to ${host}: check the network, firewall and proxy (HTTPS_PROXY)`;
    case "timeout":
      return `${host} does not answer in time: check firewall and proxy (HTTPS_PROXY), or allow more with --timeout`;
    case "certificate":
      return certificateHint(message, hostname);
    case "tls":
      return /certificate/i.test(message)
        ? certificateHint(message, hostname)
        : `${host} does not speak TLS as expected: is it ${
          protocol === "https:" ? "http:// instead of https://" : "the right port"
        }?`;
    case "proxy":
      return "the proxy refused to connect: check HTTPS_PROXY, its user name and password, and NO_PROXY";
    case "broken":
      return `the connection to ${host} broke: a proxy, a load balancer or the receiver closed it${
        protocol === "https:" ? "; does it want a client certificate (--client-cert)?" : ""
      }`;
    case "setup":
      return /port \d+ are blocked/.test(message)
        ? "the Fetch standard blocks this port, which belongs to another service: let the receiver listen at another port"
        : undefined;
    case "interrupted":
      return undefined;
  }
}

function certificateHint(message: string, hostname: string): string {
  if (/required|alert/i.test(message)) {
    return "the receiver wants a client certificate it knows: --client-cert and --client-key";
  }
  if (message.includes("CaUsedAsEndEntity")) {
    return "the receiver uses a CA's own certificate as its server certificate: give it one that the CA has signed, or, for a test only, set INSECURE_SSL=true";
  }
  if (/expired|not (yet valid|valid yet)|NotValidYet/i.test(message)) {
    return "the receiver's certificate is not valid today: renew it, or check this machine's clock";
  }
  if (/not valid for( name)?|NotValidForName/i.test(message)) {
    return `the receiver's certificate is for another name than ${hostname}: use a name it holds`;
  }
  return "the receiver's certificate is not signed by a known authority: name its CA with --ca FILE, or, for a test only, set INSECURE_SSL=true";
}
