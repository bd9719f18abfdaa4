import type { Attributes } from "../../aggregate/measurement.ts";
import { AttributeCache, gather, type Gathered, NO_ATTRIBUTES } from "./attribute_cache.ts";
import { ByteNumber } from "./byte_number.ts";
import type { FieldWatch } from "./field_watch.ts";
import type { Fields } from "./fields.ts";
import { histogramOf, holdsHistogram } from "./histogram_line.ts";
import { fieldOf, isObject, parseJson } from "../../platform/json_object.ts";
import { JsonScanner } from "./json_scanner.ts";
import { byteValue, ConditionIndex } from "./line_fields.ts";
import type { LineScanner } from "./line_scanner.ts";
import { LINE_FEED, type LineReader } from "./lines.ts";
import { attributeValue, conditionsHold, pathOr, plainLine, timeOf } from "./plain_line.ts";
import { RangeIndex } from "./range_index.ts";
import { shortText } from "./short_text.ts";
import { type Sink } from "./sink.ts";
import { TimeReader } from "./time_reader.ts";
import type { TimedField } from "./timed_field.ts";
import { type Conversion, conversionsOf } from "./value.ts";

const QUOTE = 34;

/** The object that attributes come from when no field is named. */
const ATTRIBUTES = "attributes";

/** From so many bytes on the scanner in WebAssembly is worth its 2.5 ms of loading. */
const MANY_BYTES = 2 ** 16;

/**
 * One JSON object per line. The plain way, JSON.parse, decides everything; but a line whose number and attributes can be
 * found among its bytes, and whose attributes have been there before, needs no parsing.
 */
