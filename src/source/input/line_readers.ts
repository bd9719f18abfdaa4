import { UsageError } from "../../platform/errors.ts";
import { CombinedReader } from "./combined.ts";
import { CsvReader, type Separator, TSV } from "./csv.ts";
import { hasDecimalComma, replaceDecimalComma } from "./decimal_comma.ts";
import { ExpositionReader } from "./exposition_lines.ts";
import type { FieldWatch, OnManyValues, OnNotUtf8 } from "./field_watch.ts";
import { type Fields, withDefaultField } from "./fields.ts";
import { formatOf, HEADED_FORMATS, type InputFormat } from "./format.ts";
import { LINE_FEED, type LineReader, type OpenedLines } from "./lines.ts";
import { LogfmtReader } from "./logfmt.ts";
import { NdjsonReader } from "./ndjson.ts";
import { lineObjects } from "./outer_fields.ts";
import type { Pattern } from "./pattern.ts";
import { PatternReader } from "./pattern_lines.ts";
import type { OnInvalid, Sink } from "./sink.ts";
import { TextReader } from "./text.ts";
import type { TimedField } from "./timed_field.ts";
import { W3cReader } from "./w3c.ts";
import { PLAIN_JSON, WrappedLineReader, wrappedPattern, wrappingOf } from "./wrapped_lines.ts";

/** Options of reading an input: its format, its fields, and who hears of lines that are left out. */
export interface InputOptions extends Fields {
  readonly format: InputFormat | "auto";
  /** One character that separates the cells of CSV; undefined: the header tells. */
  readonly delimiter?: string | undefined;
  /** The user's flags that describe the input, to be repeated in a command. */
  readonly ownArguments?: readonly string[] | undefined;
  /** The columns of CSV or TSV without a header. */
  readonly columns?: readonly string[] | undefined;
  /** A field of JSON whose text is JSON or logfmt. */
  readonly unwrap?: string | undefined;
  /** Where the fields are; the format `pattern` demands it. */
  readonly pattern?: Pattern | undefined;
  readonly onInvalid: OnInvalid;
  /** Receives, once, an attribute's field that has more than 1,000 different values, with three of them. */
  readonly onManyValues?: OnManyValues | undefined;
  /** Receives, once, an attribute's text that is not UTF-8. */
  readonly onNotUtf8?: OnNotUtf8 | undefined;
  /** Hears, once per access log, that its `request_time` has no unit of time. */
  readonly onNoUnit?: (() => void) | undefined;
  /** Hears that an input is a Prometheus exposition; an error that it throws ends the reading. */
  readonly onExposition?: (() => void) | undefined;
  /** Ends the reading: what has come is given out, except a line that has not ended. */
  readonly signal?: AbortSignal;
}

/** Parts that every reader of lines works with: the options, and where measurements and complaints go. */
export interface LineReading {
  readonly options: InputOptions;
  readonly sink: Sink;
  readonly watch: FieldWatch;
  readonly timed: TimedField;
}

/** Skips a byte order mark and finds the format out, then hands everything on. */
export class FirstLine implements LineReader {
  readonly #reading: LineReading;
  #reader: LineReader | undefined;
  #isFirst = true;
  /** First line of an input that is taken for CSV because it is nothing else. */
  #guessed: string | undefined;

  constructor(reading: LineReading) {
    this.#reading = reading;
    const { format } = reading.options;
    if (format !== "auto" && !MAY_BE_WRAPPED.has(format)) this.#reader = readerOf(format, reading);
  }

