import { quotesRemedy, UsageError } from "../platform/errors.ts";
import { decimal } from "../platform/number.ts";
import { percentDecode } from "../redact/percent.ts";

/** Value of a setting and its origin, so that an error can name both. */
export interface Setting {
  /** Name by which the user knows it: `--interval` or `INTERVAL`. */
  readonly name: string;
  /** Origin: `command line`, `environment` or the name of a `.env` file. */
  readonly source: string;
  readonly value: string;
  /** Set if no message may show the value. */
  readonly secret?: true;
}

/** Finds a variable in the environment, then in `.env`. */
export interface Variables {
  (name: string): Setting | undefined;
  /** Warnings about entries of `.env` that have no effect. */
  readonly warnings?: readonly string[];
}

/** Looks variables up in the environment, then in a `.env` file. A variable that is blank counts as not set. */
export function variables(
  environment: (name: string) => string | undefined,
  dotenv: ReadonlyMap<string, string>,
  dotenvName: string,
): Variables {
  return (name) => {
    const set = environment(name)?.trim();
    if (set) return { name, source: "environment", value: set };
    const kept = dotenv.get(name)?.trim();
    return kept ? { name, source: dotenvName, value: kept } : undefined;
  };
}

const NOT_SHOWN = "(value not shown)";

/** Creates the UsageError for a value that does not parse. `shown` replaces a value that holds a secret. */
export function invalid(
  { name, source, value, secret }: Setting,
  expected: string,
  // A message has a line for each thing that is wrong.
  shown: string = secret ? NOT_SHOWN : `"${shortened(value).replace(/[\r\n]+/g, " ")}"`,
): UsageError {
  return new UsageError(
    `Invalid ${name} ${shown} (${source}): expected ${expected}${quotesRemedy(value, source)}`,
  );
}

/** Maximum length of a value in a message. */
const MOST_SHOWN = 400;

function shortened(value: string): string {
  return value.length > MOST_SHOWN ? `${value.slice(0, MOST_SHOWN)}…` : value;
}

/** Creates the UsageError for one of two settings that need each other; `missing` is the other one's flag. */
export function halfOfPair(present: Setting | undefined, missing: string): UsageError {
  return new UsageError(
    `${present?.name} (${present?.source}) requires the other half of the pair: add ${missing}`,
  );
}

/** Parses a number in a range, or throws a UsageError. */
export function numberSetting(
  setting: Setting,
  expected: string,
  inRange: (value: number) => boolean,
): number {
  const value = decimal(setting.value);
  if (!Number.isFinite(value) || !inRange(value)) throw invalid(setting, expected);
  return value;
}

/** Parses a whole number in a range, or throws a UsageError. */
export function wholeSetting(setting: Setting, least: number, most = Infinity): number {
  return numberSetting(
    setting,
    most === Infinity
      ? `a whole number, ${least} or more`
      : `a whole number from ${least} to ${most}`,
    (n) => Number.isSafeInteger(n) && n >= least && n <= most,
  );
}

const SECONDS_EXPECTED = "a number of seconds above 0, for example 10 or 0.5";
const SECONDS_OR_0_EXPECTED = "a number of seconds, 0 or more, for example 60 or 0.5";
/** Shortest time but 0 that timers and messages can tell from 0, in seconds. */
const LEAST_SECONDS = 0.001;
/** Longest time, in seconds: about 30 years. */
const MOST_SECONDS = 1e9;

/** Parses seconds, from 0.001 to `most`, and returns milliseconds; or throws a UsageError. */
export function secondsSetting(setting: Setting, most = MOST_SECONDS): number {
  const seconds = numberSetting(setting, SECONDS_EXPECTED, (n) => n > 0);
  return demandRange(setting, seconds, `${LEAST_SECONDS} seconds or more`, most);
}

/** Parses seconds, 0 or from 0.001 to 1e9, and returns milliseconds; or throws a UsageError. `zero` names what 0 means. */
export function secondsOr0Setting(setting: Setting, zero = "0"): number {
  const seconds = numberSetting(setting, SECONDS_OR_0_EXPECTED, (n) => n >= 0);
  if (seconds === 0) return 0;
  return demandRange(
    setting,
    seconds,
    `${LEAST_SECONDS} seconds or more, or ${zero}`,
    MOST_SECONDS,
  );
}

function demandRange(setting: Setting, seconds: number, least: string, most: number): number {
  if (seconds < LEAST_SECONDS) throw invalid(setting, least);
  if (seconds > most) throw invalid(setting, `at most ${most} seconds`);
  return seconds * 1000;
}

/**
 * Returns one of a few words, or throws a UsageError that lists them. OpenTelemetry's variables accept them in any
 * case (configuration specification, "Enum").
 */
export function choiceSetting<const T extends string>(setting: Setting, choices: readonly T[]): T {
  const value = setting.name.startsWith("OTEL_") ? setting.value.toLowerCase() : setting.value;
  const chosen = choices.find((choice) => choice === value);
  if (chosen === undefined) throw invalid(setting, choices.map((c) => `"${c}"`).join(" or "));
  return chosen;
}

/** Parses `true`, `1` or `yes` and their opposites, in any case, as the predecessor did. */
export function booleanSetting(setting: Setting): boolean {
  const word = setting.value.toLowerCase();
  if (["true", "1", "yes"].includes(word)) return true;
  if (["false", "0", "no"].includes(word)) return false;
  throw invalid(setting, "true, 1 or yes to turn it on; false, 0 or no to turn it off");
}

/** Splits `KEY=VALUE` at its first `=`; undefined without one or without a key. */
export function keyValue(text: string): readonly [string, string] | undefined {
  const equals = text.indexOf("=");
  const key = text.slice(0, equals).trim();
  return equals < 0 || key === "" ? undefined : [key, text.slice(equals + 1).trim()];
}

/** Parses `k=v,k=v` of OTEL_RESOURCE_ATTRIBUTES and OTEL_*_HEADERS; the values are percent-decoded. */
export function keyValueList(setting: Setting, expected: string): readonly [string, string][] {
  return setting.value.split(",").filter((item) => item.trim() !== "").map((item) => {
    const pair = keyValue(item);
    // One variable of several values: any of them may be a secret.
    if (pair === undefined) throw invalid(setting, expected, NOT_SHOWN);
    return [percentDecode(pair[0]), percentDecode(pair[1])];
  });
}

/** Parses one `KEY=VALUE`, or throws a UsageError. */
export function keyValueSetting(setting: Setting): readonly [string, string] {
  const pair = keyValue(setting.value);
  if (pair === undefined) throw invalid(setting, "KEY=VALUE, for example region=eu");
  return pair;
}
