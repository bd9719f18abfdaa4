import { ByteBuffer } from "../../platform/byte_buffer.ts";
import { contentOf, foreignError, isUndecided } from "./content.ts";
import { FieldWatch } from "./field_watch.ts";
import { unpackInput } from "./unpack_input.ts";
import { readFrom } from "./input_error.ts";
import { LineSplitter } from "./lines.ts";
import type { PathPlace, Place } from "./place.ts";
import type { FollowedReading } from "./follow/followed_lines.ts";
import { type Batch, type InputProgress, Sink } from "./sink.ts";
import { TimedField } from "./timed_field.ts";
import {
  FirstLine,
  type InputOptions,
  lineFormatOf,
  type LineReading,
  openLines,
} from "./line_readers.ts";

/** Bytes after which measurements are recorded before more is read, so that the garbage collector frees them cheaply. */
const BATCH_BYTES = 2 ** 16;

/** A stream with the name that stands in messages. */
export interface NamedStream {
  readonly name: string;
  readonly stream: ReadableStream<Uint8Array>;
}

/** A file's bytes as they are appended, across rotations; each step comes after some went to a consumer. */
export interface Growing extends AsyncIterable<void> {
  /** How far the file has been read, up to the last whole line. */
  readonly place: PathPlace;
  readonly bytes: number;
}

/** Takes the bytes of one file in order. */
export interface LineConsumer {
  push(chunk: Uint8Array): void;
  /** The file will not grow any more: a last line without an end is one. */
  end(): void;
  /** Number of last bytes, among those pushed, that belong to a line or record which has not ended. */
  readonly held: number;
}

/** Batches of an input as they come, one per piece that was read at once; none is empty. */
export interface Input extends AsyncIterable<Batch> {
  readonly progress: InputProgress;
  /** The fields of --attr-field and --where that no line had; to be asked at the end. */
  unseenFields(): readonly string[];
  /** The fields of several --value-field that no line had, where others were measured; to be asked at the end. */
  unseenValues?(): readonly string[];
  /** When nothing was measured: the fields of a line that was read, and its format. */
  fieldSample?(): FieldWatch["sample"];
  /** Where no time field is named: a field of the first lines that plainly carries a time. */
  looksTimed(): string | undefined;
  /** Where reading of a followed file begins. */
  readonly place?: Place;
}

/**
 * Reads an input, or several one after the other, in constant memory whatever their length. Each may have a format, a
 * header and a packing of its own. Iterating throws an InputError when a stream fails or gzip is damaged, and a UsageError
 * for content that is not lines of text, or lacks the named fields.
 */
export function readInput(
  streams: ReadableStream<Uint8Array> | readonly NamedStream[],
  options: InputOptions,
): Input {
  const reading = startReading(
    streams instanceof ReadableStream ? [{ name: "", stream: streams }] : streams,
    options,
  );
  return { ...inputOf(reading), [Symbol.asyncIterator]: () => batches(reading) };
}

function startReading(streams: readonly NamedStream[], options: InputOptions): Reading {
  return {
    streams,
    options,
    sink: new Sink(options.onInvalid),
    watch: new FieldWatch(options.onManyValues, options.onNotUtf8),
    timed: new TimedField(options.timeField === undefined),
  };
}

function inputOf(reading: Reading): Omit<Input, typeof Symbol.asyncIterator> {
  return {
    progress: reading.sink,
    unseenFields: () => unseenFields(reading),
    unseenValues: () => unseenValues(reading),
    fieldSample: () => reading.watch.sample,
    looksTimed: () => reading.timed.name,
  };
}

/**
 * Reads a file as it grows. `grow` gets the function that makes a consumer for each file: `head` is its first line when
 * reading begins somewhere behind it. `kept` is what a spool keeps of the file, and of others.
 */
export async function followInput(
  grow: (consumer: (head: Uint8Array | undefined) => LineConsumer) => Promise<Growing>,
  options: InputOptions,
  { layout, others = [] }: Partial<Pick<Place, "layout" | "others">> = {},
): Promise<Input> {
  const reading = startReading([], options);
  const { FollowedLines, layoutOf } = await import("./follow/followed_lines.ts");
  const lines: FollowedReading = {
    format: options.format === "auto" ? undefined : options.format,
    sink: reading.sink,
    requireText(line) {
      // A log whose format is known may begin with anything: then only the encoding is of interest.
      const content = contentOf(line, options.format === "auto" ? "auto" : "text");
      // NULs, as of a machine that crashed, are an invalid line.
      if (typeof content === "string" || content.command === undefined) return;
      throw foreignError(content, "", options.ownArguments);
    },
    formatOf: (line) => lineFormatOf(line, reading),
    open: (format, line) => openLines(format, line, reading),
    layout: layoutOf(layout),
  };
  const growing = await grow((head) => new LineSplitter(new FollowedLines(lines, head)));
  const placeNow = (): Place => ({ version: 3, ...growing.place, layout: lines.layout, others });
  return {
    ...inputOf(reading),
    place: placeNow(),
    [Symbol.asyncIterator]: () => growth(growing, reading, placeNow),
  };
}

