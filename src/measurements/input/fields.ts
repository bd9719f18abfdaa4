import { decimal } from "../../base/number.ts";
import type { AttributeValue } from "../measurement.ts";
import { DurationUnit, isDuration } from "./duration.ts";
import type { FieldWatch } from "./field_watch.ts";
import { parseTime, type TimeFormat } from "./time.ts";
import type { Condition } from "./where.ts";

/** A field of a line that becomes an attribute: its name there, and the attribute's key. */
export interface AttrField {
  readonly name: string;
  readonly key: string;
}

/** Which fields of a line are meant, and what they mean. */
export interface Fields {
  readonly valueField: string;
  /** Undefined: the object `attributes` (NDJSON), none (every other format). */
  readonly attrFields: readonly AttrField[] | undefined;
  /** A factor for a value without a unit of time: 1000 for seconds to ms. */
  readonly scale: number;
  /** What a value with a unit of time is converted to, the metric's unit; none when that is no unit of time. */
  readonly unit?: string | undefined;
  /** A line that does not fulfil them all is skipped. */
  readonly where?: readonly Condition[] | undefined;
  /** The time of a line; undefined: its measurement has none. */
  readonly timeField?: string | undefined;
  /** `auto` unless told otherwise. */
  readonly timeFormat?: TimeFormat | undefined;
}

/** `NAME` or `NAME=KEY`, at the first `=`; undefined without a name or without a key. */
export function attrField(text: string): AttrField | undefined {
  const equals = text.indexOf("=");
  const name = (equals < 0 ? text : text.slice(0, equals)).trim();
  const key = equals < 0 ? name : text.slice(equals + 1).trim();
  return name === "" || key === "" ? undefined : { name, key };
}

/** What a value's number is multiplied with, and what its unit of time is converted to. */
export interface Conversion {
  readonly scale: number;
  readonly duration: DurationUnit | undefined;
}

export function conversionOf({ scale, unit }: Fields): Conversion {
  return { scale, duration: DurationUnit.of(unit) };
}

/**
 * The value to record, or the reason why there is none. `what` names the value in the reason. A number may come as a
 * string; JSON's `true`, `null` and the like are no numbers. A unit of time takes the place of the scale.
 */
export function usableValue(
  raw: unknown,
  { scale, duration }: Conversion,
  what: string,
): number | string {
  if (raw === undefined) return `no ${what}`;
  const number = typeof raw === "number" ? raw : typeof raw === "string" ? decimal(raw) : NaN;
  const converted = typeof raw === "string" && Number.isNaN(number)
    ? duration?.convert(raw) ?? NaN
    : NaN;
  const value = Number.isNaN(number) ? converted : number * scale;
  if (Number.isNaN(value)) return `${what} ${whyNoNumber(raw)}: ${quoted(raw)}`;
  if (!Number.isFinite(value)) return `${what} is not finite: ${quoted(raw)}`;
  if (value < 0) return `${what} is negative: ${quoted(raw)}`;
  return value + 0; // 0 of -0
}

function whyNoNumber(raw: unknown): string {
  if (NOT_FINITE.test(String(raw))) return "is not finite";
  return typeof raw === "string" && isDuration(raw)
    ? "has a unit of time, but the metric's --unit is none"
    : "is not a number";
}

/** What a line says, but for its attributes. */
export interface Plain {
  readonly value: number;
  readonly time: number | undefined;
}

/**
 * Decides about a line whose fields `field` tells, in the order that counts: conditions, value, time. The reason when
 * the line is invalid, undefined when it is to be skipped.
 */
export function plainLine(
  field: (name: string) => unknown,
  fields: Fields,
  conversion: Conversion,
  watch: FieldWatch,
): Plain | string | undefined {
  if (!conditionsHold(field, fields, watch)) return undefined;
  const { valueField } = fields;
  const value = usableValue(field(valueField), conversion, `"${valueField}"`);
  if (typeof value === "string") return value;
  const time = timeOf(field, fields);
  return typeof time === "string" ? time : { value, time };
}

/** Tries all of them, so that `watch` learns which fields there are. */
export function conditionsHold(
  field: (name: string) => unknown,
  { where = [] }: Fields,
  watch: FieldWatch,
): boolean {
  let all = true;
  for (const condition of where) {
    const text = textOf(field(condition.field));
    if (text !== undefined) watch.tested(condition.field);
    if (!condition.holds(text)) all = false;
  }
  return all;
}

/** Undefined when no field is named, the reason when it has no usable time. */
export function timeOf(
  field: (name: string) => unknown,
  { timeField, timeFormat = "auto" }: Fields,
): number | string | undefined {
  if (timeField === undefined) return undefined;
  const text = textOf(field(timeField));
  if (text === undefined) return `no "${timeField}"`;
  const time = parseTime(text, timeFormat);
  return typeof time === "string" ? `"${timeField}" ${time}` : time;
}

function textOf(raw: unknown): string | undefined {
  const value = attributeValue(raw);
  return value === undefined ? undefined : String(value);
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
