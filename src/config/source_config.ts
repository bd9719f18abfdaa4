import { UsageError } from "../base/errors.ts";
import { decimal } from "../base/number.ts";
import { type Distribution, parseDistribution } from "../measurements/generate/distribution.ts";
import { type AttrField, attrField } from "../measurements/input/fields.ts";
import type { InputFormat } from "../measurements/input/input.ts";
import { invalid, numberSetting, secondsSetting, type Setting, wholeSetting } from "./setting.ts";
import {
  choiceOf,
  flagName,
  type SendFlags,
  settingOf,
  settingOrDefault,
  settingsOf,
} from "./settings.ts";

/** Where measurements come from. */
export type SourceConfig =
  | { readonly kind: "sample" }
  /** Nothing is recorded; only what the spool holds is sent. */
  | { readonly kind: "spool" }
  | { readonly kind: "values"; readonly values: readonly number[] }
  | InputConfig
  | SyntheticConfig
  | ScenarioConfig;

export interface InputConfig {
  readonly kind: "input";
  /** `-` is standard input. */
  readonly path: string;
  /** It is read as it grows. */
  readonly follow: boolean;
  readonly format: InputFormat | "auto";
  readonly valueField: string;
  readonly attrFields: readonly AttrField[] | undefined;
  readonly scale: number;
}

/** Measurements a second, from the one to the other. */
export interface RisingRate {
  readonly from: number;
  readonly to: number;
  readonly inSeconds: number;
}

/** How many measurements, and which random numbers. */
export interface Amount {
  /** A send; undefined: as many as the rate or the kind of source asks for. */
  readonly count: number | undefined;
  /** A second; undefined: all at once. */
  readonly rate: number | RisingRate | undefined;
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
const SYNTHETIC = ["series", "count", "rate", "distribution", "seed"] as const;
const INPUT_ONLY = ["follow", "inputFormat", "valueField", "attrField", "scale"] as const;
const METRIC = ["metric", "unit", "description", "buckets", "exponential"] as const;

/** The flags that choose a source exclude each other; a flag that would do nothing is an error. */
export function sourceConfig(flags: SendFlags, loop: boolean, hasSpool: boolean): SourceConfig {
  const given = (keys: readonly (keyof SendFlags)[]) =>
    keys.filter((key) => flags[key] !== undefined);
  const sources = [
    ...given(["value", "input", "scenario"]),
    ...flags.scenario === undefined ? given(SYNTHETIC) : given(["series", "distribution"]),
  ];
  const [first] = sources;
  const other = sources.find((key) => !sameSource(first, key));
  if (first !== undefined && other !== undefined) {
    throw new UsageError(
      `${flagName(first)} and ${
        flagName(other)
      } name two sources of measurements: give one of them`,
    );
  }
  for (const key of flags.input === undefined ? given(INPUT_ONLY) : []) {
    throw new UsageError(
      `${flagName(key)} describes an input: name it with --input FILE, or - for standard input`,
    );
  }
  for (const key of flags.scenario === undefined ? [] : given(METRIC)) {
    throw new UsageError(
      `${
        flagName(key)
      } has no effect with --scenario, whose file describes its metrics: leave it out`,
    );
  }
  const count = settingOf("count", flags);
  if (count !== undefined && decimal(count.value) === 0) {
    const idle = sources.find((key) => key !== "count");
    return spoolOnly(loop, hasSpool, idle ?? (flags.rate === undefined ? undefined : "rate"));
  }
  if (flags.value !== undefined) {
    return { kind: "values", values: settingsOf("value", flags).map(measuredValue) };
  }
  const input = settingOf("input", flags);
  if (input !== undefined) return inputConfig(flags, input, loop);
  if (flags.scenario !== undefined) {
    return { kind: "scenario", path: flags.scenario, ...amount(flags, loop) };
  }
  return sources.length > 0 ? syntheticConfig(flags, loop) : { kind: "sample" };
}

function sameSource(a: keyof SendFlags | undefined, b: keyof SendFlags): boolean {
  const isSynthetic = (key: keyof SendFlags | undefined) => SYNTHETIC.some((name) => name === key);
  return a === b || (isSynthetic(a) && isSynthetic(b));
}

/** `idle`: a flag that says what to record, though nothing is. */
function spoolOnly(
  loop: boolean,
  hasSpool: boolean,
  idle: keyof SendFlags | undefined,
): SourceConfig {
  if (!hasSpool) {
    throw new UsageError(
      "--count 0 sends only what the spool holds: name its directory with --spool or OTLP_HISTOGRAM_SPOOL",
    );
  }
  if (loop) throw new UsageError("--count 0 records nothing: leave out --loop");
  if (idle !== undefined) {
    throw new UsageError(`--count 0 records nothing: leave out ${flagName(idle)}`);
  }
  return { kind: "spool" };
}

function measuredValue(setting: Setting): number {
  return numberSetting(setting, "a number, 0 or more, for example 12.5", (n) => n >= 0);
}

/** What grows has no end: it is sent interval by interval. */
function checkFollow(input: Setting, loop: boolean): void {
  if (input.value === "-") {
    throw new UsageError(
      "--follow follows a file by its name: give --input FILE in place of --input -, whose end says that there is no more",
    );
  }
  if (!loop) throw new UsageError("--follow goes on for ever: add --loop, to send every interval");
}

function inputConfig(flags: SendFlags, input: Setting, loop: boolean): InputConfig {
  if (input.value.trim() === "") throw invalid(input, "a file, or - for standard input");
  if (flags.follow) checkFollow(input, loop);
  const format = choiceOf("inputFormat", flags);
  const valueField = settingOrDefault("valueField", flags);
  const field = flags.valueField === undefined ? flags.attrField && "attrField" : "valueField";
  if (format === "text" && field !== undefined) {
    throw new UsageError(
      `${flagName(field)} has no effect with --input-format text, whose lines have no fields`,
    );
  }
  if (valueField.value === "") throw invalid(valueField, "the name of a field");
  return {
    kind: "input",
    path: input.value,
    follow: flags.follow ?? false,
    format,
    valueField: valueField.value,
    attrFields: flags.attrField && settingsOf("attrField", flags).map((setting) => {
      const field = attrField(setting.value);
      if (field === undefined) {
        throw invalid(setting, "NAME, or NAME=KEY, for example status=http.status_code");
      }
      return field;
    }),
    scale: numberSetting(
      settingOrDefault("scale", flags),
      "a number greater than 0, for example 1000 for seconds to ms",
      (n) => n > 0,
    ),
  };
}

function syntheticConfig(flags: SendFlags, loop: boolean): SyntheticConfig {
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
