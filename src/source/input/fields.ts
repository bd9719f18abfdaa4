import type { TimeFormat } from "./time.ts";
import type { TimeZone } from "./time_zone.ts";
import type { Condition } from "./where.ts";

/** A field of a line that becomes an attribute: its name there, and the attribute's key. */
export interface AttrField {
  readonly name: string;
  readonly key: string;
}

/** A field of a line that holds a value, and the unit of its metric. */
export interface ValueField {
  readonly field: string;
  /** A value with a unit of time is converted to it; undefined or another one: it is invalid. */
  readonly unit?: string | undefined;
}

/** Fields of a line that are read, and how. */
export interface Fields {
  /** At least one; the first is of the first instrument, and so on. */
  readonly values: readonly ValueField[];
  /** Fields that become attributes; undefined: the object `attributes` (NDJSON), none (every other format). */
  readonly attrFields: readonly AttrField[] | undefined;
  /** Fields that hold paths, of which attributes are made without identifiers and queries. */
  readonly pathFields?: readonly string[] | undefined;
  /** Numbers have a comma in place of the point. */
  readonly decimalComma?: boolean | undefined;
  /** A factor for a value without a unit of time: 1000 for seconds to ms. */
  readonly scale: number;
  /** A line that does not fulfil them all is skipped. */
  readonly where?: readonly Condition[] | undefined;
  /** The time of a line; undefined: its measurement has none. */
  readonly timeField?: string | undefined;
  /** Notation of the times; `auto` by default. */
  readonly timeFormat?: TimeFormat | undefined;
  /** The zone of times that have none. */
  readonly timeZone?: TimeZone | undefined;
}

/** The field of a value that no setting names. */
const DEFAULT_FIELD = "value";

/** The fields of a format that has no field `value`, which stands for the format's own, `name`. */
export function withDefaultField(fields: Fields, name: string): Fields {
  const values = fields.values.map((value) =>
    value.field === DEFAULT_FIELD ? { ...value, field: name } : value
  );
  return { ...fields, values };
}

/** Parses `NAME` or `NAME=KEY`, at the first `=`; undefined without a name or without a key. */
export function attrField(text: string): AttrField | undefined {
  const equals = text.indexOf("=");
  const name = (equals < 0 ? text : text.slice(0, equals)).trim();
  const key = equals < 0 ? name : text.slice(equals + 1).trim();
  return name === "" || key === "" ? undefined : { name, key };
}
