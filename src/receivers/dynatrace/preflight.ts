import type { Endpoint } from "../../http/endpoint.ts";
import { flagName } from "../../settings/settings.ts";
import type { Finding } from "../finding.ts";
import type { SendPlan } from "../profile.ts";
import {
  aboutAttribute,
  brokenByAttribute,
  DimensionCounter,
  sharedKeys,
} from "./dimension_keys.ts";
import type { AttributeLevel, KeyClash, RuleText, Subjects } from "./rule.ts";
import { broken, tokenFacts } from "./rules.ts";
import { isSaas } from "./urls.ts";

/** Finds the rules that a URL breaks; an error among them is reason to send nothing, not even a token. */
export function preflightEndpoint({ url, setting }: Endpoint): readonly Finding[] {
  const findings = new Findings();
  findings.check("endpoint", { url, setting: setting.name }, "", () => {
    return `${setting.name} (${setting.source})`;
  });
  return findings.all;
}

/** Finds the rules that an Authorization header breaks; `from` names its setting. */
export function preflightToken(authorization: string, from: string): readonly Finding[] {
  const findings = new Findings();
  findings.check("token", tokenFacts(authorization), "", () => from);
  return findings.all;
}

/** Configuration of a send, as the rules look at it. */
export interface PlanFacts extends Pick<SendPlan, "metric" | "source"> {
  readonly endpoint: Endpoint;
}

/** Finds the rules that a configuration breaks, each once. */
export function preflightConfig(
  { endpoint, metric, source }: PlanFacts,
): readonly Finding[] {
  const { name, unit, description, bounds, maxSeries, resource, attributes } = metric;
  const findings = new Findings();
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
    flagsOf,
  );
  if (bounds !== "exponential") {
    findings.check("bounds", { bounds, saas: isSaas(endpoint.url) }, name, flagsOf);
  }
  findings.check("series", source.series ?? maxSeries, name, () => {
    return source.series === undefined ? "--max-series" : "--series";
  });
  checkAttributes(findings, "resource", resource);
  checkAttributes(findings, "data point", attributes);
  const tell = (clash: KeyClash) => {
    const { level, key } = clash.loses;
    findings.check("keys", clash, aboutAttribute(level, key), () => whereAttribute(level, key));
  };
  const keyed = (of: Readonly<Record<string, string>>) => Object.keys(of).map((key) => ({ key }));
  const counter = new DimensionCounter(sharedKeys([], keyed(resource), tell));
  findings.check("dimensions", counter.count(keyed(attributes), tell), name, flagsOf);
  return [...preflightEndpoint(endpoint), ...findings.all];
}

function checkAttributes(
  findings: Findings,
  level: AttributeLevel,
  attributes: Readonly<Record<string, string>>,
): void {
  for (const [key, text] of Object.entries(attributes)) {
    for (const { rule, wrong } of brokenByAttribute({ level, key, text, type: "string" })) {
      findings.add(rule, wrong, aboutAttribute(level, key), whereAttribute(level, key));
    }
  }
}

function whereAttribute(level: AttributeLevel, key: string): string {
  if (level === "data point") return `--attr ${key}`;
  return key === "service.name"
    ? "service.name (--service, OTEL_SERVICE_NAME)"
    : `resource attribute ${key} (--resource, OTEL_RESOURCE_ATTRIBUTES)`;
}

/** Names the flags of the settings that a rule is about. */
export function flagsOf({ settings = ["metric"] }: RuleText): string {
  return settings.map(flagName).join(" and ");
}

/** Collection of findings, each once. */
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
      vendor: "Dynatrace",
      rule: rule.id,
      level: rule.level,
      where,
      message: `${wrong}: ${rule.effect}`,
      remedy: rule.remedy,
      id,
    });
  }
}
