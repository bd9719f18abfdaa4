import type {
  AttributeLevel,
  DimensionCounts,
  DimensionFacts,
  KeyClash,
  LevelledKey,
  RuleText,
} from "./rule.ts";
import { broken, storedDimensionKey } from "./rules.ts";

/** Keys that scope and resource give to the data points below them, as Dynatrace stores them, each with its level. */
export type SharedKeys = ReadonlyMap<string, LevelledKey>;

interface Keyed {
  readonly key: string;
}

/** Finds the keys of a scope's and a resource's attributes; reports each key that another one has taken. */
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

/** Counter of the dimensions of one data point after the other. Makes no object per key, because a request has many. */
export class DimensionCounter {
  readonly #shared: SharedKeys;
  readonly #own = new Map<string, string>();

  constructor(shared: SharedKeys) {
    this.#shared = shared;
  }

  /** Counts the dimensions of a data point with these attributes; reports each key that another one has taken. */
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
 * Finds the rules that an attribute breaks. Whether one of a scope or a resource becomes a dimension at all, only
 * Dynatrace knows (rule `resource-attributes`).
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

/** Names an attribute in a finding. */
export function aboutAttribute(level: AttributeLevel, key: string): string {
  return `${level === "data point" ? "" : `${level} `}attribute "${key}"`;
}
