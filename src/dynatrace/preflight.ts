import type { Finding } from "./finding.ts";
import { broken, type DimensionFacts, type RuleText, type Subjects } from "./rules.ts";
import type { SendConfig } from "../config/send_config.ts";

/** What of the configuration the rules are about. */
export interface Preflight {
  readonly destination: { readonly endpoint: SendConfig["destination"]["endpoint"] };
  readonly metric:
    & Pick<SendConfig["metric"], "name" | "unit" | "description" | "resource" | "attributes">
    & { readonly bounds: readonly number[] | "exponential" };
}

/** The rules that the configuration breaks, each once; none when the destination is not Dynatrace. */
export function preflightConfig({ destination, metric }: Preflight): readonly Finding[] {
  const { endpoint } = destination;
  if (!endpoint.dynatrace) return [];
  const { name, unit, description, bounds, resource, attributes } = metric;
  const findings = new Findings();
  findings.check("endpoint", { url: endpoint.url, setting: endpoint.setting.name }, "", () => {
    return `${endpoint.setting.name} (${endpoint.setting.source})`;
  });
  findings.check(
    "metric",
    {
      name,
      unit,
      description,
      type: bounds === "exponential" ? "exponential" : "histogram",
      temporality: "delta",
      monotonic: false,
    },
    name,
    flagOf,
  );
  if (bounds !== "exponential") findings.check("bounds", bounds, name, () => "--buckets");
  for (const [key, text] of Object.entries(resource)) {
    findings.check("dimension", textDimension(key, text), `resource attribute "${key}"`, () => {
      return key === "service.name"
        ? "service.name (--service, OTEL_SERVICE_NAME)"
        : `resource attribute ${key} (--resource, OTEL_RESOURCE_ATTRIBUTES)`;
    });
  }
  for (const [key, text] of Object.entries(attributes)) {
    findings.check("dimension", textDimension(key, text), `attribute "${key}"`, () => {
      return `--attr ${key}`;
    });
  }
  const fixed = new Set([...Object.keys(resource), ...Object.keys(attributes)]).size;
  findings.check("dimensions", fixed, name, () => "--attr and --resource");
  return findings.all;
}

function textDimension(key: string, text: string): DimensionFacts {
  return { key, text, type: "string" };
}

/** Which flag a rule about the metric concerns. */
export function flagOf({ id }: RuleText): string {
  if (id.startsWith("unit")) return "--unit";
  if (id.startsWith("description")) return "--description";
  if (id.startsWith("exponential")) return "--exponential";
  return "--metric";
}

/** Collects findings, each once. */
export class Findings {
  readonly #found = new Map<string, Finding>();

  get all(): readonly Finding[] {
    return [...this.#found.values()];
  }

  check<S extends keyof Subjects>(
    kind: S,
    subject: Subjects[S],
    about: string,
    where: (rule: RuleText) => string,
  ): void {
    for (const { rule, wrong } of broken(kind, subject)) this.add(rule, wrong, about, where(rule));
  }

  add(rule: RuleText, wrong: string, about: string, where: string): void {
    const id = `${rule.id} ${about}`;
    if (this.#found.has(id)) return;
    this.#found.set(id, {
      rule: rule.id,
      level: rule.level,
      where,
      message: `${wrong}: ${rule.effect}`,
      remedy: rule.remedy,
      id,
    });
  }
}
