import { clip } from "../redact/clip.ts";

/** Text from the wire for a terminal: nothing in it acts, and it is not endless. */
export function escapeText(text: string, longest = 300): string {
  return withoutUnsafe(clip(text, longest));
}

/** The same on one line, for an answer within a sentence. */
export function oneLine(text: string, longest = 2000): string {
  return escapeText(clip(text, longest).trim().replace(/\s*[\r\n]+\s*/g, " "), Infinity);
}

/** A line of JSON that may be shown in a terminal: JSON itself escapes only some of it. */
export function escapeJson(value: unknown): string {
  return withoutUnsafe(JSON.stringify(value));
}

/**
 * Escapes control, format and line-separating characters, and halves of characters: what can drive a terminal, turn text
 * around or is no text.
 */
function withoutUnsafe(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  // One escape for each UTF-16 unit, as JSON wants it.
  return character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
