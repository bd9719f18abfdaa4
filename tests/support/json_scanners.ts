import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { seededRandom } from "../../src/source/generate/random.ts";
import { FieldWatch } from "../../src/source/input/field_watch.ts";
import type { Fields } from "../../src/source/input/fields.ts";
import { JsonScanner } from "../../src/source/input/json_scanner.ts";
import type { LineScanner } from "../../src/source/input/line_scanner.ts";
import { LineSplitter } from "../../src/source/input/lines.ts";
import { NdjsonReader } from "../../src/source/input/ndjson.ts";
import { type Batch, Sink } from "../../src/source/input/sink.ts";
import { TimedField } from "../../src/source/input/timed_field.ts";
import { wasmScanner } from "../../src/source/input/wasm_scanner.ts";
import { type Condition, parseCondition } from "../../src/source/input/where.ts";
import { concat } from "./http.ts";

const SEED = 20_261_124;

const LINE_FEED = 10;
const encoder = new TextEncoder();

/** The same as JsonScanner, or the test fails: it is run where there is SIMD. */
export function fast(valueField: string, fields: readonly string[]): LineScanner {
  const scanner = wasmScanner(valueField, fields);
  assert.ok(scanner !== undefined);
  return scanner;
}

/** Results of a scanner for whole lines: the line feed of each and, unless JSON.parse decides, all figures. */
export function scanned(scanner: LineScanner, fields: number, bytes: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const count = scanner.scan(bytes, at, bytes.length);
    assert.ok(count > 0);
    for (let i = 0; i < count; i++) {
      const feed = scanner.feeds[i] ?? NaN;
      found.push(feed);
      at = (feed < 0 ? ~feed : feed) + 1;
      if (feed < 0) continue;
      const rest = scanner.restFrom[i] ?? NaN;
      found.push(scanner.values[i] ?? NaN, rest, rest < 0 ? -1 : scanner.restTo[i] ?? NaN);
      for (let k = i * fields; k < (i + 1) * fields; k++) {
        found.push(scanner.from[k] ?? NaN, scanner.to[k] ?? NaN);
      }
    }
  }
  return found;
}

/** A reader that lives on from one input to the next, with all that it learns, and what it says of one. */
class Subject {
  readonly #reader: NdjsonReader;
  readonly #sink: Sink;
  readonly #timed = new TimedField(true);
  #said: unknown[] = [];

