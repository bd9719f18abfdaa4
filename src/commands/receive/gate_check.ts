/**
 * Check of a run: one thing that was asked for, and whether it holds. The text, the JSON summary, JUnit's file and
 * GitHub's step summary all print the same checks.
 */
export interface GateCheck {
  /** Kind of check: an expectation, a broken rule, a condition of the run as a whole, or a case of an exam. */
  readonly kind: "expectation" | "rule" | "run" | "exam";
  /** Expectation as the user wrote it, the id of a rule, a flag, or the name of a case. */
  readonly name: string;
  /** Null for a check that decides nothing: an ignored rule, a warning under `--fail-on error`, or an undecided case. */
  readonly ok: boolean | null;
  readonly detail: string;
}

/** Puts the result of an expectation into a line. */
export function expectationLine(text: string, detail: string): string {
  return `--expect "${text}": ${detail}`;
}
