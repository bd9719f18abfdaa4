import type { Clock } from "../../platform/clock.ts";
import type { Credentials } from "../../http/exchange.ts";
import type { Backend } from "../backend.ts";
import { openQueryClient, type QueryRoute, type QuerySystem } from "./open_query_client.ts";
import type { QueryClient } from "./query_client.ts";
import type { QueryConfig } from "./query_config.ts";

/** Backend that can be asked, until it is closed. */
export interface OpenBackend {
  readonly backend: Backend;
  close(): void;
}

/** Scopes of an OAuth token that queries metrics ("Permissions in Grail"). */
const QUERY_SCOPES = "storage:metrics:read storage:buckets:read";

/** Opens the query API of a configuration. With `record` every exchange is passed to it, without secrets. */
export async function openBackend(
  config: QueryConfig,
  destination: QueryRoute,
  receiver: Credentials,
  record: ((line: string) => void) | undefined,
  system: QuerySystem,
): Promise<OpenBackend> {
  const options = { scopes: QUERY_SCOPES, record };
  const { client, close } = await openQueryClient(config, destination, receiver, options, system);
  return { backend: await backendOf(config, client, system.clock), close };
}

async function backendOf(
  { backend }: QueryConfig,
  client: QueryClient,
  clock: Clock,
): Promise<Backend> {
  switch (backend) {
    case "prometheus": {
      const { PrometheusBackend } = await import("../prometheus/backend.ts");
      return new PrometheusBackend(client);
    }
    case "grail": {
      const [{ GrailBackend }, { GrailClient }] = await Promise.all([
        import("../dynatrace/query/grail.ts"),
        import("../dynatrace/query/grail_client.ts"),
      ]);
      return new GrailBackend(new GrailClient(client, clock));
    }
    case "metrics-v2": {
      const { MetricsV2Backend } = await import("../dynatrace/query/metrics_v2.ts");
      return new MetricsV2Backend(client);
    }
  }
}
