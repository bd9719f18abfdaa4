import { decimal } from "../../platform/number.ts";
import { nanosecondsOf } from "./duration.ts";
import { parseTime } from "./time.ts";
import type { TimeZone } from "./time_zone.ts";
import { replaceDecimalComma } from "./decimal_comma.ts";

/** A condition that a line has to fulfil, or it is skipped. */
export interface Condition {
  readonly field: string;
  /** Undefined: the line has no such field, which only `!=` is content with. */
  readonly holds: (text: string | undefined) => boolean;
}

/** How the fields that are compared are written. */
interface Notation {
  /** The zone of times without one. */
  readonly zone?: TimeZone | undefined;
  /** Numbers have a comma in place of the point. */
  readonly decimalComma?: boolean | undefined;
}

const OPERATOR = /!=|>=|<=|[=~<>]/;
const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};

/**
 * FIELD=VALUE, FIELD!=VALUE, FIELD~REGEX, or FIELD>VALUE, >=, <, <= with a number, a duration or a time, at the first
 * operator; the expression is found anywhere in the field.
 */
export function parseCondition(
  text: string,
  notation: Notation = {},
): Condition | { readonly expected: string } {
  const match = OPERATOR.exec(text);
  const operator = match?.[0] ?? "";
  const field = text.slice(0, match?.index ?? 0).trim();
  if (field === "" || (operator === "~" && field.endsWith("!"))) return { expected: EXPECTED };
  const operand = text.slice((match?.index ?? 0) + operator.length);
  if (operator === "!=") return { field, holds: (text) => text !== operand };
  if (operator === "=") return { field, holds: (text) => text === operand };
  if (operator === "~") return expressionCondition(field, operand);
  const compare = COMPARISONS[operator];
  const measure = measureOf(operand, notation);
  if (compare === undefined || measure === undefined) {
    return {
      expected: `a number, a duration or a time behind the ${operator}, for example status>=500`,
    };
  }
  const limit = measure(operand);
  const read = notation.decimalComma
    ? (text: string) => measure(replaceDecimalComma(text) ?? "")
    : measure;
  return { field, holds: (text) => text !== undefined && compare(read(text), limit) };
}

function expressionCondition(
  field: string,
  operand: string,
): Condition | { readonly expected: string } {
  try {
    const expression = new RegExp(operand);
    return { field, holds: (text) => text !== undefined && expression.test(text) };
  } catch {
    return { expected: "a regular expression behind the ~, for example path~^/api/" };
  }
}

/** The number of what is compared, NaN where a text has none, by what the operand is: a number, a duration or a time. */
function measureOf(
  operand: string,
  { zone }: Notation,
): ((text: string) => number) | undefined {
  const time = (text: string) => {
    const found = parseTime(text, "auto", zone);
    return typeof found === "string" ? NaN : found;
  };
  return [decimal, nanosecondsOf, time].find((measure) => !Number.isNaN(measure(operand)));
}

const EXPECTED =
  "FIELD=VALUE, FIELD!=VALUE, FIELD~REGEX or FIELD>NUMBER (>=, <, <=), for example status=200";
