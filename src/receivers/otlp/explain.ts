import { type Endpoint, EXACT_ENDPOINT, otherSignal } from "../../http/endpoint.ts";
import { failureHint, responseHint } from "../../http/hints.ts";
import { type Failure, isTooLarge, type Trouble } from "../../http/reply.ts";
import type { Explainer, VendorProfile } from "../profile.ts";

/** Response as far as an explanation depends on it. */
export interface ExplainedResponse extends Pick<Exclude<Trouble, Failure>, "status" | "headers"> {
  readonly endpoint: Endpoint;
  /** Message of the receiver, empty without one. */
  readonly words: string;
}

/** Meanings that a kind of receiver adds to those of every OTLP receiver. */
export interface Meanings {
  /** Explains a URL that has never accepted metrics. */
  explainMisplaced(url: URL): string | undefined;
  /** Explains a status; undefined where it means what it means for every OTLP receiver. */
  status(response: ExplainedResponse): string | undefined;
}

/** Makes the explanations of an OTLP receiver; a 404 may be of a URL meant for a vendor. */
export async function otlpExplainer(vendors: readonly VendorProfile[]): Promise<Explainer> {
  const addresses = await Promise.all(vendors.map((vendor) => vendor.addresses()));
  const bases = addresses.map(({ bases }, i) => `, ${vendors[i]?.vendor}'s is ${bases}`).join("");
  const meanings: Meanings = {
    explainMisplaced: (url) =>
      addresses.map((those) => those.explainMisplaced(url)).find((why) => why !== undefined),
    status: ({ status, endpoint: { url } }) =>
      status === 404
        ? `no OTLP receiver at ${url.pathname}: a Collector's base is http://HOST:4318${bases}`
        : undefined,
  };
  return {
    hint: (trouble, endpoint, words = "") => explainTrouble(trouble, endpoint, words, meanings),
    reasons: () => [],
    whereToLook: () => [],
  };
}

/** Says what probably is wrong and what to do: `Explainer.hint` for the meanings of one kind of receiver. */
export function explainTrouble(
  trouble: Trouble | undefined,
  endpoint: Endpoint,
  words: string,
  meanings: Meanings,
): string | undefined {
  if (trouble === undefined) return phraseHint(words);
  if (trouble.kind === "failure") return failureHint(trouble, endpoint);
  return responseHint(trouble, endpoint, words) ?? phraseHint(words) ??
    hintForStatus({ ...trouble, endpoint, words }, meanings);
}

function hintForStatus(response: ExplainedResponse, meanings: Meanings): string | undefined {
  const { status, endpoint, words } = response;
  // A 2xx needs a hint only when it is a web page.
  if (status >= 200 && status < 300) {
    return exactPathHint(endpoint) ??
      "a sign-in page or a proxy answered instead of an OTLP receiver: check the URL " +
        endpoint.shown;
  }
  if (status === 404) {
    const hint = meanings.explainMisplaced(endpoint.url) ?? signalHint(endpoint) ??
      exactPathHint(endpoint);
    if (hint !== undefined) return hint;
  }
  if (isTooLarge(status, words)) {
    return "one data point, or a request of less than 128 KiB, is too large for this receiver: raise its limit, or " +
      "use fewer buckets or attributes";
  }
  if ((status === 400 || status === 415) && refusesCompression(words)) {
    return "the receiver does not accept gzip: send with --compression none";
  }
  return meanings.status(response) ?? commonMeaning(response);
}

function commonMeaning({ status, endpoint, words }: ExplainedResponse): string | undefined {
  switch (status) {
    case 401:
      return "the receiver requires credentials, or different ones: set them with --header, --token-file or DT_API_TOKEN";
    case 403:
      return "the receiver does not allow sending metrics to this URL, or not with these credentials: check both";
    case 405:
      return exactPathHint(endpoint) ??
        `this URL does not accept POST: check its path, ${endpoint.url.pathname}`;
    case 415:
      return mediaTypeHint(words, endpoint);
    case 429:
      return "the receiver is busy or a quota is used up: send less often, or ask for a higher limit";
    case 502:
    case 503:
    case 504:
      return "the receiver, or a server before it, is overloaded or restarting";
    default:
      return undefined;
  }
}

