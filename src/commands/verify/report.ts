import { counted } from "../../console/plural.ts";
import { escapeJson } from "../../console/escape.ts";
import { escapedLines } from "../../console/lines.ts";
import type { OutputFormat } from "../../console/lines.ts";
import type { BackendName } from "../../receivers/backend.ts";
import type { VerifyStep } from "./steps.ts";

/** Result of all runs. */
export interface VerifySummary {
  readonly ok: boolean;
  readonly exitCode: number;
  readonly backend: BackendName;
  readonly metric: string;
  /** Time to visible in ms of each run that became visible. */
  readonly visible: readonly number[];
  readonly repeat: number;
  /** Runs that were made. */
  readonly runs: number;
  readonly failedRuns: number;
  /** Whether the receiver accepted a run. */
  readonly isStored: boolean;
}

/** Number of a run among several; undefined for a single one. */
export type RunNumber = number | undefined;

/** Formats a step as the line of JSON that docs/json.md describes; of several runs, with the number of its run. */
export function verifyStepJson(step: VerifyStep, run: RunNumber): string {
  const { name, ok, expected, actual, detail, hint, durationMs } = step;
  return escapeJson({
    type: "step",
    name,
    ok,
    expected,
    actual,
    detail,
    hint,
    durationMs: durationMs === null ? null : Math.round(durationMs * 10) / 10,
    ...run !== undefined && { run },
  });
}

/** Formats a step for a terminal: ✓, ✗ or ?, its time, its finding, and below it the hints. */
export function verifyStepText({ name, ok, detail, hint, durationMs }: VerifyStep): string {
  const mark = ok === null ? "?" : ok ? "✓" : "✗";
  const time = durationMs === null ? "" : durationText(durationMs);
  const hints = (hint ?? "").split("\n").filter((line) => line !== "");
  return [
    `${mark} ${name.padEnd(10)} ${time.padStart(7)}  ${detail}`,
    ...hints.map((line, i) => `${i === 0 ? "    Hint: " : "          "}${line}`),
  ].flatMap(escapedLines).join("\n");
}

/** Formats the result of one run among several as a line. */
export function runText(run: number, of: number, visibleAfterMs: number | undefined): string {
  return visibleAfterMs === undefined
    ? `✗ run ${run} of ${of}`
    : `✓ run ${run} of ${of}  visible after ${durationText(visibleAfterMs)}`;
}

/** Formats the result as the last line. */
export function verifySummaryLines(summary: VerifySummary, format: OutputFormat): string {
  const { ok, exitCode, backend, metric, visible, repeat, runs, failedRuns } = summary;
  if (format === "json") {
    const visibleAfterMs = repeat > 1 ? distribution(visible) : wholeMilliseconds(visible[0]);
    return escapeJson({
      type: "summary",
      ok,
      exitCode,
      backend,
      metric,
      visibleAfterMs,
      ...repeat > 1 && { runs, failedRuns },
    });
  }
  const times = distribution(visible);
  const sentences = [
    verdict(summary),
    ...repeat === 1 || times === null ? [] : [
      `${counted(runs, "run")}, ${failedRuns} failed. Time to visible: min ${
        durationText(times.min)
      }, p50 ${durationText(times.p50)}, p90 ${durationText(times.p90)}, max ${
        durationText(times.max)
      }.`,
    ],
    ...summary.isStored ? [`The metric ${metric} stays in the backend.`] : [],
  ];
  return escapedLines(sentences.join(" ")).join("\n");
}

function verdict({ ok, runs, failedRuns, repeat }: VerifySummary): string {
  if (ok) return "The backend shows what was sent.";
  if (failedRuns > 0) return "Not verified: see ✗ and ? above.";
  return runs === 0 ? "Not verified." : `Not verified: it ended after run ${runs} of ${repeat}.`;
}

function distribution(times: readonly number[]) {
  if (times.length === 0) return null;
  const sorted = [...times].sort((a, b) => a - b).map(Math.round);
  const at = (q: number) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
  return { min: at(0), p50: at(0.5), p90: at(0.9), max: at(1) };
}

function wholeMilliseconds(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms);
}

/** Formats a duration: `120 ms`, `4.1 s`, `90 s`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
