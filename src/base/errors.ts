import { redactTokens } from "./redact.ts";

/** The user asked for something that cannot be done as asked: said in one line, exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  /** Messages quote what was given, and people give tokens where something else belongs. */
  constructor(message: string) {
    super(redactTokens(message));
  }
}

/** The message of anything that was thrown, without its stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

const QUOTES = "\"'`\u2018\u2019\u201a\u201c\u201d\u201e";
const QUOTED = new RegExp(`^[${QUOTES}]|[${QUOTES}]$`);

/** Whether a value begins or ends with a quote, straight or typographic. */
export function hasQuotes(value: string): boolean {
  return QUOTED.test(value);
}

/** The value without the quotes at its ends. */
export function withoutQuotes(value: string): string {
  return hasQuotes(value) ? withoutQuotes(value.replace(QUOTED, "")) : value;
}

/** The remedy for quotes that became part of a value, to append to a message; empty for a value without them. */
export function quotesRemedy(value: string, source: string): string {
  if (!hasQuotes(value.trim())) return "";
  const keeps = source === "environment" ? " (docker run --env-file keeps them)" : "";
  return `. Remove the quotes around the value${keeps}`;
}
