import { clip } from "../redact/clip.ts";

/** Escapes foreign text so that it cannot control a terminal, and clips it after `longest` characters. */
export function escapeText(text: string, longest = 300): string {
  return withoutUnsafe(clip(text, longest));
}

/** Escapes foreign text as `escapeText` does and joins its lines, for use within a sentence. */
export function oneLine(text: string, longest = 2000): string {
  return escapeText(clip(text, longest).trim().replace(/\s*[\r\n]+\s*/g, " "), Infinity);
}

/** Serializes a value as one line of JSON, with the characters escaped that JSON allows and a terminal obeys. */
export function escapeJson(value: unknown): string {
  return withoutUnsafe(JSON.stringify(value));
}

/**
 * Escapes control, format and line-separating characters, and halves of characters: what can drive a terminal, turn text
 * around or is not text.
 */
function withoutUnsafe(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  // One escape for each UTF-16 unit, as JSON wants it.
  return character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
