import type { Attributes, AttributeValue } from "../measurement.ts";

/** Beyond this many sets everything begins anew, so that an endless input runs in constant memory. */
const MOST_SETS = 65_536;

/** No attributes at all: one object for everyone. */
export const NO_ATTRIBUTES: Attributes = Object.freeze({});

/**
 * Gives the same object for the same set of attributes, in whatever order they come, so that a recorder finds their
 * series by identity. Identity is a short cut and no promise: after many sets an equal one may be a new object.
 */
export class AttributeCache {
  readonly #sets = new Map<string, Attributes>();

  intern(entries: readonly (readonly [string, AttributeValue])[]): Attributes {
    if (entries.length === 0) return NO_ATTRIBUTES;
    // Of a key that comes twice, the last; `fromEntries` also keeps a key called `__proto__`.
    const attributes: Attributes = Object.fromEntries(entries);
    const key = keyOf(attributes);
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    if (this.#sets.size >= MOST_SETS) this.#sets.clear();
    this.#sets.set(key, attributes);
    return attributes;
  }
}

/** Keys and values in the keys' order. */
function keyOf(attributes: Attributes): string {
  const flat: unknown[] = [];
  for (const key of Object.keys(attributes).sort()) {
    const value = attributes[key];
    // JSON tells 1 from "1", but has no Infinity.
    flat.push(key, Number.isFinite(value) || typeof value !== "number" ? value : [String(value)]);
  }
  return JSON.stringify(flat);
}
