import {
  type AttributeLevel,
  broken,
  type DimensionCounts,
  type DimensionFacts,
  type KeyClash,
  type LevelledKey,
  type RuleText,
  storedDimensionKey,
} from "./rules.ts";

/** What scope and resource give the data points below them: keys as Dynatrace stores them, and whose they are. */
export type SharedKeys = ReadonlyMap<string, LevelledKey>;

interface Keyed {
  readonly key: string;
}

/** Finds what a scope's and a resource's attributes become; tells of each key that another one has taken. */
export function sharedKeys(
  scope: readonly Keyed[],
  resource: readonly Keyed[],
  tell: (clash: KeyClash) => void,
): SharedKeys {
  const shared = new Map<string, LevelledKey>();
  const add = (level: AttributeLevel, attributes: readonly Keyed[]) => {
    for (const { key } of attributes) {
      const stored = storedDimensionKey(key);
      const wins = shared.get(stored);
      if (wins === undefined) shared.set(stored, { level, key });
      else tell({ stored, wins, loses: { level, key } });
    }
  };
  add("scope", scope);
  add("resource", resource);
  return shared;
}

/** Counts the dimensions of one data point after the other. It makes no object for a key: a request has many. */
export class DimensionCounter {
  readonly #shared: SharedKeys;
  readonly #own = new Map<string, string>();

  constructor(shared: SharedKeys) {
    this.#shared = shared;
  }

  /** The dimensions of a data point with these attributes; tells of each key that another one has taken. */
  count(attributes: readonly Keyed[], tell: (clash: KeyClash) => void): DimensionCounts {
    const own = this.#own;
    own.clear();
    let both = 0;
    for (const { key } of attributes) {
      const stored = storedDimensionKey(key);
      const first = own.get(stored);
      if (first !== undefined) {
        const level = "data point";
        tell({ stored, wins: { level, key: first }, loses: { level, key } });
        continue;
      }
      own.set(stored, key);
      const loses = this.#shared.get(stored);
      if (loses === undefined) continue;
      both++;
      tell({ stored, wins: { level: "data point", key }, loses });
    }
    return { own: own.size, all: own.size + this.#shared.size - both };
  }
}

/**
 * The rules that an attribute breaks. Of a scope's or a resource's it is not known whether it becomes a dimension at all
 * (the rule `resource-attributes`).
 */
export function brokenByAttribute(
  facts: DimensionFacts,
): readonly { readonly rule: RuleText; readonly wrong: string }[] {
  const found = broken("dimension", facts);
  return facts.level === "data point" ? found : found.map(({ rule, wrong }) => ({
    rule,
    wrong: `${wrong}, if the allow list makes it a dimension`,
  }));
}

/** An attribute of that level, as findings tell it apart. */
export function aboutAttribute(level: AttributeLevel, key: string): string {
  return `${level === "data point" ? "" : `${level} `}attribute "${key}"`;
}
