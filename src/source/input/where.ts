import { decimal } from "../../platform/number.ts";
import { Expression } from "./expression.ts";
import { nanosecondsOf } from "./duration.ts";
import { parseTime } from "./time.ts";
import { timeListOf } from "./time_list.ts";
import type { TimeZone } from "./time_zone.ts";
import { replaceDecimalComma } from "./decimal_comma.ts";

/** A condition that a line has to fulfil, or it is skipped. */
export interface Condition {
  readonly field: string;
  /** Undefined: the line has no such field, which only `!=` is content with. */
  readonly holds: (text: string | undefined) => boolean;
  /** Kind of value that a comparison reads from the field; undefined: its text is tested. */
  readonly reads?: "number" | "duration" | "time";
  /** The expression of FIELD~REGEX. */
  readonly expression?: Expression;
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
  const plainOperand = notation.decimalComma ? replaceDecimalComma(operand) ?? operand : operand;
  const measure = measureOf(plainOperand, notation);
  if (compare === undefined || measure === undefined) {
    return {
      expected: `a number, a duration or a time with its zone after the ${operator}, for example ` +
        `status${operator}500, took${operator}1.5s or ts${operator}2026-01-31T12:00:00Z`,
    };
  }
  const [reads, measured] = measure;
  const limit = measured(plainOperand);
  const read = (text: string) => {
    const plain = notation.decimalComma ? replaceDecimalComma(text) ?? "" : text;
    const single = measured(plain);
    return Number.isNaN(single) && reads !== "time" ? measured(sumOfList(plain)) : single;
  };
  return { field, reads, holds: (text) => text !== undefined && compare(read(text), limit) };
}

/** The sum of a list of times, as the value of such a field is; empty when the text is not a list. */
function sumOfList(text: string): string {
  const list = timeListOf(text);
  return list?.kind === "sum" ? list.text : "";
}

function expressionCondition(
  field: string,
  operand: string,
): Condition | { readonly expected: string } {
  const expression = Expression.compile(operand, "--where");
  if ("fault" in expression) {
    return {
      expected: `a regular expression after the ~, for example path~^/api/ (${expression.fault})`,
    };
  }
  const holds = (text: string | undefined) => text !== undefined && expression.test(text);
  return { field, holds, expression };
}

/** Returns a condition that tests what `change` makes of the field's text. */
export function changedCondition(
  condition: Condition,
  change: (text: string) => string,
): Condition {
  const { holds } = condition;
  return { ...condition, holds: (text) => holds(text === undefined ? text : change(text)) };
}

/** Kind of the operand, and the reader of such a value: NaN where a text has none. */
function measureOf(
  operand: string,
  { zone }: Notation,
): readonly [NonNullable<Condition["reads"]>, (text: string) => number] | undefined {
  const time = (text: string) => {
    const found = parseTime(text, "auto", zone);
    return typeof found === "string" ? NaN : found;
  };
  const measures = [["number", decimal], ["duration", nanosecondsOf], ["time", time]] as const;
  return measures.find(([, measure]) => !Number.isNaN(measure(operand)));
}

const EXPECTED =
  "FIELD=VALUE, FIELD!=VALUE, FIELD~REGEX or FIELD>NUMBER (>=, <, <=), for example status=200";
