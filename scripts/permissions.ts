/** Every environment variable that the program or what it loads may read; any other is refused. */
const ENVIRONMENT = [
  "DT_API_TOKEN",
  "DT_API_TOKEN_FILE",
  "DT_ENDPOINT",
  "INIT_CWD",
  "INSECURE_SSL",
  "INTERVAL",
  "NO_COLOR",
  "OTEL_EXPORTER_OTLP_CERTIFICATE",
  "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
  "OTEL_EXPORTER_OTLP_CLIENT_KEY",
  "OTEL_EXPORTER_OTLP_COMPRESSION",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_HEADERS",
  "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE",
  "OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE",
  "OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY",
  "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION",
  "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
  "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
  "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
  "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
  "OTEL_EXPORTER_OTLP_TIMEOUT",
  "OTEL_RESOURCE_ATTRIBUTES",
  "OTEL_SERVICE_NAME",
  "OTLP_HISTOGRAM_SPOOL",
  // fetch honours the proxy variables by itself; sending without verification has to read them.
  "HTTP_PROXY",
  "http_proxy",
  "HTTPS_PROXY",
  "https_proxy",
  "ALL_PROXY",
  "all_proxy",
  "NO_PROXY",
  "no_proxy",
  // Read by node:https when a connection is opened without verification.
  "NODE_EXTRA_CA_CERTS",
  "NODE_TLS_REJECT_UNAUTHORIZED",
  "NODE_USE_SYSTEM_CA",
] as const;

/**
 * node:https asks for the system access "ca", which cannot be allowed by name: so all is allowed but what has a
 * name.
 */
const DENIED_SYSTEM = [
  "cpus",
  "getPriority",
  "getegid",
  "gid",
  "homedir",
  "hostname",
  "loadavg",
  "networkInterfaces",
  "osRelease",
  "osUptime",
  "setPriority",
  "statfs",
  "systemMemoryInfo",
  "uid",
  "userInfo",
  "username",
] as const;

/**
 * What the executable may do: reach any receiver, read the files that it is pointed to, and the variables
 * above, and keep a spool. It runs nothing and loads no library.
 */
export const PERMISSIONS: readonly string[] = [
  "--allow-net",
  "--allow-read",
  // For the spool, in a directory that the user names.
  "--allow-write",
  `--allow-env=${ENVIRONMENT.join(",")}`,
  "--allow-sys",
  `--deny-sys=${DENIED_SYSTEM.join(",")}`,
];
