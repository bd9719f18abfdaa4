import { UsageError } from "../../platform/errors.ts";
import { unescaped } from "./escapes.ts";
import type { FieldWatch } from "./field_watch.ts";
import type { Fields } from "./fields.ts";
import { LineFields } from "./line_fields.ts";
import { LINE_FEED, type LineReader } from "./lines.ts";
import { type Sink } from "./sink.ts";
import type { TimedField } from "./timed_field.ts";

/** What a line of an access log has; `query` is what stands behind the `?` of the request, which `path` is without. */
export const COMBINED_FIELDS = [
  "remote_addr",
  "user",
  "time",
  "method",
  "path",
  "query",
  "protocol",
  "status",
  "bytes",
  "referer",
  "agent",
  "request_time",
] as const;

/** Their places in the list above. */
const REMOTE_ADDR = 0;
const USER = 1;
const TIME = 2;
const METHOD = 3;
const PATH = 4;
const QUERY = 5;
const PROTOCOL = 6;
const STATUS = 7;
const BYTES = 8;
const REFERER = 9;
const AGENT = 10;
const REQUEST_TIME = 11;

const SPACE = 32;
const QUOTE = 34;
const DASH = 45;
const QUESTION = 63;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const CARRIAGE_RETURN = 13;

/**
 * The access log that nginx (`combined`) and Apache (`combined`, `common`, `vhost_combined`) write by default, and what
 * people put behind it: if exactly one number stands there, it is `request_time`. A field that is `-` is missing, but for
 * `bytes`, where Apache means 0 by it. A request that is none, as of a port scan, leaves method, path and protocol out.
 * Attributes are strings.
 */
export class CombinedReader implements LineReader {
  readonly #sink: Sink;
  readonly #line: LineFields;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** Of each place of LineFields, which field it is for. */
  readonly #places: readonly number[];
  readonly #wantsRequest: boolean;
  readonly #from = new Int32Array(COMBINED_FIELDS.length);
  readonly #to = new Int32Array(COMBINED_FIELDS.length);

