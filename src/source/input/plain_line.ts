import type { AttributeValue } from "../../aggregate/measurement.ts";
import type { FieldWatch } from "./field_watch.ts";
import type { Fields } from "./fields.ts";
import { pathTemplate } from "./path_template.ts";
import { parseTime } from "./time.ts";
import { type Conversion, usableValue } from "./value.ts";

/** Values and time of a line; the time is in ms since 1970, undefined when no time field is named. */
export interface Plain {
  /** The value of each value field, NaN where the line has none; at least one is a number. */
  readonly values: readonly number[];
  readonly time: number | undefined;
}

/**
 * Reads a line through `field`, which returns its fields, in the order that counts: conditions, values, time. Returns the
 * reason when the line is invalid, undefined when it is to be skipped.
 */
export function plainLine(
  field: (name: string) => unknown,
  fields: Fields,
  conversions: readonly Conversion[],
  watch: FieldWatch,
): Plain | string | undefined {
  if (!conditionsHold(field, fields, watch)) return undefined;
  const values: number[] = [];
  for (const conversion of conversions) {
    const found = field(conversion.field);
    const value = conversions.length > 1 && isMissing(found)
      ? NaN
      : usableValue(found, conversion, `"${conversion.field}"`);
    if (typeof value === "string") return value;
    values.push(value);
  }
  if (values.every(Number.isNaN)) {
    return `no value in any of ${conversions.map(({ field }) => `"${field}"`).join(", ")}`;
  }
  const time = timeOf(field, fields);
  return typeof time === "string" ? time : { values, time };
}

/** Whether a line has no value in a field, so that one of several metrics is left out. */
function isMissing(found: unknown): boolean {
  if (typeof found !== "string") return found === undefined || found === null;
  const text = found.trim();
  return text === "" || text === "-";
}

/** Whether a line fulfils all conditions. Each is tried, so that `watch` learns which fields there are. */
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

/** Reads the time of a line, in ms since 1970; undefined when no field is named, the reason when it is unusable. */
export function timeOf(
  field: (name: string) => unknown,
  { timeField, timeFormat = "auto", timeZone }: Fields,
): number | string | undefined {
  if (timeField === undefined) return undefined;
  const text = textOf(field(timeField));
  if (text === undefined) return `no field "${timeField}"`;
  const time = parseTime(text, timeFormat, timeZone);
  return typeof time === "string" ? `"${timeField}" ${time}` : time;
}

/** Returns the text of an attribute: the template of a path where the field holds one. */
export function pathOr(text: string, name: string, { pathFields }: Fields): string {
  return pathFields?.includes(name) ? pathTemplate(text) : text;
}

function textOf(raw: unknown): string | undefined {
  const value = attributeValue(raw);
  return value === undefined ? undefined : String(value);
}

/**
 * Converts a value of JSON into that of an attribute: a string, boolean or number stays; null does not become an attribute; an array
 * or object, which a metric's attribute cannot hold, becomes its JSON text, so that it still tells series apart.
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
