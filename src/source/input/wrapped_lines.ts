import { formatOf, type InputFormat } from "./format.ts";
import { logfmtPairs } from "./logfmt.ts";
import { LINE_FEED, type LineReader, plainText } from "./lines.ts";
import { fieldOf, isObject, type JsonObject, parseJson } from "../../platform/json_object.ts";
import type { Fields } from "./fields.ts";
import type { LineObjects, PlainFormat } from "./outer_fields.ts";
import type { Pattern } from "./pattern.ts";
import type { Sink } from "./sink.ts";

/** A program's line with what its container runtime or journal says about it. */
interface WrappedLine {
  /** The outer fields as the text of a JSON object. */
  readonly outer: string;
  readonly inner: string;
  /** Undefined: the line is whole; else the stream in which its rest follows. */
  readonly continues?: string | undefined;
}

/** A way in which other programs store lines: each line becomes one of theirs, undefined when it is not. */
export interface Wrapping {
  readonly unwrap: (line: string) => WrappedLine | undefined;
  /** Lines that are free text have fields all the same: the outer ones. */
  readonly hasMeasurements: boolean;
}

/** Lines as containerd and CRI-O write them: time, stream, F for a whole line or P for a part. */
const CRI = /^(\d{4}-\d\d-\d\dT\S+) (stdout|stderr) ([FP])(?:\S*) ?(.*)$/s;
/** `docker compose logs` names the container in front of each line; the number makes it certain. */
const COMPOSE = /^([\w.-]+[-_]\d+) +\| ?(.*)$/s;
const COMPOSE_ANY = /^([\w.@-]+) +\| ?(.*)$/s;
/** JSON or logfmt, which make a prefix certain that other programs may write as well. */
const STRUCTURED = String.raw`(\{.*|[A-Za-z_@][\w.@/-]*=.*)`;
/** A name that the user chose (`container_name`) has no number, and that of `docker service logs` ends in a node. */
const COMPOSE_NAMED = new RegExp(String.raw`^[\w.@-]+ +\| ${STRUCTURED}$`, "s");
const LOG_TIME = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (.*)$/s;
/** A line of JSON or logfmt behind the time of `kubectl logs --timestamps`; free text may begin with a time of its own. */
const STAMPED = new RegExp(LOG_TIME.source.replace("(.*)", STRUCTURED), "s");
/** `kubectl logs --prefix` names pod and container in front of each line. */
const KUBECTL = /^\[pod\/([^\]/]+)\/([^\]]+)\] (.*)$/s;

const DOCKER: Wrapping = {
  hasMeasurements: false,
  unwrap(line) {
    const object = objectOf(line);
    if (object === undefined) return undefined;
    const { log, stream } = object;
    if (typeof log !== "string" || typeof stream !== "string") return undefined;
    const isWhole = log.endsWith("\n");
    return {
      outer: line,
      inner: isWhole ? log.slice(0, -1) : log,
      continues: isWhole ? undefined : stream,
    };
  },
};

const JOURNALD: Wrapping = {
  hasMeasurements: true,
  unwrap(line) {
    const object = objectOf(line);
    if (object === undefined) return undefined;
    return { outer: line, inner: journalMessage(object["MESSAGE"]) };
  },
};

/**
 * A message with control characters, such as colours, or bytes that are not UTF-8, is a list of its bytes. One that is too
 * long is null: its line is invalid, not blank.
 */
function journalMessage(message: unknown): string {
  if (typeof message === "string") return message;
  if (!Array.isArray(message) || !message.every(isByte)) return JSON.stringify(message) ?? "";
  return new TextDecoder().decode(Uint8Array.from(message));
}

function isByte(item: unknown): item is number {
  return typeof item === "number" && Number.isInteger(item) && item >= 0 && item <= 255;
}

/** NDJSON that is unwrapped by `--unwrap` alone. */
export const PLAIN_JSON: Wrapping = {
  hasMeasurements: true,
  unwrap: (line) => ({ outer: line, inner: "" }),
};

/**
 * Recognises the wrapping of an input by its first line; undefined when there is none. A pattern describes a time in
 * front of a line itself.
 */
export function wrappingOf(line: string, format: InputFormat | "auto"): Wrapping | undefined {
  if (CRI.test(line)) return { hasMeasurements: false, unwrap: unwrapCri };
  const isCompose = COMPOSE.test(line) || (format !== "pattern" && COMPOSE_NAMED.test(line));
  if (isCompose) return { hasMeasurements: false, unwrap: unwrapCompose };
  if (KUBECTL.test(line)) return { hasMeasurements: false, unwrap: unwrapKubectl };
  if (format !== "pattern" && STAMPED.test(line)) {
    return { hasMeasurements: false, unwrap: unwrapStamped };
  }
  if (!line.startsWith("{")) return undefined;
  const object = objectOf(line);
  if (object === undefined) return undefined;
  if ("__REALTIME_TIMESTAMP" in object) return JOURNALD;
  return "time" in object && DOCKER.unwrap(line) !== undefined ? DOCKER : undefined;
}

