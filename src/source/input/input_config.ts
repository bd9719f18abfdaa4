import { UsageError } from "../../platform/errors.ts";
import { type AttrField, attrField } from "./fields.ts";
import type { TimeFormat } from "./time.ts";
import type { InputFormat } from "./format.ts";
import { type TimeZone, timeZoneOf } from "./time_zone.ts";
import { parsePattern, type Pattern } from "./pattern.ts";

import type { Conventions } from "../../aggregate/metric_config.ts";
import { HAS_UNIT, type MeasuredField, valueFields } from "./value_fields.ts";
import { type Condition, parseCondition } from "./where.ts";
import type { ScheduleConfig } from "../../settings/schedule_config.ts";
import {
  choiceSetting,
  invalid,
  numberSetting,
  secondsOr0Setting,
  type Setting,
  type Variables,
} from "../../settings/setting.ts";
import { SETTINGS } from "../../settings/settings_table.ts";
import {
  choiceOf,
  flagName,
  type SendFlags,
  settingOf,
  settingOrDefault,
  settingsOf,
} from "../../settings/settings.ts";

/** Settings of --input: the files, how their lines are read, and which fields are recorded. */
export interface InputConfig {
  readonly kind: "input";
  /** Paths of files to be read one after the other; `-` is standard input. */
  readonly paths: readonly string[];
  /** The one file is read as it grows. */
  readonly follow: boolean;
  /** Where a followed file begins that no spool has a position of. */
  readonly begin?: "start" | "end";
  readonly format: InputFormat | "auto";
  readonly pattern: Pattern | undefined;
  /** The log format is parsed when the input is opened. */
  readonly logFormat?: Setting | undefined;
  /** Undefined: the header tells. */
  readonly delimiter: string | undefined;
  /** The columns of CSV or TSV without a header. */
  readonly columns?: readonly string[] | undefined;
  /** The field whose text is JSON or logfmt. */
  readonly unwrap?: string | undefined;
  /** Numbers have a comma in place of the point. */
  readonly decimalComma?: boolean | undefined;
  /** The fields that hold values, each of another metric; at least one. */
  readonly values: readonly MeasuredField[];
  readonly attrFields: readonly AttrField[] | undefined;
  readonly where: readonly Condition[];
  readonly pathFields?: readonly string[] | undefined;
  readonly scale: number;
  /** No flag says in which unit the values are. */
  readonly isUnitAssumed?: boolean | undefined;
  /** Undefined: measurements happen when they are read. */
  readonly time: TimeConfig | undefined;
  /** The zone of times that have none. */
  readonly timeZone?: TimeZone | undefined;
  /** Arguments of a command that reads the same from standard input, to be named in a message. */
  readonly ownArguments?: readonly string[] | undefined;
  /** Flags that are of no use should the input turn out to be an exposition of Prometheus, which names all itself. */
  readonly notOfExpositions: readonly string[];
}

/** Field that says when measurements happened, and the intervals that they are put into. */
export interface TimeConfig {
  readonly field: string;
  readonly format: TimeFormat;
  readonly intervalMs: number;
  readonly latenessMs: number;
}

/** Flags that describe an input. */
export const INPUT_FLAGS = [
  "follow",
  "from",
  "inputFormat",
  "pattern",
  "logFormat",
  "delimiter",
  "columns",
  "decimalComma",
  "unwrap",
  "valueField",
  "attrField",
  "pathTemplate",
  "where",
  "scale",
  "timeField",
  "timeFormat",
  "timeZone",
  "lateness",
] as const;

/** Flags about the metric. An exposition names its metrics itself, with units, bounds and labels. */
export const METRIC_FLAGS = ["metric", "unit", "description", "buckets", "exponential"] as const;
const FIELD_FLAGS = ["valueField", "attrField", "where", "scale", "timeField"] as const;

