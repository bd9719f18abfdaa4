import type { Attributes } from "../../aggregate/measurement.ts";
import { AttributeCache, gather, type Gathered, NO_ATTRIBUTES } from "./attribute_cache.ts";
import { ByteNumber } from "./byte_number.ts";
import type { FieldWatch } from "./field_watch.ts";
import type { AttrField, Fields } from "./fields.ts";
import { pathOr, plainLine } from "./plain_line.ts";
import { RangeIndex } from "./range_index.ts";
import type { Sink } from "./sink.ts";
import { TimeReader } from "./time_reader.ts";
import { type Conversion, conversionsOf } from "./value.ts";
import type { Condition } from "./where.ts";

const QUOTE = 34;

/** Decodes the text in bytes[from, to), without its quotes and escapes. */
export type FieldText = (bytes: Uint8Array, from: number, to: number) => string;

/**
 * Collector of a line's fields, found by a reader of any format whose fields are ranges of bytes. Bytes that were met
 * before are not decoded again.
 */
export class LineFields {
  /** Which field each place is for; one may have several. */
  readonly names: readonly string[];
  /** Where each one is in the bytes at hand; -1 when the line has none. */
  readonly from: Int32Array;
  readonly to: Int32Array;

  readonly #fields: Fields;
  readonly #attrFields: readonly AttrField[];
  readonly #conversions: readonly Conversion[];
  readonly #sink: Sink;
  readonly #watch: FieldWatch;
  readonly #text: FieldText;
  readonly #number = new ByteNumber();
  readonly #times: TimeReader | undefined;
  readonly #conditions: ConditionIndex | undefined;
  readonly #attributeCache = new AttributeCache();
  readonly #known: RangeIndex<Attributes>;
  /** The values of the line at hand, NaN where it has none. */
  readonly #values: Float64Array;
  /** The places of the first value and of the time. */
  readonly #firstValue: number;
  readonly #time: number;

  constructor(fields: Fields, sink: Sink, watch: FieldWatch, text: FieldText) {
    const { values, attrFields = [], where = [], timeField, timeFormat = "auto", timeZone } =
      fields;
    this.names = [
      ...attrFields.map(({ name }) => name),
      ...where.map(({ field }) => field),
      ...values.map(({ field }) => field),
      ...timeField === undefined ? [] : [timeField],
    ];
    this.from = new Int32Array(this.names.length);
    this.to = new Int32Array(this.names.length);
    this.#fields = fields;
    this.#attrFields = attrFields;
    this.#conversions = conversionsOf(fields);
    this.#values = new Float64Array(values.length);
    this.#sink = sink;
    this.#watch = watch;
    this.#text = text;
    this.#firstValue = attrFields.length + where.length;
    this.#time = this.#firstValue + values.length;
    this.#known = new RangeIndex(attrFields.length);
    if (timeField !== undefined) this.#times = new TimeReader(timeFormat, timeZone);
    if (where.length > 0) {
      this.#conditions = new ConditionIndex(where, watch, text);
    }
  }

  /** Begins a line: it has none of the fields. */
  clear(): void {
    for (let k = 0; k < this.from.length; k++) {
      this.from[k] = -1;
      this.to[k] = -1;
    }
  }

