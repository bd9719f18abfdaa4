import { resolvePath } from "../../platform/paths.ts";
import type { System } from "../../platform/system.ts";

const SIGNALS = ["TRACES", "METRICS", "LOGS", "PROFILES"];
const SETTINGS_OF_SIGNAL = [
  "ENDPOINT",
  "PROTOCOL",
  "HEADERS",
  "CERTIFICATE",
  "CLIENT_CERTIFICATE",
  "CLIENT_KEY",
  "COMPRESSION",
];

/** Variables that would keep an exporter from sending to the receiver. */
export const SURROUNDING_VARIABLES: readonly string[] = [
  ...SIGNALS.flatMap((signal) =>
    SETTINGS_OF_SIGNAL.map((setting) => `OTEL_EXPORTER_OTLP_${signal}_${setting}`)
  ),
  "OTEL_EXPORTER_OTLP_HEADERS",
];

const OWN_HOSTS = "127.0.0.1,localhost";

interface Served {
  /** URL of the receiver for metrics. */
  readonly url: string;
  /** Address that it listens on. */
  readonly host: string;
  /** File of its certificate, for https. */
  readonly tlsCert: string | undefined;
}

/** Returns the variables by which every exporter in a command sends to the receiver. */
export function commandEnvironment(
  { url, host, tlsCert }: Served,
  { env, cwd }: Pick<System, "env" | "cwd">,
): Readonly<Record<string, string>> {
  const base = new URL(url.replace(/\/v1\/metrics$/, ""));
  if (host === "0.0.0.0") base.hostname = "127.0.0.1";
  if (host === "::") base.hostname = "[::1]";
  // Some exporters take an empty variable for a value, so one that is not set stays so.
  const emptied = SURROUNDING_VARIABLES.filter((name) => env(name));
  const trusted = "OTEL_EXPORTER_OTLP_CERTIFICATE";
  return {
    ...Object.fromEntries(emptied.map((name) => [name, ""])),
    OTEL_EXPORTER_OTLP_ENDPOINT: base.origin,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    ...tlsCert !== undefined && !env(trusted) && { [trusted]: resolvePath(cwd, tlsCert) },
    // Some programs read only one of these.
    NO_PROXY: withOwnHosts(env("NO_PROXY") || env("no_proxy")),
    no_proxy: withOwnHosts(env("no_proxy") || env("NO_PROXY")),
  };
}

function withOwnHosts(hosts: string | undefined): string {
  return hosts ? `${hosts},${OWN_HOSTS}` : OWN_HOSTS;
}
