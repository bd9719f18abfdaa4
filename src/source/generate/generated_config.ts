import { UsageError } from "../../platform/errors.ts";
import { decimal } from "../../platform/number.ts";
import { type Distribution, parseDistribution } from "./distribution.ts";
import {
  invalid,
  numberSetting,
  secondsSetting,
  type Setting,
  wholeSetting,
} from "../../settings/setting.ts";
import { type SendFlags, settingOf, settingOrDefault } from "../../settings/settings.ts";

/** Rate that rises evenly, in measurements per second, and then stays. */
export interface RisingRate {
  readonly from: number;
  readonly to: number;
  readonly inSeconds: number;
}

/** Amount of measurements, and the seed of their random numbers. */
export interface Amount {
  /** Measurements per send; undefined: as many as the rate or the kind of source asks for. */
  readonly count: number | undefined;
  /** Measurements per second; undefined: all at once. */
  readonly rate: number | RisingRate | undefined;
  readonly seed: string | undefined;
}

/** Settings of measurements drawn from one distribution, over `series` series in turn. */
export interface SyntheticConfig extends Amount {
  readonly kind: "synthetic";
  /** Number of series; undefined: one, without an attribute that tells it apart. */
  readonly series: number | undefined;
  readonly draw: Distribution;
}

/** Settings of measurements made after the scenario file at `path`. */
export interface ScenarioConfig extends Amount {
  readonly kind: "scenario";
  readonly path: string;
}

/** Maximum of --series, as of --max-series: each series is held in memory. */
const MOST_SERIES = 1_000_000;

/** Reads --series, --distribution and the flags of the amount; throws a UsageError for an invalid one. */
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

/** Reads the flags of the amount for the scenario file at `path`; throws a UsageError for an invalid one. */
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
    rate: rate && rateOf(rate, flags),
    seed: flags.seed,
  };
}

function rateOf(rate: Setting, flags: SendFlags): number | RisingRate {
  const ends = rate.value.split("..");
  if (ends.length === 1) {
    return numberSetting(
      rate,
      "a number of measurements a second greater than 0, or FROM..TO for one that rises",
      (n) => n > 0,
    );
  }
  const [from = NaN, to = NaN] = ends.map(decimal);
  if (ends.length !== 2 || !(from >= 0 && to > from && Number.isFinite(to))) {
    throw invalid(
      rate,
      "FROM..TO in measurements a second, TO the greater, for example 100..20000",
    );
  }
  const duration = settingOf("duration", flags);
  if (!flags.loop || duration === undefined) {
    throw new UsageError(
      `--rate ${rate.value} rises over a time: add --loop and --duration SECONDS`,
    );
  }
  return { from, to, inSeconds: secondsSetting(duration) / 1000 };
}
