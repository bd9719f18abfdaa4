import { attributeKey } from "../../aggregate/attribute_key.ts";
import type { Buckets } from "../../aggregate/aggregation.ts";
import type { Distribution } from "./distribution.ts";
import { AttributeCache } from "../input/attribute_cache.ts";
import type { Attributes, Measurement } from "../../aggregate/measurement.ts";
import {
  attributeSets,
  countCombinations,
  isGenerated,
  type MixAttribute,
} from "./mix_attribute.ts";
import { type Picker, picker, totalWeight } from "./picker.ts";
import { SeriesPicker } from "./series_picker.ts";
import { type Share, WHOLE } from "./share.ts";

/** Traffic that looks like production: metrics, and how what is measured is mixed and changes over time. */
export interface Scenario {
  readonly resource: Readonly<Record<string, string>>;
  readonly metrics: readonly ScenarioMetric[];
  /** One after the other, then from the first again; at least one. */
  readonly phases: readonly Phase[];
}

/** A metric of a scenario, and what is measured of it in each phase. */
export interface ScenarioMetric {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Buckets of its own; undefined: those that its name or its unit brings. */
  readonly bounds: Buckets | undefined;
  /** Its share of all measurements, in proportion to the other metrics' weights. */
  readonly weight: number;
  /** One mix per phase. */
  readonly mixes: readonly (readonly MixEntry[])[];
}

/** Stretch of time in which every metric keeps its mix. */
export interface Phase {
  readonly name: string;
  /** Infinity when it is the only one. */
  readonly seconds: number;
}

/** Measurements of one kind: their share, their values, and the attributes that they may have. */
export interface MixEntry {
  /** Its share of its metric's measurements, in proportion to the other entries' weights. */
  readonly weight: number;
  readonly draw: Distribution;
  readonly attributes: readonly MixAttribute[];
}

/** Maximum number of measurements that are made at once. */
const MOST_IN_BATCH = 8192;

/** Phase at a time, and when it ends, in seconds after the start. */
export interface PhaseAt {
  readonly index: number;
  readonly end: number;
}

/** Finds the phase at a time, in seconds after the start; after the last phase, the first one follows. */
export function phaseAt(phases: readonly Phase[], elapsedSeconds: number): PhaseAt {
  const cycle = phases.reduce((sum, { seconds }) => sum + seconds, 0);
  const begun = Number.isFinite(cycle) ? elapsedSeconds - elapsedSeconds % cycle : 0;
  let left = elapsedSeconds - begun;
  let end = begun;
  for (const [index, { seconds }] of phases.entries()) {
    end += seconds;
    if (left < seconds) return { index, end };
    left -= seconds;
  }
  // Rounding at the very end of a cycle.
  return { index: 0, end: begun + cycle + (phases[0]?.seconds ?? Infinity) };
}

/** Random numbers that traffic is made of, and this process's share of its series. */
export interface TrafficOptions {
  readonly share?: Share;
  /**
   * A stream of random numbers that all shares have in common, where that of the values is their own: it decides which
   * series the next measurement belongs to. Undefined: there is one stream for all, and every value is drawn.
   */
  readonly picks?: () => number;
}

/** Makes a scenario's measurements, as far as they are in the share. */
export class ScenarioTraffic {
  readonly #scenario: Scenario;
  readonly #random: () => number;
  readonly #picks: () => number;
  readonly #drawsAll: boolean;
  readonly #phases: readonly Deal[];
  /** Index of the phase of the latest measurements. */
  #phase = 0;

