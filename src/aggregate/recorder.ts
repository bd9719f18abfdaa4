import type { Clock } from "../platform/clock.ts";
import { CardinalityLimit } from "./cardinality_limit.ts";
import type { IntervalDelta } from "./delta.ts";
import { type Instrument, type RecorderConfig, tableOf } from "./instrument.ts";
import { type Interval, intervals } from "./interval.ts";
import { byInstrument, type MeasuredHistogram, type Measurement } from "./measurement.ts";
import { addOverflow, NO_OVERFLOW } from "./overflow.ts";
import type { SeriesTable } from "./series_table.ts";
import { countFindings, endBucketFindings, type Snapshot } from "./snapshot.ts";

/**
 * Records measurements and gives each delta away once: after `take()` it is forgotten here. `instrument` is the index
 * of one of those it was made with, or what `addInstrument` gave; a measurement that names its own overrides it.
 * Attributes must not be changed afterwards.
 */
export interface Recorder {
  /** Counts measurements. Their source must make sure that values are finite and not negative. */
  add(batch: readonly Measurement[], instrument?: number): void;
  /**
   * Counts histograms. Their bounds stand in place of the instrument's: of one series, those with equal bounds add up,
   * others get a data point of their own.
   */
  addHistograms(batch: readonly MeasuredHistogram[], instrument?: number): void;
  /** Adds an instrument that shares the limit of the others; returns its index. */
  addInstrument(instrument: Instrument): number;
  /** Whether `take()` gives data points. */
  readonly isDue: boolean;
  /** Whether a snapshot should be taken now, before more data wait for it. */
  readonly isFull: boolean;
  /** Makes everything recorded so far due: later measurements do not belong to it. */
  finish(): void;
  /** Gives away the data points that are due. Without `interval`, they were measured since the last snapshot. */
  take(interval?: Interval): Snapshot;
}

interface Recording {
  readonly instrument: Instrument;
  readonly table: SeriesTable;
  delta: IntervalDelta;
}

/** Records measurements that happen as they are recorded: every snapshot is of one interval. */
export class DeltaRecorder implements Recorder {
  readonly isFull = false;
  readonly #config: RecorderConfig;
  readonly #cardinality: CardinalityLimit;
  readonly #recordings: Recording[];
  readonly #nextInterval: () => Interval;

  constructor(config: RecorderConfig, clock: Clock) {
    this.#config = config;
    this.#cardinality = new CardinalityLimit(config.maxSeries, config.instruments.length);
    this.#recordings = config.instruments.map((instrument) => this.#begin(instrument));
    this.#nextInterval = intervals(clock);
  }

  get isDue(): boolean {
    return this.#recordings.some(({ delta }) => delta.points.length > 0);
  }

  add(batch: readonly Measurement[], instrument = 0): void {
    for (const [index, part] of byInstrument(batch, instrument)) {
      const { table, delta } = this.#recordingOf(index);
      table.add(part, delta);
    }
  }

  addHistograms(batch: readonly MeasuredHistogram[], instrument = 0): void {
    const { table, delta } = this.#recordingOf(instrument);
    table.addHistograms(batch, delta);
  }

  addInstrument(instrument: Instrument): number {
    this.#cardinality.addInstrument();
    return this.#recordings.push(this.#begin(instrument)) - 1;
  }

  finish(): void {}

  take(measuredIn?: Interval): Snapshot {
    const sinceLast = this.#nextInterval();
    const interval = measuredIn ?? sinceLast;
    let overflow = NO_OVERFLOW;
    let unequalBounds = 0;
    const metrics = this.#recordings.map((recording) => {
      const { instrument, table, delta } = recording;
      recording.delta = table.begin();
      this.#cardinality.release(delta.points.length);
      const drained = table.drain(delta);
      overflow = addOverflow(overflow, drained.overflow);
      unequalBounds += drained.unequalBounds;
      return { instrument, intervals: [{ interval, points: drained.points }] };
    });
    return {
      parts: [{ metrics }],
      findings: [
        ...countFindings(overflow, unequalBounds),
        ...endBucketFindings(this.#recordings),
      ],
      measured: [],
    };
  }

  #begin(instrument: Instrument): Recording {
    const table = tableOf(instrument, this.#config, this.#cardinality);
    return { instrument, table, delta: table.begin() };
  }

  #recordingOf(instrument: number): Recording {
    const recording = this.#recordings[instrument];
    if (recording === undefined) throw new RangeError(`There is no instrument ${instrument}`);
    return recording;
  }
}