/** Reads the flags of --input; throws a UsageError for an invalid one, and for flags that contradict one another. */
export function inputConfig(
  flags: SendFlags,
  schedule: ScheduleConfig,
  find: Variables,
  conventions?: Conventions,
): InputConfig {
  const format = chooseFormat(flags);
  const notOfExpositions = [...METRIC_FLAGS, ...FIELD_FLAGS].filter((key) =>
    flags[key] !== undefined
  )
    .map((key) => flagName(key));
  const [noField] = (["valueField", "attrField", "timeField"] as const).filter((key) =>
    flags[key] !== undefined
  );
  if (format === "text" && noField !== undefined) {
    throw new UsageError(
      `${flagName(noField)} has no effect with --input-format text, whose lines do not have fields`,
    );
  }
  const [notExposed] = notOfExpositions;
  if (format === "prometheus" && notExposed !== undefined) throw notOfAnExposition(notExposed);
  const timeZone = zoneOf(flags);
  const where = settingsOf("where", flags).map((setting) => {
    const condition = parseCondition(setting.value, {
      zone: timeZone,
      decimalComma: flags.decimalComma,
    });
    if ("expected" in condition) throw invalid(setting, condition.expected);
    return condition;
  });
  const time = timeConfig(flags, schedule);
  if (
    timeZone !== undefined && time === undefined && !where.some(({ reads }) => reads === "time")
  ) {
    throw noTimeField("timeZone");
  }
  return {
    kind: "input",
    paths: pathsOf(flags),
    follow: isFollowed(flags, format, schedule),
    ...beginOf(flags),
    format,
    pattern: patternOf(flags, format),
    logFormat: logFormatOf(flags),
    delimiter: delimiterOf(flags),
    columns: columnsOf(flags),
    decimalComma: flags.decimalComma,
    unwrap: unwrapOf(flags, format),
    values: valueFields(flags, find, conventions),
    attrFields: flags.attrField && settingsOf("attrField", flags).map((setting) => {
      const field = attrField(setting.value);
      if (field === undefined) {
        throw invalid(setting, "NAME, or NAME=KEY, for example status=http.status_code");
      }
      return field;
    }),
    where,
    pathFields: pathFieldsOf(flags, format),
    scale: numberSetting(
      settingOrDefault("scale", flags),
      "a number above 0, for example 1000 for seconds to ms",
      (n) => n > 0,
    ),
    isUnitAssumed: flags.scale === undefined && flags.unit === undefined &&
      !settingsOf("valueField", flags).some(({ value }) => HAS_UNIT.test(value)),
    time,
    timeZone,
    ownArguments: ownArgumentsOf(flags),
    notOfExpositions,
  };
}

/** Makes the error for a flag where the exposition itself says what the flag would. */
export function notOfAnExposition(flag: string): UsageError {
  return new UsageError(
    `${flag} has no effect on a Prometheus exposition, which describes its own metrics: remove it`,
  );
}

function pathsOf(flags: SendFlags): readonly string[] {
  const paths = settingsOf("input", flags);
  for (const input of paths) {
    if (input.value.trim() === "") throw invalid(input, "a file, or - for standard input");
  }
  if (paths.filter(({ value }) => value === "-").length > 1) {
    throw new UsageError("--input - is set twice: standard input can be read only once");
  }
  return paths.map(({ value }) => value);
}

/** Checks --follow: a file that grows has no end, and is sent interval by interval. */
function isFollowed(
  flags: SendFlags,
  format: InputConfig["format"],
  { loop }: ScheduleConfig,
): boolean {
  if (!flags.follow) return false;
  const [first, other] = flags.input ?? [];
  if (first === "-") {
    throw new UsageError(
      "--follow requires a file name: use --input FILE instead of --input -",
    );
  }
  if (other !== undefined) throw new UsageError("--follow reads one file: set --input once");
  if (!loop) throw new UsageError("--follow never ends: add --loop to send every interval");
  if (format === "prometheus") {
    throw new UsageError(
      "--follow reads lines, but an exposition is read as a whole: use --scrape",
    );
  }
  return true;
}

/** Old lines count only where their time is known, or somebody asks for them. */
function beginOf(flags: SendFlags): Pick<InputConfig, "begin"> {
  const from = settingOf("from", flags);
  if (from === undefined) {
    return flags.follow ? { begin: flags.timeField === undefined ? "end" : "start" } : {};
  }
  if (!flags.follow) {
    throw new UsageError("--from sets where --follow starts: add --follow, or remove --from");
  }
  return { begin: choiceSetting(from, SETTINGS.from.choices) };
}

/** Flags that belong to one format alone. */
const FORMAT_FLAGS = [
  ["pattern", "pattern"],
  ["logFormat", "pattern"],
  ["delimiter", "csv"],
] as const;

/** Reads the format; a flag that belongs to one format alone chooses it. */
function chooseFormat(flags: SendFlags): InputFormat | "auto" {
  if (flags.pattern !== undefined && flags.logFormat !== undefined) {
    throw new UsageError(
      "--pattern and --log-format cannot be used together: remove one of them",
    );
  }
  const format = choiceOf("inputFormat", flags);
  for (const [key, own] of FORMAT_FLAGS) {
    if (flags[key] === undefined) continue;
    if (format !== "auto" && format !== own) {
      throw new UsageError(
        `${flagName(key)} has no effect with --input-format ${format}: remove one of them`,
      );
    }
    return own;
  }
  if (flags.columns === undefined || format === "tsv" || format === "csv") return format;
  if (format === "auto") return "csv";
  throw new UsageError(
    `--columns has no effect with --input-format ${format}: remove one of them`,
  );
}

