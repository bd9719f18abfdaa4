import type { Attributes } from "../measurement.ts";
import { AttributeCache, gather, type Gathered, NO_ATTRIBUTES } from "./attribute_cache.ts";
import { ByteNumber } from "./byte_number.ts";
import type { FieldWatch } from "./field_watch.ts";
import type { AttrField, Fields } from "./fields.ts";
import { histogramOf, holdsHistogram } from "./histogram_line.ts";
import { JsonScanner } from "./json_scanner.ts";
import { ConditionIndex } from "./line_fields.ts";
import { LINE_FEED, type LineReader } from "./lines.ts";
import { attributeValue, conditionsHold, plainLine, timeOf } from "./plain_line.ts";
import { RangeIndex } from "./range_index.ts";
import { shortText } from "./short_text.ts";
import { type Sink } from "./sink.ts";
import { TimeReader } from "./time.ts";
import type { TimedField } from "./timed_field.ts";
import { type Conversion, conversionOf } from "./value.ts";

const QUOTE = 34;

/** The object that attributes come from when no field is named. */
const ATTRIBUTES = "attributes";

/**
 * One JSON object a line. The plain way, JSON.parse, decides everything; but a line whose number and attributes can be
 * found among its bytes, and whose attributes have been there before, needs no parsing.
 */