  /** Measures the line, or says why not. `view` is of the same bytes; with a `problem` the line is skipped or invalid. */
  take(bytes: Uint8Array, view: DataView, line: number, problem?: string): void {
    const first = this.#attrFields.length;
    if (this.#conditions?.hold(bytes, view, this.from, this.to, first) === false) {
      this.#sink.skipped++;
      return;
    }
    if (problem !== undefined) return this.#sink.unusable(problem, line);
    if (!this.#readValues(bytes)) return this.#takePlain(bytes, view, line);
    if (this.#times === undefined) {
      return this.#sink.measuredLine(this.#values, this.#attributesOf(bytes, view), undefined);
    }
    const from = this.from[this.#time] ?? -1;
    const time = from < 0 ? NaN : this.#times.read(bytes, from, this.to[this.#time] ?? -1);
    if (Number.isNaN(time)) return this.#takePlain(bytes, view, line);
    this.#sink.measuredLine(this.#values, this.#attributesOf(bytes, view), time);
  }

  /** Reads a line that is not written as most are, by way of strings. */
  #takePlain(bytes: Uint8Array, view: DataView, line: number): void {
    const field = (name: string) => {
      const k = this.names.indexOf(name);
      const from = this.from[k] ?? -1;
      return from < 0 ? undefined : this.#text(bytes, from, this.to[k] ?? -1);
    };
    const found = plainLine(field, this.#fields, this.#conversions, this.#watch);
    if (found === undefined) this.#sink.skipped++;
    else if (typeof found === "string") this.#sink.unusable(found, line);
    else this.#sink.measuredLine(found.values, this.#attributesOf(bytes, view), found.time);
  }

  /** Reads the line's values; false when it has none, or bytes have to become text first. */
  #readValues(bytes: Uint8Array): boolean {
    const count = this.#conversions.length;
    let missing = 0;
    for (let k = 0; k < count; k++) {
      const from = this.from[this.#firstValue + k] ?? -1;
      const to = this.to[this.#firstValue + k] ?? -1;
      const conversion = this.#conversions[k];
      if (from < 0 || from === to || conversion === undefined) {
        this.#values[k] = NaN;
        missing++;
        continue;
      }
      const value = byteValue(this.#number, conversion, bytes, from, to);
      if (!(value >= 0 && value < Infinity)) return false;
      this.#values[k] = value + 0; // 0 of -0
    }
    return missing < count;
  }

  #attributesOf(bytes: Uint8Array, view: DataView): Attributes {
    if (this.#attrFields.length === 0) return NO_ATTRIBUTES;
    const known = this.#known.find(view, this.from, this.to);
    if (known !== undefined) return known;
    const gathered: Gathered = {};
    for (const [k, { name, key }] of this.#attrFields.entries()) {
      const from = this.from[k] ?? -1;
      const raw = from < 0 ? "" : this.#text(bytes, from, this.to[k] ?? -1);
      const text = pathOr(raw, name, this.#fields);
      if (text === "") continue;
      gather(gathered, key, text);
      this.#watch.attribute(name, text);
    }
    const attributes = this.#known.learns ? this.#attributeCache.intern(gathered) : gathered;
    this.#known.add(view, this.from, this.to, attributes);
    return attributes;
  }
}

/** Converts the number in bytes[from, to), in quotes or not; NaN when they have to become text first. */
export function byteValue(
  number: ByteNumber,
  { scale, duration, decimalComma }: Conversion,
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  if (decimalComma) return NaN;
  const isQuoted = bytes[from] === QUOTE && bytes[to - 1] === QUOTE;
  const first = isQuoted ? from + 1 : from;
  const last = isQuoted ? to - 1 : to;
  const end = number.read(bytes, first);
  if (end === last) return number.value * scale;
  if (end < 0 || end > last || duration === undefined) return NaN;
  return duration.convertBytes(number.value, bytes, end, last);
}

/** Tries conditions on ranges of bytes, once for the same bytes. */
export class ConditionIndex {
  readonly #conditions: readonly Condition[];
  readonly #watch: FieldWatch;
  readonly #text: (bytes: Uint8Array, from: number, to: number) => string | undefined;
  readonly #known: RangeIndex<boolean>;

  constructor(
    conditions: readonly Condition[],
    watch: FieldWatch,
    text: (bytes: Uint8Array, from: number, to: number) => string | undefined,
  ) {
    this.#conditions = conditions;
    this.#watch = watch;
    this.#text = text;
    this.#known = new RangeIndex(conditions.length);
  }

  /** `view` is of the same bytes; the conditions' ranges are those that begin at place `at` of `from` and `to`. */
  hold(bytes: Uint8Array, view: DataView, from: Int32Array, to: Int32Array, at: number): boolean {
    const known = this.#known.find(view, from, to, at);
    if (known !== undefined) return known;
    let all = true;
    for (const [k, { field, holds }] of this.#conditions.entries()) {
      const start = from[at + k] ?? -1;
      const text = start < 0 ? undefined : this.#text(bytes, start, to[at + k] ?? -1);
      if (text !== undefined) this.#watch.tested(field);
      if (!holds(text)) all = false;
    }
    this.#known.add(view, from, to, all, at);
    return all;
  }
}
