import { CardinalityLimit } from "./cardinality_limit.ts";
import type { IntervalDelta } from "./delta.ts";
import { type Instrument, type RecorderConfig, tableOf } from "./instrument.ts";
import { alignedInterval, intervalNumber } from "./interval.ts";
import { byInstrument, type MeasuredHistogram, type Measurement } from "./measurement.ts";
import { addOverflow, NO_OVERFLOW } from "./overflow.ts";
import type { Recorder } from "./recorder.ts";
import type { SeriesTable } from "./series_table.ts";
import {
  countFindings,
  endBucketFindings,
  type MeasuredInterval,
  type Snapshot,
} from "./snapshot.ts";
import { isUsableTime } from "./usable_time.ts";

/** Recorder of event time; `maxSeries` is how many data points are open at most, in all intervals together. */
export interface IntervalRecorderConfig extends RecorderConfig {
  /** How long an interval is, more than 0; they are aligned to 1970. */
  readonly intervalMs: number;
  /** Time by which the input must have passed the end of an interval before that is complete. */
  readonly latenessMs: number;
  /** How many data points that wait to be taken make the recorder full. */
  readonly mostDue: number;
}

/** An instrument with the series that it has in all intervals. */
interface Recording {
  readonly instrument: Instrument;
  readonly table: SeriesTable;
}

/** One interval with the data points of each instrument. */
interface Gathered {
  readonly number: number;
  readonly parts: (Recording & { readonly delta: IntervalDelta })[];
}

/** Most closed intervals that are remembered: an older one that gets a measurement counts as new. */
const MOST_CLOSED = 65_536;

/**
 * Records measurements in the intervals in which they happened. The input's time is the greatest that was seen, without
 * exception: after one absurd time in the future every line comes late, but all are counted, in more deltas.
 */
export class IntervalRecorder implements Recorder {
  readonly #config: IntervalRecorderConfig;
  readonly #cardinality: CardinalityLimit;
  readonly #recordings: Recording[];
  /** Open intervals by number, the oldest first. */
  readonly #open: Gathered[] = [];
  readonly #byNumber = new Map<number, Gathered>();
  /** Intervals that are closed and not taken yet. */
  #closed: Gathered[] = [];
  #due = 0;
  /** Numbers of closed intervals, the one closed first first. */
  readonly #closedNumbers = new Set<number>();
  #greatestForgotten = -Infinity;
  /** Intervals before this one are complete. */
  #completeBefore = -Infinity;
  /** The input's time at which there is one more of them. */
  #nextComplete = -Infinity;
  #finished = false;
  #closedEarly = 0;
  #reopened = 0;