export class NdjsonReader implements LineReader {
  readonly #fields: Fields;
  readonly #attrFields: readonly AttrField[] | undefined;
  readonly #conversion: Conversion;
  readonly #sink: Sink;
  readonly #watch: FieldWatch;
  readonly #timed: TimedField;
  readonly #attributeCache = new AttributeCache();
  readonly #scanner: JsonScanner | undefined;
  readonly #conditions: ConditionIndex | undefined;
  readonly #times: TimeReader | undefined;
  /** The place of the time among the scanner's fields. */
  readonly #time: number;
  readonly #known: RangeIndex<Attributes>;
  readonly #number = new ByteNumber();
  // A byte order mark within the input belongs to its line, and what is no UTF-8 becomes U+FFFD.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(fields: Fields, sink: Sink, watch: FieldWatch, timed: TimedField) {
    this.#fields = fields;
    this.#attrFields = fields.attrFields;
    this.#conversion = conversionOf(fields);
    this.#sink = sink;
    this.#watch = watch;
    this.#timed = timed;
    const { valueField, where = [], timeField, timeFormat = "auto" } = fields;
    const attributes = fields.attrFields?.map(({ name }) => name) ?? [ATTRIBUTES];
    const tested = where.map(({ field }) => field);
    const names = [...attributes, ...tested, ...timeField === undefined ? [] : [timeField]];
    // Where the value is an attribute as well, every number has its own attributes.
    if (!names.includes(valueField)) {
      const scanner = new JsonScanner(valueField, names);
      this.#scanner = scanner;
      if (tested.length > 0) {
        this.#conditions = new ConditionIndex(
          where,
          scanner.from,
          scanner.to,
          attributes.length,
          watch,
          (bytes, from, to) => this.#text(bytes, from, to),
        );
      }
      if (timeField !== undefined) this.#times = new TimeReader(timeFormat);
    }
    this.#time = names.length - 1;
    this.#known = new RangeIndex(attributes.length);
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    const scanner = this.#scanner;
    const sink = this.#sink;
    const conditions = this.#conditions;
    const times = this.#times;
    const timed = this.#timed;
    const { scale, duration } = this.#conversion;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = from; at < to;) {
      sink.lines++;
      if (timed.wanted) this.#look(bytes, at);
      const feed = scanner?.scan(bytes, at) ?? -1;
      if (scanner === undefined || feed < 0) {
        const end = bytes.indexOf(LINE_FEED, at);
        this.#plain(bytes.subarray(at, end));
        at = end + 1;
        continue;
      }
      if (conditions !== undefined && !conditions.hold(bytes, view)) {
        sink.skipped++;
        at = feed + 1;
        continue;
      }
      const value = scanner.restFrom < 0
        ? scanner.value * scale
        : duration?.convertBytes(scanner.value, bytes, scanner.restFrom, scanner.restTo) ?? NaN;
      const time = times === undefined ? 0 : this.#timeOf(times, scanner, bytes);
      const attributes = value >= 0 && value < Infinity && time >= 0
        ? this.#known.find(view, scanner.from, scanner.to) ?? this.#learn(bytes, view, scanner)
        : undefined;
      if (attributes === undefined) this.#plain(bytes.subarray(at, feed));
      // 0 of -0
      else if (times === undefined) sink.measured(value + 0, attributes);
      else sink.measuredAt(value + 0, attributes, time);
      at = feed + 1;
    }
  }

  tooLong(): void {
    this.#sink.tooLong();
  }

  end(): void {}

  /** NaN when the time has to be looked at more closely. */
  #timeOf(times: TimeReader, scanner: JsonScanner, bytes: Uint8Array): number {
    const from = scanner.from[this.#time] ?? -1;
    return from < 0 ? NaN : times.read(bytes, from, scanner.to[this.#time] ?? -1);
  }

  /** Measures a line, or says why not. */
  #plain(line: Uint8Array): void {
    const sink = this.#sink;
    const text = this.#decoder.decode(line);
    if (text.trim() === "") return;
    const parsed = parse(text);
    if (!isObject(parsed)) {
      return sink.unusable(parsed === undefined ? "no JSON" : "no JSON object");
    }
    const field = (name: string) => fieldOf(parsed, name);
    const { valueField } = this.#fields;
    if (field(valueField) === undefined && holdsHistogram(parsed)) {
      return this.#histogram(parsed, field);
    }
    const found = plainLine(field, this.#fields, this.#conversion, this.#watch);
    if (found === undefined) {
      sink.skipped++;
      return;
    }
    if (typeof found === "string") return sink.unusable(found);
    const attributes = this.#attributes(field);
    if (attributes === undefined) return sink.unusable(NO_OBJECT);
    if (found.time === undefined) sink.measured(found.value, attributes);
    else sink.measuredAt(found.value, attributes, found.time);
  }

  #histogram(line: JsonObject, field: (name: string) => unknown): void {
    const sink = this.#sink;
    if (!conditionsHold(field, this.#fields, this.#watch)) {
      sink.skipped++;
      return;
    }
    const figures = histogramOf(line, this.#fields.scale);
    if (typeof figures === "string") return sink.unusable(figures);
    const time = timeOf(field, this.#fields);
    if (typeof time === "string") return sink.unusable(time);
    const attributes = this.#attributes(field);
    if (attributes === undefined) return sink.unusable(NO_OBJECT);
    sink.histogram({ ...figures, attributes, ...time === undefined ? {} : { time } });
  }

  /** Attributes that are met for the first time; undefined when the object of attributes is none. */
  #learn(bytes: Uint8Array, view: DataView, { from, to }: JsonScanner): Attributes | undefined {
    const json = (place: number) => {
      const start = from[place] ?? -1;
      return start < 0 ? undefined : this.#json(bytes, start, to[place] ?? -1);
    };
    const attributes = this.#attrFields === undefined
      ? this.#ofObject(json(0))
      : this.#named(this.#attrFields, json);
    if (attributes !== undefined) this.#known.add(view, from, to, attributes);
    return attributes;
  }

  #attributes(field: (name: string) => unknown): Attributes | undefined {
    const attrFields = this.#attrFields;
    return attrFields === undefined
      ? this.#ofObject(field(ATTRIBUTES))
      : this.#named(attrFields, (place) => field(attrFields[place]?.name ?? ""));
  }

  #named(attrFields: readonly AttrField[], valueAt: (place: number) => unknown): Attributes {
    const gathered: Gathered = {};
    attrFields.forEach(({ name, key }, place) => this.#gather(gathered, name, key, valueAt(place)));
    return this.#interned(gathered);
  }

  /** Undefined when that is no object. */
  #ofObject(source: unknown): Attributes | undefined {
    if (source === undefined || source === null) return NO_ATTRIBUTES;
    if (!isObject(source)) return undefined;
    const gathered: Gathered = {};
    for (const [key, raw] of Object.entries(source)) this.#gather(gathered, key, key, raw);
    return this.#interned(gathered);
  }

  #gather(gathered: Gathered, name: string, key: string, raw: unknown): void {
    const attribute = attributeValue(raw);
    // OpenTelemetry knows no attribute without a key.
    if (attribute === undefined || key === "") return;
    gather(gathered, key, attribute);
    this.#watch.attribute(name, attribute);
  }

  #interned(attributes: Attributes): Attributes {
    return this.#known.learns ? this.#attributeCache.intern(attributes) : attributes;
  }

  /** What the JSON in bytes[from, to) means. */
  #json(bytes: Uint8Array, from: number, to: number): unknown {
    const text = bytes[from] === QUOTE ? shortText(bytes, from + 1, to - 1) : undefined;
    if (text !== undefined) return text;
    if (this.#number.read(bytes, from) === to) return this.#number.value;
    return parse(this.#decoder.decode(bytes.subarray(from, to)));
  }

  /** What a condition sees of the JSON in bytes[from, to). */
  #text(bytes: Uint8Array, from: number, to: number): string | undefined {
    const value = attributeValue(this.#json(bytes, from, to));
    return value === undefined ? undefined : String(value);
  }

  #look(bytes: Uint8Array, at: number): void {
    const line = parse(this.#decoder.decode(bytes.subarray(at, bytes.indexOf(LINE_FEED, at))));
    if (isObject(line)) this.#timed.look(Object.entries(line));
  }
}

const NO_OBJECT = `"${ATTRIBUTES}" is no object`;

type JsonObject = Readonly<Record<string, unknown>>;

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // no JSON text means undefined
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The field of that name, or else, where the name has dots, the one at that path. */
function fieldOf(object: JsonObject, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  const dot = name.indexOf(".");
  const inner = dot < 0 ? undefined : fieldOf(object, name.slice(0, dot));
  return isObject(inner) ? fieldOf(inner, name.slice(dot + 1)) : undefined;
}
