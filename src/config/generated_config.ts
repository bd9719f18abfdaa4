import { UsageError } from "../base/errors.ts";
import { type Distribution, parseDistribution } from "../measurements/generate/distribution.ts";
import { invalid, numberSetting, wholeSetting } from "./setting.ts";
import { type SendFlags, settingOf, settingOrDefault } from "./settings.ts";

/** How many measurements, and which random numbers. */
export interface Amount {
  /** A send; undefined: as many as the rate or the kind of source asks for. */
  readonly count: number | undefined;
  /** A second; undefined: all at once. */
  readonly rate: number | undefined;
  readonly seed: string | undefined;
}

export interface SyntheticConfig extends Amount {
  readonly kind: "synthetic";
  /** Undefined: one, without an attribute that tells it apart. */
  readonly series: number | undefined;
  readonly draw: Distribution;
}

export interface ScenarioConfig extends Amount {
  readonly kind: "scenario";
  readonly path: string;
}

/** Each is held in memory; --max-series goes as far. */
const MOST_SERIES = 1_000_000;

export function syntheticConfig(flags: SendFlags, loop: boolean): SyntheticConfig {
  const series = settingOf("series", flags);
  const distribution = settingOrDefault("distribution", flags);
  const parsed = parseDistribution(distribution.value);
  if ("expected" in parsed) throw invalid(distribution, parsed.expected);
  return {
    kind: "synthetic",
    series: series && wholeSetting(series, 1, MOST_SERIES),
    draw: parsed.draw,
    ...amount(flags, loop),
  };
}

export function scenarioConfig(flags: SendFlags, path: string, loop: boolean): ScenarioConfig {
  return { kind: "scenario", path, ...amount(flags, loop) };
}

function amount(flags: SendFlags, loop: boolean): Amount {
  const count = settingOf("count", flags);
  const rate = settingOf("rate", flags);
  if (rate !== undefined && count !== undefined && loop) {
    throw new UsageError(
      "--rate and --count both say how many measurements a send of a loop has: give one of them",
    );
  }
  if (rate !== undefined && count === undefined && !loop) {
    throw new UsageError(
      "--rate has no end in a single send: add --count N, or --loop to send every interval",
    );
  }
  return {
    count: count && wholeSetting(count, 1),
    rate: rate &&
      numberSetting(rate, "a number of measurements a second greater than 0", (n) => n > 0),
    seed: flags.seed,
  };
}
