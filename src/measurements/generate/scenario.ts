import type { Distribution } from "./distribution.ts";
import { AttributeCache } from "../input/attribute_cache.ts";
import type { Attributes, AttributeValue, Measurement } from "../measurement.ts";

/** Traffic that looks like production: metrics, and how what is measured is mixed and changes over time. */
export interface Scenario {
  readonly resource: Readonly<Record<string, string>>;
  readonly metrics: readonly ScenarioMetric[];
  /** One after the other, then from the first again; at least one. */
  readonly phases: readonly Phase[];
}

export interface ScenarioMetric {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Undefined: what is the default for every metric. */
  readonly bounds: readonly number[] | "exponential" | undefined;
  /** Its share of all measurements, in proportion to the other metrics' weights. */
  readonly weight: number;
  /** For each phase what is measured in it. */
  readonly mixes: readonly (readonly MixEntry[])[];
}

export interface Phase {
  readonly name: string;
  /** Infinity when it is the only one. */
  readonly seconds: number;
}

/** Measurements of one kind. */
export interface MixEntry {
  /** Its share of its metric's measurements, in proportion to the other entries' weights. */
  readonly weight: number;
  readonly draw: Distribution;
  readonly attributes: readonly MixAttribute[];
}

/** One choice: the value is always the same. */
export interface MixAttribute {
  readonly key: string;
  readonly choices: readonly Choice[];
}

export interface Choice {
  readonly value: AttributeValue;
  readonly weight: number;
}

/** So many measurements are made at once at the most. */
const MOST_IN_BATCH = 8192;

/** Which phase it is, so long after the start. */
export function phaseAt(phases: readonly Phase[], elapsedSeconds: number): number {
  const cycle = phases.reduce((sum, { seconds }) => sum + seconds, 0);
  let left = Number.isFinite(cycle) ? elapsedSeconds % cycle : elapsedSeconds;
  for (const [index, { seconds }] of phases.entries()) {
    if (left < seconds) return index;
    left -= seconds;
  }
  return 0; // rounding at the very end of a cycle
}

/** Makes a scenario's measurements. */
export class ScenarioTraffic {
  readonly #scenario: Scenario;
  readonly #random: () => number;
  readonly #phases: readonly Deal[];

  constructor(scenario: Scenario, random: () => number) {
    this.#scenario = scenario;
    this.#random = random;
    const attributeCache = new AttributeCache();
    this.#phases = scenario.phases.map((_, phase) =>
      dealOf(scenario.metrics, phase, attributeCache)
    );
  }

  /**
   * `count` measurements of the phase that it is so long after the start: lists of batches, one batch for each metric in
   * its order, made when they are asked for.
   */
  *batches(
    count: number,
    elapsedSeconds: number,
  ): Generator<readonly (readonly Measurement[])[]> {
    const deal = this.#phases[phaseAt(this.#scenario.phases, elapsedSeconds)];
    if (deal === undefined) return;
    for (let left = count; left > 0; left -= MOST_IN_BATCH) {
      yield this.#batch(deal, Math.min(left, MOST_IN_BATCH));
    }
  }

  #batch({ entries, pick }: Deal, count: number): readonly (readonly Measurement[])[] {
    const batches = this.#scenario.metrics.map((): Measurement[] => []);
    for (let i = 0; i < count; i++) {
      const entry = entries[pick(this.#random())];
      if (entry === undefined) continue;
      const attributes = entry.attributes(this.#random);
      batches[entry.metric]?.push({ value: entry.draw(this.#random), attributes });
    }
    return batches;
  }
}

/** Everything that can be measured in a phase. */
interface Deal {
  readonly entries: readonly {
    readonly metric: number;
    readonly draw: Distribution;
    readonly attributes: (random: () => number) => Attributes;
  }[];
  readonly pick: Picker;
}

function dealOf(
  metrics: readonly ScenarioMetric[],
  phase: number,
  attributeCache: AttributeCache,
): Deal {
  const entries = metrics.flatMap(({ weight, mixes }, metric) => {
    const mix = mixes[phase] ?? [];
    const total = totalWeight(mix);
    return mix.map((entry) => ({
      metric,
      weight: total > 0 ? weight * entry.weight / total : 0,
      draw: entry.draw,
      attributes: attributePicker(entry.attributes, attributeCache),
    }));
  });
  return { entries, pick: picker(entries) };
}

/** An index for a number in [0, 1), as often as its weight says. */
type Picker = (uniform: number) => number;

/** At least one weight is above 0. */
export function picker(weighted: readonly { readonly weight: number }[]): Picker {
  const total = totalWeight(weighted);
  let sum = 0;
  const ends = weighted.map(({ weight }) => (sum += weight) / total);
  const last = weighted.findLastIndex(({ weight }) => weight > 0);
  return (uniform) => {
    // What ends where the one before does has no weight, and is never picked.
    const index = ends.findIndex((end) => uniform < end);
    return index < 0 ? last : index;
  };
}

export function totalWeight(weighted: readonly { readonly weight: number }[]): number {
  return weighted.reduce((sum, { weight }) => sum + weight, 0);
}

/** Draws only where there is a choice; the same choices give the same object. */
function attributePicker(
  attributes: readonly MixAttribute[],
  attributeCache: AttributeCache,
): (random: () => number) => Attributes {
  const open = attributes.filter(({ choices }) => choices.length > 1).map(({ key, choices }) => ({
    key,
    choices,
    pick: picker(choices),
  }));
  const known: Attributes[] = [];
  const picked = open.map(() => 0);
  const make = () =>
    attributeCache.intern(attributes.map(({ key, choices }) => {
      const k = open.findIndex((choice) => choice.key === key);
      return [key, choices[k < 0 ? 0 : picked[k] ?? 0]?.value ?? ""] as const;
    }));
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
