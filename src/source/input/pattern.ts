/** A regular expression that finds the fields of a line: its named groups. */
export interface Pattern {
  readonly expression: RegExp;
  readonly fields: readonly string[];
}

/** What `--pattern` means, or what would be right. `(?P<name>…)` of Python, Go and PCRE is taken as well. */
export function parsePattern(text: string): Pattern | { readonly expected: string } {
  const source = text.replace(/\\[\s\S]|\(\?P</g, (found) => found === "(?P<" ? "(?<" : found);
  try {
    const expression = new RegExp(source);
    // With nothing as an alternative it matches the empty text, and tells its groups.
    const fields = Object.keys(new RegExp(`${source}|`).exec("")?.groups ?? {});
    if (fields.length > 0) return { expression, fields };
    return { expected: "named groups, for example took (?<value>\\d+) ms" };
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    return { expected: `a regular expression that JavaScript compiles (${reason})` };
  }
}
