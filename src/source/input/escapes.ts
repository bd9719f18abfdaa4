const NAMED: ReadonlyMap<string, string> = new Map([
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);

/** Bytes in a row are decoded together: they are UTF-8. */
const ESCAPE =
  /((?:\\x[0-9A-Fa-f]{2}|\\[0-3][0-7]{2})+)|\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})|\\([\s\S])/g;
const BYTE = /\\x([0-9A-Fa-f]{2})|\\([0-3][0-7]{2})/g;

/**
 * Undoes the escapes that Go, JSON, Apache and nginx write between quotes: `\n`, `\"`, `\x1b`, `\033`, `\u00e9`,
 * `\U0001f600`. Any other character behind a backslash stands for itself.
 */
export function unescapeQuoted(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(ESCAPE, (whole, bytes, short, long, character) => {
    if (bytes !== undefined) return bytesText(whole);
    const code = parseInt(short ?? long ?? "", 16);
    if (!Number.isNaN(code)) return code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
    return NAMED.get(character) ?? character;
  });
}

function bytesText(escapes: string): string {
  const bytes = Array.from(
    escapes.matchAll(BYTE),
    ([, hex, octal = ""]) => hex === undefined ? parseInt(octal, 8) : parseInt(hex, 16),
  );
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}
