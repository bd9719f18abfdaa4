import { redactTokens } from "../redact/redact.ts";

/** Error for a request of the user that cannot be met. It is printed as one line, with exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  /** Hides Dynatrace tokens, because messages quote values and people paste tokens in the wrong place. */
  constructor(message: string) {
    super(redactTokens(message));
  }
}

/**
 * Returns the message of anything thrown, without its stack. Words of the runtime that would show a secret or mislead
 * are replaced.
 */
export function messageOf(thrown: unknown): string {
  let message = thrown instanceof Error ? thrown.message : String(thrown);
  for (const [theirs, ours] of REWORDED) message = message.replace(theirs, ours);
  return message;
}

const REWORDED: readonly (readonly [RegExp, string])[] = [
  // The value follows.
  [/(environment variable was not valid unicode):.*/s, "$1"],
  [/too many open files( in system)?( \(os error \d+\))?/i, "Too many open files (ulimit -n)"],
  // "run again with the --allow-all flag" does not help somebody who has the executable.
  [/^Requires all access to .*/s, "this program cannot open device and process files"],
];

/** Whether the process may open no more files and connections (EMFILE, ENFILE). */
export function lacksDescriptors(thrown: unknown): boolean {
  return /too many open files/i.test(messageOf(thrown));
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
