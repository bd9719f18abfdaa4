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
