import { isDuration } from "./duration.ts";

/** A request's times at several upstreams, as access logs write them: one time is a list of one. */
export type TimeList =
  /** `text` is the sum, as a number or a duration. */
  | { readonly kind: "sum"; readonly text: string; readonly hasUnit: boolean }
  /** An upstream has `-` in place of a time. */
  | { readonly kind: "gap" };

/** nginx joins the times of upstreams with commas, and those of server groups with colons. */
const SEPARATOR = / *[,:] */;
const PLAIN = /^\d+(\.\d*)?$/;
/** Without blanks `1,234` is one number and `12:30` a clock: only decimals are a list. */
const CLOSE = /\d[,:]\d/;
const DECIMAL = /^\d+\.\d+$/;
/** Identifiers in hexadecimal may end in d, another unit of time. */
const WITH_UNIT = /^\d.*s$/;

/** Parses a list of times; undefined when the text is something else. */
export function timeListOf(text: string): TimeList | undefined {
  const parts = text.split(SEPARATOR);
  const times = parts.filter((part) => part !== "-");
  const hasUnit = times.some((part) => WITH_UNIT.test(part));
  const plain = CLOSE.test(text) ? DECIMAL : PLAIN;
  const isTime = (part: string) => hasUnit ? isDuration(part) : plain.test(part);
  if (text === "-" || !times.every(isTime)) return undefined;
  if (times.length < parts.length) return { kind: "gap" };
  if (parts.length === 1) return { kind: "sum", text, hasUnit };
  // A duration may have several parts, as in 1m2.5s.
  if (hasUnit) return { kind: "sum", text: parts.join(""), hasUnit };
  // The parts are decimals with few digits: the sum is rounded to the decimal that people would write.
  const sum = parts.reduce((total, part) => total + Number(part), 0);
  return { kind: "sum", text: String(Number(sum.toPrecision(15))), hasUnit };
}
