import { counted } from "../../console/plural.ts";
import { localTime } from "../../console/local_time.ts";
import { drawRequests } from "../../draw/requests.ts";
import type { Canvas } from "../../console/canvas.ts";
import type { Hide } from "../../redact/secrets.ts";
import { escapeJson, escapeText } from "../../console/escape.ts";
import type { ReceiveSummary, RequestEvent } from "./event.ts";
import type { ExamVerdict } from "./exam.ts";
import type { GateResult } from "./gate.ts";
import { expectationLine } from "./gate_check.ts";
import { listPercentiles } from "./percentile_list.ts";
import { listMetrics } from "./metric_list.ts";

/**
 * Formats a request as the line of JSON that docs/json.md describes, without its line end; `hide` removes secrets from names.
 */
export function requestJson(event: RequestEvent, hide?: Hide): string {
  const { path, status, outcome, points, measurements, rejectedPoints, bytes } = event;
  const { metrics, more } = listMetrics(event.request, hide);
  return escapeJson({
    type: "request",
    time: new Date(event.time).toISOString(),
    path,
    status,
    outcome,
    points,
    measurements,
    rejectedPoints,
    bytes,
    problems: event.problems.map(({ rule, level, metric, message, ignored }) => ({
      rule,
      level,
      metric,
      message,
      ...ignored && { ignored },
    })),
    metrics,
    ...more > 0 && { moreMetrics: more },
    percentiles: listPercentiles(event, hide),
  });
}

/** Formats the totals and the result of the gate as the last line of JSON. */
export function receiveSummaryJson(
  summary: ReceiveSummary,
  gate: GateResult,
  exitCode: number,
): string {
  const { requests, points, measurements, rejectedPoints, otherSignals } = summary;
  const { errors, warnings, ignored, missing, checks } = gate;
  return escapeJson({
    type: "summary",
    requests,
    points,
    measurements,
    rejectedPoints,
    errors,
    warnings,
    ...ignored > 0 && { ignored },
    missing,
    otherSignals,
    // Without conditions the lines of the requests have all of it.
    ...checks.some(({ ok }) => ok !== null) && { checks },
    exitCode,
  });
}

/** Maximum number of drawings per request, so that earlier lines stay visible. */
const MOST_DRAWN = 10;

/** Formats a request for people: its head, its histograms, its problems. */
export function requestText(event: RequestEvent, canvas: Canvas): string {
  const { points, measurements, rejectedPoints, bytes, status, outcome } = event;
  const rejected = rejectedPoints > 0 ? `, ${counted(rejectedPoints, "data point")} rejected` : "";
  const head = `[${localTime(event.time)}] ${escapeText(event.method)} ${escapeText(event.path)} ` +
    `${status === null ? "" : `${status} `}${outcome}: ${counted(bytes, "byte")}, ` +
    `${counted(points, "data point")}, ${counted(measurements, "measurement")}${rejected}`;
  const drawn = event.request === undefined
    ? []
    : drawRequests([event.request], canvas, MOST_DRAWN);
  const problems = event.problems.map(({ level, rule, metric, message, ignored }) =>
    `  ${level} ${rule}${ignored ? " (ignored)" : ""}: ${
      metric === "" ? "" : `${escapeText(metric)}: `
    }${escapeText(message, 1000)}`
  );
  return [head, ...drawn, ...problems].join("\n");
}

/** Formats the totals, the number of problems, which expectations were met, and why the run fails. */
export function receiveSummaryText(summary: ReceiveSummary, gate?: GateResult): string {
  const { errors = 0, warnings = 0, ignored = 0, checks = [], failures = [] } = gate ?? {};
  const problems = [
    ...errors + warnings === 0 ? [] : [counted(errors, "error"), counted(warnings, "warning")],
    ...ignored === 0 ? [] : [`${counted(ignored, "problem")} ignored`],
  ].join(", ");
  const totals = `Received ${counted(summary.requests, "request")}: ` +
    `${counted(summary.points, "data point")}, ${counted(summary.measurements, "measurement")}, ` +
    `${counted(summary.rejectedPoints, "data point")} rejected${problems && `; ${problems}`}`;
  const met = checks.filter(({ kind, ok }) => kind === "expectation" && ok);
  return [
    totals,
    ...met.map(({ name, detail }) => `✓ ${escapeText(expectationLine(name, detail), 1000)}`),
    ...failures.map((failure) => `✗ ${escapeText(failure, 1000)}`),
  ].join("\n");
}

/** Formats the verdicts of an exam as lines of JSON. */
export function examJson(verdicts: readonly ExamVerdict[]): string[] {
  return verdicts.map(({ name, ok, detail }) =>
    escapeJson({ type: "exam", case: name, ok, detail })
  );
}

/** Formats the verdicts of an exam for people, one line per case. */
export function examText(verdicts: readonly ExamVerdict[]): string[] {
  if (verdicts.length === 0) return [];
  const mark = (ok: boolean | null) => ok === null ? "?" : ok ? "✓" : "✗";
  const number = (ok: boolean | null) => verdicts.filter((verdict) => verdict.ok === ok).length;
  return [
    `Exam: ${number(true)} passed, ${number(false)} failed, ${number(null)} undecided`,
    ...verdicts.map(({ name, ok, detail }) => `  ${mark(ok)} ${name}: ${detail}`),
  ];
}