  constructor(config: IntervalRecorderConfig) {
    if (!(config.intervalMs > 0 && config.latenessMs >= 0)) {
      throw new RangeError(`No intervals: ${config.intervalMs} ms, ${config.latenessMs} ms late`);
    }
    this.#config = config;
    this.#cardinality = new CardinalityLimit(config.maxSeries, config.instruments.length);
    this.#recordings = config.instruments.map((instrument) => ({
      instrument,
      table: this.#newTable(instrument),
    }));
  }

  /** Data points that wait to be taken. Only what is open is bounded here: take them before much is recorded on. */
  get due(): number {
    return this.#due;
  }

  get isFull(): boolean {
    return this.#due >= this.#config.mostDue;
  }

  get isDue(): boolean {
    const until = this.#finished ? Infinity : this.#completeBefore;
    return this.#due > 0 ||
      this.#open.some((interval) => interval.number < until && intervalPointsOf(interval) > 0);
  }

  addInstrument(instrument: Instrument): number {
    this.#cardinality.addInstrument();
    const table = this.#newTable(instrument);
    for (const { parts } of this.#open) {
      parts.push({ instrument, table, delta: table.begin() });
    }
    return this.#recordings.push({ instrument, table }) - 1;
  }

  /** Every measurement must have a time that OTLP can say. */
  add(batch: readonly Measurement[], instrument = 0): void {
    if (batch[0]?.instrument === undefined) return this.#addOf(batch, instrument);
    // No interval is complete within a run, so that its instruments need not take turns line by line.
    for (let from = 0; from < batch.length;) {
      const { to } = this.#runAt(batch, from);
      for (const [index, part] of byInstrument(batch.slice(from, to), instrument)) {
        this.#addOf(part, index);
      }
      from = to;
    }
  }

  #addOf(batch: readonly Measurement[], instrument: number): void {
    this.#recordRuns(
      batch,
      instrument,
      ({ table, delta }, ...run) => table.add(batch, delta, ...run),
    );
  }

  addHistograms(batch: readonly MeasuredHistogram[], instrument = 0): void {
    this.#recordRuns(
      batch,
      instrument,
      ({ table, delta }, ...run) => table.addHistograms(batch, delta, ...run),
    );
  }

  /** The input has ended: all intervals are complete. */
  finish(): void {
    this.#finished = true;
  }

  /** Gives away the complete intervals, the oldest first. */
  take(): Snapshot {
    // Late measurements waited for more of their interval until now.
    this.#closeBefore(this.#finished ? Infinity : this.#completeBefore);
    const closed = this.#closed.sort((a, b) => a.number - b.number);
    this.#closed = [];
    this.#due = 0;
    let overflow = NO_OVERFLOW;
    let unequalBounds = 0;
    const measured: MeasuredInterval[] = [];
    const drained = closed.map(({ number, parts }) => {
      const interval = alignedInterval(number, this.#config.intervalMs);
      const measurements = parts.reduce((sum, { delta }) => sum + measurementsOf(delta), 0);
      if (measurements > 0) measured.push({ interval, measurements });
      return parts.map(({ instrument, table, delta }) => {
        const { points, ...figures } = table.drain(delta);
        overflow = addOverflow(overflow, figures.overflow);
        unequalBounds += figures.unequalBounds;
        return { instrument, intervals: [{ interval, points }] };
      });
    });
    const [only, ...others] = this.#recordings.map(({ instrument }) => instrument);
    // One metric holds its data points of all intervals; several take turns, for the oldest interval to come first.
    const metrics = only !== undefined && others.length === 0
      ? [{ instrument: only, intervals: drained.flat().flatMap(({ intervals }) => intervals) }]
      : drained.flat();
    const closedEarly = this.#closedEarly;
    const reopened = this.#reopened;
    this.#closedEarly = 0;
    this.#reopened = 0;
    return {
      parts: [{ metrics }],
      findings: [
        ...countFindings(overflow, unequalBounds),
        ...closedEarly + reopened > 0
          ? [{ type: "split-intervals", closedEarly, reopened } as const]
          : [],
        ...endBucketFindings(this.#recordings),
      ],
      measured,
    };
  }

  /** Cuts a batch where the interval changes; `record` may stop before the end of its part when there is no room. */
  #recordRuns(
    batch: readonly { readonly time?: number }[],
    instrument: number,
    record: (part: Gathered["parts"][number], from: number, to: number) => number,
  ): void {
    for (let from = 0; from < batch.length;) {
      const { number, to } = this.#runAt(batch, from);
      const interval = this.#byNumber.get(number) ?? this.#begin(number);
      const part = interval.parts[instrument];
      if (part === undefined) throw new RangeError(`There is no instrument ${instrument}`);
      const stopped = record(part, from, to);
      if (stopped < to) this.#closeOldest();
      from = stopped;
    }
  }

  /** Advances to the time of the measurement at `from`, and finds its interval and where the next one's begin. */
  #runAt(
    batch: readonly { readonly time?: number }[],
    from: number,
  ): { readonly number: number; readonly to: number } {
    const { intervalMs } = this.#config;
    const time = batch[from]?.time;
    if (time === undefined || !isUsableTime(time)) {
      throw new RangeError(`No usable time: ${time}`);
    }
    this.#advance(time);
    const number = intervalNumber(time, intervalMs);
    const { start, end } = alignedInterval(number, intervalMs);
    const until = Math.min(end, this.#nextComplete);
    let to = from + 1;
    for (; to < batch.length; to++) {
      const next = batch[to]?.time;
      if (next === undefined || !(next >= start && next < until)) break;
    }
    return { number, to };
  }

  /** Makes a table that merges series only in the single open interval: otherwise the oldest one makes room. */
  #newTable(instrument: Instrument): SeriesTable {
    const mayFold = () => this.#open.length === 1;
    return tableOf(instrument, this.#config, this.#cardinality, mayFold);
  }

  /** The input's time goes on. */
  #advance(time: number): void {
    if (time < this.#nextComplete) return;
    const { intervalMs, latenessMs } = this.#config;
    this.#completeBefore = intervalNumber(time - latenessMs, intervalMs);
    this.#nextComplete = alignedInterval(this.#completeBefore, intervalMs).end + latenessMs;
    this.#closeBefore(this.#completeBefore);
  }

  #begin(number: number): Gathered {
    const interval = {
      number,
      parts: this.#recordings.map(({ instrument, table }) => ({
        instrument,
        table,
        delta: table.begin(),
      })),
    };
    let at = this.#open.length;
    while (at > 0 && (this.#open[at - 1]?.number ?? -Infinity) > number) at--;
    this.#open.splice(at, 0, interval);
    this.#byNumber.set(number, interval);
    const isAgain = this.#closedNumbers.has(number) || number <= this.#greatestForgotten;
    // After the end no interval waits for more measurements, so a new one is not a late one.
    if (isAgain && !this.#finished) this.#reopened++;
    return interval;
  }

  #closeBefore(number: number): void {
    while ((this.#open[0]?.number ?? Infinity) < number) this.#close(0);
  }

  /** Closes the oldest interval with data points, to make room: one that has only just begun would make none. */
  #closeOldest(): void {
    const oldest = this.#open.findIndex((interval) => intervalPointsOf(interval) > 0);
    if (oldest < 0) throw new Error("No interval can make room");
    this.#close(oldest);
    this.#closedEarly++;
  }

  #close(at: number): void {
    for (const interval of this.#open.splice(at, 1)) {
      const { number } = interval;
      this.#byNumber.delete(number);
      this.#closed.push(interval);
      const points = intervalPointsOf(interval);
      this.#cardinality.release(points);
      this.#due += points;
      // Deleting it first moves it to the end.
      this.#closedNumbers.delete(number);
      if (points > 0) this.#closedNumbers.add(number);
    }
    for (const number of this.#closedNumbers) {
      if (this.#closedNumbers.size <= MOST_CLOSED) break;
      this.#closedNumbers.delete(number);
      this.#greatestForgotten = Math.max(this.#greatestForgotten, number);
    }
  }
}

function measurementsOf({ points }: IntervalDelta): number {
  return points.reduce((sum, { histogram: { count } }) => sum + count, 0);
}

function intervalPointsOf({ parts }: Gathered): number {
  return parts.reduce((sum, { delta: { points } }) => sum + points.length, 0);
}
