import type { Clock } from "../platform/clock.ts";
import { keyOf } from "../aggregate/attribute_key.ts";
import { addOverflow, NO_OVERFLOW } from "../aggregate/overflow.ts";
import type { Attributes } from "../aggregate/measurement.ts";
import { type EndBucket, type Recorder, recorder, type RecorderConfig } from "./recorder.ts";

/**
 * Several recorders as one, whose requests say in which lane they belong: a series stays in the lane that it got when it
 * was new, the first in lane 0, the next in lane 1, …, so that its intervals are of one recorder and join.
 */
export function laneRecorder(config: RecorderConfig, lanes: number, clock: Clock): Recorder {
  const most = config.maxSeries;
  const recorders = Array.from({ length: lanes }, (_, lane) =>
    recorder({
      ...config,
      // What new series come to lane `lane` of the first `most`.
      maxSeries: most === Infinity ? most : Math.ceil((most - lane) / lanes),
    }, clock));
  const series = config.instruments.map(() => new LaneOfSeries());
  let known = 0;
  // What is beyond the limit is folded, into one data point: in one lane.
  const next = () => known < most ? known++ % lanes : 0;
  /** Of each instrument the lanes that have recorded something. */
  const used = config.instruments.map(() => new Set<number>());

  const divide = <Item extends { readonly attributes: Attributes }>(
    batch: readonly Item[],
    instrument: number,
    into: (part: readonly Item[], lane: Recorder) => void,
  ) => {
    const lanesOf = series[instrument];
    if (lanesOf === undefined) throw new RangeError(`There is no instrument ${instrument}`);
    const parts = recorders.map((): Item[] => []);
    for (const item of batch) parts[lanesOf.of(item.attributes, next)]?.push(item);
    for (const [lane, part] of parts.entries()) {
      const own = recorders[lane];
      if (part.length === 0 || own === undefined) continue;
      used[instrument]?.add(lane);
      into(part, own);
    }
  };
  return {
    record: (batch, instrument = 0) =>
      divide(batch, instrument, (part, lane) => lane.record(part, instrument)),
    recordHistograms: (batch, instrument = 0) =>
      divide(batch, instrument, (part, lane) => lane.recordHistograms(part, instrument)),
    addInstrument(instrument) {
      throw new Error(
        `Lanes are for instruments that are known from the start: ${instrument.name}`,
      );
    },
    get isDue() {
      return recorders.some(({ isDue }) => isDue);
    },
    isFull: false,
    finish() {
      for (const lane of recorders) lane.finish();
    },
    async collect(...wanted) {
      const collected = await Promise.all(recorders.map((each) => each.collect(...wanted)));
      return {
        requests: collected.flatMap(({ requests }, lane) =>
          requests.map((request) => ({ ...request, lane }))
        ),
        overflow: collected.reduce((sum, { overflow }) => addOverflow(sum, overflow), NO_OVERFLOW),
        unequalBounds: collected.reduce((sum, each) => sum + each.unequalBounds, 0),
        endBuckets: config.instruments.flatMap(({ name }, instrument) =>
          common(
            name,
            [...used[instrument] ?? []].map((lane) => collected[lane]?.endBuckets ?? []),
          )
        ),
        measured: collected.flatMap(({ measured }) => measured),
        closedEarly: collected.reduce((sum, { closedEarly }) => sum + closedEarly, 0),
        reopened: collected.reduce((sum, { reopened }) => sum + reopened, 0),
      };
    },
  };
}

/** The bucket of a metric, when it is the same in all lanes, with what is nearest to its bound in any of them. */
function common(
  metric: string,
  lanes: readonly (readonly EndBucket[])[],
): readonly EndBucket[] {
  const found = lanes.flatMap((buckets) => buckets.find((each) => each.metric === metric) ?? []);
  const [first] = found;
  const isCommon = found.length === lanes.length &&
    found.every(({ bucket }) => bucket === first?.bucket);
  if (first === undefined || !isCommon) return [];
  const values = found.map(({ nearest }) => nearest);
  const nearest = first.bucket === "first" ? Math.max(...values) : Math.min(...values);
  return [{ ...first, nearest }];
}

/** Which lane each series of an instrument has. */
class LaneOfSeries {
  /** Most come with the same object again. */
  readonly #byIdentity = new Map<Attributes, number>();
  readonly #byKey = new Map<string, number>();

  of(attributes: Attributes, next: () => number): number {
    const known = this.#byIdentity.get(attributes);
    if (known !== undefined) return known;
    const key = keyOf(attributes);
    const lane = this.#byKey.get(key) ?? next();
    this.#byKey.set(key, lane);
    this.#byIdentity.set(attributes, lane);
    return lane;
  }
}
