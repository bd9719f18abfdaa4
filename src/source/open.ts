import type { Followed } from "../delivery/spool/spool_file.ts";
import type { DryRunConfig } from "../config/send_config.ts";
import {
  batchSource,
  countSource,
  emptySource,
  type Generate,
  rateSource,
  type Source,
} from "./source.ts";
import type { System } from "../base/system.ts";
import { sampleBatch } from "../measurements/generate/sample.ts";
import { type Instrument, type Recorder, recorder } from "../otlp/recorder.ts";
import type { Amount } from "../config/source_config.ts";

/** Where measurements come from and where they are recorded. */
export interface Recording {
  readonly source: Source;
  readonly recorder: Recorder;
  /** The names of the metrics. */
  readonly metrics: readonly string[];
  /** Those that the recorder was made with: a measurement names one by its index. */
  readonly instruments: readonly Instrument[];
  /** Takes a progress line away, so that something else can be printed. */
  clearProgress(): void;
  close(): void;
}

/** Opens the source that the configuration names; what is special to one is loaded only for it. */
export async function openRecording(
  config: Pick<DryRunConfig, "source" | "metric">,
  system: System,
  warn: (message: string) => void,
  followed?: Followed,
): Promise<Recording> {
  const { source, metric } = config;
  const single = (
    opened: Omit<Partial<Recording>, "recorder"> & Pick<Recording, "source">,
  ): Recording => ({
    recorder: recorderOf(config, [metric], metric.resource, system),
    metrics: [metric.name],
    instruments: [metric],
    clearProgress() {},
    close() {},
    ...opened,
  });
  switch (source.kind) {
    case "spool":
      return single({ source: emptySource });
    case "sample":
      return single({ source: batchSource(() => sampleBatch(system.random)) });
    case "values": {
      const attributes = {};
      const values = source.values.map((value) => ({ value, attributes }));
      return single({ source: batchSource(() => values) });
    }
    case "input": {
      const { openInput } = await import("./open_input.ts");
      return single(await openInput(source, system, warn, followed));
    }
    case "synthetic": {
      const { seriesAttributes, Synthetic } = await import("../measurements/generate/synthetic.ts");
      const series = seriesAttributes(source.series);
      const synthetic = new Synthetic(series, source.draw, await randomOf(source, system));
      const generate: Generate = (recorder, count) => {
        for (const batch of synthetic.batches(count)) recorder.record(batch);
      };
      return single({ source: generated(generate, source, series.length, system, warn) });
    }
    case "scenario": {
      const { openScenario } = await import("./open_scenario.ts");
      const { instruments, resource, generate } = await openScenario(
        source,
        metric,
        await randomOf(source, system),
        system,
      );
      return {
        ...single({ source: generated(generate, source, SCENARIO_COUNT, system, warn) }),
        recorder: recorderOf(config, instruments, resource, system),
        metrics: instruments.map(({ name }) => name),
        instruments,
      };
    }
  }
}

/** Measurements a send of a scenario, where neither --count nor --rate says. */
const SCENARIO_COUNT = 100;

async function randomOf({ seed }: Amount, system: System): Promise<() => number> {
  if (seed === undefined) return system.random;
  const { seededRandom } = await import("../measurements/generate/random.ts");
  return seededRandom(seed);
}

function generated(
  generate: Generate,
  { rate, count }: Amount,
  defaultCount: number,
  system: System,
  warn: (message: string) => void,
): Source {
  if (rate === undefined) return countSource(generate, count ?? defaultCount);
  return rateSource(
    generate,
    rate,
    count,
    system.clock,
    (measurements) =>
      warn(`cannot keep up with --rate ${rate}: ${measurements} measurements behind`),
  );
}

function recorderOf(
  { metric }: Pick<DryRunConfig, "metric">,
  instruments: readonly Instrument[],
  resource: Readonly<Record<string, string>>,
  system: System,
): Recorder {
  return recorder({ resource, instruments, maxSeries: metric.maxSeries }, system.clock);
}