function unwrapOf(flags: SendFlags, format: InputConfig["format"]): string | undefined {
  const setting = settingOf("unwrap", flags);
  if (setting !== undefined && format !== "auto" && format !== "ndjson") {
    throw new UsageError(`--unwrap reads a JSON field, but the input is ${format}: remove it`);
  }
  if (setting?.value.trim() === "") throw invalid(setting, "the name of a field");
  return setting?.value;
}

function columnsOf(flags: SendFlags): readonly string[] | undefined {
  const setting = settingOf("columns", flags);
  if (setting === undefined) return undefined;
  const names = setting.value.split(",").map((name) => name.trim());
  if (names.includes("") || new Set(names).size < names.length) {
    throw invalid(setting, "different names separated by commas, for example time,path,value");
  }
  return names;
}

function patternOf(flags: SendFlags, format: InputConfig["format"]): Pattern | undefined {
  const setting = settingOf("pattern", flags);
  if (setting === undefined) {
    if (format !== "pattern" || flags.logFormat !== undefined) return undefined;
    throw new UsageError(
      "--input-format pattern requires --pattern with named groups, for example " +
        "--pattern 'took (?<value>\\d+) ms'",
    );
  }
  const pattern = parsePattern(setting.value);
  if ("expected" in pattern) throw invalid(setting, pattern.expected);
  return pattern;
}

function logFormatOf(flags: SendFlags): Setting | undefined {
  const setting = settingOf("logFormat", flags);
  if (setting !== undefined && !/\$\{?\w|%[\w<>{!^]/.test(setting.value)) {
    throw invalid(setting, LOG_FORMAT_EXPECTED);
  }
  return setting;
}

const LOG_FORMAT_EXPECTED =
  "nginx's log_format or Apache's LogFormat string, for example '$remote_addr $status $request_time'";

function delimiterOf(flags: SendFlags): string | undefined {
  const setting = settingOf("delimiter", flags);
  if (setting === undefined) return undefined;
  if (/^(\\t|tab)$/i.test(setting.value)) return "\t";
  if (!/^[\t\x20-\x7e]$/.test(setting.value) || setting.value === '"') {
    throw invalid(setting, 'one character, for example ";" or "|", or tab');
  }
  return setting.value;
}

function noTimeField(key: "timeFormat" | "timeZone" | "lateness"): UsageError {
  return new UsageError(
    `${flagName(key)} applies to the time of a line: set its field with --time-field`,
  );
}

function timeConfig(flags: SendFlags, { intervalMs }: ScheduleConfig): TimeConfig | undefined {
  const field = settingOf("timeField", flags);
  for (const key of ["timeFormat", "lateness"] as const) {
    if (field === undefined && flags[key] !== undefined) throw noTimeField(key);
  }
  if (field === undefined) return undefined;
  if (field.value.trim() === "") throw invalid(field, "the name of a field");
  if (intervalMs < 1) {
    throw new UsageError(
      "--time-field sorts measurements into intervals: set --interval to 0.001 seconds or more",
    );
  }
  const lateness = settingOf("lateness", flags);
  return {
    field: field.value,
    format: choiceOf("timeFormat", flags),
    intervalMs,
    latenessMs: lateness === undefined ? intervalMs : secondsOr0Setting(lateness),
  };
}

function zoneOf(flags: SendFlags): TimeZone | undefined {
  const setting = settingOf("timeZone", flags);
  if (setting === undefined) return undefined;
  const zone = timeZoneOf(setting.value);
  if (zone === undefined) {
    throw invalid(setting, "a name such as Europe/Berlin, or an offset such as +02:00");
  }
  return zone;
}

function pathFieldsOf(
  flags: SendFlags,
  format: InputConfig["format"],
): readonly string[] | undefined {
  if (flags.pathTemplate === undefined) return undefined;
  return settingsOf("pathTemplate", flags).map((setting) => {
    // Without --attr-field it is a key of NDJSON's attributes.
    const isAttribute = flags.attrField?.some((text) => attrField(text)?.name === setting.value) ??
      (format === "auto" || format === "ndjson");
    if (setting.value.trim() === "" || !isAttribute) {
      throw invalid(setting, "a field that --attr-field names, for example path");
    }
    return setting.value;
  });
}

function ownArgumentsOf(flags: SendFlags): readonly string[] {
  const described = [...METRIC_FLAGS, ...INPUT_FLAGS].flatMap((key) => {
    const value = flags[key];
    if (value === undefined || value === false || key === "follow") return [];
    if (value === true) return [flagName(key)];
    return (typeof value === "string" ? [value] : value).flatMap((text) => [flagName(key), text]);
  });
  return ["--input", "-", ...described];
}
