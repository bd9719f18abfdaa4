import { quoteClipped } from "../../redact/clip.ts";
import { ByteBuffer } from "../../platform/byte_buffer.ts";
import { UsageError } from "../../platform/errors.ts";
import { csvField, CsvRecord, NO_QUOTE, QUOTE } from "./csv_record.ts";
import type { FieldWatch } from "./field_watch.ts";
import type { Fields } from "./fields.ts";
import { EXCEL_SEPARATOR } from "./format.ts";
import { LineFields } from "./line_fields.ts";
import { LINE_FEED, type LineReader, MOST_LINE_BYTES } from "./lines.ts";
import { type Sink } from "./sink.ts";
import type { TimedField } from "./timed_field.ts";

/** Bytes with which the line may begin that names Excel's separator. */
const EXCEL_BEGINS: readonly number[] = [34, 83, 115];
const HASH = 35;
const TAB = 9;
/** Delimiters that a header may have, the likeliest first. */
const DELIMITERS = [",", ";", "\t"] as const;
const COMMA = ",";
/** Bytes of a header with line breaks that are waited for at most. */
const MOST_HEADER_BYTES = 2 ** 16;

/** A character between cells, and whether a cell with that character in it stands in quotes. */
export interface Separator {
  readonly character: string;
  readonly hasQuotes: boolean;
}

/** The separator of TSV. */
export const TSV: Separator = { character: "\t", hasQuotes: false };

/** Names of the header row, and where the fields are. */
interface Header {
  readonly names: readonly string[];
  /** For each field that is read, its column. */
  readonly columns: readonly number[];
  /** The column of the first value. */
  readonly value: number;
  /** For each byte, whether a name begins with it. */
  readonly begins: readonly boolean[];
}

/** How many columns a message names. */
const MOST_NAMES = 40;

/**
 * CSV with a header row (RFC 4180), whatever its delimiter; attributes are strings, and an empty cell is none. Lines
 * that begin with `#` are comments before the header, and rows after it. Cells between tabs have no quotes, as IANA's
 * text/tab-separated-values has it, unless the delimiter was chosen with `--delimiter`.
 */
export class CsvReader implements LineReader {
  readonly #fields: Fields;
  readonly #sink: Sink;
  readonly #line: LineFields;
  readonly #timed: TimedField;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #record: CsvRecord | undefined;
  #hasQuotes = true;
  /** No more lines will come. */
  #isEnding = false;
  #header: Header | undefined;
  /** Excel's line before the header, and the header. */
  #separatorText = "";
  #headerText: string | undefined;
  /** The begin of a record whose quotes do not close in the lines that were read so far. */
  readonly #held = new ByteBuffer();

