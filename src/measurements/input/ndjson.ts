import { attributeValue, type Fields, usableValue } from "./fields.ts";
import { AttributeCache } from "./attribute_cache.ts";
import { JsonScanner } from "./json_scanner.ts";
import { LINE_FEED, type LineReader } from "./lines.ts";
import type { Attributes, AttributeValue, Measurement } from "../measurement.ts";
import { RangeIndex } from "./range_index.ts";
import { type Sink, TOO_LONG } from "./sink.ts";

/** The object that attributes come from when no field is named. */
const ATTRIBUTES = "attributes";

/**
 * One JSON object a line. The plain way, JSON.parse, decides everything; but a line whose number and attributes can be
 * found among its bytes, and whose attributes have been there before, needs no parsing.
 */
export class NdjsonReader implements LineReader {
  readonly #fields: Fields;
  readonly #sink: Sink;
  readonly #attributeCache = new AttributeCache();
  readonly #scanner: JsonScanner | undefined;
  readonly #known: RangeIndex<Attributes>;
  // A byte order mark within the input belongs to its line, and what is no UTF-8 becomes U+FFFD.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(fields: Fields, sink: Sink) {
    this.#fields = fields;
    this.#sink = sink;
    const names = fields.attrFields?.map(({ name }) => name) ?? [ATTRIBUTES];
    // Where the value is an attribute as well, every number has its own attributes.
    if (!names.includes(fields.valueField)) {
      this.#scanner = new JsonScanner(fields.valueField, names);
    }
    this.#known = new RangeIndex(names.length);
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    const scanner = this.#scanner;
    const sink = this.#sink;
    const { scale } = this.#fields;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = from; at < to;) {
      sink.lines++;
      const feed = scanner?.scan(bytes, at) ?? -1;
      if (scanner === undefined || feed < 0) {
        const end = bytes.indexOf(LINE_FEED, at);
        this.#plain(bytes.subarray(at, end));
        at = end + 1;
        continue;
      }
      const value = scanner.value * scale;
      const attributes = this.#known.find(view, scanner.from, scanner.to);
      if (attributes !== undefined && value >= 0 && value < Infinity) {
        sink.measured(value + 0, attributes); // 0 of -0
      } else {
        const measurement = this.#plain(bytes.subarray(at, feed));
        if (attributes === undefined && measurement !== undefined) {
          this.#known.add(view, scanner.from, scanner.to, measurement.attributes);
        }
      }
      at = feed + 1;
    }
  }

  tooLong(): void {
    this.#sink.lines++;
    this.#sink.unusable(TOO_LONG);
  }

  end(): void {}

  #plain(line: Uint8Array): Measurement | undefined {
    const text = this.#decoder.decode(line);
    if (text.trim() === "") return undefined;
    const found = ndjsonMeasurement(text, this.#fields, this.#attributeCache);
    if (typeof found === "string") {
      this.#sink.unusable(found);
      return undefined;
    }
    this.#sink.measured(found.value, found.attributes);
    return found;
  }
}

/** The measurement of one line, or why it has none. */
export function ndjsonMeasurement(
  line: string,
  { valueField, attrFields, scale }: Fields,
  attributeCache: AttributeCache,
): Measurement | string {
  const parsed = parse(line);
  if (parsed === undefined) return "no JSON";
  if (!isObject(parsed)) return "no JSON object";
  const value = usableValue(fieldOf(parsed, valueField), scale, `"${valueField}"`);
  if (typeof value === "string") return value;
  const entries = attrFields === undefined
    ? Object.entries(parsed[ATTRIBUTES] ?? {})
    : attrFields.map(({ name, key }) => [key, fieldOf(parsed, name)] as const);
  if (attrFields === undefined && !isObject(parsed[ATTRIBUTES] ?? {})) {
    return `"${ATTRIBUTES}" is no object`;
  }
  const attributes: [string, AttributeValue][] = [];
  for (const [key, raw] of entries) {
    const attribute = attributeValue(raw);
    // OpenTelemetry knows no attribute without a key.
    if (attribute !== undefined && key !== "") attributes.push([key, attribute]);
  }
  return { value, attributes: attributeCache.intern(attributes) };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // no JSON text means undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The field of that name, or else, where the name has dots, the one at that path. */
function fieldOf(object: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  const dot = name.indexOf(".");
  const inner = dot < 0 ? undefined : fieldOf(object, name.slice(0, dot));
  return isObject(inner) ? fieldOf(inner, name.slice(dot + 1)) : undefined;
}
