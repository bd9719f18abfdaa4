import type { DestinationConfig } from "./destination_config.ts";
import { deadline } from "../platform/deadline.ts";
import { oneLine } from "../console/escape.ts";
import { decompressionError } from "../platform/older_deno.ts";
import type { Credentials, Exchange, RequestHeaders } from "./exchange.ts";
import { messageOf, UsageError } from "../platform/errors.ts";
import type { Secrets } from "../redact/secrets.ts";
import type { System } from "../platform/system.ts";
import { type Failure, type FailureCause, NotSent, type Post } from "./reply.ts";
import { bodyChunks, readBody, type ResponseBody } from "./response_body.ts";

/** Maximum size of a response that an OTLP client reads, 4 MiB. */
const MOST_BODY = 4 * 2 ** 20;

/** Sender of POSTs to one destination over one connection that is kept alive. */
export interface Transport {
  readonly post: Post;
  close(): void;
}

/**
 * Opens a transport. With `own` no other transport of this process shares its connection, not even over HTTP/2, which
 * could serve all.
 */
export async function openTransport(
  destination: DestinationConfig,
  credentials: Credentials,
  userAgent: string,
  system: Pick<System, "secrets">,
  connection: "shared" | "own" = "shared",
): Promise<Transport> {
  const { endpoint, tls } = destination;
  const headers: HeadersOf = (encoding, authorization) => ({
    "user-agent": userAgent,
    ...Object.fromEntries(destination.headers),
    "content-type": "application/x-protobuf",
    // Else fetch asks for gzip and decompresses: an empty body would be an error to it, several members would be one.
    "accept-encoding": "identity",
    ...encoding === "gzip" && { "content-encoding": encoding },
    ...authorization !== undefined && { authorization },
  });
  if (tls.insecure && endpoint.url.protocol === "https:") {
    // node:https is the one client here that can skip verification; it is loaded only for this.
    const { insecureExchange } = await import("./insecure.ts");
    const exchange = insecureExchange(endpoint, credentials);
    return createTransport(destination, credentials, headers, exchange, system.secrets);
  }
  const client = httpClient(destination, credentials, connection);
  const exchange: Exchange = async (body, sent, signal) => {
    const response = await fetch(endpoint.url, {
      method: "POST",
      headers: sent,
      // Deno sends bytes a second time, unasked, when a kept-alive connection closes before it answers; a Blob once.
      body: new Blob([body]),
      redirect: "manual",
      signal,
      ...client && { client },
    });
    return { status: response.status, headers: response.headers, chunks: bodyChunks(response) };
  };
  return createTransport(
    destination,
    credentials,
    headers,
    exchange,
    system.secrets,
    () => client?.close(),
  );
}

/** Makes the headers of one request. */
export type HeadersOf = (
  encoding: "gzip" | "identity",
  authorization: string | undefined,
) => RequestHeaders;

/** Creates a transport over any exchange. */
export function createTransport(
  destination: Pick<DestinationConfig, "endpoint" | "tls" | "timeoutMs">,
  credentials: Pick<Credentials, "authorization">,
  headers: HeadersOf,
  exchange: Exchange,
  secrets: Secrets,
  close = () => {},
): Transport {
  const { timeoutMs } = destination;
  return {
    close,
    async post(body, encoding, signal) {
      let authorization;
      try {
        authorization = await credentials.authorization(signal);
      } catch (thrown) {
        if (signal.aborted) return { ...INTERRUPTED, mayHaveArrived: false };
        return {
          kind: "failure",
          cause: "setup",
          message: secrets.hide(messageOf(thrown)),
          mayHaveArrived: false,
        };
      }
      const timeout = deadline(timeoutMs);
      try {
        const both = AbortSignal.any([signal, timeout.signal]);
        const { status, headers: received, chunks } = await exchange(
          body,
          headers(encoding, authorization),
          both,
        );
        const read = await readBody(chunks, received, MOST_BODY);
        return {
          kind: "reply",
          status,
          headers: shownHeaders(received, secrets),
          body: read.bytes,
          unread: unreadText(
            read,
            timeout.signal.aborted
              ? `within ${timeoutMs / 1000} s`
              : signal.aborted
              ? "before the program was interrupted"
              : undefined,
          ),
        };
      } catch (thrown) {
        const mayHaveArrived = !(thrown instanceof NotSent);
        if (timeout.signal.aborted) return { ...timedOut(timeoutMs), mayHaveArrived };
        if (signal.aborted) return { ...INTERRUPTED, mayHaveArrived };
        const failed = await withTlsHint(failure(thrown), destination);
        return { ...failed, message: secrets.hide(failed.message) };
      } finally {
        timeout.clear();
      }
    },
  };
}

/** Removes secrets from the headers of a response that are displayed. */
function shownHeaders(headers: Headers, secrets: Secrets): Headers {
  const repeating = ["location", "server"].flatMap((name) => {
    const value = headers.get(name) ?? "";
    const shown = secrets.hide(value);
    return shown === value ? [] : [[name, shown] as const];
  });
  if (repeating.length === 0) return headers;
  const shown = new Headers(headers);
  for (const [name, value] of repeating) shown.set(name, value);
  return shown;
}

/**
 * Explains why a body could not be read, as the end of a sentence; undefined if all of it was. `limit` is set if the
 * program itself ended the exchange.
 */