  /**
   * Without a separator it is found in the header: the one that splits off the fields to read. `columns` are the
   * names where there is no header; it throws a UsageError when they lack one that is asked for.
   */
  constructor(
    fields: Fields,
    sink: Sink,
    watch: FieldWatch,
    timed: TimedField,
    separator: Separator | undefined,
    columns?: readonly string[],
  ) {
    this.#fields = fields;
    this.#sink = sink;
    this.#timed = timed;
    this.#line = new LineFields(
      fields,
      sink,
      watch,
      (bytes, from, to) => this.#text(bytes, from, to),
    );
    if (separator !== undefined) this.#record = this.#recordOf(separator);
    if (columns !== undefined) this.#header = this.#headerOf(columns, "--columns");
  }

  /** Throws a UsageError when the header has not the columns that are asked for. */
  lines(bytes: Uint8Array, from: number, to: number): void {
    if (this.#held.length === 0) {
      const rest = this.#records(bytes, from, to);
      this.#held.append(bytes.subarray(rest, to));
      return;
    }
    this.#held.append(bytes.subarray(from, to));
    this.#heldRecords();
    while (this.#held.length > MOST_LINE_BYTES) this.#giveUp();
  }

  get held(): number {
    return this.#held.length;
  }

  get header(): string | undefined {
    return this.#headerText;
  }

  tooLong(): void {
    while (this.#held.length > 0) this.#giveUp();
    this.#sink.tooLong();
  }

  end(): void {
    this.#isEnding = true;
    if (this.#record === undefined && this.#held.length > 0) this.#heldRecords();
    while (this.#held.length > 0) this.#giveUp();
  }

  #heldRecords(): void {
    this.#held.drop(this.#records(this.#held.bytes, 0, this.#held.length));
  }

  /** A quote that never closes spoils only its own line: the following lines are read again. */
  #giveUp(): void {
    this.#sink.lines++;
    this.#sink.unusable(UNCLOSED);
    this.#record?.reset();
    this.#held.drop(this.#held.bytes.indexOf(LINE_FEED) + 1);
    this.#heldRecords();
  }

  /** Reads whole records; where the first one begins that does not end. */
  #records(bytes: Uint8Array, from: number, to: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = from;
    while (at < to) {
      const isBefore = this.#record === undefined || this.#header === undefined;
      if (
        isBefore && ((bytes[at] === HASH && this.#header === undefined) || isBlankLine(bytes, at))
      ) {
        this.#sink.lines++;
        at = bytes.indexOf(LINE_FEED, at) + 1;
        continue;
      }
      if (this.#header === undefined && EXCEL_BEGINS.includes(bytes[at] ?? 0)) {
        const end = bytes.indexOf(LINE_FEED, at) + 1;
        const text = this.#decoder.decode(bytes.subarray(at, end));
        const separator = EXCEL_SEPARATOR.exec(text);
        if (separator !== null) {
          const [, character = ""] = separator;
          this.#separatorText = text;
          this.#record ??= this.#recordOf({
            character: character || TSV.character,
            hasQuotes: true,
          });
          this.#sink.lines++;
          at = end;
          continue;
        }
      }
      const record = this.#record ??= this.#split(bytes, at, to);
      if (record === undefined) break;
      const feed = record.split(bytes, at, to);
      if (feed < 0) break;
      this.#sink.lines++;
      if (feed - at > MOST_LINE_BYTES) {
        this.#sink.unusable(UNCLOSED);
        at = bytes.indexOf(LINE_FEED, at) + 1;
        continue;
      }
      const line = this.#sink.lines;
      this.#sink.lines += record.innerLines;
      if (record.fields !== 1 || !isBlankLine(bytes, at)) {
        const header = this.#header;
        this.#take(record, bytes, view, at, line);
        if (header !== this.#header) {
          const text = this.#decoder.decode(bytes.subarray(at, feed + 1));
          this.#headerText = this.#separatorText + text;
        }
      }
      at = feed + 1;
    }
    return at;
  }

  #take(record: CsvRecord, bytes: Uint8Array, view: DataView, at: number, line: number): void {
    const header = this.#header;
    if (header === undefined) {
      this.#header = this.#headerOf(this.#cells(record, bytes, at).map((name) => name.trim()));
      return;
    }
    if (record.malformed) return this.#sink.unusable("text after a closing quote", line);
    const count = header.names.length;
    if (this.#isHeader(header, record, bytes, at)) {
      const names = this.#cells(record, bytes, at).map((name) => name.trim());
      this.#header = this.#headerOf(names);
      return;
    }
    if (record.fields !== count) {
      const [is, has] = [record.fields, count].map((n) => `${n} field${n === 1 ? "" : "s"}`);
      return this.#sink.unusable(`${is}, but the header has ${has}`, line);
    }
    if (this.#timed.isSearching) {
      const cells = this.#cells(record, bytes, at);
      this.#timed.look(cells.map((cell, column) => [header.names[column] ?? "", cell]));
    }
    const { from, to } = this.#line;
    const { columns } = header;
    for (let k = 0; k < columns.length; k++) {
      const column = columns[k] ?? 0;
      from[k] = at + (record.from[column] ?? 0);
      to[k] = at + (record.to[column] ?? 0);
    }
    this.#line.take(bytes, view, line);
  }

  /**
   * Whether a record is a header again, as in files that were joined: it has the same names, in any order. Others show
   * that they are not by the first byte of the value, which is a number.
   */
  #isHeader(
    { names, value, begins }: Header,
    record: CsvRecord,
    bytes: Uint8Array,
    at: number,
  ): boolean {
    if (record.fields !== names.length) return false;
    const first = at + (record.from[value] ?? 0);
    if (!begins[bytes[bytes[first] === QUOTE ? first + 1 : first] ?? 0]) return false;
    const cells = this.#cells(record, bytes, at).map((name) => name.trim());
    return cells.every((cell) => names.includes(cell)) &&
      new Set(cells).size === new Set(names).size;
  }

  /**
   * Finds the separator that splits the header into the columns to read, or else into the most columns. A header with line
   * breaks in quotes is tried where its first line lacks columns; undefined when more of it has to come first.
   */
  #split(bytes: Uint8Array, at: number, to: number): CsvRecord | undefined {
    const line = this.#bestSeparator(bytes, at, bytes.indexOf(LINE_FEED, at) + 1);
    const wanted = this.#header === undefined ? new Set(this.#line.names).size : 1;
    if (line.matches >= wanted || !line.isOpen) return this.#recordOf(line.separator);
    const whole = this.#bestSeparator(bytes, at, to);
    if (whole.matches > line.matches) return this.#recordOf(whole.separator);
    const waits = whole.isOpen && !this.#isEnding && to - at < MOST_HEADER_BYTES;
    return waits ? undefined : this.#recordOf(line.separator);
  }

  /** The best separator of the header in bytes[at, end); `isOpen` when quotes are not closed there. */
  #bestSeparator(bytes: Uint8Array, at: number, end: number) {
    let best = { matches: -1, columns: 0, separator: separatorOf(COMMA) };
    let isOpen = false;
    for (const separator of DELIMITERS.map(separatorOf)) {
      const record = this.#recordOf(separator);
      if (record.split(bytes, at, end) < 0) {
        isOpen = true;
        continue;
      }
      const names = this.#cells(record, bytes, at).map((name) => name.trim());
      const matches = this.#header === undefined
        ? new Set(this.#line.names.filter((name) => names.includes(name))).size
        : Number(names.length === this.#header.names.length);
      const columns = names.length;
      if (matches > best.matches || (matches === best.matches && columns > best.columns)) {
        best = { matches, columns, separator };
      }
    }
    return { ...best, isOpen };
  }

  #recordOf({ character, hasQuotes }: Separator): CsvRecord {
    this.#hasQuotes = hasQuotes;
    return new CsvRecord(character.charCodeAt(0), hasQuotes ? QUOTE : NO_QUOTE);
  }

  #headerOf(names: readonly string[], header = "The first line of the CSV input"): Header {
    const { values, attrFields = [], where = [], timeField } = this.#fields;
    const find = (name: string, flag: string) => {
      const column = names.indexOf(name);
      if (column < 0) throw missingColumn(header, name, names, flag);
      if (names.lastIndexOf(name) === column) return column;
      throw new UsageError(
        `${header} names the column ${
          JSON.stringify(name)
        } twice: name all columns with --columns, ` +
          "each differently, and skip the first line with tail -n +2",
      );
    };
    // In the order of LineFields, but what is wrong with the values is said first.
    const valueColumns = values.map(({ field }) => find(field, "--value-field"));
    const columns = [
      ...attrFields.map(({ name }) => find(name, "--attr-field")),
      ...where.map(({ field }) => find(field, "--where")),
      ...valueColumns,
      ...timeField === undefined ? [] : [find(timeField, "--time-field")],
    ];
    const bytes = new Set(names.map((name) => new TextEncoder().encode(name)[0]));
    const begins = Array.from({ length: 256 }, (_, byte) => bytes.has(byte));
    return { names, columns, value: valueColumns[0] ?? 0, begins };
  }

  #cells(record: CsvRecord, bytes: Uint8Array, at: number): readonly string[] {
    return Array.from(
      { length: record.fields },
      (_, k) => this.#text(bytes, at + (record.from[k] ?? 0), at + (record.to[k] ?? 0)),
    );
  }

  #text(bytes: Uint8Array, from: number, to: number): string {
    const text = this.#decoder.decode(bytes.subarray(from, to));
    return this.#hasQuotes ? csvField(text) : text;
  }
}

/** Makes the separator with this character where a header, not a flag, chose it. */
function separatorOf(character: string): Separator {
  return character === TSV.character ? TSV : { character, hasQuotes: true };
}

const UNCLOSED = "a quote that is not closed";

/** Whether the line that begins at `at` holds blanks at most. */
function isBlankLine(bytes: Uint8Array, at: number): boolean {
  let i = at;
  while (bytes[i] === 32 || bytes[i] === TAB) i++;
  if (bytes[i] === 13) i++;
  return bytes[i] === LINE_FEED;
}

/** Makes the error for a column that a header lacks; `flag` is the one that names the column. */
export function missingColumn(
  header: string,
  name: string,
  names: readonly string[],
  flag: string,
): UsageError {
  const has = names.slice(0, MOST_NAMES).map((n) => quoteClipped(n, 40)).join(", ");
  return new UsageError(
    `${header} has no column ${JSON.stringify(name)}, only ${
      names.length > MOST_NAMES ? `${has} and ${names.length - MOST_NAMES} more` : has
    }. Name the right one with ${flag}`,
  );
}
