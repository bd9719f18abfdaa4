import { quoteClipped } from "../../redact/clip.ts";
import { decimal } from "../../platform/number.ts";
import { DurationUnit, isDuration } from "./duration.ts";
import type { Fields } from "./fields.ts";
import { hasDecimalComma, replaceDecimalComma } from "./decimal_comma.ts";
import { type TimeList, timeListOf } from "./time_list.ts";

/** Rule for a value's number: its field, its factor, and the unit to which a value with a unit of time is converted. */
export interface Conversion {
  readonly field: string;
  readonly scale: number;
  readonly duration: DurationUnit | undefined;
  /** The unit of time of values without one, where a format defines it: they may be lists of times. */
  readonly implied?: string | undefined;
  readonly decimalComma?: boolean | undefined;
}

/** Makes the rule for each value field of an input; `implied` has the units of time that its format defines. */
export function conversionsOf(
  { values, scale, decimalComma }: Fields,
  implied?: ReadonlyMap<string, string>,
): readonly Conversion[] {
  return values.map(({ field, unit }) => ({
    field,
    scale,
    duration: DurationUnit.of(unit),
    implied: implied?.get(field),
    decimalComma,
  }));
}

/**
 * Converts a value to the number to record, or the reason why there is none. `what` names the value in the reason. A
 * number may come as a string; JSON's `true`, `null` and the like are not numbers. A unit of time takes the place of the
 * scale.
 */
export function usableValue(
  found: unknown,
  { scale, duration, implied, decimalComma }: Omit<Conversion, "field">,
  what: string,
): number | string {
  if (found === undefined) return `no field ${what}`;
  const plain = decimalComma && typeof found === "string" ? replaceDecimalComma(found) : found;
  if (plain === undefined) {
    return `${what} has a decimal point, but --decimal-comma is set: ${
      quoteClipped(found, MOST_SHOWN)
    }`;
  }
  const raw = implied === undefined || typeof plain !== "string"
    ? plain
    : withTimeUnit(plain, implied);
  const list = typeof raw === "string" ? listOf(raw, duration) : undefined;
  if (list?.kind === "gap") {
    return `${what} lacks the time of one upstream: ${quoteClipped(found, MOST_SHOWN)}`;
  }
  const single = list?.text ?? raw;
  const value = numberOf(single, scale, duration);
  if (Number.isNaN(value)) {
    return `${what} ${whyNoNumber(single)}: ${quoteClipped(found, MOST_SHOWN)}`;
  }
  if (!Number.isFinite(value)) return `${what} is not finite: ${quoteClipped(found, MOST_SHOWN)}`;
  if (value < 0) return `${what} is negative: ${quoteClipped(found, MOST_SHOWN)}`;
  return value + 0; // 0 of -0
}

/** The number of a value that is not a list; NaN when it is none. */
function numberOf(raw: unknown, scale: number, duration: DurationUnit | undefined): number {
  if (typeof raw === "number") return raw * scale;
  if (typeof raw !== "string") return NaN;
  const number = decimal(raw);
  return Number.isNaN(number) ? duration?.convert(raw) ?? NaN : number * scale;
}

/** A value that is a list: the times at several upstreams. */
function listOf(raw: string, duration: DurationUnit | undefined): TimeList | undefined {
  return Number.isNaN(numberOf(raw, 1, duration)) ? timeListOf(raw.trim()) : undefined;
}

function whyNoNumber(raw: unknown): string {
  if (NOT_FINITE.test(String(raw))) return "is not finite";
  if (typeof raw !== "string") return "is not a number";
  if (isDuration(raw)) return "has a unit of time, but --unit is not a unit of time";
  return hasDecimalComma(raw)
    ? "has a decimal comma, but --decimal-comma is not set"
    : "is not a number";
}

const NOT_FINITE = /^\s*[+-]?(nan|inf|infinity)\s*$/i;

/** Characters of a value that a message quotes: a line of an input may be anything. */
const MOST_SHOWN = 40;

/** Adds the unit to a time, or to the sum of a list of times; any other text stays as it is. */
export function withTimeUnit(text: string, unit: string): string {
  const list = timeListOf(text);
  return list?.kind === "sum" && !list.hasUnit ? `${list.text}${unit}` : text;
}
