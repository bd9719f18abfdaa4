import { AttributeCache, gather, type Gathered } from "../input/attribute_cache.ts";
import type { Attributes } from "../../aggregate/measurement.ts";
import {
  type GeneratedAttribute,
  generatedValue,
  isGenerated,
  type MixAttribute,
  replacedAt,
  replacementTime,
} from "./mix_attribute.ts";
import { picker } from "./picker.ts";

/** Attributes that a measurement can have. */
export interface PickedSeries {
  readonly attributes: Attributes;
  /** Whether it is in the share. */
  readonly isOwn: boolean;
}

/** Series of one combination of choices and slots, as it was made last. */
interface KnownSeries extends PickedSeries {
  /** Its values that churn. */
  readonly names: string;
  /** Change of the replacements at which they were last compared. */
  change: number;
}

/**
 * Picks the series of each measurement of a mix entry. It draws values only where there is a choice, and deals generated
 * ones in turn. The same values give the same object.
 */
export class SeriesPicker {
  readonly #attributes: readonly MixAttribute[];
  readonly #open;
  readonly #generated: readonly GeneratedAttribute[];
  readonly #churning: readonly GeneratedAttribute[];
  readonly #attributeCache: AttributeCache;
  readonly #isOwn: (attributes: Attributes) => boolean;
  readonly #known: KnownSeries[] = [];
  /** Indexes of the values of the next series, by attribute. */
  readonly #picked: number[];
  /** Replacements so far, by attribute. */
  readonly #replaced: number[];
  /** Number of changes of `#replaced`. */
  #change = 0;
  /** Combinations of generated values, and the one that is next. */
  readonly #combinations: number;
  #next = 0;

  /** `isOwn` is asked with the attributes that a series has at the start: its replacements stay in the same share. */
  constructor(
    attributes: readonly MixAttribute[],
    attributeCache: AttributeCache,
    isOwn: (attributes: Attributes) => boolean,
  ) {
    this.#attributes = attributes;
    this.#attributeCache = attributeCache;
    this.#isOwn = isOwn;
    this.#open = attributes.flatMap((attribute, index) =>
      !isGenerated(attribute) && attribute.choices.length > 1
        ? [{ index, choices: attribute.choices, pick: picker(attribute.choices) }]
        : []
    );
    this.#generated = attributes.filter(isGenerated);
    this.#churning = this.#generated.filter(({ churnSeconds }) => churnSeconds < Infinity);
    this.#combinations = this.#generated.reduce((product, { values }) => product * values, 1);
    this.#picked = attributes.map(() => 0);
    this.#replaced = attributes.map(() => 0);
  }

  /** Whether values are replaced over time. */
  get isChurning(): boolean {
    return this.#churning.length > 0;
  }

  /** Replaces the values whose lifetime is over, at a time in seconds since the start; returns when the next one is. */
  moveTo(seconds: number): number {
    let next = Infinity;
    for (const attribute of this.#churning) {
      const index = this.#attributes.indexOf(attribute);
      const replaced = replacedAt(attribute, seconds);
      if (replaced !== this.#replaced[index]) {
        this.#replaced[index] = replaced;
        this.#change++;
      }
      next = Math.min(next, replacementTime(attribute, replaced + 1));
    }
    return next;
  }

  pick(random: () => number): PickedSeries {
    let combination = 0;
    for (const { index, choices, pick } of this.#open) {
      const choice = pick(random());
      this.#picked[index] = choice;
      combination = combination * choices.length + choice;
    }
    if (this.#combinations > 1) {
      combination = combination * this.#combinations + this.#next;
      this.#next = (this.#next + 1) % this.#combinations;
    }
    const known = this.#known[combination];
    if (known?.change === this.#change) return known;
    this.#pickSlots(combination % this.#combinations);
    return this.#known[combination] = this.#made(known);
  }

  /** Divides the number of a combination of generated values into their slots; the last attribute changes fastest. */
  #pickSlots(combination: number): void {
    let rest = combination;
    for (let index = this.#attributes.length - 1; index >= 0; index--) {
      const attribute = this.#attributes[index];
      if (attribute === undefined || !isGenerated(attribute)) continue;
      this.#picked[index] = rest % attribute.values;
      rest = Math.floor(rest / attribute.values);
    }
  }

  #made(known: KnownSeries | undefined): KnownSeries {
    const names = this.#names();
    const change = this.#change;
    if (names === known?.names) {
      known.change = change;
      return known;
    }
    const isOwn = known?.isOwn ?? this.#isOwn(this.#gathered(() => 0));
    const attributes = this.#gathered((index) => this.#replaced[index] ?? 0);
    const set = names === "" ? this.#attributeCache.intern(attributes) : attributes;
    return { attributes: set, isOwn, names, change };
  }

  /** Tells apart the series that follow each other in a combination: their values that churn. */
  #names(): string {
    return this.#churning.map((attribute) => {
      const index = this.#attributes.indexOf(attribute);
      return generatedValue(attribute, this.#picked[index] ?? 0, this.#replaced[index] ?? 0);
    }).join("\n");
  }

  #gathered(replaced: (index: number) => number): Attributes {
    const gathered: Gathered = {};
    for (const [index, attribute] of this.#attributes.entries()) {
      const picked = this.#picked[index] ?? 0;
      const value = isGenerated(attribute)
        ? generatedValue(attribute, picked, replaced(index))
        : attribute.choices[picked]?.value ?? "";
      gather(gathered, attribute.key, value);
    }
    return gathered;
  }
}
