import { broken, isSaas, type RuleText } from "./rules.ts";
import type { ExportMetricsServiceRequest } from "../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { type Breach, inspect } from "./inspect.ts";
import type { Finding } from "./finding.ts";
import { Findings, flagOf } from "./preflight.ts";

/**
 * The rules that a request breaks which is about to be sent to `url` of Dynatrace's, each once. `bytes` is its length
 * uncompressed, `now` is in ms since 1970; what is among `told` is left out. Loads the OTLP schema: import it dynamically.
 */
export function preflightRequest(
  request: ExportMetricsServiceRequest,
  url: URL,
  bytes: number,
  now: number,
  told: readonly Finding[],
): readonly Finding[] {
  const findings = new Findings();
  const { points } = inspect(request, { now, saas: isSaas(url) }, (breach) => {
    const { rule, metric, about, wrong } = breach;
    findings.add(rule, wrong, about === "" ? metric : about, whereOf(breach, rule));
  });
  for (const { rule, wrong } of broken("request", { points, bytes })) {
    findings.add(rule, wrong, "", "the request");
  }
  const known = new Set(told.map(({ id }) => id));
  return findings.all.filter(({ id }) => !known.has(id));
}

function whereOf({ metric, about }: Breach, rule: RuleText): string {
  if (about !== "") return metric === "" ? about : `${about} of ${metric}`;
  if (rule.id.startsWith("bound") || rule.id.startsWith("bucket")) return `--buckets (${metric})`;
  if (!/^(metric|unit|description|exponential)-/.test(rule.id)) return `metric ${metric}`;
  return metric === "" ? flagOf(rule) : `${flagOf(rule)} (${metric})`;
}
