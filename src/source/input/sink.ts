import type { Attributes, MeasuredHistogram, Measurement } from "../../aggregate/measurement.ts";
import type { Place } from "./place.ts";
import type { Exposed } from "../prometheus/exposed.ts";

/** Progress of reading an input; several files count together. */
export interface InputProgress {
  /** Bytes as they came: those of gzip count packed. */
  readonly bytes: number;
  readonly lines: number;
  /** Single values. */
  readonly measurements: number;
  /** Lines that hold a histogram already. */
  readonly histograms: number;
  /** Lines that could not be used. */
  readonly invalid: number;
  /** Lines that do not fulfil the conditions of --where, or do not match the pattern. */
  readonly skipped: number;
  /** There were lines, and the pattern matched none of them. */
  readonly matchesNothing?: boolean;
  /** Every input was read to its end. */
  readonly isWhole?: boolean;
}

/** Findings of one piece of an input that was read at once. */
export interface Batch {
  readonly measurements: readonly Measurement[];
  readonly histograms: readonly MeasuredHistogram[];
  /** Place in a followed file up to which this batch and those before it hold its lines. */
  readonly place?: Place;
  /** Metric families of a Prometheus exposition, each a metric of its own. */
  readonly exposed: readonly Exposed[];
}

/** Receives the reason why a line cannot be used, its number, and its input's name; no number if it is more than a line. */
export type OnInvalid = (line: number | undefined, reason: string, input: string) => void;

/** Collector of the findings of a reader of one format. */
export class Sink implements InputProgress {
  bytes = 0;
  /** The number of the line that is being read, of all inputs together; the first is 1. */
  lines = 0;
  measurements = 0;
  histograms = 0;
  invalid = 0;
  skipped = 0;
  #isWhole = false;
  #matched = 0;
  #unmatched = 0;
  readonly #onInvalid: OnInvalid;
  #input = "";
  /** The lines of the inputs before this one. */
  #before = 0;
  #measurements: Measurement[] = [];
  readonly #measuredOf: boolean[] = [];
  #histograms: MeasuredHistogram[] = [];
  #exposed: readonly Exposed[] = [];

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

  /** Takes a line's value of each value field, NaN where it has none. */
  measuredLine(values: ArrayLike<number>, attributes: Attributes, time: number | undefined): void {
    if (values.length === 1) {
      const value = values[0] ?? NaN;
      return time === undefined
        ? this.measured(value, attributes)
        : this.measuredAt(value, attributes, time);
    }
    for (let instrument = 0; instrument < values.length; instrument++) {
      const value = values[instrument] ?? NaN;
      if (Number.isNaN(value)) continue;
      this.measurements++;
      this.#measuredOf[instrument] = true;
      this.#measurements.push(
        time === undefined
          ? { value, attributes, instrument }
          : { value, attributes, time, instrument },
      );
    }
  }

  /** Whether any line had a value of the value field at this index, when there are several. */
  hasMeasured(instrument: number): boolean {
    return this.#measuredOf[instrument] === true;
  }

  histogram(histogram: MeasuredHistogram): void {
    this.histograms++;
    this.#histograms.push(histogram);
  }

  exposition(exposed: readonly Exposed[]): void {
    this.histograms += exposed.reduce((sum, { histograms }) => sum + histograms.length, 0);
    this.#exposed = exposed;
  }

  unusable(reason: string, line: number = this.lines): void {
    this.invalid++;
    this.#onInvalid(line - this.#before, reason, this.#input);
  }

  /** The pattern matches a line. */
  matched(): void {
    this.#matched++;
  }

  /** The pattern does not match a line, which is skipped. */
  unmatched(): void {
    this.#unmatched++;
    this.skipped++;
  }

  /** The last input has come to its end. */
  end(): void {
    this.#isWhole = true;
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  get matchesNothing(): boolean {
    return this.#unmatched > 0 && this.#matched === 0;
  }

  /** Reports something unusable that is not a single line. */
  contradictory(reason: string): void {
    this.invalid++;
    this.#onInvalid(undefined, reason, this.#input);
  }

  /** Reports a part of the input that is sound, and left out. */
  leftOut(reason: string): void {
    this.#onInvalid(undefined, reason, this.#input);
  }

  /** The next line is longer than is allowed. */
  tooLong(): void {
    this.lines++;
    this.unusable("longer than 1 MiB");
  }

  /** Takes the findings since the last call; undefined when there are none. */
  drain(): Batch | undefined {
    const batch = {
      measurements: this.#measurements,
      histograms: this.#histograms,
      exposed: this.#exposed,
    };
    if (Object.values(batch).every(({ length }) => length === 0)) return undefined;
    this.#measurements = [];
    if (this.#histograms.length > 0) this.#histograms = [];
    this.#exposed = [];
    return batch;
  }
}
