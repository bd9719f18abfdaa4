import { unescapeQuoted } from "./escapes.ts";
import type { FieldWatch } from "./field_watch.ts";
import type { Fields } from "./fields.ts";
import { LineFields } from "./line_fields.ts";
import { LINE_FEED, type LineReader } from "./lines.ts";
import { type Sink } from "./sink.ts";
import type { TimedField } from "./timed_field.ts";

const QUOTE = 34;
const SINGLE_QUOTE = 39;
const BACKSLASH = 92;
const EQUALS = 61;

/** 1 for what stands between pairs: a space, a tab, a line's end. */
const BLANK = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte === 32 || (byte >= 9 && byte <= 13) ? 1 : 0,
);
/** 1 for what ends a key. */
const KEY_END = BLANK.map((blank, byte) => byte === EQUALS ? 1 : blank);

/**
 * `key=value` pairs, as Go's slog, logrus and go-kit write them: a value with blanks stands in quotes, with escapes; in
 * single ones where Python wrote it (structlog's KeyValueRenderer). A key without a value has an empty one; of a key that
 * comes twice the last counts. Attributes are strings, and an empty value is none.
 */
export class LogfmtReader implements LineReader {
  readonly #sink: Sink;
  readonly #line: LineFields;
  readonly #timed: TimedField;
  readonly #watch: FieldWatch;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #names: readonly Uint8Array[];
  /** 1 for a byte that a wanted key begins with. */
  readonly #begins = new Uint8Array(256);
  /** Why the line is none. */
  #problem: string | undefined;

  constructor(fields: Fields, sink: Sink, watch: FieldWatch, timed: TimedField) {
    this.#sink = sink;
    this.#timed = timed;
    this.#watch = watch;
    this.#line = new LineFields(
      fields,
      sink,
      watch,
      (bytes, from, to) => this.#text(bytes, from, to),
    );
    this.#names = this.#line.names.map((name) => new TextEncoder().encode(name));
    for (const name of this.#names) this.#begins[name[0] ?? 0] = 1;
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = from; at < to;) {
      this.#sink.lines++;
      const first = skipBlanks(bytes, at);
      if (bytes[first] === LINE_FEED) {
        at = first + 1;
        continue;
      }
      if (this.#timed.isSearching) this.#timed.look(this.#pairs(bytes, first));
      this.#watch.sample ??= {
        format: "logfmt",
        names: this.#pairs(bytes, first).map(([name]) => name),
      };
      const feed = this.#find(bytes, first);
      if (this.#problem === undefined) this.#line.take(bytes, view, this.#sink.lines);
      else this.#sink.unusable(this.#problem);
      at = feed + 1;
    }
  }

  tooLong(): void {
    this.#sink.tooLong();
  }

  end(): void {}

  /** Finds the wanted fields of a line; where its line feed is. */
  #find(bytes: Uint8Array, at: number): number {
    this.#line.clear();
    this.#problem = undefined;
    let i = at;
    while (bytes[i] !== LINE_FEED) {
      const key = i;
      if (bytes[i] === QUOTE) {
        // A text without a key.
        i = this.#quotedEnd(bytes, i);
        if (i < 0) return bytes.indexOf(LINE_FEED, key);
        i = skipBlanks(bytes, i);
        continue;
      }
      while (KEY_END[bytes[i] ?? LINE_FEED] === 0) i++;
      const keyEnd = i;
      let value = i;
      if (bytes[i] === EQUALS) {
        value = ++i;
        if (bytes[i] === QUOTE) {
          i = this.#quotedEnd(bytes, i);
          if (i < 0) return bytes.indexOf(LINE_FEED, value);
        } else {
          if (bytes[i] === SINGLE_QUOTE) i = singleQuotedEnd(bytes, i);
          while (BLANK[bytes[i] ?? LINE_FEED] === 0) i++;
        }
      }
      if (this.#begins[bytes[key] ?? 0] === 1) this.#note(bytes, key, keyEnd, value, i);
      i = skipBlanks(bytes, i);
    }
    return i;
  }

  #note(bytes: Uint8Array, key: number, keyEnd: number, from: number, to: number): void {
    const { from: froms, to: tos } = this.#line;
    for (let k = 0; k < this.#names.length; k++) {
      const name = this.#names[k];
      if (name === undefined || !isName(name, bytes, key, keyEnd)) continue;
      froms[k] = from;
      tos[k] = to;
    }
  }

  /** Past the closing quote; -1 when there is none, or when something other than a blank follows it. */
  #quotedEnd(bytes: Uint8Array, at: number): number {
    const end = quoteThatCloses(bytes, at);
    if (end >= 0 && BLANK[bytes[end + 1] ?? LINE_FEED] === 1) return end + 1;
    this.#problem = end < 0 ? "a quote that is not closed" : "text after a closing quote";
    return -1;
  }

  #text(bytes: Uint8Array, from: number, to: number): string {
    const text = this.#decoder.decode(bytes.subarray(from, to));
    return text.startsWith('"') || SINGLE_QUOTED.test(text)
      ? unescapeQuoted(text.slice(1, -1))
      : text;
  }

  /** All fields of a line. */
  #pairs(bytes: Uint8Array, at: number): readonly (readonly [string, string])[] {
    return logfmtPairs(this.#decoder.decode(bytes.subarray(at, bytes.indexOf(LINE_FEED, at))));
  }
}

const SINGLE_QUOTED = /^'(?:[^'\\]|\\.)*'$/;

/** Index of the quote that closes the one at `at`; -1 when the line has none. */
function quoteThatCloses(bytes: Uint8Array, at: number): number {
  const quote = bytes[at];
  let i = at + 1;
  for (let c = bytes[i]; c !== quote; c = bytes[++i]) {
    if (c === BACKSLASH && bytes[i + 1] !== LINE_FEED) i++;
    else if (c === LINE_FEED || c === undefined) return -1;
  }
  return i;
}

/** Past the closing single quote; `at` where none follows that ends the value, as in `'tis`. */
function singleQuotedEnd(bytes: Uint8Array, at: number): number {
  const end = quoteThatCloses(bytes, at);
  return end >= 0 && BLANK[bytes[end + 1] ?? LINE_FEED] === 1 ? end + 1 : at;
}

const PAIRS = /(?<=^|\s)([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'(?=\s|$)|(\S*))/g;

/** Splits a line into its keys and values. */
export function logfmtPairs(line: string): readonly (readonly [key: string, value: string])[] {
  return Array.from(line.matchAll(PAIRS), ([, key = "", double, single, plain = ""]) => {
    const quoted = double ?? single;
    return [key, quoted === undefined ? plain : unescapeQuoted(quoted)];
  });
}

function isName(name: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name[i]) return false;
  return true;
}

/** Where something other than a blank comes, or the line's end. */
function skipBlanks(bytes: Uint8Array, at: number): number {
  let i = at;
  while (BLANK[bytes[i] ?? LINE_FEED] === 1 && bytes[i] !== LINE_FEED) i++;
  return i;
}
