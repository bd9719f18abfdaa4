/** A condition that a line has to fulfil, or it is skipped. */
export interface Condition {
  readonly field: string;
  /** Undefined: the line has no such field, which only `!=` is content with. */
  readonly holds: (text: string | undefined) => boolean;
}

/** FIELD=VALUE, FIELD!=VALUE or FIELD~REGEX, at the first `=` or `~`; the expression is found anywhere in the field. */
export function parseCondition(text: string): Condition | { readonly expected: string } {
  const at = text.search(/[=~]/);
  const isNegated = text[at] === "=" && text[at - 1] === "!";
  const field = text.slice(0, Math.max(0, isNegated ? at - 1 : at)).trim();
  if (field === "" || (text[at] === "~" && field.endsWith("!"))) return { expected: EXPECTED };
  const operand = text.slice(at + 1);
  if (isNegated) return { field, holds: (text) => text !== operand };
  if (text[at] === "=") return { field, holds: (text) => text === operand };
  try {
    const expression = new RegExp(operand);
    return { field, holds: (text) => text !== undefined && expression.test(text) };
  } catch {
    return { expected: "a regular expression behind the ~, for example path~^/api/" };
  }
}

const EXPECTED = "FIELD=VALUE, FIELD!=VALUE or FIELD~REGEX, for example status=200";