function unwrapCri(line: string): WrappedLine | undefined {
  const match = CRI.exec(line);
  if (match === null) return undefined;
  const [, time, stream, tag, inner = ""] = match;
  return {
    outer: JSON.stringify({ time, stream }),
    inner,
    continues: tag === "P" ? stream : undefined,
  };
}

function unwrapCompose(line: string): WrappedLine | undefined {
  const match = COMPOSE_ANY.exec(line);
  if (match === null) return undefined;
  const [, container, rest = ""] = match;
  return stamped({ container }, rest);
}

function unwrapKubectl(line: string): WrappedLine | undefined {
  const match = KUBECTL.exec(line);
  if (match === null) return undefined;
  const [, pod, container, rest = ""] = match;
  return stamped({ pod, container }, rest);
}

function unwrapStamped(line: string): WrappedLine | undefined {
  return LOG_TIME.test(line) ? stamped({}, line) : undefined;
}

/** A line in front of which its time may stand, as `--timestamps` of Docker and Kubernetes puts it there. */
function stamped(names: Readonly<Record<string, string | undefined>>, text: string): WrappedLine {
  const [, time, inner = text] = LOG_TIME.exec(text) ?? [];
  return { outer: JSON.stringify({ ...names, time }), inner };
}

function objectOf(line: string): JsonObject | undefined {
  const parsed = parseJson(line);
  return isObject(parsed) ? parsed : undefined;
}

/** Options of unwrapping lines. */
export interface UnwrapOptions {
  readonly format: InputFormat | "auto";
  /** The field whose text is JSON or logfmt as well. */
  readonly unwrap: string | undefined;
  readonly sink: Sink;
  /** The reader of the lines inside, of a format that `auto` is not. */
  readonly readerOf: (format: InputFormat, fields?: Fields) => LineReader;
  /** Objects of lines that have no fields of their own for all that is asked for; undefined where they are enough. */
  readonly objectsOf: (format: PlainFormat, outer: JsonObject) => LineObjects | undefined;
  /** The first line of the file, which tells the format inside though reading begins behind it. */
  readonly first?: string | undefined;
}

/** Between the outer fields and a line that a pattern matches: no program writes it, and JSON escapes it. */
const SEPARATOR = "\u0001";

/** A pattern for the lines inside, which also finds the outer fields that `line`, the input's first, has. */
export function wrappedPattern(pattern: Pattern, wrapping: Wrapping, line: string): Pattern {
  const outer = objectOf(wrapping.unwrap(line)?.outer ?? "") ?? {};
  return {
    ...pattern,
    fields: [...new Set([...pattern.fields, ...Object.keys(outer)])],
    ahead: (texts) => pattern.ahead(texts.map((text) => text.slice(text.indexOf(SEPARATOR) + 1))),
    match(text) {
      const at = text.indexOf(SEPARATOR);
      const inside = pattern.match(text.slice(at + 1));
      if (inside === undefined || at < 0) return inside;
      const own = Object.entries(inside).filter(([, value]) => value !== undefined);
      const outside = Object.entries(objectOf(text.slice(0, at)) ?? {})
        .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
      return Object.fromEntries([...outside, ...own]);
    },
  };
}

/** Parts of a line that are held for its rest, in characters. */
const MOST_HELD = 2 ** 20;

/**
 * Reads the lines inside container logs and journald's JSON. They get the outer fields too, and their own win.
 */
export class WrappedLineReader implements LineReader {
  readonly #wrapping: Wrapping;
  readonly #options: UnwrapOptions;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #encoder = new TextEncoder();
  /** Undefined until a line tells the format. */
  #reader: LineReader | undefined;
  #isJson = false;
  /** Makes objects of lines that are not. */
  #objects: LineObjects | undefined;
  /** Lines that have not ended, by their streams. */
  readonly #parts = new Map<string, Pick<WrappedLine, "outer" | "inner">>();
  #held = 0;