  /** Throws a UsageError for a field that such a log has not; the default value field stands for `request_time`. */
  constructor(fields: Fields, sink: Sink, watch: FieldWatch, timed: TimedField) {
    this.#sink = sink;
    const valueField = fields.valueField === "value" ? "request_time" : fields.valueField;
    this.#line = new LineFields(
      { ...fields, valueField },
      sink,
      watch,
      (bytes, from, to) => this.#text(bytes, from, to),
    );
    this.#places = this.#line.names.map((name) => {
      const place = COMBINED_FIELDS.findIndex((field) => field === name);
      if (place >= 0) return place;
      throw new UsageError(
        `The input is a combined log, which has no field ${JSON.stringify(name)}: it has ${
          COMBINED_FIELDS.join(", ")
        }. For another log format, name the fields with --input-format pattern and --pattern`,
      );
    });
    this.#wantsRequest = this.#places.some((place) => place >= METHOD && place <= PROTOCOL);
    timed.certain("time");
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { from: froms, to: tos } = this.#line;
    for (let at = from; at < to;) {
      this.#sink.lines++;
      const feed = bytes.indexOf(LINE_FEED, at);
      const end = feed > at && bytes[feed - 1] === CARRIAGE_RETURN ? feed - 1 : feed;
      if (this.#find(bytes, at, end)) {
        for (let k = 0; k < this.#places.length; k++) {
          const place = this.#places[k] ?? 0;
          const from = this.#from[place] ?? -1;
          froms[k] = from;
          tos[k] = from < 0 ? -1 : this.#to[place] ?? -1;
        }
        this.#line.take(bytes, view, this.#sink.lines);
      } else if (!isBlank(bytes, at, end)) {
        this.#sink.unusable("not a line of a combined or common log");
      }
      at = feed + 1;
    }
  }

  tooLong(): void {
    this.#sink.tooLong();
  }

  end(): void {}

  /** Finds the fields of the line in bytes[at, end); false when it is none. */
  #find(bytes: Uint8Array, at: number, end: number): boolean {
    this.#from.fill(-1);
    const address = tokenEnd(bytes, at, end);
    if (address === at) return false;
    const open = timeBegin(bytes, address, end);
    if (open < 0) return false;
    let time = open;
    while (time < end && bytes[time] !== CLOSE_BRACKET) time++;
    if (time + 3 > end || bytes[time + 1] !== SPACE || bytes[time + 2] !== QUOTE) return false;
    const request = requestEnd(bytes, time + 3, end);
    if (request < 0) return false;
    const status = request + 2;
    const statusEnd = tokenEnd(bytes, status, end);
    const size = statusEnd + 1;
    const sizeEnd = tokenEnd(bytes, size, end);
    if (sizeEnd <= size) return false;
    this.#callers(bytes, at, address, open);
    this.#note(bytes, TIME, open + 1, time);
    if (this.#wantsRequest) this.#request(bytes, time + 3, request);
    this.#note(bytes, STATUS, status, statusEnd);
    this.#note(bytes, BYTES, size, sizeEnd);
    // Apache's %b: "a '-' rather than a 0 when no bytes are sent".
    if (this.#from[BYTES] === -1) [this.#from[BYTES], this.#to[BYTES]] = [size, sizeEnd];
    return this.#rest(bytes, sizeEnd, end);
  }

  /** Address, identity and user, before the time; with the virtual host in front of them there is one token more. */
  #callers(bytes: Uint8Array, at: number, addressEnd: number, open: number): void {
    let from = at;
    let to = addressEnd;
    let identity = tokenEnd(bytes, to + 1, open);
    const third = identity + 1;
    const isHost = identity - to !== 2 || bytes[to + 1] !== DASH;
    if (
      isHost && tokenEnd(bytes, third, open) === third + 1 && bytes[third] === DASH &&
      third + 2 < open
    ) {
      [from, to] = [to + 1, identity];
      identity = third + 1;
    }
    this.#note(bytes, REMOTE_ADDR, from, to);
    if (identity + 1 < open - 1) this.#note(bytes, USER, identity + 1, open - 1);
  }

  /** `METHOD target PROTOCOL`; HTTP/0.9 has no protocol. */
  #request(bytes: Uint8Array, from: number, to: number): void {
    const method = methodEnd(bytes, from, to);
    if (method < 0) return;
    let end = to;
    let protocol = to;
    while (protocol > method && bytes[protocol - 1] !== SPACE) protocol--;
    if (startsWithHttp(bytes, protocol) && protocol > method + 1) {
      this.#note(bytes, PROTOCOL, protocol, to);
      end = protocol - 1;
    }
    this.#note(bytes, METHOD, from, method);
    let query = method + 1;
    while (query < end && bytes[query] !== QUESTION) query++;
    this.#note(bytes, PATH, method + 1, query);
    if (query < end) this.#note(bytes, QUERY, query + 1, end);
  }

  /** What stands behind the size; false when a quote does not close. */
  #rest(bytes: Uint8Array, at: number, end: number): boolean {
    let strings = 0;
    let numbers = 0;
    for (let i = at; i < end;) {
      if (bytes[i] === SPACE) {
        i++;
        continue;
      }
      let from = i;
      let to = i;
      if (bytes[i] === QUOTE) {
        from++;
        to = quotedEnd(bytes, from, end);
        if (to < 0) return false;
        i = to + 1;
        if (++strings <= 2) {
          this.#note(bytes, strings === 1 ? REFERER : AGENT, from, to);
          continue;
        }
      } else {
        to = i = tokenEnd(bytes, i, end);
      }
      if (!isNumber(bytes, from, to)) continue;
      numbers++;
      this.#note(bytes, REQUEST_TIME, from, to);
    }
    // Of several nobody knows which.
    if (numbers > 1) this.#from[REQUEST_TIME] = -1;
    return true;
  }

  #note(bytes: Uint8Array, place: number, from: number, to: number): void {
    if (to === from || (to === from + 1 && bytes[from] === DASH)) return;
    this.#from[place] = from;
    this.#to[place] = to;
  }

  #text(bytes: Uint8Array, from: number, to: number): string {
    const text = unescaped(this.#decoder.decode(bytes.subarray(from, to)));
    // Only the size can be that.
    return text === "-" ? "0" : text;
  }
}

/** Where the token that begins at `at` ends: at a space, or at the end. */
function tokenEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] !== SPACE) i++;
  return i;
}

/** Where the bracket is that begins the time: after a space, and followed by a digit. */
function timeBegin(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    if (bytes[i] === OPEN_BRACKET && bytes[i - 1] === SPACE && isDigit(bytes[i + 1])) return i;
  }
  return -1;
}

/** The quote that ends the request: a space and the status follow it. Some servers escape no quotes. */
function requestEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i + 2 < end; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE && bytes[i + 1] === SPACE) {
      if (isDigit(bytes[i + 2]) || bytes[i + 2] === DASH) return i;
    }
  }
  return -1;
}

/** The quote that ends a string: a space or the line's end follows it. */
function quotedEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE && (i + 1 === end || bytes[i + 1] === SPACE)) return i;
  }
  return -1;
}

/** Where a method ends, letters and what may stand between them, with a space behind it; -1 when there is none. */
function methodEnd(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  for (let c = bytes[i] ?? 0; i < to; c = bytes[++i] ?? 0) {
    const isLetter = (c | 32) >= 97 && (c | 32) <= 122;
    if (!isLetter && (i === from || (c !== DASH && c !== 95))) break;
  }
  return i > from && i + 1 < to && bytes[i] === SPACE ? i : -1;
}

function startsWithHttp(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 72 && bytes[at + 1] === 84 && bytes[at + 2] === 84 &&
    bytes[at + 3] === 80 && bytes[at + 4] === 47;
}

/** Digits with a point in between or not. */
function isNumber(bytes: Uint8Array, from: number, to: number): boolean {
  let points = 0;
  for (let i = from; i < to; i++) {
    if (bytes[i] === 46) points++;
    else if (!isDigit(bytes[i])) return false;
  }
  return to > from && points <= 1 && isDigit(bytes[from]);
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
}

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== SPACE && bytes[i] !== 9) return false;
  return true;
}
