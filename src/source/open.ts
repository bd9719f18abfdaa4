import { attributeEncoder, Encoder } from "../otlp/encoder.ts";
import type { Console } from "../console/console.ts";
import { DeltaRecorder, type Recorder } from "../aggregate/recorder.ts";
import type { KeptCheckpoint } from "../delivery/checkpoint.ts";
import type { Identity } from "../aggregate/identity.ts";
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
import type { PointLoad } from "./generate/point_lanes.ts";
import type { TimeConfig } from "./input/input_config.ts";
import { type LoadConfig, ONE_PROCESS } from "./generate/load_config.ts";
import { invalid } from "../settings/setting.ts";
import { SETTINGS } from "../settings/settings_table.ts";
import { boundsKey } from "../aggregate/aggregation.ts";
import { defaultBounds } from "../aggregate/default_bounds.ts";
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
  /** Resources of the data, as far as they are known: more are added while a source is read. */
  readonly resources: readonly Identity["resource"][];
  /** Most data points per send, where the source raises it. */
  readonly maxSeries?: number;
  /** Name of a scenario's current phase; undefined if it has none. */
  readonly phase?: () => string | undefined;
  /** Load of `--point-rate`, in place of the source; without lanes this process has no series. */
  readonly points?: PointLoad;
  close(): void;
}

/** Uses of a recording that its source depends on. */
export interface Use {
  /** All is collected at once, whatever memory that takes. */
  readonly inOne?: boolean;
  /** Measurements are sent as they come. */
  readonly isLive?: boolean;
  /** There is a spool, which keeps how far a source was read, also by an earlier process. */
  readonly checkpoints?: { readonly kept: KeptCheckpoint | undefined } | undefined;
  /** Time between sends of a loop; undefined: there is a single send. */
  readonly intervalMs?: number | undefined;
  /** Each phase of a scenario is measured once, by instruments of its own. */
  readonly eachPhase?: boolean;
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
  const judge = isPlain(config)
    ? undefined
    : (await import("../receivers/meaning/snapshot.ts")).snapshotMeaning();
  const recorded = (
    { recorder, resource = metric.resource, instruments = [metric], ...opened }:
      & Partial<Recording>
      & Pick<Recording, "source">
      & { readonly recorder?: Recorder; readonly resource?: Identity["resource"] },
  ): Recording => {
    const records = recorder ??
      new DeltaRecorder(recorderConfig(config, instruments), system.clock);
    return {
      records,
      requests: new RecordedRequests(
        records,
        new Encoder({ resource, scope: metric.scope }),
        judge,
      ),
      metrics: instruments.map(({ name }) => name),
      instruments,
      resources: [resource],
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
      const { attributes = {} } = source;
      const values = source.values.map((value) => ({ value, attributes }));
      return recorded({ source: batchSource(() => values) });
    }
    case "since": {
      const value = (system.clock.wall() - source.start) / source.unitMs;
      if (value < 0) throw invalid(source.setting, "a time in the past: this one is in the future");
      return recorded({ source: batchSource(() => [{ value, attributes: {} }]) });
    }
    case "input": {
      const { openInput } = await import("./input/open_input.ts");
      const instruments = source.values.map(({ metric: named }) =>
        named === undefined ? metric : { ...named, attributes: metric.attributes }
      );
      const { found, recordFamilies } = familiesOf(config, instruments, warn);
      const { time } = source;
      const { isLive = false, inOne = false, checkpoints } = use;
      const settings = {
        input: source,
        units: instruments.map(({ unit }) => unit),
        isLive,
        checkpoints,
      };
      const opened = await openInput(settings, recordFamilies, system, console);
      if (time === undefined) return recorded({ ...found, ...opened });
      const timed = await intervalRecorder(recorderConfig(config, instruments), time, inOne);
      // The checkpoint that the spool keeps is behind all lines so far, so none of their intervals may wait for more.
      if (source.follow && checkpoints !== undefined) timed.finish();
      return recorded({ ...found, ...opened, recorder: timed });
    }
    case "scrape": {
      const { openScrape } = await import("./prometheus/open_scrape.ts");
      const { found, recordFamilies } = familiesOf(config, [], warn);
      return recorded({
        ...found,
        source: openScrape(source, recordFamilies, metric.maxSeries, system, console),
      });
    }
    case "replay": {
      const { openReplay } = await import("./replay/open_replay.ts");
      const replayed = await openReplay(source, system, warn);
      return recorded({ ...replayed, metrics: [], instruments: [], resources: [] });
    }
    case "synthetic": {
      const { openSynthetic } = await import("./generate/open_generated.ts");
      if (load.pointRate !== undefined) {
        const { openPointLoad } = await import("./generate/point_lanes.ts");
        const newRequests = () => recorded({ source: emptySource });
        const points = openPointLoad(source, load.pointRate, load, newRequests, system, warn);
        return { ...newRequests(), points };
      }
      return recorded({
        source: openSynthetic(source, load.share, system, warn),
        recorder: await loadRecorder(config, [metric], system),
      });
    }
    case "scenario": {
      const { openScenario } = await import("./generate/open_scenario.ts");
      const { intervalMs, eachPhase = false } = use;
      const opened = await openScenario(
        source,
        metric,
        { share: load.share, intervalMs, eachPhase },
        system,
        warn,
      );
      const { instruments, maxSeries } = opened;
      const raised = { ...config, metric: { ...metric, maxSeries } };
      return recorded({ ...opened, recorder: await loadRecorder(raised, instruments, system) });
    }
  }
}

/** Whether the samples are sent as they are: they break no rule of meaning, and a plain send loads none. */
function isPlain({ source, metric: { name, unit, bounds } }: RecordingConfig): boolean {
  return source.kind === "sample" && name === SETTINGS.metric.default &&
    unit === SETTINGS.unit.default && bounds !== "exponential" &&
    boundsKey(bounds) === boundsKey(defaultBounds(unit));
}

/** Instruments that are found while they are recorded: the lists grow, and the first one found ends what was `before`. */
function familiesOf(
  { metric }: Pick<RecordingConfig, "metric">,
  before: readonly Instrument[],
  warn: (message: string) => void,
): {
  readonly found: Pick<Recording, "metrics" | "instruments" | "resources">;
  readonly recordFamilies: RecordFamilies;
} {
  const instruments = [...before];
  const metrics = before.map(({ name }) => name);
  const resources: Identity["resource"][] = before.map(() => metric.resource);
  const recordFamilies = familyInstruments(metric, (instrument) => {
    if (instruments.length === before.length) metrics.length = resources.length = 0;
    if (!metrics.includes(instrument.name)) metrics.push(instrument.name);
    instruments.push(instrument);
    resources.push(instrument.identity.resource);
  }, warn);
  return { found: { metrics, instruments, resources }, recordFamilies };
}

/** Number of data points after which they are sent before more is read. */
const MOST_DUE = 5_000;

async function intervalRecorder(
  config: RecorderConfig,
  { intervalMs, latenessMs }: TimeConfig,
  inOne: boolean,
): Promise<Recorder> {
  const { IntervalRecorder } = await import("../aggregate/interval_recorder.ts");
  const mostDue = inOne ? Infinity : MOST_DUE;
  return new IntervalRecorder({ ...config, intervalMs, latenessMs, mostDue });
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
