import type { TimeFormat } from "./time.ts";
import type { TimeZone } from "./time_zone.ts";
import type { Condition } from "./where.ts";

/** A field of a line that becomes an attribute: its name there, and the attribute's key. */
export interface AttrField {
  readonly name: string;
  readonly key: string;
}

/** Fields of a line that are read, and how. */
export interface Fields {
  readonly valueField: string;
  /** Fields that become attributes; undefined: the object `attributes` (NDJSON), none (every other format). */
  readonly attrFields: readonly AttrField[] | undefined;
  /** Fields that hold paths, of which attributes are made without identifiers and queries. */
  readonly pathFields?: readonly string[] | undefined;
  /** Numbers have a comma in place of the point. */
  readonly decimalComma?: boolean | undefined;
  /** A factor for a value without a unit of time: 1000 for seconds to ms. */
  readonly scale: number;
  /** The metric's unit, to which a value with a unit of time is converted; none when it is no unit of time. */
  readonly unit?: string | undefined;
  /** A line that does not fulfil them all is skipped. */
  readonly where?: readonly Condition[] | undefined;
  /** The time of a line; undefined: its measurement has none. */
  readonly timeField?: string | undefined;
  /** Notation of the times; `auto` by default. */
  readonly timeFormat?: TimeFormat | undefined;
  /** The zone of times that have none. */
  readonly timeZone?: TimeZone | undefined;
}

/** Parses `NAME` or `NAME=KEY`, at the first `=`; undefined without a name or without a key. */
export function attrField(text: string): AttrField | undefined {
  const equals = text.indexOf("=");
  const name = (equals < 0 ? text : text.slice(0, equals)).trim();
  const key = equals < 0 ? name : text.slice(equals + 1).trim();
  return name === "" || key === "" ? undefined : { name, key };
}
