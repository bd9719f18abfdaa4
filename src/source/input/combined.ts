import { UsageError } from "../../platform/errors.ts";
import { quoteClipped } from "../../redact/clip.ts";
import { unescapeQuoted } from "./escapes.ts";
import type { FieldWatch } from "./field_watch.ts";
import { type Fields, withDefaultField } from "./fields.ts";
import { LineFields } from "./line_fields.ts";
import { LINE_FEED, type LineReader } from "./lines.ts";
import { type Sink } from "./sink.ts";
import { timeListOf } from "./time_list.ts";
import type { TimedField } from "./timed_field.ts";
import {
  isBlank,
  isDigit,
  isNumber,
  listEnd,
  methodEnd,
  quotedEnd,
  requestEnd,
  startsWithHttp,
  timeBegin,
  tokenEnd,
} from "./combined_tokens.ts";

/** Fields of a line of an access log; `query` is the part of the request after its `?`, which `path` is without. */
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

const REMEDY = "describe the lines with --log-format";

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
const CLOSE_BRACKET = 93;
const CARRIAGE_RETURN = 13;

/**
 * The access log that nginx (`combined`) and Apache (`combined`, `common`, `vhost_combined`) write by default, and what
 * people put behind it, which may be `request_time`: a number with a unit of time, else the only number, or list of the
 * times of several upstreams, which is their sum. A field that is `-` is missing, but for `bytes`, where Apache means 0
 * by it. A request that is none, as of a port scan, leaves method, path and protocol out. Attributes are strings.
 */
export class CombinedReader implements LineReader {
  readonly #sink: Sink;
  readonly #line: LineFields;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** For each place of LineFields, the index of its field. */
  readonly #places: readonly number[];
  readonly #wantsRequest: boolean;
  readonly #from = new Int32Array(COMBINED_FIELDS.length);
  readonly #to = new Int32Array(COMBINED_FIELDS.length);
  readonly #trailing: TrailingTimes;
  readonly #measuresTime: boolean;
  #onNoUnit: (() => void) | undefined;

