import type { DestinationConfig } from "../../http/destination_config.ts";
import type { Endpoint } from "../../http/endpoint.ts";
import type { Credentials } from "../../http/exchange.ts";
import { openRequester, type Requester } from "../../http/requester.ts";
import type { System } from "../../platform/system.ts";
import { USER_AGENT } from "../../platform/version.ts";
import { openAccess } from "./query_access.ts";
import { type QueryClient, queryClient } from "./query_client.ts";
import type { QueryConfig } from "./query_config.ts";
import { recorded } from "./recording.ts";

/** Parts of a destination that queries share with sends. */
export type QueryRoute = Pick<DestinationConfig, "tls" | "timeoutMs">;

/** Parts of the system that queries use. */
export type QuerySystem = Pick<
  System,
  "cwd" | "env" | "readTextFile" | "secrets" | "clock" | "stop"
>;

/** Options of a client of a query API. */
export interface QueryClientOptions {
  /** Scopes of its tokens if an OAuth client gets them, with spaces between them. */
  readonly scopes: string;
  /** Gets every exchange as lines of JSON, without secrets. */
  readonly record?: ((line: string) => void) | undefined;
}

/** Client that can be used until it is closed. */
export interface OpenQueryClient {
  readonly client: QueryClient;
  close(): void;
}

/** Opens a client of a query API; throws a UsageError without a token where it gets one from a file or an SSO. */
export async function openQueryClient(
  config: QueryConfig,
  { tls, timeoutMs }: QueryRoute,
  receiver: Credentials,
  { scopes, record }: QueryClientOptions,
  system: QuerySystem,
): Promise<OpenQueryClient> {
  const { clock, secrets } = system;
  const hide = (text: string) => secrets.hide(text);
  const { ca, client } = receiver;
  const headers = { "user-agent": USER_AGENT, ...config.headers };
  const open = (endpoint: Endpoint, authorization: Credentials["authorization"]) => {
    const credentials = { ca, client, authorization };
    return openRequester({ endpoint, tls, timeoutMs }, credentials, headers, system);
  };
  const access = await openAccess(config, scopes, receiver, open, system);
  try {
    await access.authorization();
  } catch (thrown) {
    access.close?.();
    throw thrown;
  }
  const { request: plain, close } = open(config.endpoint, access.authorization);
  const request = record === undefined ? plain : recorded(plain, record, hide);
  const renewing: Requester["request"] = async (asked, signal) => {
    const reply = await request(asked, signal);
    if (reply.kind === "failure" || reply.status !== 401 || access.renew === undefined) {
      return reply;
    }
    // A token can expire while it is under way.
    access.renew();
    return await request(asked, signal);
  };
  return {
    client: queryClient(config.endpoint, { request: renewing }, hide, () => clock.wall()),
    close() {
      close();
      access.close?.();
    },
  };
}
