import type { Attributes } from "../../aggregate/measurement.ts";

/** Changes of a scenario that is printed. */
export interface ScenarioChanges {
  /** New upper bounds of metrics, by name. */
  readonly bounds: ReadonlyMap<string, readonly number[]>;
  /** Attributes of every measurement. */
  readonly attributes: Attributes;
}

/** Part of a scenario file that may change. */
interface ScenarioJson {
  readonly metrics: {
    readonly name: string;
    buckets?: readonly number[];
    exponential?: boolean;
    readonly mix: {
      attributes?: Readonly<Record<string, unknown>>;
      readonly during?: Readonly<Record<string, { attributes?: Record<string, unknown> }>>;
    }[];
  }[];
}

/** Writes the scenario that was drawn, whose text has been checked, with changes. */
export function givenScenario(text: string, { bounds, attributes }: ScenarioChanges): string {
  const scenario: ScenarioJson = JSON.parse(text);
  for (const metric of scenario.metrics) {
    const buckets = bounds.get(metric.name);
    if (buckets !== undefined) {
      metric.buckets = buckets;
      delete metric.exponential;
    }
    for (const entry of metric.mix) {
      if (Object.keys(attributes).length === 0) continue;
      entry.attributes = { ...entry.attributes, ...attributes };
      for (const change of Object.values(entry.during ?? {})) {
        for (const key of Object.keys(attributes)) delete change.attributes?.[key];
      }
    }
  }
  return JSON.stringify(scenario, undefined, 2);
}
