/** The first characters of a text, at most `longest` (UTF-16 units) and an ellipsis. */
export function clip(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}

/**
 * A value as JSON, shortened to about `longest` characters. The quotes of a text stay closed, because a message hides the
 * secrets in what it quotes.
 */
export function quoteClipped(value: unknown, longest: number): string {
  if (typeof value === "string") return JSON.stringify(clip(value, longest));
  return clip(
    typeof value === "object" ? JSON.stringify(value) ?? "undefined" : String(value),
    longest,
  );
}
