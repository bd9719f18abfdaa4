import type { Clock } from "../platform/clock.ts";
import { attributeKey } from "./attribute_key.ts";
import type { Instrument, RecorderConfig } from "./instrument.ts";
import type { Interval } from "./interval.ts";
import {
  type Attributes,
  byInstrument,
  type MeasuredHistogram,
  type Measurement,
} from "./measurement.ts";
import { addOverflow, NO_OVERFLOW } from "./overflow.ts";
import { DeltaRecorder, type Recorder } from "./recorder.ts";
import { countFindings, type DataFinding, type EndBucket, type Snapshot } from "./snapshot.ts";

/**
 * Several recorders as one, for several connections. A series stays in the lane that it got when it was new, the first
 * in lane 0, the next in lane 1, …, so that its intervals are of one recorder and join.
 */
export class LaneRecorder implements Recorder {
  readonly isFull = false;
  readonly #lanes: readonly DeltaRecorder[];
  readonly #instruments: readonly InstrumentLanes[];
  readonly #most: number;
  /** Series that have a lane. */
  #known = 0;

  constructor(config: RecorderConfig, lanes: number, clock: Clock) {
    const most = config.maxSeries;
    this.#most = most;
    this.#lanes = Array.from({ length: lanes }, (_, lane) =>
      new DeltaRecorder({
        ...config,
        // New series that come to this lane among the first `most`.
        maxSeries: most === Infinity ? most : Math.ceil((most - lane) / lanes),
      }, clock));
    this.#instruments = config.instruments.map(({ name }) => ({
      name,
      series: new LaneOfSeries(),
      used: new Set(),
    }));
  }

  get isDue(): boolean {
    return this.#lanes.some(({ isDue }) => isDue);
  }

  add(batch: readonly Measurement[], instrument = 0): void {
    for (const [index, own] of byInstrument(batch, instrument)) {
      this.#divide(own, index, (part, lane) => lane.add(part, index));
    }
  }

  addHistograms(batch: readonly MeasuredHistogram[], instrument = 0): void {
    this.#divide(batch, instrument, (part, lane) => lane.addHistograms(part, instrument));
  }

  addInstrument({ name }: Instrument): never {
    throw new Error(`Lanes are for instruments that are known from the start: ${name}`);
  }

  finish(): void {
    for (const lane of this.#lanes) lane.finish();
  }

  take(interval?: Interval): Snapshot {
    const snapshots = this.#lanes.map((lane) => lane.take(interval));
    // Beyond half of the limit there is no telling whether series that are replaced have room.
    const most = Math.min(MOST_UNUSED, this.#most / 2);
    for (const { series } of this.#instruments) this.#known -= series.forgetUnused(most);
    let overflow = NO_OVERFLOW;
    let unequalBounds = 0;
    for (const finding of snapshots.flatMap(({ findings }) => findings)) {
      if (finding.type === "overflow") overflow = addOverflow(overflow, finding.overflow);
      if (finding.type === "unequal-bounds") unequalBounds += finding.series;
    }
    return {
      parts: snapshots.flatMap(({ parts }, lane) => parts.map((part) => ({ ...part, lane }))),
      findings: [
        ...countFindings(overflow, unequalBounds),
        ...this.#instruments.flatMap((instrument) => commonEndBucket(instrument, snapshots)),
      ],
      measured: [],
    };
  }

  #divide<Item extends { readonly attributes: Attributes }>(
    batch: readonly Item[],
    instrument: number,
    into: (part: readonly Item[], lane: Recorder) => void,
  ): void {
    const lanes = this.#instruments[instrument];
    if (lanes === undefined) throw new RangeError(`There is no instrument ${instrument}`);
    const parts = this.#lanes.map((): Item[] => []);
    for (const item of batch) {
      parts[lanes.series.laneOf(item.attributes, () => this.#nextLane())]?.push(item);
    }
    for (const [at, part] of parts.entries()) {
      const lane = this.#lanes[at];
      if (part.length === 0 || lane === undefined) continue;
      lanes.used.add(at);
      into(part, lane);
    }
  }

  #nextLane(): number {
    return this.#known < this.#most ? this.#known++ % this.#lanes.length : MERGED;
  }
}

interface InstrumentLanes {
  readonly name: string;
  readonly series: LaneOfSeries;
  /** Lanes that have recorded something. */
  readonly used: Set<number>;
}

/** The end bucket of a metric, when it is the same in all lanes, with the value of any that is nearest to its bound. */
function commonEndBucket(
  { name, used }: InstrumentLanes,
  snapshots: readonly Snapshot[],
): readonly DataFinding[] {
  const found = [...used].flatMap((lane): readonly EndBucket[] =>
    (snapshots[lane]?.findings ?? []).flatMap((finding) =>
      finding.type === "end-bucket" && finding.endBucket.metric === name ? [finding.endBucket] : []
    )
  );
  const [first] = found;
  const isCommon = found.length === used.size &&
    found.every(({ bucket }) => bucket === first?.bucket);
  if (first === undefined || !isCommon) return [];
  const values = found.map(({ nearest }) => nearest);
  const nearest = first.bucket === "first" ? Math.max(...values) : Math.min(...values);
  return [{ type: "end-bucket", endBucket: { ...first, nearest } }];
}

/** Series of an instrument after which those that came no more are forgotten. */
const MOST_UNUSED = 10_000;

/** Lane of series beyond the limit, which are merged into one data point in lane 0. */
const MERGED = -1;

/**
 * The lane of each series of an instrument. Series that are replaced over time would fill the memory: of those known
 * when it was last asked to forget, it forgets the ones that have not come since.
 */
class LaneOfSeries {
  #latest = new KnownLanes();
  #earlier = new KnownLanes();
  /** Number of series of `#earlier` that have come again. */
  #kept = 0;

  /** `next` gives the lane of a new series, MERGED if there is no room for it. */
  laneOf(attributes: Attributes, next: () => number): number {
    const known = this.#latest.byIdentity.get(attributes);
    if (known !== undefined) return Math.max(0, known);
    const key = attributeKey(attributes);
    const lane = this.#latest.byKey.get(key) ?? this.#keptLane(key) ?? next();
    this.#latest.add(attributes, key, lane);
    return Math.max(0, lane);
  }

  /**
   * Forgets series if there are `most` or more and as many new ones have come as there were; returns how many of them
   * had a lane.
   */
  forgetUnused(most: number): number {
    if (this.#latest.byIdentity.size < Math.max(most, 2 * this.#kept)) return 0;
    const forgotten = this.#earlier.laned - this.#kept;
    this.#earlier = this.#latest;
    this.#latest = new KnownLanes();
    this.#kept = 0;
    return forgotten;
  }

  #keptLane(key: string): number | undefined {
    const lane = this.#earlier.byKey.get(key);
    // There may be room for it now.
    if (lane === undefined || lane === MERGED) return undefined;
    this.#kept++;
    return lane;
  }
}

/** Lanes of series, by their attributes. */
class KnownLanes {
  /** Most come with the same object again. */
  readonly byIdentity = new Map<Attributes, number>();
  readonly byKey = new Map<string, number>();
  /** Number of series with a lane. */
  laned = 0;

  add(attributes: Attributes, key: string, lane: number): void {
    if (lane !== MERGED && !this.byKey.has(key)) this.laned++;
    this.byKey.set(key, lane);
    this.byIdentity.set(attributes, lane);
  }
}
