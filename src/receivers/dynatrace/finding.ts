import type { Level } from "../otlp/problem.ts";

/** A rule that what is about to be sent breaks. */
export interface Finding {
  readonly rule: string;
  readonly level: Level;
  /** The flag, variable or field to change. */
  readonly where: string;
  /** What is wrong and what Dynatrace will do. */
  readonly message: string;
  readonly remedy: string;
  /** Tells findings apart: the same rule broken by the same thing is said once. */
  readonly id: string;
}

/** A finding as a sentence. */
export function findingText({ rule, where, message, remedy }: Finding): string {
  return `Dynatrace rule ${rule}: ${where}: ${message}. Remedy: ${remedy}`;
}
