import type { Attributes, Measurement } from "../measurement.ts";

/** How far an input has been read. */
export interface InputProgress {
  /** As they came, so packed ones of a `.gz`. */
  readonly bytes: number;
  readonly lines: number;
  readonly measurements: number;
  /** Lines that could not be used. */
  readonly invalid: number;
}

/** What a reader of one format gives its findings to. */
export class Sink implements InputProgress {
  bytes = 0;
  /** The number of the line that is being read; the first is 1. */
  lines = 0;
  measurements = 0;
  invalid = 0;
  readonly #onInvalid: (line: number, reason: string) => void;
  #batch: Measurement[] = [];

  constructor(onInvalid: (line: number, reason: string) => void) {
    this.#onInvalid = onInvalid;
  }

  measured(value: number, attributes: Attributes): void {
    this.measurements++;
    this.#batch.push({ value, attributes });
  }

  unusable(reason: string, line: number = this.lines): void {
    this.invalid++;
    this.#onInvalid(line, reason);
  }

  /** What was measured since the last call. */
  drain(): readonly Measurement[] {
    const batch = this.#batch;
    this.#batch = [];
    return batch;
  }
}

export const TOO_LONG = "longer than 1 MiB";
