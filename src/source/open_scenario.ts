import { DEFAULT_RESOURCE, type MetricConfig } from "../config/metric_config.ts";
import { UsageError } from "../base/errors.ts";
import type { Generate } from "./source.ts";
import type { System } from "../base/system.ts";
import { ScenarioTraffic } from "../measurements/generate/scenario.ts";
import { parseScenario } from "../measurements/generate/scenario_file.ts";
import { readFileOf } from "../base/paths.ts";
import type { Instrument } from "../otlp/recorder.ts";
import type { ScenarioConfig } from "../config/generated_config.ts";

export interface OpenScenario {
  readonly instruments: readonly Instrument[];
  readonly resource: Readonly<Record<string, string>>;
  readonly generate: Generate;
}

/** Reads and checks the file of `--scenario`. */
export async function openScenario(
  { path }: ScenarioConfig,
  { resourceGiven, bounds, attributes }: MetricConfig,
  random: () => number,
  system: System,
): Promise<OpenScenario> {
  const parsed = parseScenario(await readFileOf("--scenario", path, system));
  if ("problems" in parsed) {
    throw new UsageError(
      [`Invalid --scenario "${path}" (command line):`, ...parsed.problems].join("\n  "),
    );
  }
  const { scenario } = parsed;
  const traffic = new ScenarioTraffic(scenario, random);
  const start = system.clock.monotonic();
  return {
    instruments: scenario.metrics.map((metric) => ({
      name: metric.name,
      unit: metric.unit,
      description: metric.description,
      bounds: metric.bounds ?? bounds,
      attributes,
    })),
    resource: { ...DEFAULT_RESOURCE, ...scenario.resource, ...resourceGiven },
    generate(recorder, count) {
      const elapsed = (system.clock.monotonic() - start) / 1000;
      for (const batches of traffic.batches(count, elapsed)) {
        for (const [instrument, batch] of batches.entries()) recorder.record(batch, instrument);
      }
    },
  };
}
