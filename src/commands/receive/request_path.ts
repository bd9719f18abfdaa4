const METRICS = "/v1/metrics";

/** Returns the path of a request's URL, without its query. */
export function pathOf(url: string): string {
  // A request line such as `OPTIONS *` makes no URL.
  return URL.parse(url)?.pathname ?? "*";
}

/** Whether a path takes metrics: it ends in /v1/metrics, which it does not repeat. */
export function isMetricsPath(path: string): boolean {
  return path.endsWith(METRICS) && !path.slice(0, -METRICS.length).endsWith(METRICS);
}

/** Says what to do about a path that takes no metrics. `url` is that of the request. */
export function pathRemedy(url: string): string {
  const path = pathOf(url);
  const origin = URL.parse(url)?.origin ?? "http://127.0.0.1:4318";
  const prefix = /^(.*?)(?:\/v1\/metrics){2,}$/s.exec(path)?.[1];
  return prefix === undefined
    ? `nothing is served at ${path}: send metrics to ${METRICS}. OTEL_EXPORTER_OTLP_ENDPOINT=${origin} does that; ` +
      `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is used as is: ${origin}${METRICS}`
    : `nothing is served at ${path}, which contains ${METRICS} twice: send metrics to ${prefix}${METRICS}. Leave the path out ` +
      `of OTEL_EXPORTER_OTLP_ENDPOINT, to which the exporter adds it: ${origin}${prefix}`;
}
