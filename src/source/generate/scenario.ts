import { attributeKey } from "../../aggregate/attribute_key.ts";
import type { Buckets } from "../../aggregate/aggregation.ts";
import type { Distribution } from "./distribution.ts";
import { AttributeCache, gather, type Gathered } from "../input/attribute_cache.ts";
import type { Attributes, AttributeValue, Measurement } from "../../aggregate/measurement.ts";
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
  /** Buckets of its own; undefined: those of every metric by default. */
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

/** Attribute and its possible values; a single one is on every measurement. */
export interface MixAttribute {
  readonly key: string;
  readonly choices: readonly Choice[];
}

/** A value that an attribute can have, and how often it is drawn in proportion to the others' weights. */
export interface Choice {
  readonly value: AttributeValue;
  readonly weight: number;
}

/** Maximum number of measurements that are made at once. */
const MOST_IN_BATCH = 8192;

/** Returns the index of the phase at a time, in seconds after the start; the phases begin anew after the last. */
export function phaseAt(phases: readonly Phase[], elapsedSeconds: number): number {
  const cycle = phases.reduce((sum, { seconds }) => sum + seconds, 0);
  let left = Number.isFinite(cycle) ? elapsedSeconds % cycle : elapsedSeconds;
  for (const [index, { seconds }] of phases.entries()) {
    if (left < seconds) return index;
    left -= seconds;
  }
  return 0; // rounding at the very end of a cycle
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
      const phase = this.#phaseOf(secondsOf(made));
      const end = Math.min(count, made + MOST_IN_BATCH);
      const to = firstWhere(made + 1, end, (place) => this.#phaseOf(secondsOf(place)) !== phase);
      const deal = this.#phases[phase];
      if (deal === undefined) return;
      yield this.#batch(deal, to - made);
      made = to;
    }
  }

  #phaseOf(seconds: number): number {
    return this.#phases.length === 1 ? 0 : phaseAt(this.#scenario.phases, seconds);
  }

  #batch({ entries, pick }: Deal, count: number): readonly (readonly Measurement[])[] {
    const batches = this.#scenario.metrics.map((): Measurement[] => []);
    for (let i = 0; i < count; i++) {
      const entry = entries[pick(this.#picks())];
      if (entry === undefined) continue;
      const { attributes, isOwn } = entry.series(this.#picks);
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

/** Attributes that a measurement can have. */
interface Series {
  readonly attributes: Attributes;
  /** Whether it is in the share. */
  readonly isOwn: boolean;
}

type IsOwn = (metric: number, attributes: Attributes) => boolean;

/** Everything that can be measured in a phase. */
interface Deal {
  readonly entries: readonly {
    readonly metric: number;
    readonly draw: Distribution;
    readonly series: (random: () => number) => Series;
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
      series: seriesPicker(entry.attributes, attributeCache, (set) => isOwn(metric, set)),
    }));
  });
  return { entries, pick: picker(entries) };
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

/** Yields every set of attributes that can be drawn. */
function* attributeSets([first, ...others]: readonly MixAttribute[]): Generator<Attributes> {
  if (first === undefined) return yield {};
  for (const { value, weight } of first.choices) {
    if (weight === 0 && first.choices.length > 1) continue;
    for (const rest of attributeSets(others)) yield { [first.key]: value, ...rest };
  }
}

/** Maps a number in [0, 1) to an index, each as often as its weight says. */
type Picker = (uniform: number) => number;

/** Makes a picker of indexes by weights, of which at least one is above 0. */
export function picker(weighted: readonly { readonly weight: number }[]): Picker {
  const total = totalWeight(weighted);
  let sum = 0;
  const ends = weighted.map(({ weight }) => (sum += weight) / total);
  const last = weighted.findLastIndex(({ weight }) => weight > 0);
  return (uniform) => {
    // An entry that ends where the one before does has no weight, and is never picked.
    const index = ends.findIndex((end) => uniform < end);
    return index < 0 ? last : index;
  };
}

/** Adds the weights up. */
export function totalWeight(weighted: readonly { readonly weight: number }[]): number {
  return weighted.reduce((sum, { weight }) => sum + weight, 0);
}

/** Draws only where there is a choice; the same choices give the same object. */
function seriesPicker(
  attributes: readonly MixAttribute[],
  attributeCache: AttributeCache,
  isOwn: (attributes: Attributes) => boolean,
): (random: () => number) => Series {
  const open = attributes.filter(({ choices }) => choices.length > 1).map(({ key, choices }) => ({
    key,
    choices,
    pick: picker(choices),
  }));
  const known: Series[] = [];
  const picked = open.map(() => 0);
  const make = (): Series => {
    const gathered: Gathered = {};
    for (const { key, choices } of attributes) {
      const k = open.findIndex((choice) => choice.key === key);
      gather(gathered, key, choices[k < 0 ? 0 : picked[k] ?? 0]?.value ?? "");
    }
    const set = attributeCache.intern(gathered);
    return { attributes: set, isOwn: isOwn(set) };
  };
  return (random) => {
    let combination = 0;
    for (let k = 0; k < open.length; k++) {
      const choice = open[k];
      if (choice === undefined) continue;
      const index = choice.pick(random());
      picked[k] = index;
      combination = combination * choice.choices.length + index;
    }
    return known[combination] ??= make();
  };
}
