import type { Followed } from "../delivery/spool/spool_file.ts";
import type { DryRunConfig } from "../config/send_config.ts";
import { batchSource, emptySource, type Source } from "./source.ts";
import type { System } from "../base/system.ts";
import { sampleBatch } from "../measurements/generate/sample.ts";
import { type Instrument, type Recorder, recorder } from "../otlp/recorder.ts";
import { ONE_PROCESS } from "../config/load_config.ts";

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

/** What says where measurements come from and how they are recorded. */
export type Recorded =
  & Pick<DryRunConfig, "source" | "metric">
  & Partial<Pick<DryRunConfig, "load">>;

/** Opens the source that the configuration names; what is special to one is loaded only for it. */
export async function openRecording(
  config: Recorded,
  system: System,
  warn: (message: string) => void,
  followed?: Followed,
): Promise<Recording> {
  const { source, metric, load = ONE_PROCESS } = config;
  const single = (
    opened: Partial<Recording> & Pick<Recording, "source">,
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
      const { openSynthetic } = await import("./open_generated.ts");
      return single({
        source: openSynthetic(source, load.share, system, warn),
        ...await inLanes(config, [metric], metric.resource, system),
      });
    }
    case "scenario": {
      const { openScenario } = await import("./open_scenario.ts");
      const { source: traffic, instruments, resource } = await openScenario(
        source,
        metric,
        load.share,
        system,
        warn,
      );
      return single({
        source: traffic,
        recorder: recorderOf(config, instruments, resource, system),
        ...await inLanes(config, instruments, resource, system),
        metrics: instruments.map(({ name }) => name),
        instruments,
      });
    }
  }
}

function recorderOf(
  { metric }: Recorded,
  instruments: readonly Instrument[],
  resource: Readonly<Record<string, string>>,
  system: System,
): Recorder {
  return recorder({ resource, instruments, maxSeries: metric.maxSeries }, system.clock);
}

/** A recorder for several connections, where there are such. */
async function inLanes(
  { metric: { maxSeries }, load: { workers } = ONE_PROCESS }: Recorded,
  instruments: readonly Instrument[],
  resource: Readonly<Record<string, string>>,
  { clock }: System,
): Promise<Partial<Pick<Recording, "recorder">>> {
  if (workers === 1) return {};
  const { laneRecorder } = await import("../otlp/lane_recorder.ts");
  return { recorder: laneRecorder({ resource, instruments, maxSeries }, workers, clock) };
}
