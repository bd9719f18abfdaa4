import type { Layout } from "../place.ts";
import { UsageError } from "../../../platform/errors.ts";
import { SETTINGS } from "../../../settings/settings_table.ts";
import { HEADED_FORMATS, type InputFormat } from "../format.ts";
import { guessedCsvError } from "../line_readers.ts";
import { LINE_FEED, type LineReader, type OpenedLines } from "../lines.ts";
import type { Sink } from "../sink.ts";

/** The part of the reading that all files of a followed path share. */
export interface FollowedReading {
  /** The format of the settings; undefined: the first line tells. */
  readonly format: InputFormat | undefined;
  readonly sink: Sink;
  /** Throws a UsageError for the first line of something else than text that a command converts. */
  readonly requireText: (line: Uint8Array) => void;
  /** Finds the format of a first line; undefined when it says nothing. */
  readonly formatOf: (line: string) => InputFormat | undefined;
  /** Opens the reader of a format; `line` is the file's first line, which shows whether a container wrote it. */
  readonly open: (format: InputFormat, line: string) => OpenedLines;
  /** Format and header of the files so far; undefined before the first line. */
  layout: InputLayout | undefined;
}

/** Layout whose format this version can read. */
export type InputLayout = Layout & { readonly format: InputFormat };

/** Checks the layout that a spool keeps; undefined if its format is none of this version. */
export function layoutOf(kept: Layout | undefined): InputLayout | undefined {
  const format = SETTINGS.inputFormat.choices.find((choice) => choice === kept?.format);
  return format === undefined || format === "auto" ? undefined : { ...kept, format };
}

/**
 * Reads the lines of one file of a followed path. Format and header are those of the files before it: a line of text at its
 * begin, or NULs that a truncation leaves there, are invalid lines and no header.
 */
export class FollowedLines implements LineReader {
  readonly #reading: FollowedReading;
  #reader: LineReader | undefined;
  #isFirst = true;

  /** `head` is the file's first line when reading begins somewhere behind it. */
  constructor(reading: FollowedReading, head: Uint8Array | undefined) {
    this.#reading = reading;
    const { format, layout } = reading;
    if (format !== undefined && layout?.format !== format) reading.layout = undefined;
    if (head === undefined) return;
    this.#isFirst = false;
    // Its first line was counted when it was read first.
    const before = reading.sink.lines;
    if (reading.layout === undefined) this.#begin(head, 0, head.length);
    else this.#reader = this.#readerLike(reading.layout, new TextDecoder().decode(head));
    reading.sink.lines = before;
  }

  /** Bytes that a record holds which has not ended. */
  get held(): number {
    return this.#reader?.held ?? 0;
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    const at = this.#reader === undefined ? this.#begin(bytes, from, to) : from;
    if (at >= to || this.#reader === undefined) return;
    this.#reader.lines(bytes, at, to);
    // A file may have several headers, and a restart goes on with the last one.
    const { header } = this.#reader;
    const { layout } = this.#reading;
    if (layout !== undefined && header !== undefined) this.#reading.layout = { ...layout, header };
  }

  tooLong(): void {
    this.#isFirst = false;
    if (this.#reader === undefined) this.#reading.sink.tooLong();
    else this.#reader.tooLong();
  }

  end(): void {
    this.#reader?.end();
  }

  /** Finds the reader with the first line that says something; where the lines begin that it has not read. */
  #begin(bytes: Uint8Array, from: number, to: number): number {
    const { sink } = this.#reading;
    const isMarked = this.#isFirst && BYTE_ORDER_MARK.every((byte, i) => bytes[from + i] === byte);
    this.#isFirst = false;
    let at = isMarked ? from + BYTE_ORDER_MARK.length : from;
    while (at < to) {
      const end = bytes.indexOf(LINE_FEED, at) + 1;
      if (bytes[at] === 0) {
        sink.lines++;
        sink.unusable("starts with NULs, left by a truncation");
      } else {
        const line = bytes.subarray(at, end);
        if (this.#reading.layout === undefined) this.#reading.requireText(line);
        const text = new TextDecoder().decode(line);
        const format = this.#formatOf(text.trim());
        if (format !== undefined) return this.#open(format, text, line) ? end : at;
        sink.lines++;
      }
      at = end;
    }
    return at;
  }

  #formatOf(line: string): InputFormat | undefined {
    const { format, layout } = this.#reading;
    if (line === "") return undefined;
    const own = this.#reading.formatOf(line);
    const known = format ?? layout?.format;
    // A comment says nothing, before a header either.
    return known === undefined || (HEADED_FORMATS.has(known) && own === undefined) ? own : known;
  }

  /** Makes the reader; whether the line was its header. */
  #open(format: InputFormat, text: string, line: Uint8Array): boolean {
    const { layout, sink, format: configured } = this.#reading;
    const { reader, hasHeader } = this.#reading.open(format, text.trim());
    if (!hasHeader) {
      this.#reader = reader;
      this.#reading.layout = { format };
      return false;
    }
    const { lines } = sink;
    try {
      reader.lines(line, 0, line.length);
      this.#reader = reader;
      this.#reading.layout = { format, header: text };
      return true;
    } catch (thrown) {
      // Not a header, but a line of the file before had one.
      if (!(thrown instanceof UsageError)) throw thrown;
      if (layout?.header === undefined) {
        throw configured === undefined && format === "csv"
          ? guessedCsvError(thrown, text.trim())
          : thrown;
      }
      sink.lines = lines;
      this.#reader = this.#readerLike(layout, text);
      return false;
    }
  }

  /** Opens a reader for lines behind those of another file, or behind the first line of this one. */
  #readerLike({ format, header: text }: InputLayout, first: string): LineReader {
    const { reader, hasHeader } = this.#reading.open(format, first.trim());
    if (text === undefined || !hasHeader) return reader;
    const { sink } = this.#reading;
    const { lines } = sink;
    const header = new TextEncoder().encode(text);
    reader.lines(header, 0, header.length);
    sink.lines = lines;
    return reader;
  }
}

const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];
