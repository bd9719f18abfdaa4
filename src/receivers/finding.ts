import type { Level } from "./problem.ts";

/** Rule of a vendor that something about to be sent breaks. */
export interface Finding {
  readonly vendor: string;
  readonly rule: string;
  readonly level: Level;
  /** Flag, variable or field to change. */
  readonly where: string;
  /** Fault and its consequence. */
  readonly message: string;
  readonly remedy: string;
  /** Identity of a finding: one rule broken by one thing is reported once. */
  readonly id: string;
}

/** Puts a finding into a sentence. */
export function findingText({ vendor, rule, where, message, remedy }: Finding): string {
  return `${vendor} rule ${rule}: ${where}: ${message}. Remedy: ${remedy}`;
}
