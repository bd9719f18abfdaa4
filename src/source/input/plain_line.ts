import type { AttributeValue } from "../../aggregate/measurement.ts";
import type { FieldWatch } from "./field_watch.ts";
import type { Fields } from "./fields.ts";
import { pathTemplate } from "./path_template.ts";
import { parseTime } from "./time.ts";
import { type Conversion, usableValue } from "./value.ts";

/** Value and time of a line; the time is in ms since 1970, undefined when no time field is named. */
export interface Plain {
  readonly value: number;
  readonly time: number | undefined;
}

/**
 * Reads a line through `field`, which returns its fields, in the order that counts: conditions, value, time. Returns the
 * reason when the line is invalid, undefined when it is to be skipped.
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
  if (text === undefined) return `no "${timeField}"`;
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
 * Converts a value of JSON into that of an attribute: a string, boolean or number stays; null is no attribute; an array
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
