/** Clips a text after `longest` UTF-16 units and appends an ellipsis. */
export function clip(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}

/**
 * Quotes a value as JSON, clipped to about `longest` characters. The quotes of a text stay closed, because messages
 * hide the secrets in quoted values.
 */
export function quoteClipped(value: unknown, longest: number): string {
  if (typeof value === "string") return JSON.stringify(clip(value, longest));
  return clip(
    typeof value === "object" ? JSON.stringify(value) ?? "undefined" : String(value),
    longest,
  );
}