  constructor(
    scenario: Scenario,
    random: () => number,
    { share = WHOLE, picks }: TrafficOptions = {},
  ) {
    this.#scenario = scenario;
    this.#random = random;
    this.#picks = picks ?? random;
    this.#drawsAll = picks === undefined;
    const attributeCache = new AttributeCache();
    const isOwn = share.of === 1 ? () => true : ownSeries(scenario, share);
    this.#phases = scenario.phases.map((_, phase) =>
      dealOf(scenario.metrics, phase, attributeCache, isOwn)
    );
  }

  /**
   * Its own of the next `count` measurements of all shares, of the phase that it is when each is due: lists of batches,
   * one batch for each metric in its order, made when they are asked for. `secondsOf`: when, since the start, a
   * measurement is due, by its place among the `count`; it must not fall.
   */
  *batches(
    count: number,
    secondsOf: (place: number) => number,
  ): Generator<readonly (readonly Measurement[])[]> {
    for (let made = 0; made < count;) {
      const next = this.#moveTo(secondsOf(made));
      const end = Math.min(count, made + MOST_IN_BATCH);
      const to = firstWhere(made + 1, end, (place) => secondsOf(place) >= next);
      const deal = this.#phases[this.#phase];
      if (deal === undefined) return;
      yield this.#batch(deal, to - made);
      made = to;
    }
  }

  /** Name of the phase of the latest measurements; undefined if the scenario has no phases. */
  get phase(): string | undefined {
    return this.#scenario.phases[this.#phase]?.name || undefined;
  }

  /** Goes to the phase of a time, and replaces values whose lifetime is over; returns when either is due again. */
  #moveTo(seconds: number): number {
    const { index, end } = this.#scenario.phases.length === 1
      ? { index: 0, end: Infinity }
      : phaseAt(this.#scenario.phases, seconds);
    this.#phase = index;
    return Math.min(
      end,
      ...this.#phases[index]?.churning.map((series) => series.moveTo(seconds)) ?? [],
    );
  }

  #batch({ entries, pick }: Deal, count: number): readonly (readonly Measurement[])[] {
    const batches = this.#scenario.metrics.map((): Measurement[] => []);
    for (let i = 0; i < count; i++) {
      const entry = entries[pick(this.#picks())];
      if (entry === undefined) continue;
      const { attributes, isOwn } = entry.series.pick(this.#picks);
      if (!isOwn && !this.#drawsAll) continue;
      const value = entry.draw(this.#random);
      if (isOwn) batches[entry.metric]?.push({ value, attributes });
    }
    return batches;
  }
}

/** The first in [from, to) for which it holds, when it holds for all after that; else `to`. */
function firstWhere(from: number, to: number, holds: (place: number) => boolean): number {
  if (from >= to || !holds(to - 1)) return to;
  let [low, high] = [from, to - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

type IsOwn = (metric: number, attributes: Attributes) => boolean;

/** Everything that can be measured in a phase. */
interface Deal {
  /** Series whose values are replaced over time. */
  readonly churning: readonly SeriesPicker[];
  readonly entries: readonly {
    readonly metric: number;
    readonly draw: Distribution;
    readonly series: SeriesPicker;
  }[];
  readonly pick: Picker;
}

function dealOf(
  metrics: readonly ScenarioMetric[],
  phase: number,
  attributeCache: AttributeCache,
  isOwn: IsOwn,
): Deal {
  const entries = metrics.flatMap(({ weight, mixes }, metric) => {
    const mix = mixes[phase] ?? [];
    const total = totalWeight(mix);
    return mix.map((entry) => ({
      metric,
      weight: total > 0 ? weight * entry.weight / total : 0,
      draw: entry.draw,
      series: new SeriesPicker(entry.attributes, attributeCache, (set) => isOwn(metric, set)),
    }));
  });
  const churning = entries.map(({ series }) => series).filter(({ isChurning }) => isChurning);
  return { entries, pick: picker(entries), churning };
}

/** Series that a scenario can have, as its attributes tell. */
export interface Cardinality {
  /** Number of series, in all phases together; two that are equal count twice. */
  readonly series: number;
  /** Whether some of their attributes have generated values. */
  readonly isGenerated: boolean;
}

/** Tells how many series a scenario can have at a time, or within a time span in seconds, without listing them. */
export function cardinalityOf({ metrics, phases }: Scenario, spanSeconds = 0): Cardinality {
  let series = 0;
  const attributes: MixAttribute[] = [];
  for (const { weight, mixes } of metrics) {
    const seen = new Set<string>();
    for (const [phase] of phases.entries()) {
      for (const [index, entry] of mixes[phase]?.entries() ?? []) {
        const key = `${index} ${JSON.stringify(entry.attributes)}`;
        if (weight * entry.weight === 0 || seen.has(key)) continue;
        seen.add(key);
        series += countCombinations(entry.attributes, spanSeconds);
        attributes.push(...entry.attributes);
      }
    }
  }
  return { series, isGenerated: attributes.some(isGenerated) };
}

/** Counts the series of a scenario, in all of its phases, without those of weight 0. */
export function seriesOf(scenario: Scenario): number {
  return seriesNumbers(scenario).size;
}

/** Series are numbered in the file's order, the same in all processes, whatever is drawn first. */
function ownSeries(scenario: Scenario, { index, of }: Share): IsOwn {
  const numbers = seriesNumbers(scenario);
  return (metric, attributes) => (numbers.get(seriesKey(metric, attributes)) ?? 0) % of === index;
}

function seriesNumbers({ metrics }: Scenario): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const [metric, { weight, mixes }] of metrics.entries()) {
    for (const entry of mixes.flat()) {
      if (weight * entry.weight === 0) continue;
      for (const attributes of attributeSets(entry.attributes)) {
        const key = seriesKey(metric, attributes);
        if (!numbers.has(key)) numbers.set(key, numbers.size);
      }
    }
  }
  return numbers;
}

function seriesKey(metric: number, attributes: Attributes): string {
  return `${metric};${attributeKey(attributes)}`;
}