  constructor(fields: Fields) {
    this.#sink = new Sink((...complaint) => this.#said.push(complaint));
    const watch = new FieldWatch((...many) => this.#said.push(many));
    // It never turns to WebAssembly by itself.
    this.#reader = new NdjsonReader(fields, this.#sink, watch, this.#timed, Infinity);
  }

  get usesWasm(): boolean {
    return this.#reader.usesWasm;
  }

  loadWasm(): Promise<void> {
    return this.#reader.loadWasm();
  }

  read(bytes: Uint8Array, cuts: readonly number[]): Said {
    this.#said = [];
    const sink = this.#sink;
    sink.begin("");
    const before = [sink.lines, sink.measurements, sink.histograms, sink.invalid, sink.skipped];
    const splitter = new LineSplitter(this.#reader);
    let at = 0;
    for (const cut of [...cuts, bytes.length]) {
      splitter.push(bytes.slice(at, cut));
      at = cut;
    }
    splitter.end();
    const counts = [sink.lines, sink.measurements, sink.histograms, sink.invalid, sink.skipped]
      .map((count, i) => count - (before[i] ?? 0));
    return { batch: sink.drain(), counts, said: this.#said, timed: this.#timed.name };
  }
}

interface Said {
  readonly batch: Batch | undefined;
  readonly counts: readonly number[];
  readonly said: readonly unknown[];
  readonly timed: string | undefined;
}

function sameNumbers(some: readonly number[], others: readonly number[]): boolean {
  return some.length === others.length && some.every((number, i) => Object.is(number, others[i]));
}

function conditions(...texts: readonly string[]): Condition[] {
  return texts.map((text) => parseCondition(text)).filter((condition) => "holds" in condition);
}

const named = (...names: readonly string[]) => names.map((name) => ({ name, key: name }));

const LONG_NAME = "a_name_of_more_bytes_than_are_remembered_of_a_place_in_the_line_before_it";
const SIXTEEN = "sixteen_bytes_16";

const VARIANTS: readonly Fields[] = [
  { values: [{ field: "value" }], attrFields: undefined, scale: 1 },
  { values: [{ field: "value" }], attrFields: named("status", "method"), scale: 1 },
  { values: [{ field: "value" }], attrFields: [], scale: 1 },
  {
    values: [{ field: "value" }],
    attrFields: undefined,
    scale: 1000,
    where: conditions("status=200"),
  },
  {
    values: [{ field: "value" }],
    attrFields: named("http.method", "status"),
    scale: 1,
    where: conditions("method~^G", "status!=404"),
  },
  { values: [{ field: "value" }], attrFields: named("status"), scale: 1, timeField: "time" },
  {
    values: [{ field: "value", unit: "ms" }],
    attrFields: undefined,
    scale: 1,
    timeField: "ts",
    timeFormat: "ms",
    where: conditions("größe=€"),
  },
  { values: [{ field: "value", unit: "s" }], attrFields: named("method"), scale: 0.1 },
  { values: [{ field: "" }], attrFields: named(LONG_NAME, "größe", SIXTEEN), scale: 1 },
  { values: [{ field: LONG_NAME }], attrFields: named("", "value", "status", "method"), scale: 1 },
  { values: [{ field: 'va"l\\ue' }], attrFields: named("status"), scale: 1 },
  {
    values: [{ field: "value" }],
    attrFields: [{ name: "status", key: "a" }, { name: "status", key: "b" }],
    scale: 1,
    where: conditions("status~."),
    timeField: "status",
  },
  { values: [{ field: SIXTEEN }], attrFields: named("attributes", "größe"), scale: 1 },
  { values: [{ field: "value" }], attrFields: named("value"), scale: 1 },
  {
    values: [{ field: "value", unit: "ms" }, { field: "status" }, { field: "größe", unit: "s" }],
    attrFields: named("method"),
    scale: 1,
    timeField: "time",
  },
];

/** Parts of an input; `random` is uniform in [0, 1). */
class Inputs {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  /** Whether something happens that does so once in so many times. */
  rarely(times: number): boolean {
    return this.#random() * times < 1;
  }

  of<T>(values: readonly [T, ...T[]]): T {
    return values[this.below(values.length)] ?? values[0];
  }

  /** Lines of much the same layout, as those of a log, and then damaged. */
  bytes(valueField: string): Uint8Array {
    const members = Array.from({ length: this.below(7) }, () => this.#name());
    if (!this.rarely(10)) {
      members.splice(this.below(members.length + 1), 0, JSON.stringify(valueField));
    }
    const blank = this.rarely(5) ? " " : "";
    const end = this.rarely(5) ? "\r\n" : "\n";
    let text = "";
    const count = this.rarely(2000) ? this.below(3000) : this.below(5);
    for (let i = 0; i <= count; i++) text += this.#line(members, blank, valueField) + end;
    if (this.rarely(4)) text = text.slice(0, -this.below(5) - 1);
    let bytes: Uint8Array = encoder.encode(text);
    for (let edits = this.rarely(3) ? 1 + this.below(4) : 0; edits > 0; edits--) {
      bytes = this.#edited(bytes);
    }
    return bytes;
  }

  /** Where to cut so many bytes. */
  cuts(length: number): number[] {
    if (this.rarely(3)) return [];
    return Array.from({ length: 1 + this.below(4) }, () => this.below(length + 1)).sort((a, b) =>
      a - b
    );
  }

  #line(members: readonly string[], blank: string, valueField: string): string {
    if (this.rarely(15)) return this.of(ODD_LINES);
    const names = [...members];
    if (this.rarely(6)) names.splice(this.below(names.length + 1), this.below(2), this.#name());
    const value = JSON.stringify(valueField);
    const text = names.map((name) => {
      const odd = this.rarely(20) ? this.#blanks() : blank;
      const member = name === value && !this.rarely(12) ? this.#measured() : this.#value(0);
      return `${odd}${name}${this.rarely(30) ? odd : ""}:${odd}${member}`;
    }).join(this.rarely(40) ? this.#blanks() + "," : ",");
    return `${this.rarely(30) ? this.#blanks() : ""}{${text}${blank}}${
      this.rarely(20) ? this.#blanks() : ""
    }`;
  }

  #blanks(): string {
    return this.of(["", " ", "\t", "  ", "\r", " \t ", "\v", "\u00a0", " ".repeat(20)]);
  }

  #name(): string {
    if (this.rarely(30)) return this.rarely(2) ? this.#string() : this.of(ODD_NAMES);
    return this.of(NAMES);
  }

  /** A text for the value field. */
  #measured(): string {
    const number = this.#number();
    if (!this.rarely(4)) return number;
    return `"${number}${
      this.of(["", "ms", "s", " ms", "µs", "m", "h3m", "\\u006ds", '\\"', "1"])
    }"`;
  }

  #number(): string {
    switch (this.below(8)) {
      case 0:
        return this.rarely(4) ? this.of(ODD_NUMBERS) : this.of(NUMBERS);
      case 1:
        return String(this.#random() * 10 ** (this.below(30) - 8));
      case 2:
        return this.#digits(1 + this.below(24)) + "." + this.#digits(1 + this.below(26));
      case 3:
        return `0.${"0".repeat(this.below(24))}${this.#digits(1 + this.below(20))}`;
      case 4:
        return (this.#random() * 1000).toFixed(this.below(9));
      case 5:
        return `${this.rarely(3) ? "-" : ""}${this.#digits(1 + this.below(19))}`;
      case 6:
        return `${this.below(1000)}.${this.#digits(1 + this.below(10))}`;
      default:
        return String(this.below(10 ** this.below(9)));
    }
  }

  #digits(count: number): string {
    let text = String(1 + this.below(9));
    while (text.length < count) text += this.rarely(6) ? "0" : String(this.below(10));
    return text;
  }

  #value(depth: number): string {
    switch (this.below(depth > 3 ? 7 : 9)) {
      case 0:
      case 1:
      case 2:
        return this.#string();
      case 3:
        return this.of(['"200"', "200", "404", '"GET"', '"PUT"', '"€"', "true", "false", "null"]);
      case 4:
        return this.#number();
      case 5:
        return String(this.below(1000));
      case 6:
        return this.rarely(6) ? this.of(ODD_VALUES) : this.of(VALUES);
      case 7: {
        const count = this.below(4);
        const members = Array.from(
          { length: count },
          () => `${this.#name()}:${this.#value(depth + 1)}`,
        );
        return `{${this.rarely(5) ? this.#blanks() : ""}${members.join(this.of([",", ", "]))}}`;
      }
      default: {
        const items = Array.from({ length: this.below(4) }, () => this.#value(depth + 1));
        return `[${this.rarely(5) ? this.#blanks() : ""}${items.join(this.of([",", " ,"]))}]`;
      }
    }
  }

  #string(): string {
    // Its end falls on each place among sixteen bytes.
    const plain = this.rarely(50) ? this.below(600) : this.below(36);
    const filling = this.rarely(4) ? this.of(["ä", "€", "😀", "\u007f", "\u0080"]) : "x";
    let text = filling.repeat(plain);
    if (this.rarely(4)) text += this.of(PIECES) + filling.repeat(this.below(36));
    if (this.rarely(40)) text += this.of(ODD_PIECES) + filling.repeat(this.below(36));
    return `"${text}"`;
  }

  /** Some bytes cut out, some twice, one more, or one replaced. */
  #edited(bytes: Uint8Array): Uint8Array {
    const at = this.below(bytes.length);
    const length = this.below(4);
    switch (this.below(4)) {
      case 0:
        return concat([bytes.subarray(0, at), bytes.subarray(at + length + 1)]);
      case 1:
        return concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 4 * length))]);
      case 2:
        return concat([bytes.subarray(0, at), Uint8Array.of(this.#byte()), bytes.subarray(at)]);
      default:
        return concat([bytes.subarray(0, at), Uint8Array.of(this.#byte()), bytes.subarray(at + 1)]);
    }
  }

  #byte(): number {
    return this.rarely(2) ? encoder.encode(this.of(MARKS))[0] ?? 0 : this.below(256);
  }
}

const MARKS: [string, ...string[]] = ['"', "\\", ",", ":", "{", "}", "[", "]", "\n", "\r", " "];
MARKS.push("0", "1", ".", "-", "+", "e", "E", "u", "t", "\0", "\x1f", "\x7f");

const NAMES: [string, ...string[]] = ['"value"', '"status"', '"method"', '"attributes"', '"time"'];
NAMES.push('"ts"', '"größe"', '"http.method"', '"http"', '""', `"${LONG_NAME}"`, `"${SIXTEEN}"`);
NAMES.push('"valu"', '"value "', '"other"', '"__proto__"', '"constructor"', '"sixteen_bytes_1"');
NAMES.push(`"${LONG_NAME}r"`, `"${LONG_NAME.slice(0, -1)}"`, '"status"', '"method"', '"größ"');

const ODD_NAMES: [string, ...string[]] = ['"val\\u0075e"', '"\\u0076alue"', '"s\\tatus"', "value"];
ODD_NAMES.push('"va\\"l\\\\ue"', '"va"l\\ue"', "'status'", '"counts"', '"sum"', '"bounds"', "1");

const NUMBERS: [string, ...string[]] = ["0", "-0", "-0.0", "1e5", "0.1", "0.30000000000000004"];
NUMBERS.push("1E-7", "1e400", "-1e400", "1e-400", "9007199254740992", "9007199254740993", "1e+2");
NUMBERS.push(
  "9007199254740991",
  "90071992547409.91",
  "0.9007199254740993",
  "12345678",
  "123456789",
);
NUMBERS.push("12345678.12345678", "12345678.123456789", "99999999.99999999", "1.5e3", "-1.5E+3");
NUMBERS.push("18446744073709551615", "18446744073709551616", "9999999999999999999", "0.0000000001");
NUMBERS.push("1.7976931348623157e308", "5e-324", "0.0000000000000000000001", "1e22", "1e23", "0e0");
NUMBERS.push(
  "0.00000000000000000000001",
  "123456789012345678901234567890",
  "184467440737095516.15",
);
NUMBERS.push("1234567812345678", "123456781234567812", "1.12345678", "1.123456789", "-12345678.9");

const ODD_NUMBERS: [string, ...string[]] = ["01", "00", "1.", ".5", "1e", "1e+", "-", "-.1", "+1"];
ODD_NUMBERS.push(
  "0x1",
  "NaN",
  "Infinity",
  "-Infinity",
  "00000000.5",
  "1 2",
  "1.5e",
  "0.e1",
  "1.e1",
);
ODD_NUMBERS.push("1,5", "1_0", "--1", "1.2.3", "1e5.5", "1ee5", "-01", "", "1/", "1:", "/1", ":1");

const VALUES: [string, ...string[]] = ["true", "false", "null", "{}", "[]", '{"a":{}}', "[[],[1]]"];
VALUES.push('"2026-01-31T12:00:00.000Z"', "1769860800000", "1769860800", '"1769860800.5"');
VALUES.push('"2026-01-31T12:00:00+02:00"', '"31/Jan/2026:12:00:00 +0000"', '"yesterday"', "-5");
VALUES.push(
  '"2026-13-31T12:00:00Z"',
  '{"a\\u0041":"\\n"}',
  '{"http.method":"GET","b":{"c":[1,2e3]}}',
);
VALUES.push("[".repeat(15) + "]".repeat(15), "[".repeat(16) + "]".repeat(16));
VALUES.push('{"a":'.repeat(16) + "1" + "}".repeat(16), '{"method":"GET","method":"PUT"}');

const ODD_VALUES: [string, ...string[]] = ["tru", "nul", "falsy", "truely", "undefined", "{", "["];
ODD_VALUES.push("}", "]", '"', "", "[1,]", "[,1]", '{"a":1,}', '{"a"}', '{"a":}', "{1:2}", "{a:1}");
ODD_VALUES.push(
  '{"a":1 "b":2}',
  "[1 2]",
  "[1}",
  '{"a":1]',
  '{"a" 1}',
  "[".repeat(17) + "]".repeat(17),
);
ODD_VALUES.push('{"a":'.repeat(17) + "1" + "}".repeat(17), "True", "nulL", "{,}", "[\n]", '"\n"');

const PIECES: [string, ...string[]] = ["\\n", "\\t", "\\r", "\\b", "\\f", "\\/", "\\\\", '\\"'];
PIECES.push("\\u0041", "\\u00e4", "\\u20AC", "\\ud83d\\ude00", "\\ud83d", "\x7f", "€", "😀", "ä");
PIECES.push("\\\\\\\\\\\\", "\u2028", "{", "}", ",", ":", "[]", "'", "\ufeff", "/", "\\u0000");

const ODD_PIECES: [string, ...string[]] = ["\\u00zz", "\\u12", "\\u", "\\x41", "\\a", "\\", "\t"];
ODD_PIECES.push("\\u 123", "\0", "\x1f", "\\U0041", "\\'", "\\0", "\\u/000", "\\u:000", "\\u000G");
ODD_PIECES.push("\\u000@", "\\v", "\\u000`", "\\u000g", "\\\n", '"', "\r", "\n");

const ODD_LINES: [string, ...string[]] = ["", " ", "\r", "\t \r", "{}", "[]", "null", "1", '"a"'];
ODD_LINES.push("{", "}", "not JSON", '{"value":1}}', '{"value":1}{"value":2}', "\ufeff", "\u00a0");
ODD_LINES.push('{"value":1', '{"value"', '{"value":', '{"value":1,', ',"value":1}', '{,"value":1}');
ODD_LINES.push('{"value":1,"value":2}', '{"value":1e5,"value":2}', '{"value":2,"value":1e5}');
ODD_LINES.push('{"value":"1ms","value":2}', '{"value":1,"status":1,"status":2}', '{"value":1,}');
ODD_LINES.push('{"count":3,"sum":6,"bounds":[1,2],"counts":[1,1,1],"attributes":{"a":"b"}}');
ODD_LINES.push('{"bounds":[1,2],"counts":[1,1],"sum":1}', '{"count":1,"sum":"x","buckets":[]}');

/** Description of an input that the readers do not agree about. */
function shown(bytes: Uint8Array, variant: number, index: number, cuts: readonly number[]): string {
  const text = JSON.stringify(new TextDecoder("latin1").decode(bytes.subarray(0, 2000)));
  return `seed ${SEED}, input ${index}, variant ${variant}, cuts ${cuts}: ${text}`;
}

/** Reads so many random inputs with both scanners, and the readers that use them: they have to find the same, to the bit. */
export async function assertSameFindings(count: number): Promise<void> {
  const pairs = await Promise.all(VARIANTS.map(async (fields) => {
    const [plain, wasm] = [new Subject(fields), new Subject(fields)];
    await wasm.loadWasm();
    assert.equal(plain.usesWasm, false);
    // A value that is an attribute as well is for JSON.parse alone.
    assert.equal(wasm.usesWasm, fields.attrFields?.[0]?.name !== "value");
    const { values, attrFields = named("attributes"), where = [], timeField } = fields;
    const [valueField = "", ...others] = values.map(({ field }) => field);
    const names = [...attrFields.map(({ name }) => name), ...where.map(({ field }) => field)];
    if (timeField !== undefined) names.push(timeField);
    names.push(...others);
    const scanners = [new JsonScanner(valueField, names), fast(valueField, names)] as const;
    return { plain, wasm, scanners, names, valueField };
  }));
  const inputs = new Inputs(SEED);
  // JSON.parse throws a lot, and its stack would take more time than all the rest.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  for (let index = 0; index < count; index++) {
    const variant = inputs.below(pairs.length);
    const pair = pairs[variant];
    assert.ok(pair !== undefined);
    const bytes = inputs.bytes(pair.valueField);
    if (!pair.names.includes(pair.valueField)) {
      const whole = new Uint8Array(bytes.length + 1);
      whole.set(bytes);
      whole[bytes.length] = LINE_FEED;
      const [plain, wasm] = pair.scanners;
      const expected = scanned(plain, pair.names.length, whole);
      const found = scanned(wasm, pair.names.length, whole);
      if (!sameNumbers(found, expected)) {
        const at = expected.findIndex((number, i) => !Object.is(number, found[i]));
        assert.fail(`${found[at]}, not ${expected[at]}: ${shown(bytes, variant, index, [])}`);
      }
    }
    const short = bytes.length <= 24;
    for (let cut = short ? 0 : bytes.length; cut <= bytes.length; cut++) {
      const cuts = short ? [cut] : inputs.cuts(bytes.length);
      const expected: Said = pair.plain.read(bytes, cuts);
      const found: Said = pair.wasm.read(bytes, cuts);
      if (!isDeepStrictEqual(found, expected)) {
        assert.deepEqual(found, expected, shown(bytes, variant, index, cuts));
      }
    }
  }
  Error.stackTraceLimit = stackTraceLimit;
}
