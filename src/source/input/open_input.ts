import type { Console } from "../../console/console.ts";
import { fileOf, resolvePath, unreadable } from "../../platform/paths.ts";
import type { System } from "../../platform/system.ts";
import { type InputConfig, notOfAnExposition } from "./input_config.ts";
import type { KeptCheckpoint } from "../../delivery/checkpoint.ts";
import { followInput, type Input, type NamedStream, readInput } from "./input.ts";
import type { InputOptions } from "./line_readers.ts";
import { InputError, isSystemError } from "./input_error.ts";
import { InputWords } from "./input_words.ts";
import type { Pattern } from "./pattern.ts";
import { invalid, type Setting } from "../../settings/setting.ts";
import { progressLine } from "../progress.ts";
import { InputSource } from "./input_source.ts";
import type { RecordFamilies, Source } from "../source.ts";

const PROGRESS_EVERY_MS = 500;

/** Settings by which an input is read. */
export interface InputSettings {
  readonly input: InputConfig;
  /** The unit of each value field's metric: a value with a unit of time is converted to it. */
  readonly units: readonly string[];
  /** Lines count as they come. */
  readonly isLive: boolean;
  /** The spool, which knows how far a followed file was read; undefined: there is none. */
  readonly checkpoints: { readonly kept: KeptCheckpoint | undefined } | undefined;
}

/** Opens files, or standard input for `-`, and reads them one after the other as they are recorded. */
export async function openInput(
  settings: InputSettings,
  recordFamilies: RecordFamilies,
  system: System,
  console: Console,
): Promise<{ source: Source; close: () => void }> {
  const { input: config, units, isLive } = settings;
  const { paths, follow, time, notOfExpositions, logFormat, isUnitAssumed, ...fields } = config;
  const controller = new AbortController();
  const pattern = logFormat === undefined ? fields.pattern : await logPattern(logFormat);
  const expressions = [...fields.where ?? [], pattern].flatMap((each) => each?.expression ?? []);
  await Promise.all(expressions.map((expression) => expression.guard()));
  const hasTime = time !== undefined || follow || (isLive && paths.includes("-"));
  const words = new InputWords(
    { several: paths.length > 1, hasTime, timeField: time?.field },
    system.clock,
    console.warn,
  );
  const options: InputOptions = {
    ...fields,
    pattern,
    values: config.values.map(({ field }, i) => ({ field, unit: units[i] })),
    timeField: time?.field,
    timeFormat: time?.format,
    signal: controller.signal,
    onInvalid: (line, reason, name) => words.invalid(line, reason, name),
    onManyValues: (field, examples) => words.manyValues(field, examples),
    onNotUtf8: (field, text) => words.notUtf8(field, text),
    onNoUnit: isUnitAssumed ? () => words.noUnit(units[0] ?? "") : undefined,
    onExposition() {
      const [flag] = notOfExpositions;
      if (flag !== undefined) throw notOfAnExposition(flag);
    },
  };
  const [path = ""] = follow ? paths : [];
  const absolute = follow ? resolvePath(system.cwd, path) : undefined;
  const opened = absolute === undefined ? await openAll(paths, system) : [];
  const followed = absolute === undefined
    ? undefined
    : await following(absolute, path, settings, options, system, console);
  const input = followed?.input ?? readInput(opened, options);
  const bytes = opened.length > 0 ? total(opened) : undefined;
  const began = system.clock.monotonic();
  const timer = system.stderrIsTerminal
    ? setInterval(() => {
      const seconds = (system.clock.monotonic() - began) / 1000;
      console.status(progressLine(input.progress, seconds, bytes));
    }, PROGRESS_EVERY_MS)
    : undefined;
  return {
    source: new InputSource(input, system.clock, recordFamilies, {
      words,
      path: followed?.path,
      isEndless: follow || (isLive && paths.every((each) => each === "-")),
    }),
    close() {
      clearInterval(timer);
      console.clear();
      controller.abort();
      words.end(input);
      expressions.forEach((expression) => expression.close());
    },
  };
}

async function logPattern(setting: Setting): Promise<Pattern> {
  const { parseLogFormat } = await import("./log_format.ts");
  const pattern = parseLogFormat(setting.value);
  if ("expected" in pattern) throw invalid(setting, pattern.expected);
  return pattern;
}

/** Reads a file as it grows, from the position that a spool keeps of it. */
async function following(
  absolute: string,
  shown: string,
  { input: { begin: configured = "start", time }, isLive, checkpoints }: InputSettings,
  options: InputOptions,
  { clock, stop }: System,
  { warn, note }: Console,
): Promise<{ readonly input: Input; readonly path: string }> {
  const [{ FollowedFile }, { keptPlace }] = await Promise.all([
    import("./follow/followed_file.ts"),
    import("./follow/kept_place.ts"),
  ]);
  // plot draws a whole file.
  const begin = isLive ? configured : "start";
  try {
    const { path, place, others } = await keptPlace(absolute, checkpoints?.kept);
    if (isLive && checkpoints === undefined && time !== undefined && begin === "start") {
      warn(
        `every start counts all of "${shown}" again (--follow, --time-field): ` +
          "add --spool DIR, which keeps the position",
      );
    }
    const input = await followInput(
      async (consumer) => {
        const file = new FollowedFile({
          ...{ path: absolute, shown, from: place, begin, consumer },
          ...{ clock, stop, warn, note: isLive ? note : () => {} },
        });
        await file.start();
        return file;
      },
      options,
      { layout: place?.layout, others },
    );
    return { input, path };
  } catch (thrown) {
    if (!isSystemError(thrown) && !(thrown instanceof InputError)) throw thrown;
    throw unreadable(fileOf("--input", shown), thrown, { stdin: "--input - without --follow" });
  }
}

/** A stream with its length, where that is known. */
interface Opened extends NamedStream {
  readonly bytes: number | undefined;
}

/** All are opened before the first is read, so that a name that is wrong is said at once. */
async function openAll(paths: readonly string[], system: System): Promise<readonly Opened[]> {
  const opened: Opened[] = [];
  for (const path of paths) {
    try {
      opened.push(
        path === "-"
          ? { name: "", stream: system.stdin(), bytes: undefined }
          : { name: path, ...await system.openFile(resolvePath(system.cwd, path)) },
      );
    } catch (thrown) {
      throw unreadable(fileOf("--input", path), thrown, { stdin: "--input -" });
    }
  }
  return opened;
}

function total(opened: readonly Opened[]): number | undefined {
  return opened.reduce<number | undefined>(
    (sum, { bytes }) => sum === undefined || bytes === undefined ? undefined : sum + bytes,
    0,
  );
}
