import { milliseconds, type Step, type StepName } from "./step.ts";

/** A step as lines for a terminal: ✓ or ✗, its time, what was found, and below it the hints. */
export function stepText(name: StepName, step: Step, ms: number): string {
  const head = `${step.ok ? "✓" : "✗"} ${name.padEnd(6)} ${milliseconds(ms).padStart(8)}  `;
  const hints = (step.hint ?? "").split("\n").filter((line) => line !== "");
  return [
    head + step.detail,
    ...hints.map((line, i) => `${i === 0 ? "    Hint: " : "          "}${line}`),
  ].join("\n");
}

/** A step as the line of JSON that DESIGN.md fixes. */
export function stepJson(name: StepName, { ok, detail, hint }: Step, ms: number): string {
  return JSON.stringify({
    type: "step",
    name,
    ok,
    detail: `${detail} (${milliseconds(ms)})`,
    hint,
  });
}

export function summaryJson(exitCode: number): string {
  return JSON.stringify({ type: "summary", ok: exitCode === 0, exitCode });
}

export function summaryText(exitCode: number): string {
  return exitCode === 0 ? "Everything is fine." : "The check failed: see the step with ✗ above.";
}
