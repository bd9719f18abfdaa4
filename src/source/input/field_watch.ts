import type { AttributeValue } from "../../aggregate/measurement.ts";

/** A field with more different values than this is hardly meant as an attribute. */
const MANY = 1000;
const EXAMPLES = 3;
/** Maximum number of fields whose values are counted: `attributes` of NDJSON may have any number of keys. */
const MOST_FIELDS = 256;
/** Characters that are kept of a long value's beginning, and as many of its end. */
const KEPT = 64;

/** Receives a field that may be an identifier, as it has so many values, and some of them. */
export type OnManyValues = (field: string, examples: readonly string[]) => void;
/** Receives the field and the text in which bytes that are not UTF-8 became U+FFFD. */
export type OnNotUtf8 = (field: string, text: string) => void;

const REPLACEMENT = "\ufffd";

/**
 * Watches what the fields hold that become attributes, in bounded memory: which named ones no line had, and which have
 * so many values that they may be identifiers. It is told of values that a reader meets for the first time.
 */
export class FieldWatch {
  readonly #onManyValues: OnManyValues | undefined;
  #onNotUtf8: OnNotUtf8 | undefined;
  /** The different values of a field; null when they were too many. */
  readonly #fields = new Map<string, Set<string> | null>();
  readonly #tested = new Set<string>();

  /** `onNotUtf8` is called once. */
  constructor(onManyValues: OnManyValues | undefined, onNotUtf8?: OnNotUtf8) {
    this.#onManyValues = onManyValues;
    this.#onNotUtf8 = onNotUtf8;
  }

  /** The names of the fields of a line without the value, in the format that it was read in. */
  sample: { readonly format: string; readonly names: readonly string[] } | undefined;

  /** An attribute came of the field. */
  attribute(field: string, value: AttributeValue): void {
    if (this.#onNotUtf8 !== undefined && String(value).includes(REPLACEMENT)) {
      this.#onNotUtf8(field, String(value));
      this.#onNotUtf8 = undefined;
    }
    const values = this.#fields.get(field);
    if (values === null) return;
    if (values === undefined) {
      if (this.#fields.size >= MOST_FIELDS) return;
      this.#fields.set(field, new Set([kept(String(value))]));
      return;
    }
    values.add(kept(String(value)));
    if (values.size <= MANY) return;
    this.#fields.set(field, null);
    this.#onManyValues?.(field, [...values].slice(0, EXAMPLES));
  }

  /** A condition was tried on a line that has the field. */
  tested(field: string): void {
    this.#tested.add(field);
  }

  /** Which of these fields no attribute came of. */
  unseen(attributes: readonly string[]): readonly string[] {
    return attributes.filter((name) => !this.#fields.has(name));
  }

  /** Which of these fields no condition found. */
  untested(fields: readonly string[]): readonly string[] {
    return fields.filter((name) => !this.#tested.has(name));
  }
}

function kept(value: string): string {
  return value.length <= 2 * KEPT ? value : `${value.slice(0, KEPT)}…${value.slice(-KEPT)}`;
}
