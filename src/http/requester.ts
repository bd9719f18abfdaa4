import type { DestinationConfig } from "./destination_config.ts";
import type { Credentials, Exchange, RequestHeaders } from "./exchange.ts";
import type { System } from "../platform/system.ts";
import type { Failure, Reply } from "./reply.ts";
import { createTransport, type HeadersOf, httpClient } from "./transport.ts";
import { bodyChunks } from "./response_body.ts";

/** HTTP request that is not an export: a query. */
export interface HttpRequest {
  readonly method: "GET" | "POST";
  /** URL on the requester's host. */
  readonly url: URL;
  /** Headers besides those of every request. */
  readonly headers?: RequestHeaders;
  /** Body of a POST. */
  readonly body?: string;
}

/** Sender of any requests to one host, with the TLS, proxy and time limit of a destination. */
export interface Requester {
  /** Sends one request; never rejects for anything that a network or a server can do. */
  readonly request: (request: HttpRequest, signal: AbortSignal) => Promise<Reply | Failure>;
  close(): void;
}

/** Opens a requester. `headers` go with every request. */
export function openRequester(
  destination: Pick<DestinationConfig, "endpoint" | "tls" | "timeoutMs">,
  credentials: Credentials,
  headers: RequestHeaders,
  system: Pick<System, "secrets">,
): Requester {
  const { endpoint, tls } = destination;
  const isUnverified = tls.insecure && endpoint.url.protocol === "https:";
  const client = isUnverified ? undefined : httpClient(destination, credentials, "shared");
  const exchangeOf = async ({ method, url }: HttpRequest): Promise<Exchange> => {
    if (isUnverified) {
      const { insecureExchange } = await import("./insecure.ts");
      return insecureExchange({ url, proxy: endpoint.proxy }, credentials, method);
    }
    return async (body, sent, signal) => {
      const response = await fetch(url, {
        method,
        headers: sent,
        redirect: "manual",
        signal,
        ...method === "POST" && { body: new Blob([body]) },
        ...client && { client },
      });
      return { status: response.status, headers: response.headers, chunks: bodyChunks(response) };
    };
  };
  return {
    async request(request, signal) {
      const headersOf: HeadersOf = (_, authorization) => ({
        ...headers,
        ...request.headers,
        "accept-encoding": "identity",
        ...authorization !== undefined && { authorization },
      });
      const exchange = await exchangeOf(request);
      const { post } = createTransport(
        destination,
        credentials,
        headersOf,
        exchange,
        system.secrets,
      );
      return await post(new TextEncoder().encode(request.body ?? ""), "identity", signal);
    },
    close: () => client?.close(),
  };
}
