import type { DryRunConfig } from "../config/send_config.ts";
import { batchFeed, countFeed, type Feed, type Generate, noFeed, rateFeed } from "./source.ts";
import type { Io } from "../base/system.ts";
import { sampleBatch } from "../measurements/generate/sample.ts";
import { type Instrument, type Recorder, recorder } from "../otlp/recorder.ts";
import { type Lines, warningLines } from "../send/report/report.ts";
import type { Amount } from "../config/source_config.ts";

/** Where measurements come from and where they are recorded. */
export interface OpenSource {
  readonly feed: Feed;
  readonly recorder: Recorder;
  /** The names of the metrics. */
  readonly metrics: readonly string[];
  /** Takes a progress line away, so that something else can be printed. */
  clearProgress(): void;
  close(): void;
}

type Print = (lines: Lines) => void;
type Part = Pick<OpenSource, "feed"> & Partial<OpenSource>;

/** Opens the source that the configuration names; what is special to one is loaded only for it. */
export async function openSource(config: DryRunConfig, io: Io, print: Print): Promise<OpenSource> {
  const { source, metric, output } = config;
  const warn = (message: string) => print({ out: [], err: warningLines(output.format, message) });
  const single = (
    opened: Omit<Partial<OpenSource>, "recorder"> & Pick<OpenSource, "feed">,
  ): OpenSource => ({
    recorder: recorderOf(config, [metric], metric.resource, io),
    metrics: [metric.name],
    clearProgress() {},
    close() {},
    ...opened,
  });
  switch (source.kind) {
    case "spool":
      return single({ feed: noFeed });
    case "sample":
      return single({ feed: batchFeed(() => sampleBatch(io.random)) });
    case "values": {
      const attributes = {};
      const values = source.values.map((value) => ({ value, attributes }));
      return single({ feed: batchFeed(() => values) });
    }
    case "input": {
      const { openInput } = await import("./open_input.ts");
      return single(await openInput(source, io, warn));
    }
    case "synthetic": {
      const { seriesAttributes, Synthetic } = await import("../measurements/generate/synthetic.ts");
      const series = seriesAttributes(source.series);
      const synthetic = new Synthetic(series, source.draw, await randomOf(source, io));
      const generate: Generate = (recorder, count) => {
        for (const batch of synthetic.batches(count)) recorder.record(batch);
      };
      return single({ feed: generated(generate, source, series.length, io, warn) });
    }
    case "scenario": {
      const { openScenario } = await import("./open_scenario.ts");
      const { instruments, resource, generate } = await openScenario(
        source,
        metric,
        await randomOf(source, io),
        io,
      );
      return {
        ...single({ feed: generated(generate, source, SCENARIO_COUNT, io, warn) }),
        recorder: recorderOf(config, instruments, resource, io),
        metrics: instruments.map(({ name }) => name),
      };
    }
  }
}

/** Measurements a send of a scenario, where neither --count nor --rate says. */
const SCENARIO_COUNT = 100;

async function randomOf({ seed }: Amount, io: Io): Promise<() => number> {
  if (seed === undefined) return io.random;
  const { seededRandom } = await import("../measurements/generate/random.ts");
  return seededRandom(seed);
}

function generated(
  generate: Generate,
  { rate, count }: Amount,
  defaultCount: number,
  io: Io,
  warn: (message: string) => void,
): Feed {
  if (rate === undefined) return countFeed(generate, count ?? defaultCount);
  return rateFeed(
    generate,
    rate,
    count,
    io.clock,
    (measurements) =>
      warn(`cannot keep up with --rate ${rate}: ${measurements} measurements behind`),
  );
}

function recorderOf(
  { metric }: DryRunConfig,
  instruments: readonly Instrument[],
  resource: Readonly<Record<string, string>>,
  io: Io,
): Recorder {
  return recorder({ resource, instruments, maxSeries: metric.maxSeries }, io.clock);
}
