import { formatOf, type InputFormat } from "./format.ts";
import { logfmtPairs } from "./logfmt.ts";
import type { LineReader } from "./lines.ts";
import { fieldOf, isObject, type JsonObject, parseJson } from "../../platform/json_object.ts";
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
const COMPOSE_ANY = /^([\w.-]+) +\| ?(.*)$/s;
const COMPOSE_TIME = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (.*)$/s;
const COLOUR = new RegExp(String.raw`\u001b\[[\d;]*m`, "g");

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
    // A message that is not UTF-8 is a list of its bytes.
    const { MESSAGE: message } = object;
    return { outer: line, inner: typeof message === "string" ? message : "" };
  },
};

/** NDJSON that is unwrapped by `--unwrap` alone. */
export const PLAIN_JSON: Wrapping = {
  hasMeasurements: true,
  unwrap: (line) => ({ outer: line, inner: "" }),
};

/** Recognises the wrapping of an input by its first line; undefined when there is none. */
export function wrappingOf(line: string): Wrapping | undefined {
  if (CRI.test(line)) return { hasMeasurements: false, unwrap: unwrapCri };
  if (COMPOSE.test(line.replace(COLOUR, ""))) {
    return { hasMeasurements: false, unwrap: unwrapCompose };
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
  const match = COMPOSE_ANY.exec(line.replace(COLOUR, ""));
  if (match === null) return undefined;
  const [, container, rest = ""] = match;
  const [, time, inner = rest] = COMPOSE_TIME.exec(rest) ?? [];
  return { outer: JSON.stringify({ container, time }), inner };
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
  readonly readerOf: (format: InputFormat) => LineReader;
}

/** Between the outer fields and a line that a pattern matches: no program writes it, and JSON escapes it. */
const SEPARATOR = "\u0001";

/** A pattern for the lines inside, which also finds the outer fields that `line`, the input's first, has. */
export function wrappedPattern(pattern: Pattern, wrapping: Wrapping, line: string): Pattern {
  const outer = objectOf(wrapping.unwrap(line)?.outer ?? "") ?? {};
  return {
    ...pattern,
    fields: [...new Set([...pattern.fields, ...Object.keys(outer)])],
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
 * Reads the lines inside container logs and journald's JSON. Lines that are JSON or logfmt, or that a pattern
 * matches, get the outer fields too, and their own win; of access logs and numbers the outer fields are lost.
 */
export class WrappedLineReader implements LineReader {
  readonly #wrapping: Wrapping;
  readonly #options: UnwrapOptions;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #encoder = new TextEncoder();
  /** Undefined until a line tells the format. */
  #reader: LineReader | undefined;
  #isJson = false;
  /** Lines that have not ended, by their streams. */
  readonly #parts = new Map<string, string>();

  constructor(wrapping: Wrapping, options: UnwrapOptions) {
    this.#wrapping = wrapping;
    this.#options = options;
    const { format } = options;
    if (format === "ndjson" || format === "logfmt" || wrapping.hasMeasurements) this.#use("ndjson");
    else if (format !== "auto") this.#use(format);
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    const lines = this.#decoder.decode(bytes.subarray(from, to)).split("\n");
    let text = "";
    for (const line of lines.slice(0, -1)) {
      const reader = this.#reader;
      text += `${this.#inner(line.replace(/\r$/, ""))}\n`;
      if (reader === undefined) text = this.#handOn(text);
    }
    this.#handOn(text);
  }

  tooLong(): void {
    if (this.#reader === undefined) this.#options.sink.tooLong();
    else this.#reader.tooLong();
  }

  end(): void {
    this.#reader?.end();
  }

  /** The line for the reader of the format inside; blank for one whose rest follows. */
  #inner(line: string): string {
    if (line.trim() === "") return "";
    const wrapped = this.#wrapping.unwrap(line);
    if (wrapped === undefined) return line;
    const { outer, continues } = wrapped;
    const stream = continues ?? wholeStream(outer);
    const inner = (this.#parts.get(stream) ?? "") + wrapped.inner;
    if (continues !== undefined && inner.length <= MOST_HELD) {
      this.#parts.set(stream, inner);
      return "";
    }
    this.#parts.delete(stream);
    if (this.#reader === undefined) this.#decide(inner);
    if (!this.#isJson) {
      const text = inner.replaceAll("\n", " ");
      return this.#options.format === "pattern" ? `${outer}${SEPARATOR}${text}` : text;
    }
    const merged = mergeFields(outer, inner);
    const { unwrap } = this.#options;
    const text = unwrap === undefined ? undefined : fieldOf(objectOf(merged) ?? {}, unwrap);
    return typeof text === "string" ? mergeFields(merged, text) : merged;
  }

  #decide(inner: string): void {
    const format = formatOf(inner.trim());
    if (format === "ndjson" || format === "logfmt") this.#use("ndjson");
    else if (format === "combined" || format === "text") this.#use(format);
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
        sink.unusable("free text in a container's log: find its fields with --pattern");
      }
    }
    return "";
  }
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
