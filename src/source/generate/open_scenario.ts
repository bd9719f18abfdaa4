import { type Identity, SAMPLE_IDENTITY } from "../../aggregate/identity.ts";
import { explicitBounds, type MetricConfig, MOST_SERIES } from "../../aggregate/metric_config.ts";
import type { ScenarioConfig } from "./generated_config.ts";
import { UsageError } from "../../platform/errors.ts";
import { readScenario } from "./built_in_scenario.ts";
import { CountSource, type Generate } from "./generated_source.ts";
import { generatedSource, randomOf } from "./open_generated.ts";
import type { Source } from "../source.ts";
import type { System } from "../../platform/system.ts";
import { seededRandom } from "./random.ts";
import {
  cardinalityOf,
  type Phase,
  type Scenario,
  type ScenarioMetric,
  ScenarioTraffic,
  seriesOf,
} from "./scenario.ts";
import { parseScenario } from "./scenario_file.ts";
import type { Share } from "./share.ts";
import type { Instrument } from "../../aggregate/instrument.ts";

/** A checked scenario: the source of its measurements, one instrument per metric, and its resource attributes. */
export interface OpenScenario {
  readonly source: Source;
  readonly instruments: readonly Instrument[];
  readonly resource: Identity["resource"];
  /** Most data points per send: --max-series, or the series of the scenario if they are more. */
  readonly maxSeries: number;
  /** Name of the phase of the latest measurements; undefined if the scenario has none. */
  readonly phase: () => string | undefined;
}

/** Measurements a send where neither --count nor --rate says. */
const DEFAULT_COUNT = 100;

/** How a scenario is opened. */
export interface ScenarioUse {
  readonly share: Share;
  /** Time between sends of a loop; undefined: there is a single send. */
  readonly intervalMs: number | undefined;
  /** Each phase is measured once, at the same time, by instruments of its own: phase by phase, each with all metrics. */
  readonly eachPhase: boolean;
}

/** Reads and checks the scenario of `--scenario`. */
export async function openScenario(
  config: ScenarioConfig,
  metric: MetricConfig,
  { share, intervalMs, eachPhase }: ScenarioUse,
  system: System,
  warn: (message: string) => void,
): Promise<OpenScenario> {
  const scenario = await checkedScenario(config, system);
  const isShared = share.of > 1;
  const traffic = new ScenarioTraffic(scenario, randomOf(config, system), {
    share,
    // Without a seed, shards agree on the series of every measurement, and on nothing else.
    ...isShared && config.seed === undefined && { picks: seededRandom("shards") },
  });
  const cardinality = cardinalityOf(scenario);
  const count = cardinality.isGenerated
    ? Math.max(DEFAULT_COUNT, cardinality.series)
    : DEFAULT_COUNT;
  const all = { count, series: isShared ? seriesOf(scenario) : 1, share };
  const instruments = await instrumentsOf(scenario, metric);
  const isPhased = eachPhase && traffic.phase !== undefined;
  return {
    source: isPhased
      ? phasesSource(traffic, scenario, config.count ?? count, system)
      : generatedSource(recordTraffic(traffic), config, all, system, warn),
    instruments: isPhased
      ? scenario.phases.flatMap(({ name: phase }) =>
        instruments.map((instrument) => ({ ...instrument, phase }))
      )
      : instruments,
    resource: { ...SAMPLE_IDENTITY.resource, ...scenario.resource, ...metric.userResource },
    maxSeries: config.isLimited
      ? metric.maxSeries
      : raised(metric.maxSeries, scenario, { intervalMs, isPhased }),
    phase: () => traffic.phase,
  };
}

/** Reads a scenario, or throws a UsageError with everything that is wrong with it. */
async function checkedScenario({ path }: ScenarioConfig, system: System): Promise<Scenario> {
  const parsed = parseScenario(await readScenario(path, system));
  if ("scenario" in parsed) return parsed.scenario;
  throw new UsageError(
    [`Invalid --scenario "${path}" (command line):`, ...parsed.problems].join("\n  "),
  );
}

async function instrumentsOf(
  { metrics }: Scenario,
  { bounds, attributes }: MetricConfig,
): Promise<readonly Instrument[]> {
  const { conventionOf } = await import("../../aggregate/conventions.ts");
  const boundsOf = ({ name, unit }: ScenarioMetric) =>
    bounds === "exponential" ? bounds : explicitBounds({}, unit, conventionOf(name));
  return metrics.map((metric) => ({
    name: metric.name,
    unit: metric.unit,
    description: metric.description,
    bounds: metric.bounds ?? boundsOf(metric),
    attributes,
  }));
}

/** Sends may be late: in so many intervals and seconds more, values may be replaced that belong to one send. */
const MOST_INTERVALS = 2;
const MORE_SECONDS = 1;

/** Raises the limit to the series that a send of the scenario can have, with those that are replaced meanwhile. */
function raised(maxSeries: number, scenario: Scenario, { intervalMs, isPhased }: {
  readonly intervalMs: number | undefined;
  readonly isPhased: boolean;
}): number {
  const span = intervalMs === undefined ? 0 : MOST_INTERVALS * intervalMs / 1000 + MORE_SECONDS;
  const { series } = cardinalityOf(scenario, span);
  const all = isPhased ? series * scenario.phases.length : series;
  return Math.max(maxSeries, Math.min(all, MOST_SERIES));
}

/** Makes what records traffic; the metrics have the instruments from `first` on. */
function recordTraffic(traffic: ScenarioTraffic, first = 0): Generate {
  return (recorder, count, secondsOf) => {
    let own = 0;
    for (const batches of traffic.batches(count, secondsOf)) {
      for (const [metric, batch] of batches.entries()) {
        recorder.add(batch, first + metric);
        own += batch.length;
      }
    }
    return own;
  };
}

/** Makes a source of `count` measurements in the middle of each phase. */
function phasesSource(
  traffic: ScenarioTraffic,
  { phases, metrics }: Scenario,
  count: number,
  { clock }: System,
): Source {
  const middles = middlesOf(phases);
  let made = 0;
  const generate: Generate = (recorder, some) => {
    let own = 0;
    for (const end = made + some; made < end;) {
      const phase = Math.floor(made / count);
      const inPhase = Math.min(end, (phase + 1) * count) - made;
      const seconds = middles[phase] ?? 0;
      own += recordTraffic(traffic, phase * metrics.length)(recorder, inPhase, () => seconds);
      made += inPhase;
    }
    return own;
  };
  return new CountSource(generate, count * phases.length, clock, { isExact: true });
}

/** Lists the times in the middle of each phase, in seconds after the start. */
function middlesOf(phases: readonly Phase[]): readonly number[] {
  let start = 0;
  return phases.map(({ seconds }) => {
    start += seconds;
    return start - seconds / 2;
  });
}
