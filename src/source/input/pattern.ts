import { Expression } from "./expression.ts";

/** Finds the fields of a line by a regular expression. */
export interface Pattern {
  /** How messages call it. */
  readonly name: "pattern" | "log format";
  readonly fields: readonly string[];
  /** Units of time of the fields that are defined to have one. */
  readonly units: ReadonlyMap<string, string>;
  readonly expression: Expression;
  /** Lines that `match` is asked about next, to be matched together where that is quicker. */
  readonly ahead: (lines: readonly string[]) => void;
  /** The fields of a line, without those that are missing; undefined when the line does not match. */
  readonly match: (line: string) => Readonly<Record<string, string | undefined>> | undefined;
}

const NO_UNITS: ReadonlyMap<string, string> = new Map();

/** Parses the pattern of `--pattern`, or says what would be right. `(?P<name>…)` of Python, Go and PCRE is taken as well. */
export function parsePattern(text: string): Pattern | { readonly expected: string } {
  const source = text.replace(/\\[\s\S]|\(\?P</g, (found) => found === "(?P<" ? "(?<" : found);
  const expression = Expression.compile(source, "--pattern");
  if ("fault" in expression) {
    return { expected: `a regular expression as in JavaScript (${expression.fault})` };
  }
  // With nothing as an alternative it matches the empty text, and tells its groups.
  const fields = Object.keys(new RegExp(`${source}|`).exec("")?.groups ?? {});
  if (fields.length === 0) {
    return { expected: "named groups, for example took (?<value>\\d+) ms" };
  }
  return {
    name: "pattern",
    fields,
    units: NO_UNITS,
    expression,
    ahead: (lines) => expression.ahead(lines),
    match: (line) => expression.exec(line)?.groups,
  };
}
