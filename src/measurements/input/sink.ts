import type { Attributes, MeasuredHistogram, Measurement } from "../measurement.ts";
import type { Place } from "./place.ts";

/** How far an input has been read. Of several files, all of them together. */
export interface InputProgress {
  /** As they came, so packed ones of gzip. */
  readonly bytes: number;
  readonly lines: number;
  /** Single values. */
  readonly measurements: number;
  /** Lines that hold a histogram already. */
  readonly histograms: number;
  /** Lines that could not be used. */
  readonly invalid: number;
  /** Lines that do not fulfil the conditions of --where. */
  readonly skipped: number;
}

/** What was read at once. */
export interface Batch {
  readonly measurements: readonly Measurement[];
  readonly histograms: readonly MeasuredHistogram[];
  /** Of a file that is followed: up to where its lines are in this batch and those before it. */
  readonly place?: Place;
}

/** Is told of every line that cannot be used: its number in the input of that name. */
export type OnInvalid = (line: number, reason: string, input: string) => void;

/** What a reader of one format gives its findings to. */
export class Sink implements InputProgress {
  bytes = 0;
  /** The number of the line that is being read, of all inputs together; the first is 1. */
  lines = 0;
  measurements = 0;
  histograms = 0;
  invalid = 0;
  skipped = 0;
  readonly #onInvalid: OnInvalid;
  #input = "";
  /** The lines of the inputs before this one. */
  #before = 0;
  #measurements: Measurement[] = [];
  #histograms: MeasuredHistogram[] = [];

  constructor(onInvalid: OnInvalid) {
    this.#onInvalid = onInvalid;
  }

  /** The next input begins. */
  begin(input: string): void {
    this.#input = input;
    this.#before = this.lines;
  }

  measured(value: number, attributes: Attributes): void {
    this.measurements++;
    this.#measurements.push({ value, attributes });
  }

  /** `time` in ms since 1970. */
  measuredAt(value: number, attributes: Attributes, time: number): void {
    this.measurements++;
    this.#measurements.push({ value, attributes, time });
  }

  histogram(histogram: MeasuredHistogram): void {
    this.histograms++;
    this.#histograms.push(histogram);
  }

  unusable(reason: string, line: number = this.lines): void {
    this.invalid++;
    this.#onInvalid(line - this.#before, reason, this.#input);
  }

  /** What was measured since the last call; undefined when that is nothing. */
  drain(): Batch | undefined {
    if (this.#measurements.length === 0 && this.#histograms.length === 0) return undefined;
    const batch = { measurements: this.#measurements, histograms: this.#histograms };
    this.#measurements = [];
    if (this.#histograms.length > 0) this.#histograms = [];
    return batch;
  }
}

export const TOO_LONG = "longer than 1 MiB";