  /** Bytes that a record holds which has not ended. */
  get held(): number {
    return this.#reader?.held ?? 0;
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    const marked = this.#isFirst && bytes[from] === 0xef && bytes[from + 1] === 0xbb &&
      bytes[from + 2] === 0xbf;
    this.#isFirst = false;
    let at = marked ? from + 3 : from;
    while (this.#reader === undefined && at < to) {
      const end = bytes.indexOf(LINE_FEED, at);
      const line = new TextDecoder().decode(bytes.subarray(at, end)).trim();
      const { format } = this.#reading.options;
      const own = line === ""
        ? undefined
        : format === "auto"
        ? lineFormatOf(line, this.#reading)
        : format;
      if (own !== undefined) {
        if (format === "auto" && own === "csv") this.#guessed = line;
        this.#reader = openLines(own, line, this.#reading).reader;
        break;
      }
      this.#reading.sink.lines++;
      at = end + 1;
    }
    if (at < to) this.#read(bytes, at, to);
  }

  #read(bytes: Uint8Array, from: number, to: number): void {
    try {
      this.#reader?.lines(bytes, from, to);
    } catch (thrown) {
      if (this.#guessed === undefined || !(thrown instanceof UsageError)) throw thrown;
      throw guessedCsvError(thrown, this.#guessed);
    }
  }

  tooLong(): void {
    this.#isFirst = false;
    if (this.#reader !== undefined) return this.#reader.tooLong();
    this.#reading.sink.tooLong();
  }

  end(): void {
    this.#reader?.end();
  }
}

/** Makes the error for lines that were taken for CSV because they, beginning with `first`, are nothing else. */
export function guessedCsvError({ message }: UsageError, first: string): UsageError {
  const numbers = hasDecimalComma(first)
    ? "For numbers with a decimal comma use --decimal-comma; for"
    : "For";
  return new UsageError(
    "The input was read as CSV, because its first line is not JSON, key=value pairs, a number " +
      `or an access log. ${message}. ${numbers} CSV without a header use --columns; for lines of ` +
      "free text use --pattern, or --log-format",
  );
}

/** Opens the reader of a format, or of container logs that hold its lines; `line` is the first line of the file. */
export function openLines(format: InputFormat, line: string, reading: LineReading): OpenedLines {
  const { options, sink } = reading;
  const { unwrap, columns } = options;
  const wrapping = MAY_BE_WRAPPED.has(format) || options.format === "auto"
    ? wrappingOf(line, options.format) ??
      (unwrap !== undefined && format === "ndjson" ? PLAIN_JSON : undefined)
    : undefined;
  if (wrapping === undefined) {
    if (unwrap !== undefined) {
      throw new UsageError(
        `--unwrap reads a JSON field, but the input is ${format}: remove it, or name the fields with --pattern`,
      );
    }
    const hasHeader = HEADED_FORMATS.has(format) && columns === undefined;
    return { reader: readerOf(format, reading), hasHeader };
  }
  const pattern = options.pattern && wrappedPattern(options.pattern, wrapping, line);
  const reader = new WrappedLineReader(wrapping, {
    format: options.format,
    unwrap,
    sink,
    readerOf: (inner, fields) =>
      readerOf(inner, { ...reading, options: { ...options, ...fields, pattern } }),
    objectsOf: (inner, outer) => lineObjects(inner, outer, reading),
    first: line,
  });
  return { reader, hasHeader: false };
}

/** Finds the format of a first line, in which a number with a decimal comma looks like two cells. */
export function lineFormatOf(line: string, { options }: LineReading): InputFormat | undefined {
  const plain = options.decimalComma ? replaceDecimalComma(line) : undefined;
  return formatOf(plain !== undefined && formatOf(plain) === "text" ? plain : line);
}

/** Formats that may stand inside container logs, so that the first line has to be looked at. */
const MAY_BE_WRAPPED: ReadonlySet<InputFormat> = new Set([
  "ndjson",
  "logfmt",
  "combined",
  "pattern",
]);

function readerOf(
  format: InputFormat,
  { options, sink, watch, timed }: LineReading,
): LineReader {
  switch (format) {
    case "ndjson":
      return new NdjsonReader(options, sink, watch, timed);
    case "csv":
      return new CsvReader(
        options,
        sink,
        watch,
        timed,
        flagSeparator(options.delimiter),
        options.columns,
      );
    case "tsv":
      return new CsvReader(options, sink, watch, timed, TSV, options.columns);
    case "text":
      return new TextReader(options, sink, watch);
    case "logfmt":
      return new LogfmtReader(options, sink, watch, timed);
    case "combined":
      return new CombinedReader(options, sink, watch, timed, options.onNoUnit);
    case "pattern":
      if (options.pattern === undefined) {
        throw new UsageError("--input-format pattern requires --pattern");
      }
      return new PatternReader(
        options.pattern,
        patternFields(options.pattern, options),
        sink,
        watch,
        timed,
      );
    case "w3c":
      return new W3cReader(options, sink, watch, timed);
    case "prometheus":
      options.onExposition?.();
      return new ExpositionReader(sink);
  }
}

/** Makes the separator that --delimiter names. */
function flagSeparator(character: string | undefined): Separator | undefined {
  return character === undefined ? undefined : { character, hasQuotes: true };
}

/** A log format has no field `value`, which then stands for `request_time`. */
function patternFields({ name }: Pattern, options: InputOptions): Fields {
  return name === "log format" ? withDefaultField(options, "request_time") : options;
}
