import type { Clock } from "../platform/clock.ts";
import { CardinalityLimit } from "../aggregate/cardinality_limit.ts";
import { addOverflow, NO_OVERFLOW, type Overflow } from "../aggregate/overflow.ts";
import type { FullBucket, SeriesTable } from "../aggregate/series_table.ts";
import type { Attributes, MeasuredHistogram, Measurement } from "../aggregate/measurement.ts";
import { createSeriesTable, type Instrument, metricsOf, requestsOf } from "./instrument.ts";
import { type Interval, intervals } from "./interval.ts";
import type { EncodedRequest, RequestLimits } from "./request.ts";

export type { Instrument } from "./instrument.ts";

export interface RecorderConfig {
  readonly resource: Attributes;
  readonly instruments: readonly Instrument[];
  /** Data points a collection at most; Infinity for no limit. */
  readonly maxSeries: number;
}

/** What was recorded since the last time, encoded: a delta exists only once. */
export interface Collected {
  readonly requests: readonly EncodedRequest[];
  /** What shares one data point because of `maxSeries`. */
  readonly overflow: Overflow;
  /** Attribute sets with more than one data point in an interval, since their histograms had unequal bounds. */
  readonly unequalBounds: number;
  /** Metrics whose values, of all collections so far, say nothing but that they are below or above a bound. */
  readonly endBuckets: readonly EndBucket[];
  /** Intervals of event time, the oldest first; none when measurements happen as they are recorded. */
  readonly measured: readonly Measured[];
  /** Intervals that were closed before they were complete, because of `maxSeries`. */
  readonly closedEarly: number;
  /** How often an interval began anew that had been closed: its data points are one more delta. */
  readonly reopened: number;
}

/** How much was measured in an interval. */
export interface Measured {
  readonly interval: Interval;
  readonly measurements: number;
}

/** All values of a metric fell into one bucket at an end. */
export interface EndBucket extends FullBucket {
  readonly metric: string;
  /** The bucket's only finite bound: values are at most, or more than, that. */
  readonly bound: number;
}

/**
 * Records measurements and gives each delta away once: after `collect()` it is forgotten here. `instrument` is the index
 * of one of those it was made with, or what `addInstrument` gave. Attributes must not be changed afterwards.
 */
export interface Recorder {
  /** Values must be finite and not negative: whoever reads or makes them sees to it. */
  record(batch: readonly Measurement[], instrument?: number): void;
  /**
   * Their bounds stand in place of the instrument's: of one series, those with equal bounds add up, others get a data
   * point of their own.
   */
  recordHistograms(batch: readonly MeasuredHistogram[], instrument?: number): void;
  /** One more instrument, that shares the limit of the others; its index. */
  addInstrument(instrument: Instrument): number;
  /** Whether `collect()` gives something. */
  readonly isDue: boolean;
  /** Whether it is time to collect, because what waits for it should not become more. */
  readonly isFull: boolean;
  /** Nothing belongs together with what comes later: all that was recorded is due. */
  finish(): void;
  /**
   * What is recorded while it resolves belongs to the next interval. Without `interval`, it is the time since the last
   * collection.
   */
  collect(
    limits: RequestLimits,
    compression: "gzip" | "none",
    interval?: Interval,
  ): Promise<Collected>;
}

export function recorder(config: RecorderConfig, clock: Clock): Recorder {
  const cardinality = new CardinalityLimit(config.maxSeries, config.instruments.length);
  const begin = (instrument: Instrument) => {
    const table = createSeriesTable(instrument, cardinality);
    return { instrument, table, delta: table.begin() };
  };
  const recordings = config.instruments.map(begin);
  const next = intervals(clock);
  const recordingOf = (instrument: number) => {
    const recording = recordings[instrument];
    if (recording === undefined) throw new RangeError(`There is no instrument ${instrument}`);
    return recording;
  };
  return {
    record(batch, instrument = 0) {
      const { table, delta } = recordingOf(instrument);
      table.record(batch, delta);
    },
    recordHistograms(batch, instrument = 0) {
      const { table, delta } = recordingOf(instrument);
      table.recordHistograms(batch, delta);
    },
    addInstrument(instrument) {
      cardinality.addInstrument();
      return recordings.push(begin(instrument)) - 1;
    },
    get isDue() {
      return recordings.some(({ delta }) => delta.points.length > 0);
    },
    isFull: false,
    finish() {},
    async collect(limits, compression, given) {
      const passed = next();
      const interval = given ?? passed;
      const drained = recordings.map((recording) => {
        const { instrument, table, delta } = recording;
        recording.delta = table.begin();
        cardinality.release(delta.points.length);
        return { instrument, ...table.drain(delta) };
      });
      const metrics = drained.flatMap(({ instrument, points }) =>
        metricsOf(instrument, [{ interval, points }])
      );
      return {
        requests: await requestsOf(metrics, config.resource, limits, compression),
        overflow: drained.reduce((sum, { overflow }) => addOverflow(sum, overflow), NO_OVERFLOW),
        unequalBounds: drained.reduce((sum, each) => sum + each.unequalBounds, 0),
        endBuckets: endBuckets(recordings),
        measured: [],
        closedEarly: 0,
        reopened: 0,
      };
    },
  };
}

export function endBuckets(
  recordings: readonly { readonly instrument: Instrument; readonly table: SeriesTable }[],
): readonly EndBucket[] {
  return recordings.flatMap(({ instrument: { name, bounds }, table: { endBucket } }) => {
    if (bounds === "exponential" || endBucket === undefined) return [];
    const bound = bounds.at(endBucket.bucket === "first" ? 0 : -1);
    return bound === undefined ? [] : [{ metric: name, ...endBucket, bound }];
  });
}
