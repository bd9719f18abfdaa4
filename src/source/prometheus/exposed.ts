import { attributeKey } from "../../aggregate/attribute_key.ts";
import type { Identity, InstrumentationScope } from "../../aggregate/identity.ts";
import type { Attributes, MeasuredHistogram } from "../../aggregate/measurement.ts";
import type { Family, ScrapeReading } from "./cumulative.ts";
import type { Delta } from "./deltas.ts";
import { type ScrapeTarget, TargetList } from "./targets.ts";

/** Histograms of one metric family and one origin that are to be recorded. */
export interface Exposed {
  readonly family: Family;
  readonly origin: ExposedOrigin;
  readonly histograms: readonly MeasuredHistogram[];
}

/** Parts of an identity that an exposition names itself. */
export interface ExposedOrigin {
  /** Tells the origin apart from others. */
  readonly key: string;
  readonly scope: InstrumentationScope | undefined;
  readonly resource: Identity["resource"] | undefined;
}

/**
 * Groups deltas by their families, in the order of these, and by their origins; a family without any is left out. Labels
 * that name the origin leave the data points.
 */
export function exposedOf(
  { families, targets }: Pick<ScrapeReading, "families" | "targets">,
  deltas: readonly Delta[],
): readonly Exposed[] {
  const byName = Map.groupBy(deltas, ({ name }) => name);
  const targetList = new TargetList(targets);
  return families.flatMap((family) => {
    const byOrigin = new Map<string, Exposed & { readonly histograms: MeasuredHistogram[] }>();
    for (const delta of byName.get(family.name) ?? []) {
      const { scopeLabels, own } = withoutScope(delta.attributes);
      const target = targetList.of(own);
      const key = `${target?.key ?? ""} ${
        scopeLabels === undefined ? "" : attributeKey(scopeLabels)
      }`;
      let group = byOrigin.get(key);
      if (group === undefined) {
        group = { family, origin: originOf(key, scopeLabels, target), histograms: [] };
        byOrigin.set(key, group);
      }
      const attributes = target?.without(own) ?? own;
      group.histograms.push(attributes === delta.attributes ? delta : { ...delta, attributes });
    }
    return [...byOrigin.values()];
  });
}

const SCOPE_PREFIX = "otel_scope_";

/** Labels of a series, those of its scope apart. */
interface SplitLabels {
  /** Undefined when there are none; Prometheus takes an empty label for one that is missing. */
  readonly scopeLabels: Attributes | undefined;
  readonly own: Attributes;
}

function withoutScope(labels: Attributes): SplitLabels {
  if (!Object.keys(labels).some((key) => key.startsWith(SCOPE_PREFIX))) {
    return { scopeLabels: undefined, own: labels };
  }
  const { scope = [], own = [] } = Object.groupBy(
    Object.entries(labels),
    ([key]) => key.startsWith(SCOPE_PREFIX) ? "scope" : "own",
  );
  const named = scope.filter(([, value]) => value !== "")
    .map(([key, value]) => [key.slice(SCOPE_PREFIX.length), value] as const);
  return {
    scopeLabels: named.length === 0 ? undefined : Object.fromEntries(named),
    own: Object.fromEntries(own),
  };
}

/** OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility", Instrumentation Scope. */
function originOf(
  key: string,
  scopeLabels: Attributes | undefined,
  target: ScrapeTarget | undefined,
): ExposedOrigin {
  const resource = target?.resource;
  if (scopeLabels === undefined) return { key, scope: undefined, resource };
  const { name = "", version = "", schema_url: schemaUrl, ...attributes } = scopeLabels;
  const scope = {
    name: String(name),
    version: String(version),
    ...schemaUrl !== undefined && { schemaUrl: String(schemaUrl) },
    ...Object.keys(attributes).length > 0 && { attributes },
  };
  return { key, scope, resource };
}
