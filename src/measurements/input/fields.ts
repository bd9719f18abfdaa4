import { decimal } from "../../base/number.ts";
import type { AttributeValue } from "../measurement.ts";

/** A field of a line that becomes an attribute: its name there, and the attribute's key. */
export interface AttrField {
  readonly name: string;
  readonly key: string;
}

/** Which fields of a line are meant. */
export interface Fields {
  readonly valueField: string;
  /** Undefined: the object `attributes` (NDJSON), every other column (CSV). */
  readonly attrFields: readonly AttrField[] | undefined;
  /** A factor for the value: 1000 for seconds to ms. */
  readonly scale: number;
}

/** `NAME` or `NAME=KEY`, at the first `=`; undefined without a name or without a key. */
export function attrField(text: string): AttrField | undefined {
  const equals = text.indexOf("=");
  const name = (equals < 0 ? text : text.slice(0, equals)).trim();
  const key = equals < 0 ? name : text.slice(equals + 1).trim();
  return name === "" || key === "" ? undefined : { name, key };
}

/**
 * The value to record, or the reason why there is none. `what` names the value in the reason. A number may come as a
 * string; JSON's `true`, `null` and the like are no numbers.
 */
export function usableValue(raw: unknown, scale: number, what: string): number | string {
  if (raw === undefined) return `no ${what}`;
  const number = typeof raw === "number" ? raw : typeof raw === "string" ? decimal(raw) : NaN;
  if (Number.isNaN(number)) {
    return NOT_FINITE.test(String(raw))
      ? `${what} is not finite: ${quoted(raw)}`
      : `${what} is not a number: ${quoted(raw)}`;
  }
  const value = number * scale;
  if (!Number.isFinite(value)) return `${what} is not finite: ${quoted(raw)}`;
  if (value < 0) return `${what} is negative: ${quoted(raw)}`;
  return value + 0; // 0 of -0
}

const NOT_FINITE = /^\s*[+-]?(nan|inf|infinity)\s*$/i;
const MOST_SHOWN = 40;

/** As JSON, shortened: a line of an input may be anything. */
function quoted(raw: unknown): string {
  const text = typeof raw === "number" ? String(raw) : JSON.stringify(raw);
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}…`;
}

/**
 * What an attribute becomes: a string, boolean or number stays what it is; null is no attribute; an array or object,
 * which a metric's attribute cannot hold, becomes its JSON text, so that it still tells series apart.
 */
export function attributeValue(raw: unknown): AttributeValue | undefined {
  switch (typeof raw) {
    case "string":
    case "number":
    case "boolean":
      return raw;
    case "object":
      return raw === null ? undefined : JSON.stringify(raw);
    default:
      return undefined;
  }
}
