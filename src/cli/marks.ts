/** Marks and words at the start of a line, a time before it or not, and the colour of each (ECMA-48, SGR). */
const COLORS: Readonly<Record<string, number>> = { "✓": 32, "✗": 31, WARNING: 33, ERROR: 31 };
const MARK = /^(\[[\d: -]+\] )?(✓|✗|WARNING|ERROR)(?=[: ])/gm;

/** Lines with what went well in green, what went wrong in red and warnings in yellow, for a terminal. */
export function colorMarks(text: string): string {
  return text.replace(
    MARK,
    (_, time: string | undefined, mark: string) =>
      `${time ?? ""}\x1b[${COLORS[mark]}m${mark}\x1b[0m`,
  );
}
