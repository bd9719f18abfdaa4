import { attributeKey } from "../../aggregate/attribute_key.ts";
import type { Attributes, AttributeValue } from "../../aggregate/measurement.ts";

/** Number of sets after which the cache is emptied, so that an endless input runs in constant memory. */
const MOST_SETS = 65_536;

/** Empty attributes, one object for all measurements without any. */
export const NO_ATTRIBUTES: Attributes = Object.freeze({});

/**
 * Gives the same object for the same set of attributes, in whatever order they come, so that a recorder finds their
 * series by identity. Identity is a short cut and no promise: after many sets an equal one may be a new object.
 */
export class AttributeCache {
  readonly #sets = new Map<string, Attributes>();

  intern(attributes: Attributes): Attributes {
    const key = attributeKey(attributes);
    if (key === "") return NO_ATTRIBUTES;
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    if (this.#sets.size >= MOST_SETS) this.#sets.clear();
    this.#sets.set(key, attributes);
    return attributes;
  }
}

/** Attributes that are being gathered: of a key that comes twice, the last. */
export type Gathered = Record<string, AttributeValue>;

/** Sets an attribute; `__proto__` is a key like any other. */
export function gather(attributes: Gathered, key: string, value: AttributeValue): void {
  if (key !== "__proto__") attributes[key] = value;
  else Object.defineProperty(attributes, key, { value, enumerable: true, writable: true });
}