async function* growth(
  growing: Growing,
  { sink, options: { signal } }: Reading,
  placeNow: () => Place,
): AsyncGenerator<Batch> {
  for await (const _ of growing) {
    sink.bytes = growing.bytes;
    const batch = sink.drain();
    if (signal?.aborted) return;
    if (batch !== undefined) yield { ...batch, place: placeNow() };
  }
}

interface Reading extends LineReading {
  readonly streams: readonly NamedStream[];
}

/** Lists the named fields that no line had; lines that are skipped or invalid are not searched for attributes. */
function unseenFields({ options, sink, watch }: Reading): readonly string[] {
  const { attrFields = [], where = [] } = options;
  const measured = sink.measurements + sink.histograms > 0;
  const names = [
    ...measured ? watch.unseen(attrFields.map(({ name }) => name)) : [],
    ...measured || sink.skipped > 0 ? watch.untested(where.map(({ field }) => field)) : [],
  ];
  return [...new Set(names)];
}

function unseenValues({ options: { values }, sink }: Reading): readonly string[] {
  if (values.length === 1 || sink.measurements === 0) return [];
  return values.filter((_, i) => !sink.hasMeasured(i)).map(({ field }) => field);
}

async function* batches(reading: Reading): AsyncGenerator<Batch> {
  const { signal } = reading.options;
  let begun = 0;
  try {
    for (const named of reading.streams) {
      begun++;
      yield* batchesOf(named, reading);
      if (signal?.aborted) return;
    }
    reading.sink.end();
  } finally {
    for (const { stream } of reading.streams.slice(begun)) stream.cancel().catch(() => {});
  }
}

async function* batchesOf(
  { name, stream }: NamedStream,
  reading: Reading,
): AsyncGenerator<Batch> {
  const { options, sink } = reading;
  const { signal } = options;
  const splitter = new LineSplitter(new FirstLine(reading));
  sink.begin(name);
  try {
    for await (const chunk of unpacked(chunks(stream, signal, sink), options, name)) {
      for (let at = 0; at < chunk.length; at += BATCH_BYTES) {
        try {
          splitter.push(chunk.subarray(at, at + BATCH_BYTES));
        } finally {
          // Also the lines before one that ends the reading.
          const batch = sink.drain();
          if (batch !== undefined) yield batch;
        }
      }
    }
  } catch (error) {
    // Cut short on purpose, gzip ends too early.
    if (!signal?.aborted) throw error;
  }
  if (signal?.aborted) return;
  splitter.end();
  const last = sink.drain();
  if (last !== undefined) yield last;
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
      const { done, value } = await readFrom(reader);
      if (done) return;
      sink.bytes += value.length;
      yield value;
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}

/** Yields lines of text, unpacked when they are gzip; throws a UsageError when they are something else. */
export async function* unpacked(
  raw: AsyncIterable<Uint8Array>,
  options: Pick<InputOptions, "format" | "ownArguments">,
  name: string,
  isInner = false,
): AsyncGenerator<Uint8Array> {
  const begun = await begin(raw);
  const content = contentOf(begun.head, options.format);
  if (content === "text") return yield* begun.all();
  if (content === "gzip" && !isInner) {
    return yield* unpacked(unpackInput(begun.all()), options, name, true);
  }
  await begun.close();
  throw foreignError(
    content === "gzip"
      ? { what: "compressed with gzip twice", command: "gzip -dc" }
      : isInner
      ? { ...content, unpack: "gzip -dc" }
      : content,
    name,
    options.ownArguments,
  );
}

/** Reads until the first bytes decide what they are. `all` gives them again, and then the rest. */
async function begin(raw: AsyncIterable<Uint8Array>) {
  const iterator = raw[Symbol.asyncIterator]();
  const held = new ByteBuffer();
  const close = async () => void await iterator.return?.();
  let head: Uint8Array = new Uint8Array();
  let ended = false;
  try {
    while (isUndecided(head) && !ended) {
      const { done, value } = await iterator.next();
      ended = done === true;
      if (ended) break;
      if (held.length === 0 && !isUndecided(value)) {
        head = value;
        break;
      }
      held.append(value);
      head = held.bytes;
    }
  } catch (error) {
    await close();
    throw error;
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      if (head.length > 0) yield head;
      for (;;) {
        const { done, value } = await iterator.next();
        if (done === true) return;
        yield value;
      }
    } finally {
      await close();
    }
  }
  return { head, all, close };
}
