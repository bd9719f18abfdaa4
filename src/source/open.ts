import type { Console } from "../console/console.ts";
import type { Followed } from "../delivery/spool/spool_file.ts";
import type { MetricConfig } from "../aggregate/metric_config.ts";
import type { SourceConfig } from "./source_config.ts";
import { batchSource, emptySource, type RecordFamilies, type Source } from "./source.ts";
import type { System } from "../platform/system.ts";
import { sampleBatch } from "./generate/sample.ts";
import { type Instrument, type Recorder, recorder } from "../otlp/recorder.ts";
import type { TimeConfig } from "./input/input_config.ts";
import { type LoadConfig, ONE_PROCESS } from "./generate/load_config.ts";
import { invalid } from "../settings/setting.ts";
import { familyInstruments } from "./prometheus/families.ts";

/** Where measurements come from and where they are recorded. */
export interface Recording {
  readonly source: Source;
  readonly recorder: Recorder;
  /** The names of the metrics. */
  readonly metrics: readonly string[];
  /** Those that the recorder was made with: a measurement names one by its index. */
  readonly instruments: readonly Instrument[];
  close(): void;
}

/** How what a source brings is used. */
export interface Use {
  /** All is collected at once, whatever memory that takes. */
  readonly inOne?: boolean;
  /** Measurements are sent as they come. */
  readonly isLive?: boolean;
  /** There is a spool, which knows how far a followed file was read. */
  readonly followed?: { readonly from: Followed | undefined } | undefined;
}

/** What says where measurements come from and how they are recorded. */
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
  const single = (
    opened: Partial<Recording> & Pick<Recording, "source">,
  ): Recording => ({
    recorder: recorderOf(config, [metric], metric.resource, system),
    metrics: [metric.name],
    instruments: [metric],
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
    case "since": {
      const value = (system.clock.wall() - source.start) / source.unitMs;
      if (value < 0) throw invalid(source.setting, "a time that has passed: this one is to come");
      return single({ source: batchSource(() => [{ value, attributes: {} }]) });
    }
    case "input": {
      const { openInput } = await import("./input/open_input.ts");
      const { found, recordFamilies } = familiesOf(config, [metric]);
      const { time } = source;
      const { isLive = false, inOne = false, followed } = use;
      const settings = { input: source, unit: metric.unit, isLive, followed };
      const opened = await openInput(settings, recordFamilies, system, console);
      if (time === undefined) return single({ ...found, ...opened });
      const timed = await intervalRecorder(config, time, inOne);
      // The place that the spool keeps is behind all lines so far, so none of their intervals may wait for more.
      if (source.follow && followed !== undefined) timed.finish();
      return single({ ...found, ...opened, recorder: timed });
    }
    case "scrape": {
      const { openScrape } = await import("./prometheus/open_scrape.ts");
      const { found, recordFamilies } = familiesOf(config, []);
      return single({
        ...found,
        recorder: recorderOf(config, [], metric.resource, system),
        source: openScrape(source, recordFamilies, metric.maxSeries, system, console),
      });
    }
    case "replay": {
      const { openReplay } = await import("./replay/open_replay.ts");
      const replayed = await openReplay(source, system, warn);
      return { ...single(replayed), ...replayed, metrics: [], instruments: [] };
    }
    case "synthetic": {
      const { openSynthetic } = await import("./generate/open_generated.ts");
      return single({
        source: openSynthetic(source, load.share, system, warn),
        ...await inLanes(config, [metric], metric.resource, system),
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

/** So many data points are sent before more is read. */
const MOST_DUE = 5_000;

async function intervalRecorder(
  { metric }: Pick<RecordingConfig, "metric">,
  { intervalMs, latenessMs }: TimeConfig,
  inOne: boolean,
): Promise<Recorder> {
  const { IntervalRecorder } = await import("../otlp/interval_recorder.ts");
  return new IntervalRecorder({
    resource: metric.resource,
    instruments: [metric],
    maxSeries: metric.maxSeries,
    intervalMs,
    latenessMs,
    mostDue: inOne ? Infinity : MOST_DUE,
  });
}

function recorderOf(
  { metric }: RecordingConfig,
  instruments: readonly Instrument[],
  resource: Readonly<Record<string, string>>,
  system: System,
): Recorder {
  return recorder({ resource, instruments, maxSeries: metric.maxSeries }, system.clock);
}

/** A recorder for several connections, where there are such. */
async function inLanes(
  { metric: { maxSeries }, load: { workers } = ONE_PROCESS }: RecordingConfig,
  instruments: readonly Instrument[],
  resource: Readonly<Record<string, string>>,
  { clock }: System,
): Promise<Partial<Pick<Recording, "recorder">>> {
  if (workers === 1) return {};
  const { laneRecorder } = await import("../otlp/lane_recorder.ts");
  return { recorder: laneRecorder({ resource, instruments, maxSeries }, workers, clock) };
}