  /**
   * Throws a UsageError for a field that such a log has not; the default value field stands for `request_time`.
   * `onNoUnit` is called once, when a `request_time` that is measured has no unit of time.
   */
  constructor(
    fields: Fields,
    sink: Sink,
    watch: FieldWatch,
    timed: TimedField,
    onNoUnit?: () => void,
  ) {
    this.#sink = sink;
    const own = withDefaultField(fields, "request_time");
    this.#line = new LineFields(
      own,
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
        }. For another log format, name the fields with --log-format or --pattern`,
      );
    });
    this.#trailing = new TrailingTimes(this.#decoder);
    this.#onNoUnit = onNoUnit;
    this.#measuresTime = own.values.some(({ field }) => field === "request_time");
    this.#wantsRequest = this.#places.some((place) => place >= METHOD && place <= PROTOCOL);
    timed.certain("time");
    watch.sample = { format: "a combined log", names: COMBINED_FIELDS.slice(0, REQUEST_TIME) };
  }

  /** Makes a reader of all the fields that a line has, of which `fields` has those that are measured. */
  static ofAllFields(
    fields: Fields,
    { sink, watch, timed }: {
      readonly sink: Sink;
      readonly watch: FieldWatch;
      readonly timed: TimedField;
    },
    onNoUnit?: () => void,
  ): CombinedReader {
    const own = (name: string) => COMBINED_FIELDS.some((field) => field === name);
    const all = {
      values: fields.values.filter(({ field }) => own(field)),
      attrFields: COMBINED_FIELDS.map((name) => ({ name, key: name })),
      scale: fields.scale,
    };
    return new CombinedReader(all, sink, watch, timed, onNoUnit);
  }

  /** The fields of a line, none if it is not one of an access log; a `request_time` that is not certain says why. */
  fieldsOf(line: string): Readonly<Record<string, string>> {
    const bytes = new TextEncoder().encode(line);
    if (!this.#find(bytes, 0, bytes.length)) return {};
    this.#hearNoUnit();
    const { problem } = this.#trailing;
    const found: Record<string, string> = problem === undefined ? {} : { request_time: problem };
    for (const [place, name] of COMBINED_FIELDS.entries()) {
      const from = this.#from[place] ?? -1;
      if (from >= 0) found[name] = this.#text(bytes, from, this.#to[place] ?? -1);
    }
    return found;
  }

  #hearNoUnit(): void {
    if (this.#onNoUnit === undefined || !this.#measuresTime || !this.#trailing.hasNoUnit) return;
    this.#onNoUnit();
    this.#onNoUnit = undefined;
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
        this.#hearNoUnit();
        const problem = this.#measuresTime ? this.#trailing.problem : undefined;
        this.#line.take(bytes, view, this.#sink.lines, problem);
      } else if (!isBlank(bytes, at, end)) {
        this.#sink.unusable("not a line of a combined or common access log");
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

  /** Everything behind the size; false when a quote does not close. */
  #rest(bytes: Uint8Array, at: number, end: number): boolean {
    const trailing = this.#trailing;
    trailing.clear();
    let strings = 0;
    for (let i = at; i < end;) {
      if (bytes[i] === SPACE) {
        i++;
      } else if (bytes[i] !== QUOTE) {
        const to = listEnd(bytes, i, end);
        trailing.add(bytes, i, to, UNQUOTED);
        i = to;
      } else {
        const to = quotedEnd(bytes, i + 1, end);
        if (to < 0) return false;
        strings++;
        if (strings > 2) trailing.add(bytes, i + 1, to, QUOTED);
        else this.#note(bytes, strings === 1 ? REFERER : AGENT, i + 1, to);
        i = to + 1;
      }
    }
    trailing.decide(bytes);
    this.#from[REQUEST_TIME] = trailing.from;
    this.#to[REQUEST_TIME] = trailing.to;
    return true;
  }

  #note(bytes: Uint8Array, place: number, from: number, to: number): void {
    if (to === from || (to === from + 1 && bytes[from] === DASH)) return;
    this.#from[place] = from;
    this.#to[place] = to;
  }

  #text(bytes: Uint8Array, from: number, to: number): string {
    const text = unescapeQuoted(this.#decoder.decode(bytes.subarray(from, to)));
    // Only the size can be that.
    if (text === "-") return "0";
    const list = from === this.#from[REQUEST_TIME] ? timeListOf(text) : undefined;
    return list?.kind === "sum" ? list.text : text;
  }
}

const UNQUOTED = 0;
const QUOTED = 1;

/**
 * Finds the one time among the tokens behind an access log's line. Several that it may be, or a `-` in the place of one,
 * are a problem: a line that has both `$request_time` and `$upstream_response_time` would give now one, now the other.
 */
class TrailingTimes {
  readonly #decoder: TextDecoder;
  /** Numbers without a unit, by UNQUOTED and QUOTED. */
  readonly #numbers = new Int32Array(2);
  readonly #dashes = new Int32Array(2);
  #timed = 0;
  /** Tokens that count. */
  #tokens = 0;
  #hasGap = false;
  #first = -1;
  #last = -1;
  /** Where the time is; -1 when there is none. */
  from = -1;
  to = -1;
  /** Why the line has no certain time, though something may be one. */
  problem: string | undefined;

  constructor(decoder: TextDecoder) {
    this.#decoder = decoder;
  }

  /** The time that was found is a plain number. */
  get hasNoUnit(): boolean {
    return this.from >= 0 && this.#timed === 0;
  }

  clear(): void {
    if (this.#tokens === 0) return;
    this.#numbers[UNQUOTED] = this.#numbers[QUOTED] = 0;
    this.#dashes[UNQUOTED] = this.#dashes[QUOTED] = 0;
    this.#timed = this.#tokens = 0;
    this.#hasGap = false;
    this.#first = this.from = this.to = -1;
    this.problem = undefined;
  }

  /** `style` is UNQUOTED or QUOTED. */
  add(bytes: Uint8Array, from: number, to: number, style: number): void {
    if (isNumber(bytes, from, to)) {
      this.#numbers[style] = (this.#numbers[style] ?? 0) + 1;
      if (this.#timed === 0) this.#take(from, to);
    } else if (to === from + 1 && bytes[from] === DASH) {
      this.#dashes[style] = (this.#dashes[style] ?? 0) + 1;
    } else if (isDigit(bytes[from]) || bytes[from] === DASH) {
      const list = timeListOf(this.#decoder.decode(bytes.subarray(from, to)));
      if (list === undefined) return;
      const isGap = list.kind === "gap";
      if (!isGap && list.hasUnit) {
        this.#timed++;
        this.#take(from, to);
        this.#hasGap = false;
      } else {
        this.#numbers[style] = (this.#numbers[style] ?? 0) + 1;
        if (this.#timed === 0) {
          this.#take(from, to);
          this.#hasGap ||= isGap;
        }
      }
    } else return;
    this.#tokens++;
    if (this.#first < 0) this.#first = from;
    this.#last = to;
  }

  #take(from: number, to: number): void {
    this.from = from;
    this.to = to;
  }

  /** Settles `from`, `to` and `problem` when all tokens are there. */
  decide(bytes: Uint8Array): void {
    if (this.#tokens <= 1 && !this.#hasGap) return;
    const [plain = 0, quoted = 0] = this.#numbers;
    const [dashes = 0, quotedDashes = 0] = this.#dashes;
    // nginx's packages write "$http_x_forwarded_for", mostly "-", in quotes: it is not a missing time.
    const others = (plain > 0 ? dashes : 0) + (quoted > 0 ? quotedDashes : 0);
    const isAmbiguous = this.#timed > 1 || (this.#timed === 0 && plain + quoted + others > 1);
    if (isAmbiguous) {
      const shown = quoteClipped(
        this.#decoder.decode(bytes.subarray(this.#first, this.#last)),
        MOST_SHOWN,
      );
      this.problem = `several numbers in ${shown} may be the request time: ${REMEDY}`;
    } else if (this.#hasGap && this.from >= 0) {
      const shown = quoteClipped(
        this.#decoder.decode(bytes.subarray(this.from, this.to)),
        MOST_SHOWN,
      );
      this.problem = `the request time lacks the time of one upstream: ${shown}`;
    }
    if (this.problem !== undefined) this.from = this.to = -1;
  }
}

/** Characters of a line that a message quotes. */
const MOST_SHOWN = 40;
