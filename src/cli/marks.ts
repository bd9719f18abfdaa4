/** Colour per mark or word at the start of a line, after an optional time (ECMA-48, SGR). */
const COLORS: Readonly<Record<string, number>> = { "✓": 32, "✗": 31, WARNING: 33, ERROR: 31 };
const MARK = /^(\[[\d: -]+\] )?(✓|✗|WARNING|ERROR)(?=[: ])/gm;

/** Colours lines for a terminal: success green, failure red, warnings yellow. */
export function colorMarks(text: string): string {
  return text.replace(
    MARK,
    (_, time: string | undefined, mark: string) =>
      `${time ?? ""}\x1b[${COLORS[mark]}m${mark}\x1b[0m`,
  );
}
