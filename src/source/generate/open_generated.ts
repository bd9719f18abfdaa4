import type { Amount, SyntheticConfig } from "./generated_config.ts";
import { steady } from "./pace.ts";
import { seededRandom } from "./random.ts";
import { seriesIn, type Share } from "./share.ts";
import { Synthetic } from "./synthetic.ts";
import { CountSource, type Generate, PaceSource } from "./generated_source.ts";
import { emptySource, type Source } from "../source.ts";
import type { System } from "../../platform/system.ts";

/** Makes the source of `--series`, `--count`, `--rate` and `--distribution`. */
export function openSynthetic(
  config: SyntheticConfig,
  share: Share,
  system: System,
  warn: (message: string) => void,
): Source {
  const series = config.series ?? 1;
  const random = randomOf(config, system);
  const synthetic = new Synthetic(
    config.series,
    config.draw,
    random,
    share,
    config.seed !== undefined,
  );
  const generate: Generate = (recorder, count) => {
    let own = 0;
    for (const batch of synthetic.batches(count)) {
      recorder.add(batch);
      own += batch.length;
    }
    return own;
  };
  return generatedSource(generate, config, { count: series, series, share }, system, warn);
}

/** Makes a generator, uniform in [0, 1): equal seeds give equal numbers on every machine. */
export function randomOf({ seed }: Pick<Amount, "seed">, system: System): () => number {
  return seed === undefined ? system.random : seededRandom(seed);
}

/**
 * Makes the source of generated measurements. `all` is about all shares together: `count` is the number of measurements
 * per send without --count and --rate, `series` that of the series.
 */
export function generatedSource(
  generate: Generate,
  { rate, count }: Amount,
  all: { readonly count: number; readonly series: number; readonly share: Share },
  { clock }: System,
  warn: (message: string) => void,
): Source {
  const { share, series } = all;
  if (seriesIn(share, series) === 0) {
    warn(noSeriesText(share, series));
    return emptySource;
  }
  if (rate === undefined) {
    return new CountSource(generate, count ?? all.count, clock, { isExact: count !== undefined });
  }
  const pace = steady(rate);
  const onBehind = (measurements: number) =>
    warn(
      `cannot keep up with --rate ${pace.text}: ${measurements} measurements behind schedule`,
    );
  return new PaceSource(generate, { pace, count, onBehind }, clock);
}

/** Says that a share has no series. */
export function noSeriesText({ index, of }: Share, series: number): string {
  return `there ${
    series === 1 ? "is 1 series" : `are ${series} series`
  } for ${of} shards: shard ${index} has none and sends nothing`;
}
