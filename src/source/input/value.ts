import { quoteClipped } from "../../redact/clip.ts";
import { decimal } from "../../platform/number.ts";
import { DurationUnit, isDuration } from "./duration.ts";
import type { Fields } from "./fields.ts";
import { replaceDecimalComma } from "./decimal_comma.ts";
import { timeListOf } from "./time_list.ts";

/** Rule for a value's number: its factor, and the unit to which a value with a unit of time is converted. */
export interface Conversion {
  readonly scale: number;
  readonly duration: DurationUnit | undefined;
  /** The unit of time of values without one, where a format defines it: they may be lists of times. */
  readonly implied?: string | undefined;
  readonly decimalComma?: boolean | undefined;
}

/** Makes the rule for the values of an input; `implied` is the unit of time that its format defines. */
export function conversionOf({ scale, unit, decimalComma }: Fields, implied?: string): Conversion {
  return { scale, duration: DurationUnit.of(unit), implied, decimalComma };
}

/**
 * Converts a value to the number to record, or the reason why there is none. `what` names the value in the reason. A
 * number may come as a string; JSON's `true`, `null` and the like are no numbers. A unit of time takes the place of the
 * scale.
 */
export function usableValue(
  found: unknown,
  { scale, duration, implied, decimalComma }: Conversion,
  what: string,
): number | string {
  if (found === undefined) return `no ${what}`;
  const plain = decimalComma && typeof found === "string" ? replaceDecimalComma(found) : found;
  if (plain === undefined) {
    return `${what} has a point, though --decimal-comma is set: ${quoteClipped(found, MOST_SHOWN)}`;
  }
  const raw = implied === undefined ? plain : withTimeUnit(plain, implied);
  const number = typeof raw === "number" ? raw : typeof raw === "string" ? decimal(raw) : NaN;
  const converted = typeof raw === "string" && Number.isNaN(number)
    ? duration?.convert(raw) ?? NaN
    : NaN;
  const value = Number.isNaN(number) ? converted : number * scale;
  if (Number.isNaN(value)) return `${what} ${whyNoNumber(raw)}: ${quoteClipped(found, MOST_SHOWN)}`;
  if (!Number.isFinite(value)) return `${what} is not finite: ${quoteClipped(found, MOST_SHOWN)}`;
  if (value < 0) return `${what} is negative: ${quoteClipped(found, MOST_SHOWN)}`;
  return value + 0; // 0 of -0
}

function whyNoNumber(raw: unknown): string {
  if (NOT_FINITE.test(String(raw))) return "is not finite";
  return typeof raw === "string" && isDuration(raw)
    ? "has a unit of time, but the metric's --unit is none"
    : "is not a number";
}

const NOT_FINITE = /^\s*[+-]?(nan|inf|infinity)\s*$/i;

/** Characters of a value that a message quotes: a line of an input may be anything. */
const MOST_SHOWN = 40;

/** A list of times, or one, as a duration; anything else as it is. */
function withTimeUnit(found: unknown, unit: string): unknown {
  const list = typeof found === "string" ? timeListOf(found) : undefined;
  return list?.kind === "sum" && !list.hasUnit ? `${list.text}${unit}` : found;
}
