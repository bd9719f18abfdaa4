import { DEFAULT_RESOURCE, type MetricConfig } from "../../aggregate/metric_config.ts";
import type { ScenarioConfig } from "./generated_config.ts";
import { UsageError } from "../../platform/errors.ts";
import { generatedSource, randomOf } from "./open_generated.ts";
import type { Source } from "../source.ts";
import type { System } from "../../platform/system.ts";
import { seededRandom } from "./random.ts";
import { ScenarioTraffic, seriesOf } from "./scenario.ts";
import { parseScenario } from "./scenario_file.ts";
import type { Share } from "./share.ts";
import { readFileOf } from "../../platform/paths.ts";
import type { Instrument } from "../../aggregate/instrument.ts";

/** A checked scenario: the source of its measurements, one instrument per metric, and its resource attributes. */
export interface OpenScenario {
  readonly source: Source;
  readonly instruments: readonly Instrument[];
  readonly resource: Readonly<Record<string, string>>;
}

/** Measurements a send where neither --count nor --rate says. */
const DEFAULT_COUNT = 100;

/** Reads and checks the file of `--scenario`. */
export async function openScenario(
  config: ScenarioConfig,
  { userResource, bounds, attributes }: MetricConfig,
  share: Share,
  system: System,
  warn: (message: string) => void,
): Promise<OpenScenario> {
  const { path, seed } = config;
  const parsed = parseScenario(await readFileOf("--scenario", path, system));
  if ("problems" in parsed) {
    throw new UsageError(
      [`Invalid --scenario "${path}" (command line):`, ...parsed.problems].join("\n  "),
    );
  }
  const { scenario } = parsed;
  const isShared = share.of > 1;
  const traffic = new ScenarioTraffic(scenario, randomOf(config, system), {
    share,
    // Without a seed, shards agree on the series of every measurement, and on nothing else.
    ...isShared && seed === undefined && { picks: seededRandom("shards") },
  });
  const all = { count: DEFAULT_COUNT, series: isShared ? seriesOf(scenario) : 1, share };
  return {
    source: generatedSource(
      (recorder, count, secondsOf) => {
        let own = 0;
        for (const batches of traffic.batches(count, secondsOf)) {
          for (const [instrument, batch] of batches.entries()) {
            recorder.add(batch, instrument);
            own += batch.length;
          }
        }
        return own;
      },
      config,
      all,
      system,
      warn,
    ),
    instruments: scenario.metrics.map((metric) => ({
      name: metric.name,
      unit: metric.unit,
      description: metric.description,
      bounds: metric.bounds ?? bounds,
      attributes,
    })),
    resource: { ...DEFAULT_RESOURCE, ...scenario.resource, ...userResource },
  };
}
