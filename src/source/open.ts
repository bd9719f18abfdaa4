import type { Followed } from "../delivery/spool/spool_file.ts";
import type { DryRunConfig } from "../config/send_config.ts";
import {
  batchSource,
  countSource,
  emptySource,
  type Generate,
  rateSource,
  type RecordFamilies,
  type Source,
} from "./source.ts";
import type { System } from "../base/system.ts";
import { sampleBatch } from "../measurements/generate/sample.ts";
import { type Instrument, type Recorder, recorder } from "../otlp/recorder.ts";
import type { Amount } from "../config/generated_config.ts";
import type { TimeConfig } from "../config/input_config.ts";
import { invalid } from "../config/setting.ts";
import { familyInstruments } from "./families.ts";

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

/** How what a source brings is used. */
export interface Use {
  /** Says what is no warning. */
  readonly note?: (message: string) => void;
  /** All is collected at once, whatever memory that takes. */
  readonly inOne?: boolean;
  /** Measurements are sent as they come. */
  readonly isLive?: boolean;
  /** There is a spool, which knows how far a followed file was read. */
  readonly followed?: { readonly from: Followed | undefined } | undefined;
}

/** Opens the source that the configuration names; what is special to one is loaded only for it. */
export async function openRecording(
  config: Pick<DryRunConfig, "source" | "metric">,
  system: System,
  warn: (message: string) => void,
  use: Use = {},
): Promise<Recording> {
  const { source, metric } = config;
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
    case "since": {
      const value = (system.clock.wall() - source.start) / source.unitMs;
      if (value < 0) throw invalid(source.setting, "a time that has passed: this one is to come");
      return single({ source: batchSource(() => [{ value, attributes: {} }]) });
    }
    case "input": {
      const { openInput } = await import("./open_input.ts");
      const { found, recordFamilies } = familiesOf(config, [metric]);
      const { time } = source;
      const { isLive = false, inOne = false, followed } = use;
      const settings = { input: source, unit: metric.unit, isLive, from: followed?.from };
      const opened = await openInput(settings, recordFamilies, system, warn);
      if (time === undefined) return single({ ...found, ...opened });
      const timed = await intervalRecorder(config, time, inOne);
      // The place that the spool keeps is behind all lines so far, so none of their intervals may wait for more.
      if (source.follow && followed !== undefined) timed.finish();
      return single({ ...found, ...opened, recorder: timed });
    }
    case "scrape": {
      const { openScrape } = await import("./open_scrape.ts");
      const { found, recordFamilies } = familiesOf(config, []);
      return single({
        ...found,
        recorder: recorderOf(config, [], metric.resource, system),
        source: openScrape(source, recordFamilies, metric.maxSeries, system, {
          warn,
          note: use.note ?? (() => {}),
        }),
      });
    }
    case "replay": {
      const { openReplay } = await import("./open_replay.ts");
      const replayed = await openReplay(source, system, warn);
      return { ...single(replayed), ...replayed, metrics: [], instruments: [] };
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

/** Instruments that are found while they are recorded: the lists grow, and the first one found ends what was `before`. */
function familiesOf(
  { metric }: Pick<DryRunConfig, "metric">,
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
  { metric }: Pick<DryRunConfig, "metric">,
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
  { metric }: Pick<DryRunConfig, "metric">,
  instruments: readonly Instrument[],
  resource: Readonly<Record<string, string>>,
  system: System,
): Recorder {
  return recorder({ resource, instruments, maxSeries: metric.maxSeries }, system.clock);
}
