import { fieldOf, type JsonObject } from "../../platform/json_object.ts";
import { COMBINED_FIELDS, CombinedReader } from "./combined.ts";
import { type Fields, withDefaultField } from "./fields.ts";
import type { FieldWatch } from "./field_watch.ts";
import type { Sink } from "./sink.ts";
import type { TimedField } from "./timed_field.ts";

/** Formats whose readers know their own fields only. */
export type PlainFormat = "combined" | "text";

/** Settings of the input, and who hears of its lines. */
interface PlainReading {
  readonly options: Fields & { readonly onNoUnit?: (() => void) | undefined };
  readonly sink: Sink;
  readonly watch: FieldWatch;
  readonly timed: TimedField;
}

/** Lines of a plain format as objects, to be merged with what a container runtime says about them. */
export interface LineObjects {
  /** The fields to read, by the names that they have in the objects. */
  readonly fields: Fields;
  /** The fields of a line; undefined for one that says nothing. */
  readonly objectOf: (line: string) => Readonly<Record<string, string>> | undefined;
}

/**
 * Makes objects of a format's lines where a setting names a field of `outer` that these lines do not have; undefined where
 * the reader of the format is enough.
 */
export function lineObjects(
  format: PlainFormat,
  outer: JsonObject,
  reading: PlainReading,
): LineObjects | undefined {
  const { options } = reading;
  const fields = format === "combined" ? withDefaultField(options, "request_time") : options;
  const own: readonly string[] = format === "combined" ? COMBINED_FIELDS : ["value"];
  const others = fieldNames(fields).filter((name) => !own.includes(name));
  if (others.length === 0 || !others.every((name) => fieldOf(outer, name) !== undefined)) {
    return undefined;
  }
  if (format === "combined") {
    const reader = CombinedReader.ofAllFields(fields, reading, options.onNoUnit);
    return { fields, objectOf: (line) => reader.fieldsOf(line) };
  }
  return {
    fields,
    objectOf: (line) => line.trim() === "" || line.startsWith("#") ? undefined : { value: line },
  };
}

function fieldNames({ values, attrFields = [], where = [], timeField }: Fields): readonly string[] {
  return [
    ...values.map(({ field }) => field),
    ...attrFields.map(({ name }) => name),
    ...where.map(({ field }) => field),
    ...timeField === undefined ? [] : [timeField],
  ];
}
