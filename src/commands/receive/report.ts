import { counted } from "../../console/plural.ts";
import { localTime } from "../../console/local_time.ts";
import { drawRequests } from "../../draw/requests.ts";
import type { Canvas } from "../../console/canvas.ts";
import type { Hide } from "../../redact/secrets.ts";
import { escapeJson, escapeText } from "../../console/escape.ts";
import type { ReceiveSummary, RequestEvent } from "./event.ts";
import type { GateResult } from "./gate.ts";
import { listMetrics } from "./metric_list.ts";

/**
 * Formats a request as the line of JSON that DESIGN.md fixes, without its line end; `hide` removes secrets from names.
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
    problems: event.problems.map(({ rule, level, metric, message }) => ({
      rule,
      level,
      metric,
      message,
    })),
    metrics,
    ...more > 0 && { moreMetrics: more },
  });
}

/** Formats the totals and the result of the gate as the last line of JSON. */
export function receiveSummaryJson(
  summary: ReceiveSummary,
  gate: GateResult,
  exitCode: number,
): string {
  const { requests, points, measurements, rejectedPoints } = summary;
  const { errors, warnings, missing } = gate;
  return escapeJson({
    type: "summary",
    requests,
    points,
    measurements,
    rejectedPoints,
    errors,
    warnings,
    missing,
    exitCode,
  });
}

/** Maximum number of drawings per request, so that earlier lines stay visible. */
const MOST_DRAWN = 20;

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
  const problems = event.problems.map(({ level, rule, metric, message }) =>
    `  ${level} ${rule}: ${metric === "" ? "" : `${escapeText(metric)}: `}${
      escapeText(message, 1000)
    }`
  );
  return [head, ...drawn, ...problems].join("\n");
}

/** Formats the totals, the number of problems, and why the run fails. */
export function receiveSummaryText(summary: ReceiveSummary, gate?: GateResult): string {
  const { errors = 0, warnings = 0, failures = [] } = gate ?? {};
  const problems = errors + warnings === 0
    ? ""
    : `; ${counted(errors, "error")}, ${counted(warnings, "warning")}`;
  const totals = `Received ${counted(summary.requests, "request")}: ` +
    `${counted(summary.points, "data point")}, ${counted(summary.measurements, "measurement")}, ` +
    `${counted(summary.rejectedPoints, "data point")} rejected${problems}`;
  return [totals, ...failures.map((failure) => `✗ ${escapeText(failure)}`)].join("\n");
}
