import type { DestinationConfig } from "../config/destination_config.ts";
import { deadline } from "../base/deadline.ts";
import { type Credentials, type Exchange, NotSent, type RequestHeaders } from "./exchange.ts";
import { messageOf, UsageError } from "../base/errors.ts";
import type { Secrets } from "../base/secrets.ts";
import type { System } from "../base/system.ts";
import { type Failure, type FailureCause, LARGEST_REPLY, type Post, type Reply } from "./reply.ts";

/** POSTs to one destination over one connection that is kept alive. */
export interface Transport {
  readonly post: Post;
  close(): void;
}

/** `own`: no other transport of this process uses the connection, not even over HTTP/2, where one could serve all. */
export async function openTransport(
  destination: DestinationConfig,
  credentials: Credentials,
  userAgent: string,
  system: Pick<System, "env" | "secrets">,
  connection: "shared" | "own" = "shared",
): Promise<Transport> {
  const { endpoint, tls } = destination;
  const headers: HeadersOf = (encoding, authorization) => ({
    "user-agent": userAgent,
    ...Object.fromEntries(destination.headers),
    "content-type": "application/x-protobuf",
    ...encoding === "gzip" && { "content-encoding": encoding },
    ...authorization !== undefined && { authorization },
  });
  if (tls.insecure && endpoint.url.protocol === "https:") {
    // node:https is the one client here that can skip verification; it is loaded only for this.
    const { insecureExchange } = await import("./insecure.ts");
    const exchange = insecureExchange(endpoint.url, credentials, system.env);
    return posting(destination, credentials, headers, exchange, system.secrets);
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
    // An empty answer, the usual one, needs no stream.
    const empty = response.headers.get("content-length") === "0";
    if (empty) await response.arrayBuffer();
    const { status, headers: received } = response;
    return { status, headers: received, chunks: empty ? null : response.body };
  };
  return posting(
    destination,
    credentials,
    headers,
    exchange,
    system.secrets,
    () => client?.close(),
  );
}

type HeadersOf = (
  encoding: "gzip" | "identity",
  authorization: string | undefined,
) => RequestHeaders;

function posting(
  { timeoutMs }: DestinationConfig,
  credentials: Credentials,
  headers: HeadersOf,
  exchange: Exchange,
  secrets: Secrets,
  close = () => {},
): Transport {
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
      let answering = false;
      try {
        const both = AbortSignal.any([signal, timeout.signal]);
        const answer = await exchange(body, headers(encoding, authorization), both);
        answering = true;
        const read = await readBody(answer.chunks);
        return {
          kind: "reply",
          ...answer,
          headers: shownHeaders(answer.headers, secrets),
          ...read,
        };
      } catch (thrown) {
        const mayHaveArrived = !(thrown instanceof NotSent);
        if (timeout.signal.aborted) return { ...timedOut(timeoutMs, answering), mayHaveArrived };
        if (signal.aborted) return { ...INTERRUPTED, mayHaveArrived };
        const failed = failure(thrown, answering);
        return { ...failed, message: secrets.hide(failed.message) };
      } finally {
        timeout.clear();
      }
    },
  };
}

/** Headers of an answer without what they repeat of secrets: those that are shown to people. */
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

async function readBody(
  chunks: ReadableStream<Uint8Array> | null,
): Promise<Pick<Reply, "body" | "tooLarge">> {
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks ?? []) {
    length += chunk.length;
    if (length > LARGEST_REPLY) return { body: new Uint8Array(), tooLarge: true };
    kept.push(chunk);
  }
  const body = new Uint8Array(length);
  let offset = 0;
  for (const chunk of kept) {
    body.set(chunk, offset);
    offset += chunk.length;
  }
  return { body, tooLarge: false };
}

export const INTERRUPTED: Failure = {
  kind: "failure",
  cause: "interrupted",
  message: "interrupted before an answer came",
  mayHaveArrived: true,
};

export function timedOut(timeoutMs: number, answering: boolean): Failure {
  const what = answering ? "the answer was not complete" : "no answer";
  return {
    kind: "failure",
    cause: "timeout",
    message: `${what} within ${timeoutMs / 1000} s`,
    mayHaveArrived: true,
  };
}

/** Where each cause is found in the words of fetch (hyper, rustls) and of node:https; the first match counts. */
const CAUSES: readonly (readonly [FailureCause, RegExp])[] = [
  ["setup", /Requests to port \d+ are blocked/],
  ["certificate", /invalid peer certificate|certificate/i],
  ["dns", /ENOTFOUND|EAI_AGAIN|failed to lookup address|no such host/i],
  ["proxy", /tunnel error|proxy/i],
  ["refused", /connection refused|ECONNREFUSED/i],
  ["unreachable", /unreachable|EHOSTUNREACH|ENETUNREACH|no route/i],
  [
    "tls",
    /corrupt message|InvalidContentType|tls handshake|received fatal alert|EPROTO|wrong version/i,
  ],
];

/** What went wrong before an answer was complete, from what fetch or node:https threw. */
export function failure(thrown: unknown, answering = false): Failure {
  const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
  const text = messageOf(cause);
  // fetch: "error sending request for url (URL): client error (Connect): tcp connect error: …"; the URL may hold secrets.
  const client = /client error \((\w+)\)(?:: )?(.*)$/s.exec(text);
  const told = client?.[2] ||
    (text.startsWith("error sending request") ? "the connection failed" : text);
  const message = readable(told);
  const found = CAUSES.find(([, words]) => words.test(message))?.[0];
  return {
    kind: "failure",
    cause: answering ? "broken" : found ?? "broken",
    message,
    // Every other cause comes before a request is sent.
    mayHaveArrived: answering || (found === undefined && client?.[1] !== "Connect"),
  };
}

/** Without what helps nobody but a programmer: error numbers, a library's documentation, seconds since 1970. */
function readable(message: string): string {
  return message
    .replace(/^(tcp connect|dns) error: /, "")
    .replace(/ \(os error \d+\)$/, "")
    .replace(/: https:\/\/docs\.rs\/\S+$/, "")
    .replace(
      /verification time \d+ \(UNIX\), but certificate is not valid (after|before|until) (\d+).*$/,
      (_, when: string, seconds: string) =>
        `it is not valid ${when} ${new Date(Number(seconds) * 1000).toISOString().slice(0, 10)}`,
    );
}

function httpClient(
  { tls, endpoint }: DestinationConfig,
  { ca, client }: Credentials,
  connection: "shared" | "own",
): Deno.HttpClient | undefined {
  const isPlain = endpoint.url.protocol !== "https:" || (ca === undefined && client === undefined);
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