export class NdjsonReader implements LineReader {
  readonly #fields: Fields;
  readonly #conversions: readonly Conversion[];
  readonly #sink: Sink;
  readonly #watch: FieldWatch;
  readonly #timed: TimedField;
  readonly #attributeCache = new AttributeCache();
  /** Undefined where JSON.parse decides about every line. */
  #scanner: LineScanner | undefined;
  /** Why there is none in WebAssembly, where there has to be one. */
  #broken: { readonly error: unknown } | undefined;
  /** Name of the field whose number the scanner reads. */
  readonly #valueField: string;
  /** Names of the fields that the scanner looks for. */
  readonly #names: readonly string[];
  /** Number of bytes still to be read before the scanner in WebAssembly is loaded. */
  #before: number;
  readonly #conditions: ConditionIndex | undefined;
  readonly #times: TimeReader | undefined;
  /** The scanner's first fields are those of the attributes, and the conditions' ones follow. */
  readonly #attributeCount: number;
  /** The places of the time and of the second value among the scanner's fields. */
  readonly #time: number;
  readonly #secondValue: number;
  /** The values of the line at hand, NaN where it has none. */
  readonly #values: Float64Array;
  readonly #known: RangeIndex<Attributes>;
  readonly #number = new ByteNumber();
  // A byte order mark within the input belongs to its line, and bytes that are not UTF-8 become U+FFFD.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** The scanner in WebAssembly is loaded when `manyBytes` are reached. */
  constructor(
    fields: Fields,
    sink: Sink,
    watch: FieldWatch,
    timed: TimedField,
    manyBytes = MANY_BYTES,
  ) {
    this.#fields = fields;
    this.#conversions = conversionsOf(fields);
    this.#sink = sink;
    this.#watch = watch;
    this.#timed = timed;
    const { values, where = [], timeField, timeFormat = "auto", timeZone } = fields;
    // The scanner reads the number of one field, and finds the others.
    const [valueField = "", ...otherValues] = values.map(({ field }) => field);
    const attributes = fields.attrFields?.map(({ name }) => name) ?? [ATTRIBUTES];
    const tested = where.map(({ field }) => field);
    const names = [
      ...attributes,
      ...tested,
      ...timeField === undefined ? [] : [timeField],
      ...otherValues,
    ];
    // Where the value is an attribute as well, every number has its own attributes.
    if (!names.includes(valueField) && !fields.decimalComma) {
      this.#scanner = new JsonScanner(valueField, names);
      if (tested.length > 0) {
        this.#conditions = new ConditionIndex(
          where,
          watch,
          (bytes, from, to) => this.#text(bytes, from, to),
        );
      }
      if (timeField !== undefined) this.#times = new TimeReader(timeFormat, timeZone);
    }
    this.#names = names;
    this.#before = this.#scanner === undefined ? Infinity : manyBytes;
    this.#valueField = valueField;
    this.#time = attributes.length + tested.length;
    this.#secondValue = names.length - otherValues.length;
    this.#values = new Float64Array(values.length);
    this.#attributeCount = attributes.length;
    this.#known = new RangeIndex(attributes.length);
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const scanner = this.#scanner;
    if (scanner === undefined) {
      for (let at = from; at < to; at = this.#unscanned(bytes, at, bytes.indexOf(LINE_FEED, at)));
      return;
    }
    this.#before -= to - from;
    if (this.#broken !== undefined) throw this.#broken.error;
    if (this.#before <= 0) this.loadWasm().catch((error) => this.#broken = { error });
    for (let at = from; at < to;) {
      const count = scanner.scan(bytes, at, to);
      at = this.#scanned(scanner, count, bytes, view, at);
    }
  }

  /** Takes the lines that were scanned, from `at` on; returns where the next one begins. */
  #scanned(
    scanner: LineScanner,
    count: number,
    bytes: Uint8Array,
    view: DataView,
    begin: number,
  ): number {
    const sink = this.#sink;
    const conditions = this.#conditions;
    const times = this.#times;
    const timed = this.#timed;
    const { scale = NaN, duration } = this.#conversions[0] ?? {};
    const hasOthers = this.#values.length > 1;
    const { feeds, values, restFrom, restTo, from, to } = scanner;
    const fields = this.#names.length;
    let at = begin;
    for (let line = 0, first = 0; line < count; line++, first += fields) {
      const feed = feeds[line] ?? -1;
      if (feed < 0) {
        at = this.#unscanned(bytes, at, ~feed);
        continue;
      }
      sink.lines++;
      if (timed.isSearching) this.#look(bytes, at);
      if (
        conditions !== undefined &&
        !conditions.hold(bytes, view, from, to, first + this.#attributeCount)
      ) {
        sink.skipped++;
        at = feed + 1;
        continue;
      }
      const rest = restFrom[line] ?? -1;
      const number = values[line] ?? NaN;
      const value = rest < 0
        ? number * scale
        : duration?.convertBytes(number, bytes, rest, restTo[line] ?? -1) ?? NaN;
      const time = times === undefined ? 0 : this.#timeOf(times, bytes, from, to, first);
      const isSound = value >= 0 && value < Infinity && time >= 0 &&
        (!hasOthers || this.#readOthers(bytes, from, to, first));
      const attributes = isSound
        ? this.#known.find(view, from, to, first) ?? this.#learn(bytes, view, from, to, first)
        : undefined;
      if (attributes === undefined) this.#plain(bytes.subarray(at, feed));
      else if (hasOthers) {
        this.#values[0] = value + 0;
        sink.measuredLine(this.#values, attributes, times === undefined ? undefined : time);
      } // 0 of -0
      else if (times === undefined) sink.measured(value + 0, attributes);
      else sink.measuredAt(value + 0, attributes, time);
      at = feed + 1;
    }
    return at;
  }

  /** Takes the line in bytes[at, feed), about which JSON.parse decides; returns where the next one begins. */
  #unscanned(bytes: Uint8Array, at: number, feed: number): number {
    this.#sink.lines++;
    if (this.#timed.isSearching) this.#look(bytes, at);
    this.#plain(bytes.subarray(at, feed));
    return feed + 1;
  }

  /** Whether the scanner in WebAssembly is in use. */
  get usesWasm(): boolean {
    return this.#scanner !== undefined && !(this.#scanner instanceof JsonScanner);
  }

  /** Loads the scanner in WebAssembly, once, and uses it from then on; where it cannot run, the plain one stays. */
  async loadWasm(): Promise<void> {
    this.#before = Infinity;
    const { wasmScanner } = await import("./wasm_scanner.ts");
    if (this.#scanner !== undefined) {
      this.#scanner = wasmScanner(this.#valueField, this.#names) ?? this.#scanner;
    }
  }

  tooLong(): void {
    this.#sink.tooLong();
  }

  end(): void {}

  /** NaN when the time has to be looked at more closely. */
  #timeOf(
    times: TimeReader,
    bytes: Uint8Array,
    from: Int32Array,
    to: Int32Array,
    first: number,
  ): number {
    const start = from[first + this.#time] ?? -1;
    return start < 0 ? NaN : times.read(bytes, start, to[first + this.#time] ?? -1);
  }

  /** Reads the values but the first; false when bytes have to become text first. */
  #readOthers(bytes: Uint8Array, from: Int32Array, to: Int32Array, first: number): boolean {
    for (let k = 1; k < this.#values.length; k++) {
      const place = first + this.#secondValue + k - 1;
      const start = from[place] ?? -1;
      const conversion = this.#conversions[k];
      if (start < 0 || conversion === undefined) {
        this.#values[k] = NaN;
        continue;
      }
      const value = byteValue(this.#number, conversion, bytes, start, to[place] ?? -1);
      if (!(value >= 0 && value < Infinity)) return false;
      this.#values[k] = value + 0; // 0 of -0
    }
    return true;
  }

  /** Measures a line, or says why not. */
  #plain(line: Uint8Array): void {
    const sink = this.#sink;
    const text = this.#decoder.decode(line);
    if (text.trim() === "") return;
    const parsed = parseExactly(text);
    if (!isObject(parsed)) {
      return sink.unusable(parsed === undefined ? whyNotJson(text.trim()) : "not a JSON object");
    }
    const field = (name: string) => fieldOf(parsed, name);
    if (
      holdsHistogram(parsed) && this.#conversions.every((each) => field(each.field) === undefined)
    ) {
      return this.#histogram(text, field);
    }
    const found = plainLine(field, this.#fields, this.#conversions, this.#watch);
    if (found === undefined) {
      sink.skipped++;
      return;
    }
    if (typeof found === "string") {
      this.#watch.sample ??= { format: "NDJSON", names: Object.keys(parsed) };
      return sink.unusable(found);
    }
    const attributes = this.#attributes(field);
    if (attributes === undefined) return sink.unusable(NO_OBJECT);
    sink.measuredLine(found.values, attributes, found.time);
  }

  #histogram(text: string, field: (name: string) => unknown): void {
    const sink = this.#sink;
    const line = parseJson(text);
    if (!isObject(line)) throw new Error("a line that was an object is not");
    if (!conditionsHold(field, this.#fields, this.#watch)) {
      sink.skipped++;
      return;
    }
    if (this.#conversions.length > 1) {
      return sink.unusable("a histogram, but --value-field names several metrics");
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
  #learn(
    bytes: Uint8Array,
    view: DataView,
    from: Int32Array,
    to: Int32Array,
    first: number,
  ): Attributes | undefined {
    const attributes = this.#attributes((_, place) => {
      const start = from[first + place] ?? -1;
      return start < 0 ? undefined : this.#json(bytes, start, to[first + place] ?? -1);
    });
    if (attributes !== undefined) this.#known.add(view, from, to, attributes, first);
    return attributes;
  }

  /** Gathers the named fields, or takes the object of attributes; undefined when that is not an object. */
  #attributes(field: (name: string, place: number) => unknown): Attributes | undefined {
    const { attrFields } = this.#fields;
    if (attrFields === undefined) return this.#ofObject(field(ATTRIBUTES, 0));
    const gathered: Gathered = {};
    let place = 0;
    for (const { name, key } of attrFields) {
      this.#gather(gathered, name, key, field(name, place++));
    }
    return this.#interned(gathered);
  }

  /** Undefined when that is not an object. */
  #ofObject(source: unknown): Attributes | undefined {
    if (source === undefined || source === null) return NO_ATTRIBUTES;
    if (!isObject(source)) return undefined;
    const gathered: Gathered = {};
    for (const [key, raw] of Object.entries(source)) this.#gather(gathered, key, key, raw);
    return this.#interned(gathered);
  }

  #gather(gathered: Gathered, name: string, key: string, raw: unknown): void {
    const value = attributeValue(raw);
    const attribute = typeof value === "string" ? pathOr(value, name, this.#fields) : value;
    // OpenTelemetry knows no attribute without a key.
    if (attribute === undefined || key === "") return;
    gather(gathered, key, attribute);
    this.#watch.attribute(name, attribute);
  }

  #interned(attributes: Attributes): Attributes {
    return this.#known.learns ? this.#attributeCache.intern(attributes) : attributes;
  }

  /** Decodes the JSON in bytes[from, to). */
  #json(bytes: Uint8Array, from: number, to: number): unknown {
    const text = bytes[from] === QUOTE ? shortText(bytes, from + 1, to - 1) : undefined;
    if (text !== undefined) return text;
    if (this.#number.read(bytes, from) === to && Math.abs(this.#number.value) < EXACT) {
      return this.#number.value;
    }
    return parseExactly(this.#decoder.decode(bytes.subarray(from, to)));
  }

  /** Decodes the JSON in bytes[from, to) into the text that a condition tests. */
  #text(bytes: Uint8Array, from: number, to: number): string | undefined {
    const value = attributeValue(this.#json(bytes, from, to));
    return value === undefined ? undefined : String(value);
  }

  #look(bytes: Uint8Array, at: number): void {
    const line = parseJson(this.#decoder.decode(bytes.subarray(at, bytes.indexOf(LINE_FEED, at))));
    if (isObject(line)) this.#timed.look(Object.entries(line));
  }
}

const NO_OBJECT = `"${ATTRIBUTES}" is not an object`;

/** Says why a line is not JSON, and names the command that mends it, if there is one. */
function whyNotJson(line: string): string {
  if (line.endsWith(",") && parseJson(line.slice(0, -1)) !== undefined) {
    return "a comma follows the object: remove it with sed 's/,[[:space:]]*$//'";
  }
  return /^\{.*\}\s*\{.*\}$/.test(line)
    ? "not JSON; split several objects in one line with jq -c ."
    : "not JSON";
}

/** The value of JSON, where an integer that a double does not hold exactly keeps its digits, as a string. */
function parseExactly(text: string): unknown {
  if (!LONG_INTEGER.test(text)) return parseJson(text);
  try {
    // The types do not know the third argument yet (ECMA-262, JSON.parse source text access).
    return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) => {
      const source = context?.source ?? "";
      const isInexact = typeof value === "number" && Math.abs(value) >= EXACT;
      return isInexact && INTEGER.test(source) ? source : value;
    });
  } catch {
    return undefined;
  }
}

/** Every integer below this is a double. */
const EXACT = 2 ** 53;
const LONG_INTEGER = /\d{16}/;
const INTEGER = /^-?\d+$/;