function unreadText(body: ResponseBody, limit: string | undefined): string | undefined {
  switch (body.kind) {
    case "whole":
      return undefined;
    case "broken": {
      if (limit !== undefined) return `was not complete ${limit}`;
      const error = decompressionError(body.thrown);
      if (error === "maybe-empty" && body.bytes.length === 0) return undefined;
      return error === undefined ? "was cut off" : "was cut off or could not be decompressed";
    }
    case "too-large":
      return "was larger than the 4 MiB that OTLP allows";
    case "miscoded":
      return `was not in the coding that its Content-Encoding names, "${oneLine(body.coding, 40)}"`;
  }
}

/** Phase of an exchange: waiting for the status, or reading the body after it. */
export type ExchangePhase = "waiting" | "reading";

/** Failure of a request that a signal interrupted. */
export const INTERRUPTED: Failure = {
  kind: "failure",
  cause: "interrupted",
  message: "interrupted before a response came",
  mayHaveArrived: true,
};

/** Failure of a request that took too long. */
export function timedOut(timeoutMs: number, phase: ExchangePhase = "waiting"): Failure {
  const what = phase === "reading" ? "the response was not complete" : "no response";
  return {
    kind: "failure",
    cause: "timeout",
    message: `${what} within ${timeoutMs / 1000} s`,
    mayHaveArrived: true,
  };
}

/** Words of fetch (hyper, rustls) and node:https that identify each cause; the first match counts. */
const CAUSES: readonly (readonly [FailureCause, RegExp])[] = [
  ["setup", /Requests to port \d+ are blocked/],
  ["proxy", /^tunnel error/],
  // The server gave up, now and perhaps not the next time; every other alert is a refusal.
  ["broken", /received fatal alert: (CloseNotify|InternalError|UserCanceled)/],
  ["tls", /received fatal alert|peer is incompatible|peer misbehaved/],
  ["certificate", /certificate/i],
  ["dns", /ENOTFOUND|EAI_AGAIN|failed to lookup address|no such host/i],
  // Errors of a dialogue with a proxy: Deno's ext/fetch/proxy.rs, and tokio-socks.
  ["proxy", /tunnel|proxy|SOCKS|auth (failure|methods)|by ruleset|response version|TTL expired/i],
  ["refused", /connection refused|ECONNREFUSED/i],
  ["unreachable", /unreachable|EHOSTUNREACH|ENETUNREACH|no route/i],
  [
    "tls",
    /corrupt message|InvalidContentType|tls handshake|EPROTO|wrong version/i,
  ],
];

/** Derives the failure from an error of fetch or node:https. */
export function failure(thrown: unknown, phase: ExchangePhase = "waiting"): Failure {
  const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
  const text = messageOf(cause);
  // fetch: "error sending request for url (URL): client error (Connect): tcp connect error: …"; the URL may hold secrets.
  const client = /client error \((\w+)\)(?:: )?(.*)$/s.exec(text);
  const reason = client?.[2] ||
    (text.startsWith("error sending request") ? "the connection failed" : text);
  const message = readable(reason);
  const found = CAUSES.find(([, words]) => words.test(message))?.[0];
  return {
    kind: "failure",
    cause: phase === "reading" ? "broken" : found ?? "broken",
    message,
    // Every other cause comes before a request is sent; a refused stream was not processed (RFC 9113, 8.7).
    mayHaveArrived: phase === "reading" || ((found ?? "broken") === "broken" &&
      client?.[1] !== "Connect" && !(thrown instanceof NotSent) && !/refused stream/.test(message)),
  };
}

/** Adds the hint for a failure of TLS. */
export async function withTlsHint(
  failed: Failure,
  destination: Pick<DestinationConfig, "endpoint" | "tls">,
): Promise<Failure> {
  const isTls = failed.cause === "certificate" || failed.cause === "tls" ||
    failed.message.includes("fatal alert");
  if (!isTls) return failed;
  const { tlsHint } = await import("./tls_hints.ts");
  const hint = tlsHint(failed, destination);
  return hint === undefined ? failed : { ...failed, hint };
}

/** Removes details that only help a programmer: error numbers, identifiers of algorithms, seconds since 1970. */
function readable(message: string): string {
  return message
    .replace(/^(tcp connect|dns) error: /, "")
    .replace(/ \(os error \d+\)$/, "")
    .replace(/: https:\/\/docs\.rs\/\S+$/, "")
    .replace(/(Unsupported\w+Context) \{.*$/s, "$1")
    .replace(
      /verification time \d+ \(UNIX\), but certificate is not valid (after|before|until) (\d+).*$/,
      (_, when: string, seconds: string) =>
        `it is not valid ${when} ${new Date(Number(seconds) * 1000).toISOString().slice(0, 10)}`,
    );
}

/** Creates the client of fetch for the TLS settings of a destination; undefined if the default one will do. */
export function httpClient(
  { tls, endpoint }: Pick<DestinationConfig, "endpoint" | "tls">,
  { ca, client }: Pick<Credentials, "ca" | "client">,
  connection: "shared" | "own",
): Deno.HttpClient | undefined {
  const isTls = endpoint.url.protocol === "https:" || endpoint.proxy?.kind === "https";
  const isPlain = !isTls || (ca === undefined && client === undefined);
  if (isPlain) return connection === "own" ? Deno.createHttpClient({}) : undefined;
  try {
    return Deno.createHttpClient({
      ...ca !== undefined && { caCerts: [ca] },
      ...client !== undefined && { cert: client.cert, key: client.key },
    });
  } catch (thrown) {
    const names = [tls.ca, tls.client?.cert, tls.client?.key].flatMap((s) =>
      s ? [`${s.name} ${s.value}`] : []
    );
    throw new UsageError(`Cannot use ${names.join(", ")}: ${messageOf(thrown)}`);
  }
}
