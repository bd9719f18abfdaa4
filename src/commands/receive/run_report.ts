import type { ReceiveSummary } from "./event.ts";
import type { GateResult } from "./gate.ts";

/** Report of a finished run, which the JSON summary, JUnit's file and GitHub's step summary are made from. */
export interface RunReport {
  readonly summary: ReceiveSummary;
  readonly gate: GateResult;
  /** Start of the run, in ms since 1970, and its length in ms. */
  readonly startedAt: number;
  readonly lengthMs: number;
  readonly exitCode: number;
}
