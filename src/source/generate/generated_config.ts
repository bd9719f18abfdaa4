import { UsageError } from "../../platform/errors.ts";
import { type Distribution, parseDistribution } from "./distribution.ts";
import { invalid, numberSetting, wholeSetting } from "../../settings/setting.ts";
import { type SendFlags, settingOf, settingOrDefault } from "../../settings/settings.ts";

/** Amount of measurements, and the seed of their random numbers. */
export interface Amount {
  /** Measurements per send; undefined: as many as the rate or the kind of source asks for. */
  readonly count: number | undefined;
  /** Measurements per second; undefined: all at once. */
  readonly rate: number | undefined;
  readonly seed: string | undefined;
}

/** Settings of measurements drawn from one distribution, over `series` series in turn. */
export interface SyntheticConfig extends Amount {
  readonly kind: "synthetic";
  /** Number of series; undefined: one, without an attribute that tells it apart. */
  readonly series: number | undefined;
  readonly draw: Distribution;
}

/** Settings of measurements made after a scenario: a built-in one's name, or the path of its file. */
export interface ScenarioConfig extends Amount {
  readonly kind: "scenario";
  readonly path: string;
  /** Whether the user has limited the data points of a send, so that the scenario must not raise the limit. */
  readonly isLimited: boolean;
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

/** Reads the flags of the amount for the scenario at `path`; throws a UsageError for an invalid one. */
export function scenarioConfig(flags: SendFlags, path: string, loop: boolean): ScenarioConfig {
  const isLimited = flags.maxSeries !== undefined;
  return { kind: "scenario", path, isLimited, ...amount(flags, loop) };
}

function amount(flags: SendFlags, loop: boolean): Amount {
  const count = settingOf("count", flags);
  const rate = settingOf("rate", flags);
  if (rate !== undefined && count !== undefined && loop) {
    throw new UsageError(
      "--rate and --count both set the number of measurements per send of a loop: remove one of them",
    );
  }
  if (rate !== undefined && count === undefined && !loop) {
    throw new UsageError(
      "--rate requires an end in a single send: add --count N, or --loop to send every interval",
    );
  }
  return {
    count: count && wholeSetting(count, 1),
    rate: rate && numberSetting(
      rate,
      "a number of measurements per second above 0; for a rising rate, use --point-rate FROM..TO",
      (n) => n > 0,
    ),
    seed: flags.seed,
  };
}
