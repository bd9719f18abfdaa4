import { type Input, readInput } from "../../../src/source/input/input.ts";
import type { InputOptions } from "../../../src/source/input/line_readers.ts";
import { parsePattern, type Pattern } from "../../../src/source/input/pattern.ts";
import type {
  Attributes,
  MeasuredHistogram,
  Measurement,
} from "../../../src/aggregate/measurement.ts";

export interface ScrapeReading {
  readonly measurements: readonly (readonly [value: number, attributes: Attributes])[];
  readonly invalid: readonly (readonly [line: number, reason: string])[];
}

const DEFAULTS: Omit<InputOptions, "onInvalid" | "values"> = {
  format: "auto",
  attrFields: undefined,
  scale: 1,
};

/** Options of an input; without `values` it has one value field, in `unit`. */
export type Options = Partial<Omit<InputOptions, "onInvalid">> & {
  readonly valueField?: string;
  readonly unit?: string | undefined;
};

export interface Whole extends ScrapeReading {
  readonly batches: readonly (readonly Measurement[])[];
  readonly histograms: readonly MeasuredHistogram[];
  /** The time of each measurement. */
  readonly times: readonly (number | undefined)[];
  readonly input: Input;
}

/** Everything that an input says when it comes in these chunks. */
export function readChunks(
  chunks: Iterable<Uint8Array<ArrayBuffer>>,
  options: Options = {},
): Promise<Whole> {
  return readStreams(ReadableStream.from(chunks), options);
}

export async function readStreams(
  streams: Parameters<typeof readInput>[0],
  { valueField = "value", unit, ...options }: Options = {},
): Promise<Whole> {
  const invalid: [number, string][] = [];
  const batches: (readonly Measurement[])[] = [];
  const histograms: MeasuredHistogram[] = [];
  const input = readInput(streams, {
    ...DEFAULTS,
    values: [{ field: valueField, unit }],
    ...options,
    onInvalid: (line, reason) => invalid.push([line ?? NaN, reason]),
  });
  for await (const batch of input) {
    if (batch.measurements.length > 0) batches.push(batch.measurements);
    histograms.push(...batch.histograms);
  }
  const all = batches.flat();
  const measurements = all.map((m) => [m.value, m.attributes] as const);
  const { progress } = input;
  if (
    progress.measurements !== measurements.length || progress.invalid !== invalid.length ||
    progress.histograms !== histograms.length
  ) {
    throw new Error(`The progress does not agree with what was read: ${JSON.stringify(progress)}`);
  }
  return { measurements, invalid, batches, histograms, times: all.map(({ time }) => time), input };
}

export async function readText(text: string, options: Options = {}): Promise<ScrapeReading> {
  const { measurements, invalid } = await readChunks([bytesOf(text)], options);
  return { measurements, invalid };
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** The pattern of an expression. */
export function patternOf(text: string): Pattern {
  const parsed = parsePattern(text);
  if ("expected" in parsed) throw new Error(parsed.expected);
  return parsed;
}

/** Pieces of this size; the last may be smaller. */
export function* pieces(
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}