/** Messages of receivers that explain themselves whatever the status is, and what to do. */
const PHRASES: readonly (readonly [words: RegExp, hint: string])[] = [
  [
    // Prometheus answers 500, Mimir, Thanos and Cortex 400, all in the words of one translator.
    /invalid temporality|\bdelta\b[^.;]*\b(?:not\b[^.;]*\b(?:supported|accepted|allowed)|unsupported)|(?:unsupported|not support\w*)[^.;]*\bdelta\b|\bonly\b[^.;]*\bcumulative\b/i,
    "the receiver accepts only cumulative temporality, but this program sends delta: send to a Collector with the " +
    "processor deltatocumulative before the receiver, start Prometheus with " +
    "--enable-feature=otlp-deltatocumulative, or use VictoriaMetrics, which accepts delta",
  ],
  [
    // Mimir, Cortex and Loki.
    /\bno org id\b/i,
    "the receiver requires a tenant name: add --header X-Scope-OrgID=TENANT",
  ],
  [
    /needs to be enabled with --(?:web\.enable-otlp-receiver|enable-feature=otlp-write-receiver)/i,
    "start Prometheus with the flag that it names",
  ],
  [
    // nginx with ssl_verify_client, which ends no handshake over it.
    /no required SSL certificate was sent/i,
    "the server requires a client certificate: set --client-cert and --client-key",
  ],
  [
    /the SSL certificate error/i,
    "the server rejects your client certificate (--client-cert), usually because it does not trust the CA that signed " +
    "it or because the certificate has expired: use one that it accepts, and see its log for the reason",
  ],
  [
    // VictoriaMetrics.
    /unsupported path requested/i,
    "the receiver has nothing at this path: VictoriaMetrics' base URL is http://HOST:8428/opentelemetry",
  ],
];

/** Explains a receiver's message by its words alone, whatever the status is. */
function phraseHint(words: string): string | undefined {
  return PHRASES.find(([known]) => known.test(words))?.[1];
}

function refusesCompression(words: string): boolean {
  return /content-encoding|unsupported compression|\bgzip\b/i.test(words);
}

function mediaTypeHint(words: string, endpoint: Endpoint): string {
  const sent =
    "this program sends protobuf over HTTP (application/x-protobuf), not JSON and not gRPC";
  const { port, pathname } = endpoint.url;
  if (port === "4317" || /\bgrpc\b/i.test(words)) {
    return `${sent}, but this is a gRPC port: use the OTLP/HTTP port, usually 4318`;
  }
  return `${sent}, which the receiver does not accept at ${pathname}: check the path; for a receiver that accepts only ` +
    "JSON, send to a Collector whose exporter otlphttp has encoding: json";
}

/** Explains a URL that was used as it is and does not end in OTLP's path, or ends in it twice. */
function exactPathHint({ url, setting }: Endpoint): string | undefined {
  const { pathname } = url;
  const { name } = setting;
  if (/(?:\/v1\/metrics){2,}\/*$/.test(pathname)) {
    return `the path ${pathname} contains /v1/metrics twice: remove one from ${name}`;
  }
  if (name !== EXACT_ENDPOINT || pathname.endsWith("/v1/metrics")) return undefined;
  return pathname.endsWith("/v1/metrics/")
    ? `${name} is used as is: remove the trailing slash`
    : `${name} is used as is: append /v1/metrics, or set the base URL in OTEL_EXPORTER_OTLP_ENDPOINT`;
}

function signalHint({ url }: Endpoint): string | undefined {
  const signal = otherSignal(url);
  return signal &&
    `${signal} is the path of another signal: remove it, /v1/metrics is appended`;
}
