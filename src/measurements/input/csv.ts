import { UsageError } from "../../base/errors.ts";
import { ByteNumber } from "./byte_number.ts";
import { csvField, CsvRecord, QUOTE } from "./csv_record.ts";
import { type Fields, usableValue } from "./fields.ts";
import { AttributeCache } from "./attribute_cache.ts";
import { ByteBuffer } from "../../base/byte_buffer.ts";
import { LINE_FEED, type LineReader, MOST_LINE_BYTES } from "./lines.ts";
import type { Attributes } from "../measurement.ts";
import { RangeIndex } from "./range_index.ts";
import { type Sink, TOO_LONG } from "./sink.ts";

/** What the header row says. */
interface Columns {
  readonly count: number;
  readonly value: number;
  readonly attributes: readonly { readonly column: number; readonly key: string }[];
  /**
   * Which bytes of a record decide its attributes: those of these columns, or, when every column counts, what stands
   * before and after the value.
   */
  readonly deciding: readonly number[] | "around the value";
}

/** CSV with a header row (RFC 4180); attributes are strings, and an empty cell is none. */
export class CsvReader implements LineReader {
  readonly #fields: Fields;
  readonly #sink: Sink;
  readonly #record = new CsvRecord(16);
  readonly #number = new ByteNumber();
  readonly #attributeCache = new AttributeCache();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #columns: Columns | undefined;
  #known = new RangeIndex<Attributes>(0);
  /** The deciding ranges of a record, in the bytes at hand. */
  #from = new Int32Array(0);
  #to = new Int32Array(0);
  /** The begin of a record whose quotes do not close in the lines that were read so far. */
  readonly #held = new ByteBuffer();

  constructor(fields: Fields, sink: Sink) {
    this.#fields = fields;
    this.#sink = sink;
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

  tooLong(): void {
    while (this.#held.length > 0) this.#giveUp();
    this.#sink.lines++;
    this.#sink.unusable(TOO_LONG);
  }

  end(): void {
    while (this.#held.length > 0) this.#giveUp();
  }

  #heldRecords(): void {
    this.#held.drop(this.#records(this.#held.bytes, 0, this.#held.length));
  }

  /** A quote that never closes spoils its own line only: what follows is read anew. */
  #giveUp(): void {
    this.#sink.lines++;
    this.#sink.unusable(UNCLOSED);
    this.#record.reset();
    this.#held.drop(this.#held.bytes.indexOf(LINE_FEED) + 1);
    this.#heldRecords();
  }

  /** Reads whole records; where the first one begins that does not end. */
  #records(bytes: Uint8Array, from: number, to: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const record = this.#record;
    let at = from;
    while (at < to) {
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
      if (!this.#isBlank(bytes, at)) this.#take(bytes, view, at, line);
      at = feed + 1;
    }
    return at;
  }

  #take(bytes: Uint8Array, view: DataView, at: number, line: number): void {
    const record = this.#record;
    const columns = this.#columns;
    if (columns === undefined) return this.#header(bytes, at);
    if (record.malformed) return this.#sink.unusable("text after a closing quote", line);
    if (record.fields !== columns.count) {
      const [is, has] = [record.fields, columns.count].map((n) =>
        `${n} field${n === 1 ? "" : "s"}`
      );
      return this.#sink.unusable(`${is}, but the header has ${has}`, line);
    }
    const value = this.#value(bytes, at, columns.value);
    if (typeof value === "string") return this.#sink.unusable(value, line);
    this.#decide(at, columns);
    let attributes = this.#known.find(view, this.#from, this.#to);
    if (attributes === undefined) {
      attributes = this.#attributes(bytes, at, columns);
      this.#known.add(view, this.#from, this.#to, attributes);
    }
    this.#sink.measured(value, attributes);
  }

  #value(bytes: Uint8Array, at: number, column: number): number | string {
    const from = at + (this.#record.from[column] ?? 0);
    const quote = bytes[from] === QUOTE ? 1 : 0;
    if (this.#number.read(bytes, from + quote) + quote === at + (this.#record.to[column] ?? 0)) {
      const value = this.#number.value * this.#fields.scale;
      if (value >= 0 && value < Infinity) return value + 0; // 0 of -0
    }
    return usableValue(
      this.#text(bytes, at, column),
      this.#fields.scale,
      `"${this.#fields.valueField}"`,
    );
  }

  #attributes(bytes: Uint8Array, at: number, { attributes }: Columns): Attributes {
    return this.#attributeCache.intern(
      attributes.map(({ column, key }) => [key, this.#text(bytes, at, column)] as const)
        .filter(([, value]) => value !== ""),
    );
  }

  #decide(at: number, { deciding, value }: Columns): void {
    const { from, to, fields } = this.#record;
    if (deciding === "around the value") {
      this.#from[0] = at;
      this.#to[0] = at + (from[value] ?? 0);
      this.#from[1] = at + (to[value] ?? 0);
      this.#to[1] = at + (to[fields - 1] ?? 0);
      return;
    }
    for (let k = 0; k < deciding.length; k++) {
      const column = deciding[k] ?? 0;
      this.#from[k] = at + (from[column] ?? 0);
      this.#to[k] = at + (to[column] ?? 0);
    }
  }

  #header(bytes: Uint8Array, at: number): void {
    const names = Array.from(
      { length: this.#record.fields },
      (_, column) => this.#text(bytes, at, column).trim(),
    );
    this.#columns = columnsOf(names, this.#fields);
    const { deciding } = this.#columns;
    const ranges = deciding === "around the value" ? 2 : deciding.length;
    this.#known = new RangeIndex(ranges);
    this.#from = new Int32Array(ranges);
    this.#to = new Int32Array(ranges);
  }

  #isBlank(bytes: Uint8Array, at: number): boolean {
    if (this.#record.fields !== 1) return false;
    const from = at + (this.#record.from[0] ?? 0);
    const to = at + (this.#record.to[0] ?? 0);
    for (let i = from; i < to; i++) if (bytes[i] !== 32 && bytes[i] !== 9) return false;
    return true;
  }

  #text(bytes: Uint8Array, at: number, column: number): string {
    const from = at + (this.#record.from[column] ?? 0);
    const to = at + (this.#record.to[column] ?? 0);
    return csvField(this.#decoder.decode(bytes.subarray(from, to)));
  }
}

const UNCLOSED = "a quote that is not closed";

function columnsOf(names: readonly string[], { valueField, attrFields }: Fields): Columns {
  const find = (name: string, flag: string) => {
    const column = names.indexOf(name);
    if (column >= 0) return column;
    const has = names.map((n) => JSON.stringify(n)).join(", ");
    throw new UsageError(
      `The first line of the CSV input names no column ${JSON.stringify(name)}: it names ${
        has.length > 200 ? `${has.slice(0, 200)}…` : has
      }. Name the right one with ${flag}`,
    );
  };
  const value = find(valueField, "--value-field");
  if (attrFields === undefined) {
    const attributes = names.map((key, column) => ({ key, column })).filter(({ key, column }) =>
      key !== "" && column !== value
    );
    return { count: names.length, value, attributes, deciding: "around the value" };
  }
  const attributes = attrFields.map(({ name, key }) => ({
    key,
    column: find(name, "--attr-field"),
  }));
  return {
    count: names.length,
    value,
    attributes,
    deciding: attributes.map(({ column }) => column),
  };
}
