import type { Identity } from "../../aggregate/identity.ts";
import type { Attributes } from "../../aggregate/measurement.ts";
import type { PlotTable } from "./table.ts";

/**
 * Finds the attributes of scope and resource that tell metrics with the same name and unit apart: those in which they
 * differ. A table without any has its name for itself.
 */
export function originsOf(tables: readonly PlotTable[]): ReadonlyMap<PlotTable, Attributes> {
  const origins = new Map<PlotTable, Attributes>();
  const alike = Map.groupBy(tables, ({ metric: { name, unit } }) => JSON.stringify([name, unit]));
  for (const group of alike.values()) {
    const all = group.map((table) => ({ table, facts: factsOf(table.metric.identity) }));
    const differs = differences(all.map(({ facts }) => facts));
    for (const { table, facts } of all) {
      const own = Object.entries(facts).filter(([key]) => differs.has(key));
      if (own.length > 0) origins.set(table, Object.fromEntries(own));
    }
  }
  return origins;
}

function factsOf(identity: Identity | undefined): Attributes {
  if (identity === undefined) return {};
  const { resource, scope: { name, version, attributes } } = identity;
  return {
    "otel.scope.name": name,
    ...version !== "" && { "otel.scope.version": version },
    ...attributes,
    ...resource,
  };
}

/** The keys that not all have with the same value. */
function differences(all: readonly Attributes[]): ReadonlySet<string> {
  const [first = {}] = all;
  const keys = new Set(all.flatMap((each) => Object.keys(each)));
  return new Set([...keys].filter((key) => all.some((each) => each[key] !== first[key])));
}