  constructor(wrapping: Wrapping, options: UnwrapOptions) {
    this.#wrapping = wrapping;
    this.#options = options;
    const { format, first = "" } = options;
    if (format === "ndjson" || format === "logfmt") this.#use("ndjson");
    else if (format !== "auto" && !isPlainFormat(format)) this.#use(format);
    if (this.#reader !== undefined) return;
    const wrapped = wrapping.unwrap(first);
    if (wrapped !== undefined && wrapped.continues === undefined) {
      this.#decide(wrapped.outer, plainText(wrapped.inner));
    }
  }

  /** Bytes of the last lines, if they are all parts of lines that have not ended. */
  get held(): number {
    return this.#held;
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    const lines = this.#decoder.decode(bytes.subarray(from, to)).split("\n");
    let text = "";
    let parts = 0;
    let before = this.#held;
    for (const line of lines.slice(0, -1)) {
      const reader = this.#reader;
      const inner = this.#inner(line.replace(/\r$/, ""));
      parts = inner === undefined ? parts + 1 : 0;
      if (inner !== undefined) before = 0;
      text += `${inner ?? ""}\n`;
      if (reader === undefined) text = this.#handOn(text);
    }
    this.#held = before + to - lastLines(bytes, from, to, parts);
    this.#handOn(text);
  }

  tooLong(): void {
    if (this.#reader === undefined) this.#options.sink.tooLong();
    else this.#reader.tooLong();
  }

  /** A program's last line may have no end, and then docker writes none either. */
  end(): void {
    const parts = [...this.#parts.values()];
    this.#parts.clear();
    this.#options.sink.lines -= parts.length;
    for (const { outer, inner } of parts) {
      this.#handOn(`${this.#merged(outer, plainText(inner))}\n`);
    }
    this.#reader?.end();
  }

  /** The line for the reader of the format inside; undefined for one whose rest follows. */
  #inner(line: string): string | undefined {
    if (line.trim() === "") return "";
    const wrapped = this.#wrapping.unwrap(line);
    if (wrapped === undefined) return line;
    const { outer, continues } = wrapped;
    const stream = continues ?? wholeStream(outer);
    const inner = (this.#parts.get(stream)?.inner ?? "") + wrapped.inner;
    if (continues !== undefined && inner.length <= MOST_HELD) {
      this.#parts.set(stream, { outer, inner });
      return undefined;
    }
    this.#parts.delete(stream);
    return this.#merged(outer, plainText(inner));
  }

  /** The line of the program, with the outer fields where it can have any. */
  #merged(outer: string, inner: string): string {
    if (this.#reader === undefined) this.#decide(outer, inner);
    if (this.#objects !== undefined) {
      const object = this.#objects.objectOf(inner.replaceAll("\n", " "));
      return object === undefined ? "" : mergeFields(outer, JSON.stringify(object));
    }
    if (!this.#isJson) {
      const text = inner.replaceAll("\n", " ");
      return this.#options.format === "pattern" ? `${outer}${SEPARATOR}${text}` : text;
    }
    const merged = mergeFields(outer, inner);
    const { unwrap } = this.#options;
    const text = unwrap === undefined ? undefined : fieldOf(objectOf(merged) ?? {}, unwrap);
    return typeof text === "string" ? mergeFields(merged, plainText(text)) : merged;
  }

  #decide(outer: string, inner: string): void {
    const { format: own } = this.#options;
    const format = own === "auto" ? formatOf(inner.trim()) : own;
    const isJournal = own === "auto" && this.#wrapping.hasMeasurements;
    if (format !== undefined && isPlainFormat(format) && !(isJournal && format === "text")) {
      this.#objects = this.#options.objectsOf(format, objectOf(outer) ?? {});
      if (this.#objects === undefined) this.#use(format);
      else this.#reader = this.#options.readerOf("ndjson", this.#objects.fields);
    } else if (format === "ndjson" || format === "logfmt" || isJournal) {
      this.#use("ndjson");
    }
  }

  #use(format: InputFormat): void {
    this.#isJson = format === "ndjson";
    this.#reader = this.#options.readerOf(format);
  }

  /** Gives whole lines to the reader of their format, or says that they have none. */
  #handOn(text: string): string {
    const bytes = this.#encoder.encode(text);
    if (this.#reader !== undefined) {
      if (bytes.length > 0) this.#reader.lines(bytes, 0, bytes.length);
      return "";
    }
    const { sink } = this.#options;
    for (const line of text.split("\n").slice(0, -1)) {
      sink.lines++;
      if (line.trim() !== "") {
        sink.unusable("free text in a container log: set --pattern to find its fields");
      }
    }
    return "";
  }
}

function isPlainFormat(format: InputFormat): format is PlainFormat {
  return format === "combined" || format === "text";
}

/** Where the last `count` lines of bytes[from, to) begin. */
function lastLines(bytes: Uint8Array, from: number, to: number, count: number): number {
  let at = to;
  for (let n = 0; n < count && at > from; n++) {
    at = at - 2 < from ? from : Math.max(from, bytes.lastIndexOf(LINE_FEED, at - 2) + 1);
  }
  return at;
}

/** The stream of a whole line, which ends what was held of it. */
function wholeStream(outer: string): string {
  return /"stream":\s*"(\w+)"/.exec(outer)?.[1] ?? "";
}

/** Merges an object's text and another one's, JSON or logfmt, into one JSON object; the last of equal names counts. */
function mergeFields(outer: string, inner: string): string {
  const text = inner.trim();
  const object = text.startsWith("{") ? text : pairsText(text);
  const rest = object?.slice(1).trimStart() ?? "}";
  if (rest.startsWith("}")) return outer;
  const begin = outer.slice(0, outer.lastIndexOf("}")).trimEnd();
  return `${begin}${begin === "{" ? "" : ","}${rest}`.replaceAll("\n", " ");
}

function pairsText(text: string): string | undefined {
  if (formatOf(text) !== "logfmt") return undefined;
  const pairs = logfmtPairs(text);
  return pairs.length === 0 ? undefined : JSON.stringify(Object.fromEntries(pairs));
}
