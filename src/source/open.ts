import { attributeEncoder, Encoder } from "../otlp/encoder.ts";
import type { Console } from "../console/console.ts";
import { DeltaRecorder, type Recorder } from "../aggregate/recorder.ts";
import type { KeptCheckpoint } from "../delivery/checkpoint.ts";
import type { Instrument, RecorderConfig } from "../aggregate/instrument.ts";
import type { MetricConfig } from "../aggregate/metric_config.ts";
import { RecordedRequests, type RequestProducer } from "../otlp/producer.ts";
import type { SourceConfig } from "./source_config.ts";
import {
  batchSource,
  emptySource,
  type RecordFamilies,
  type Records,
  type Source,
} from "./source.ts";
import type { System } from "../platform/system.ts";
import { sampleBatch } from "./generate/sample.ts";
import type { TimeConfig } from "./input/input_config.ts";
import { type LoadConfig, ONE_PROCESS } from "./generate/load_config.ts";
import { invalid } from "../settings/setting.ts";
import { familyInstruments } from "./prometheus/families.ts";

/** Source of a run, what it records into, and the requests that are made of that. */
export interface Recording {
  readonly source: Source;
  readonly records: Records;
  readonly requests: RequestProducer;
  /** The names of the metrics. */
  readonly metrics: readonly string[];
  /** Instruments by index, as a measurement names them. */
  readonly instruments: readonly Instrument[];
  close(): void;
}

/** Uses of a recording that its source depends on. */
export interface Use {
  /** All is collected at once, whatever memory that takes. */
  readonly inOne?: boolean;
  /** Measurements are sent as they come. */
  readonly isLive?: boolean;
  /** There is a spool, which keeps how far a source was read; by an earlier process, too. */
  readonly checkpoints?: { readonly kept: KeptCheckpoint | undefined } | undefined;
}

/** Settings of a recording. */
export interface RecordingConfig {
  readonly source: SourceConfig;
  readonly metric: MetricConfig;
  /** By default one process with one connection. */
  readonly load?: LoadConfig;
}

/** Opens the source that the configuration names; what is special to one is loaded only for it. */
export async function openRecording(
  config: RecordingConfig,
  system: System,
  console: Console,
  use: Use = {},
): Promise<Recording> {
  const { source, metric, load = ONE_PROCESS } = config;
  const { warn } = console;
  const recorded = (
    { recorder, resource = metric.resource, ...opened }:
      & Partial<Recording>
      & Pick<Recording, "source">
      & { readonly recorder?: Recorder; readonly resource?: MetricConfig["resource"] },
  ): Recording => {
    const records = recorder ?? new DeltaRecorder(recorderConfig(config, [metric]), system.clock);
    return {
      records,
      requests: new RecordedRequests(records, new Encoder(resource)),
      metrics: [metric.name],
      instruments: [metric],
      close() {},
      ...opened,
    };
  };
  switch (source.kind) {
    case "spool":
      return recorded({ source: emptySource });
    case "sample":
      return recorded({ source: batchSource(() => sampleBatch(system.random)) });
    case "values": {
      const attributes = {};
      const values = source.values.map((value) => ({ value, attributes }));
      return recorded({ source: batchSource(() => values) });
    }
    case "since": {
      const value = (system.clock.wall() - source.start) / source.unitMs;
      if (value < 0) throw invalid(source.setting, "a time that has passed: this one is to come");
      return recorded({ source: batchSource(() => [{ value, attributes: {} }]) });
    }
    case "input": {
      const { openInput } = await import("./input/open_input.ts");
      const { found, recordFamilies } = familiesOf(config, [metric]);
      const { time } = source;
      const { isLive = false, inOne = false, checkpoints } = use;
      const settings = { input: source, unit: metric.unit, isLive, checkpoints };
      const opened = await openInput(settings, recordFamilies, system, console);
      if (time === undefined) return recorded({ ...found, ...opened });
      const timed = await intervalRecorder(config, time, inOne);
      // The checkpoint that the spool keeps is behind all lines so far, so none of their intervals may wait for more.
      if (source.follow && checkpoints !== undefined) timed.finish();
      return recorded({ ...found, ...opened, recorder: timed });
    }
    case "scrape": {
      const { openScrape } = await import("./prometheus/open_scrape.ts");
      const { found, recordFamilies } = familiesOf(config, []);
      return recorded({
        ...found,
        recorder: new DeltaRecorder(recorderConfig(config, []), system.clock),
        source: openScrape(source, recordFamilies, metric.maxSeries, system, console),
      });
    }
    case "replay": {
      const { openReplay } = await import("./replay/open_replay.ts");
      const replayed = await openReplay(source, system, warn);
      return recorded({ ...replayed, metrics: [], instruments: [] });
    }
    case "synthetic": {
      const { openSynthetic } = await import("./generate/open_generated.ts");
      return recorded({
        source: openSynthetic(source, load.share, system, warn),
        recorder: await loadRecorder(config, [metric], system),
      });
    }
    case "scenario": {
      const { openScenario } = await import("./generate/open_scenario.ts");
      const { source: traffic, instruments, resource } = await openScenario(
        source,
        metric,
        load.share,
        system,
        warn,
      );
      return recorded({
        source: traffic,
        resource,
        recorder: await loadRecorder(config, instruments, system),
        metrics: instruments.map(({ name }) => name),
        instruments,
      });
    }
  }
}

/** Instruments that are found while they are recorded: the lists grow, and the first one found ends what was `before`. */
function familiesOf(
  { metric }: Pick<RecordingConfig, "metric">,
  before: readonly Instrument[],
): {
  readonly found: Pick<Recording, "metrics" | "instruments">;
  readonly recordFamilies: RecordFamilies;
} {
  const instruments = [...before];
  const metrics = before.map(({ name }) => name);
  const recordFamilies = familyInstruments(metric.attributes, (instrument) => {
    if (metrics.length === before.length) metrics.length = 0;
    metrics.push(instrument.name);
    instruments.push(instrument);
  });
  return { found: { metrics, instruments }, recordFamilies };
}

/** Number of data points after which they are sent before more is read. */
const MOST_DUE = 5_000;

async function intervalRecorder(
  config: RecordingConfig,
  { intervalMs, latenessMs }: TimeConfig,
  inOne: boolean,
): Promise<Recorder> {
  const { IntervalRecorder } = await import("../aggregate/interval_recorder.ts");
  const mostDue = inOne ? Infinity : MOST_DUE;
  return new IntervalRecorder({
    ...recorderConfig(config, [config.metric]),
    intervalMs,
    latenessMs,
    mostDue,
  });
}

function recorderConfig(
  { metric: { maxSeries } }: RecordingConfig,
  instruments: readonly Instrument[],
): RecorderConfig {
  return { instruments, maxSeries, attributeEncoder };
}

/** The recorder of generated measurements: of one connection, or of each of several. */
async function loadRecorder(
  config: RecordingConfig,
  instruments: readonly Instrument[],
  { clock }: System,
): Promise<Recorder> {
  const { load: { workers } = ONE_PROCESS } = config;
  const settings = recorderConfig(config, instruments);
  if (workers === 1) return new DeltaRecorder(settings, clock);
  const { LaneRecorder } = await import("../aggregate/lane_recorder.ts");
  return new LaneRecorder(settings, workers, clock);
}
