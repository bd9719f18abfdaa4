import { CsvReader } from "./csv.ts";
import { decimal } from "../../base/number.ts";
import type { Fields } from "./fields.ts";
import { gunzip } from "./gunzip.ts";
import { LINE_FEED, type LineReader, LineSplitter } from "./lines.ts";
import type { Measurement } from "../measurement.ts";
import { NdjsonReader } from "./ndjson.ts";
import { type InputProgress, Sink, TOO_LONG } from "./sink.ts";
import { TextReader } from "./text.ts";

export type InputFormat = "ndjson" | "csv" | "text";

export interface InputOptions extends Fields {
  readonly format: InputFormat | "auto";
  /** The stream is gzip. */
  readonly gzip: boolean;
  /** Is told of every line that cannot be used. */
  readonly onInvalid: (line: number, reason: string) => void;
  /** Ends the reading: what has come is given out, except a line that has not ended. */
  readonly signal?: AbortSignal;
}

/** Measurements as they come, one batch for what was read at once; none is empty. */
export interface Input extends AsyncIterable<readonly Measurement[]> {
  readonly progress: InputProgress;
}

/**
 * Reads measurements from a stream, in constant memory whatever its length. Iterating throws what the stream throws, an
 * error for damaged gzip, and a UsageError for a CSV header that lacks a column.
 */
export function readInput(stream: ReadableStream<Uint8Array>, options: InputOptions): Input {
  const sink = new Sink(options.onInvalid);
  return {
    progress: sink,
    [Symbol.asyncIterator]: () => batches(stream, options, sink),
  };
}

async function* batches(
  stream: ReadableStream<Uint8Array>,
  options: InputOptions,
  sink: Sink,
): AsyncGenerator<readonly Measurement[]> {
  const { gzip, signal } = options;
  const splitter = new LineSplitter(new FirstLine(options, sink));
  const raw = chunks(stream, signal, sink);
  try {
    for await (const chunk of gzip ? gunzip(raw) : raw) {
      splitter.push(chunk);
      const batch = sink.drain();
      if (batch.length > 0) yield batch;
    }
  } catch (error) {
    // Cut short on purpose, gzip ends too early.
    if (!signal?.aborted) throw error;
  }
  if (signal?.aborted) return;
  splitter.end();
  const last = sink.drain();
  if (last.length > 0) yield last;
}

async function* chunks(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
  sink: Sink,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  const cancel = () => void reader.cancel().catch(() => {}); // a failed stream is failed already
  signal?.addEventListener("abort", cancel);
  try {
    if (signal?.aborted) return;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      sink.bytes += value.length;
      yield value;
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}

/** Skips a byte order mark and finds the format out, then hands everything on. */
class FirstLine implements LineReader {
  readonly #options: InputOptions;
  readonly #sink: Sink;
  #reader: LineReader | undefined;
  #isFirst = true;

  constructor(options: InputOptions, sink: Sink) {
    this.#options = options;
    this.#sink = sink;
    if (options.format !== "auto") this.#reader = readerOf(options.format, options, sink);
  }

  lines(bytes: Uint8Array, from: number, to: number): void {
    const marked = this.#isFirst && bytes[from] === 0xef && bytes[from + 1] === 0xbb &&
      bytes[from + 2] === 0xbf;
    this.#isFirst = false;
    let at = marked ? from + 3 : from;
    while (this.#reader === undefined && at < to) {
      const end = bytes.indexOf(LINE_FEED, at);
      const line = new TextDecoder().decode(bytes.subarray(at, end)).trim();
      if (line !== "") {
        this.#reader = readerOf(formatOf(line), this.#options, this.#sink);
        break;
      }
      this.#sink.lines++;
      at = end + 1;
    }
    if (at < to) this.#reader?.lines(bytes, at, to);
  }

  tooLong(): void {
    this.#isFirst = false;
    if (this.#reader !== undefined) return this.#reader.tooLong();
    this.#sink.lines++;
    this.#sink.unusable(TOO_LONG);
  }

  end(): void {
    this.#reader?.end();
  }
}

/** What the first line that is not blank says of the format. */
export function formatOf(line: string): InputFormat {
  if (line.startsWith("{")) return "ndjson";
  return Number.isNaN(decimal(line)) ? "csv" : "text";
}

function readerOf(format: InputFormat, fields: Fields, sink: Sink): LineReader {
  switch (format) {
    case "ndjson":
      return new NdjsonReader(fields, sink);
    case "csv":
      return new CsvReader(fields, sink);
    case "text":
      return new TextReader(fields, sink);
  }
}
