import { escapeJson } from "../../console/escape.ts";
import { escapedLines } from "../../console/lines.ts";
import { milliseconds, type Step, type StepName } from "./step.ts";

/** Verdict on all steps: null when none failed and one is undecided. */
export type CheckVerdict = boolean | null;

/** Formats a step for a terminal: ✓, ✗ or ?, its time, its finding, and below it the hints. */
export function stepText(name: StepName, { ok, text, hint }: Step, ms: number): string {
  const mark = ok === null ? "?" : ok ? "✓" : "✗";
  const hints = (hint ?? "").split("\n").filter((line) => line !== "");
  const lines = [
    `${mark} ${name.padEnd(6)} ${milliseconds(ms).padStart(8)}  ${text}`,
    ...hints.map((line, i) => `${i === 0 ? "    Hint: " : "          "}${line}`),
  ];
  return lines.flatMap(escapedLines).join("\n");
}

/** Formats a step as the line of JSON that docs/json.md describes, its facts at the end. */
export function stepJson(
  name: StepName,
  { ok, detail, hint, facts }: Step,
  ms: number,
): string {
  const durationMs = Math.round(ms * 10) / 10;
  return escapeJson({ type: "step", name, ok, detail, hint, durationMs, ...facts });
}

/** Formats the result as the last line of JSON. */
export function checkSummaryJson(ok: CheckVerdict, exitCode: number): string {
  return JSON.stringify({ type: "summary", ok, exitCode });
}

/** Formats the result as the last line of text. */
export function checkSummaryText(ok: CheckVerdict): string {
  if (ok === null) {
    return "Inconclusive: the receiver answered, but the steps marked ? could not be verified. Run check --canary.";
  }
  return ok ? "Everything is fine." : "The check failed: see the step with ✗ above.";
}
