import { counted } from "../../console/plural.ts";
import { missingColumn } from "./csv.ts";
import { csvField } from "./csv_record.ts";
import type { FieldWatch } from "./field_watch.ts";
import type { Fields } from "./fields.ts";
import { LineFields } from "./line_fields.ts";
import { LINE_FEED, type LineReader } from "./lines.ts";
import type { Sink } from "./sink.ts";
import type { TimedField } from "./timed_field.ts";
import { UTC } from "./time_zone.ts";
import { changedCondition } from "./where.ts";

const TAB = 9;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
const QUOTE = 34;
const HASH = 35;
const DASH = 45;

const HEADER = "#Fields:";
/** A date and a time in columns side by side are one time. */
const [DATE, TIME] = ["date", "time"];
const isTimePart = (name: string | undefined) => name === DATE || name === TIME;

/**
 * W3C extended log format, as IIS and CloudFront write it: `#Fields:` names the columns of the lines below it, and may come
 * again with others. `-` is a missing field. A date and a time side by side are one time, by either name, in UTC unless a
 * zone is named. A number has no unit: CloudFront's time taken is in seconds, and IIS's in ms.
 */
export class W3cReader implements LineReader {
  readonly #fields: Fields;
  readonly #sink: Sink;
  readonly #timed: TimedField;
  readonly #line: LineFields;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #names: readonly string[] = [];
  #header: string | undefined;
  /** First and last column of each place of LineFields; [-1, -1] where the header lacks the field. */
  #places: readonly (readonly [first: number, last: number])[] = [];
  #from: Int32Array = new Int32Array();
  #to: Int32Array = new Int32Array();

  constructor(fields: Fields, sink: Sink, watch: FieldWatch, timed: TimedField) {
    const { where = [], timeZone } = fields;
    this.#fields = {
      ...fields,
      timeZone: timeZone ?? UTC,
      where: where.map((condition) =>
        isTimePart(condition.field) && condition.reads === "time" && timeZone === undefined
          ? changedCondition(condition, (text) => `${text}Z`)
          : condition
      ),
    };
    this.#sink = sink;
    this.#timed = timed;
    this.#line = new LineFields(
      this.#fields,
      sink,
      watch,
      (bytes, from, to) => csvField(this.#decoder.decode(bytes.subarray(from, to))),
    );
  }

  get header(): string | undefined {
    return this.#header;
  }

  /** Throws a UsageError when the first header lacks a field that is asked for. */
  lines(bytes: Uint8Array, from: number, to: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = from; at < to;) {
      this.#sink.lines++;
      const feed = bytes.indexOf(LINE_FEED, at);
      const end = feed > at && bytes[feed - 1] === CARRIAGE_RETURN ? feed - 1 : feed;
      if (bytes[at] === HASH) this.#directive(this.#decoder.decode(bytes.subarray(at, end)));
      else if (end > at) this.#take(bytes, view, at, end);
      at = feed + 1;
    }
  }

  tooLong(): void {
    this.#sink.tooLong();
  }

  end(): void {}

  #directive(line: string): void {
    if (!line.startsWith(HEADER)) return;
    const isFirst = this.#names.length === 0;
    const names = line.slice(HEADER.length).trim().split(/\s+/);
    const { attrFields = [], where = [], values, timeField } = this.#fields;
    const flags = [
      ...attrFields.map(() => "--attr-field"),
      ...where.map(() => "--where"),
      ...values.map(() => "--value-field"),
      "--time-field",
    ];
    const dateColumn = names.findIndex((name, i) => name === DATE && names[i + 1] === TIME);
    const whole = new Set([
      ...where.flatMap(({ field, reads }, i) =>
        isTimePart(field) && reads === "time" ? [attrFields.length + i] : []
      ),
      ...isTimePart(timeField) ? [attrFields.length + where.length + values.length] : [],
    ]);
    // A missing value field is reported first.
    const unnamed = values.find(({ field }) => !names.includes(field));
    if (isFirst && unnamed !== undefined) {
      throw missingColumn(HEADER, unnamed.field, names, "--value-field");
    }
    this.#places = this.#line.names.map((name, place) => {
      if (whole.has(place) && dateColumn >= 0) return [dateColumn, dateColumn + 1];
      const column = names.indexOf(name);
      if (column < 0 && isFirst) throw missingColumn(HEADER, name, names, flags[place] ?? "");
      return [column, column];
    });
    if (dateColumn >= 0) this.#timed.certain(TIME ?? "");
    this.#names = names;
    this.#header = `${line}\n`;
    this.#from = new Int32Array(names.length);
    this.#to = new Int32Array(names.length);
  }

  #take(bytes: Uint8Array, view: DataView, at: number, end: number): void {
    const expected = this.#names.length;
    if (expected === 0) return this.#sink.unusable(`no ${HEADER} line before it`);
    const columns = this.#split(bytes, at, end);
    if (columns !== expected) {
      return this.#sink.unusable(`${counted(columns, "field")}, but ${HEADER} names ${expected}`);
    }
    const { from, to } = this.#line;
    for (let k = 0; k < this.#places.length; k++) {
      const [first, last] = this.#places[k] ?? [-1, -1];
      const start = this.#from[first] ?? -1;
      const isMissing = start < 0 || (bytes[start] === DASH && this.#to[first] === start + 1);
      from[k] = isMissing ? -1 : start;
      to[k] = isMissing ? -1 : this.#to[last] ?? -1;
    }
    this.#line.take(bytes, view, this.#sink.lines);
  }

  /** Finds where the columns are; how many there are, be they more than there is room for. */
  #split(bytes: Uint8Array, at: number, end: number): number {
    let column = 0;
    for (let i = at; i <= end; i++) {
      const begin = i;
      if (bytes[i] === QUOTE) i = quoteEnd(bytes, i + 1, end);
      while (i < end && bytes[i] !== SPACE && bytes[i] !== TAB) i++;
      this.#from[column] = begin;
      this.#to[column] = i;
      column++;
    }
    return column;
  }
}

/** Past the quote that ends a string, in which two quotes stand for one; the line's end when there is none. */
function quoteEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && (bytes[i] !== QUOTE || bytes[++i] === QUOTE)) i++;
  return i;
}
