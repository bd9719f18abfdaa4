import { escapeJson, escapeText } from "./escape.ts";

/** Form of everything that a command prints. */
export type OutputFormat = "text" | "json";

/** Lines for standard output and standard error, without their ends. */
export interface Lines {
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/** No lines. */
export const NONE: Lines = { out: [], err: [] };

/** A warning, in the form of the output. */
export function warningLines(format: OutputFormat, message: string): readonly string[] {
  return format === "json"
    ? [escapeJson({ type: "warning", message })]
    : escapedLines(`WARNING: ${message}`);
}

/** An error, in the form of the output, with what to do about it. */
export function errorLines(
  format: OutputFormat,
  message: string,
  hint?: string,
): readonly string[] {
  if (format === "json") {
    return [escapeJson({ type: "error", message: hint ? `${message}. Hint: ${hint}` : message })];
  }
  return escapedLines(`ERROR: ${message}${hint ? `\n  Hint: ${hint}` : ""}`);
}

/** Escapes the texts of a document, line by line, and ends its last line. */
export function* documentTexts(texts: Iterable<string>): Generator<string> {
  for (const text of texts) yield escapedLines(text).join("\n");
  yield "\n";
}

/** Splits a message into lines and escapes each, because file names, values and responses in it are foreign. */
export function escapedLines(text: string): readonly string[] {
  return text.split("\n").map((line) => escapeText(line, Infinity));
}
