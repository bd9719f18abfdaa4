import type { Finding } from "../finding.ts";
import { broken } from "./rules.ts";
import { dataPointsOf, metricsIn } from "../../otlp/data_points.ts";
import type { ExportMetricsServiceRequest } from "../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { type Breach, inspect } from "./inspect.ts";
import { Findings, flagsOf } from "./preflight.ts";
import { isSaas } from "./urls.ts";

/**
 * Finds the rules that a request to a URL of Dynatrace's breaks, each once. `bytes` is its length uncompressed, `now` is
 * in ms since 1970; findings among `reported` are left out. Loads the OTLP schema: import it dynamically.
 */
export function preflightRequest(
  request: ExportMetricsServiceRequest,
  url: URL,
  bytes: number,
  now: number,
  reported: readonly Finding[],
): readonly Finding[] {
  const findings = new Findings();
  const { points } = inspect(request, { now, saas: isSaas(url) }, (breach) => {
    const { rule, metric, about, wrong } = breach;
    findings.add(rule, wrong, about === "" ? metric : about, whereOf(breach));
  });
  for (const { rule, wrong } of broken("request", { points, bytes })) {
    findings.add(rule, wrong, "", "the request");
  }
  const known = new Set(reported.map(({ id }) => id));
  return findings.all.filter(({ id }) => !known.has(id));
}

/** Finds the attribute keys of a request's data points, by metric. */
export function attributeKeys(
  request: ExportMetricsServiceRequest,
): ReadonlyMap<string, ReadonlySet<string>> {
  const keys = new Map<string, Set<string>>();
  for (const metric of metricsIn(request)) {
    const found = keys.get(metric.name) ?? new Set();
    keys.set(metric.name, found);
    for (const { attributes } of dataPointsOf(metric)) {
      for (const { key } of attributes) found.add(key);
    }
  }
  return keys;
}

function whereOf({ rule, metric, about }: Breach): string {
  if (about !== "") return metric === "" ? about : `${about} of ${metric}`;
  if (rule.settings === undefined) return `metric ${metric}`;
  return metric === "" ? flagsOf(rule) : `${flagsOf(rule)} (${metric})`;
}
