/** The first characters of a text, at most `longest` (UTF-16 units) and an ellipsis. */
export function clip(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
