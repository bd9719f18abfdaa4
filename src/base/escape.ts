/** Control, format and line-separating characters: what can drive a terminal or turn text around. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text from the wire for a terminal: nothing in it acts, and it is not endless. */
export function escapeText(text: string, longest = 300): string {
  const shown = text.length <= longest ? text : `${text.slice(0, longest)}…`;
  return shown.replace(UNSAFE, escaped);
}

/** A line of JSON that may be shown in a terminal: JSON itself escapes only some of it. */
export function escapeJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, escaped);
}

function escaped(character: string): string {
  // One escape for each UTF-16 unit, as JSON wants it.
  return character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
