import { ByteNumber } from "./byte_number.ts";
import type { LineScanner } from "./line_scanner.ts";
import { LINE_FEED } from "./lines.ts";

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;

/** Deeper ones are left to JSON.parse. */
const DEEPEST = 16;

/** 1 for a byte that a string has to be looked at for: its end, an escape, a control character (RFC 8259, 7). */
const SPECIAL = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte < 32 || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);

/** Scans one line at a time, on every machine. wasm/json_scanner.ts does the same, and must take no other lines. */
export class JsonScanner implements LineScanner {
  readonly feeds = new Int32Array(1);
  readonly values = new Float64Array(1);
  readonly restFrom = new Int32Array(1);
  readonly restTo = new Int32Array(1);
  readonly from: Int32Array;
  readonly to: Int32Array;

  readonly #number = new ByteNumber();
  readonly #valueField: Uint8Array;
  readonly #fields: readonly Uint8Array[];
  /** A field whose name has a dot may be a path, which is not looked for here. */
  readonly #needed: readonly number[];
  #bytes: Uint8Array = new Uint8Array();

  constructor(valueField: string, fields: readonly string[]) {
    const encoder = new TextEncoder();
    this.#valueField = encoder.encode(valueField);
    this.#fields = fields.map((name) => encoder.encode(name));
    this.#needed = fields.flatMap((name, k) => name.includes(".") ? [k] : []);
    this.from = new Int32Array(fields.length);
    this.to = new Int32Array(fields.length);
  }

  scan(bytes: Uint8Array, from: number): number {
    this.#bytes = bytes;
    const feed = this.#feed(from);
    this.feeds[0] = feed < 0 ? ~bytes.indexOf(LINE_FEED, from) : feed;
    return 1;
  }

  /** Where the line feed of the line is that begins at `at`; -1 when JSON.parse has to decide. */
  #feed(at: number): number {
    this.from.fill(-1);
    this.to.fill(-1);
    const bytes = this.#bytes;
    let i = this.#blanks(at);
    if (bytes[i] !== OPEN_BRACE) return -1;
    let found = false;
    do {
      i = this.#blanks(i + 1);
      if (bytes[i] !== QUOTE) return -1;
      const name = i + 1;
      const nameEnd = this.#plainEnd(name);
      if (nameEnd < 0) return -1;
      i = this.#blanks(nameEnd + 1);
      if (bytes[i] !== COLON) return -1;
      i = this.#blanks(i + 1);
      if (this.#is(this.#valueField, name, nameEnd)) {
        found = true;
        i = this.#numberEnd(i);
      } else {
        const start = i;
        i = this.#valueEnd(i, 0);
        this.#note(name, nameEnd, start, i);
      }
      if (i < 0) return -1;
      i = this.#blanks(i);
    } while (bytes[i] === COMMA);
    if (bytes[i] !== CLOSE_BRACE || !found) return -1;
    i = this.#blanks(i + 1);
    if (bytes[i] !== LINE_FEED) return -1;
    for (const k of this.#needed) if (this.from[k] === -1) return -1;
    return i;
  }

  /** Remembers where a field is if it is one that is meant; of one that comes twice the last, as JSON.parse does. */
  #note(name: number, nameEnd: number, start: number, end: number): void {
    for (let k = 0; k < this.#fields.length; k++) {
      const field = this.#fields[k];
      if (field === undefined || !this.#is(field, name, nameEnd)) continue;
      this.from[k] = start;
      this.to[k] = end;
    }
  }

  /** Past blanks, line feeds not among them. */
  #blanks(at: number): number {
    let i = at;
    for (let c = this.#bytes[i]; c === 32 || c === 9 || c === 13; c = this.#bytes[++i]);
    return i;
  }

  /** Where the string ends that begins at `at`, after its quote; -1 if it has an escape or no end. */
  #plainEnd(at: number): number {
    const bytes = this.#bytes;
    let i = at;
    while (SPECIAL[bytes[i] ?? 0] === 0) i++;
    return bytes[i] === QUOTE ? i : -1;
  }

  /** Past the string whose opening quote is at `at`; -1 if it is none. */
  #stringEnd(at: number): number {
    const bytes = this.#bytes;
    let i = at + 1;
    for (;;) {
      while (SPECIAL[bytes[i] ?? 0] === 0) i++;
      if (bytes[i] === QUOTE) return i + 1;
      if (bytes[i] !== BACKSLASH) return -1;
      i = this.#escapeEnd(i + 1);
      if (i < 0) return -1;
    }
  }

  #escapeEnd(at: number): number {
    switch (this.#bytes[at]) {
      case QUOTE:
      case BACKSLASH:
      case 47: // /
      case 98: // b
      case 102: // f
      case 110: // n
      case 114: // r
      case 116: // t
        return at + 1;
      case 117: // u
        for (let i = at + 1; i < at + 5; i++) if (!isHex(this.#bytes[i] ?? 0)) return -1;
        return at + 5;
      default:
        return -1;
    }
  }

  /** Past the value field's number, in quotes or not. */
  #numberEnd(at: number): number {
    const isString = this.#bytes[at] === QUOTE;
    const end = this.#number.read(this.#bytes, isString ? at + 1 : at);
    this.values[0] = this.#number.value;
    this.restFrom[0] = -1;
    if (!isString || end < 0) return end;
    if (this.#bytes[end] === QUOTE) return end + 1;
    const restTo = this.#plainEnd(end);
    this.restFrom[0] = end;
    this.restTo[0] = restTo;
    return restTo < 0 ? -1 : restTo + 1;
  }

  /** Past any value that begins at `at`; -1 if there is none. */
  #valueEnd(at: number, depth: number): number {
    switch (this.#bytes[at]) {
      case QUOTE:
        return this.#stringEnd(at);
      case OPEN_BRACE:
      case OPEN_BRACKET:
        return depth < DEEPEST ? this.#nestedEnd(at, depth + 1) : -1;
      case 116:
        return this.#wordEnd(at, TRUE);
      case 102:
        return this.#wordEnd(at, FALSE);
      case 110:
        return this.#wordEnd(at, NULL);
      default:
        return this.#number.read(this.#bytes, at);
    }
  }

  #nestedEnd(at: number, depth: number): number {
    const isObject = this.#bytes[at] === OPEN_BRACE;
    const close = isObject ? CLOSE_BRACE : CLOSE_BRACKET;
    let i = this.#blanks(at + 1);
    if (this.#bytes[i] === close) return i + 1;
    for (;;) {
      if (isObject) {
        if (this.#bytes[i] !== QUOTE) return -1;
        i = this.#stringEnd(i);
        if (i < 0) return -1;
        i = this.#blanks(i);
        if (this.#bytes[i] !== COLON) return -1;
        i = this.#blanks(i + 1);
      }
      i = this.#valueEnd(i, depth);
      if (i < 0) return -1;
      i = this.#blanks(i);
      if (this.#bytes[i] === close) return i + 1;
      if (this.#bytes[i] !== COMMA) return -1;
      i = this.#blanks(i + 1);
    }
  }

  #wordEnd(at: number, word: Uint8Array): number {
    return this.#is(word, at, at + word.length) ? at + word.length : -1;
  }

  #is(expected: Uint8Array, from: number, to: number): boolean {
    if (to - from !== expected.length) return false;
    const bytes = this.#bytes;
    for (let i = 0; i < expected.length; i++) if (bytes[from + i] !== expected[i]) return false;
    return true;
  }
}

const [TRUE, FALSE, NULL] = [encoded("true"), encoded("false"), encoded("null")];

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function isHex(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 102) || (byte >= 65 && byte <= 70);
}
