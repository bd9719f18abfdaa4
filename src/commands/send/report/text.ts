import { localTime } from "../../../console/local_time.ts";
import { counted, plural } from "../../../console/plural.ts";
import { loadLines } from "./load_text.ts";
import type { RunEvent, Summary } from "../run_event.ts";
import type { ReportContext } from "./report_context.ts";

/** Says that the measurements are made up; to a vendor, which stores them, also how to send one's own. */
export function samplesText({ endpoint: { profile } }: ReportContext): string {
  const own = ": send your own with --value N, with --input FILE or, from a pipe, with --input -";
  return `The measurements are samples that this program makes up${
    profile.vendor === undefined ? "" : own
  }`;
}

/** Which send recorded it: an iteration of this run, or an earlier one. */
export function origin(iteration: number | null): string {
  return iteration === null ? "an earlier run" : `iteration ${iteration}`;
}

/** Lines printed before the first send. */
export function startText(config: ReportContext): readonly string[] {
  const { endpoint, loop, intervalMs, samples, replays } = config;
  const to = `Sending histogram metrics to: ${endpoint.shown}`;
  if (!loop) return [to];
  return [
    to,
    replays
      ? "Replaying requests, one after the other"
      : `Running in loop mode (sending every ${intervalMs / 1000} seconds)`,
    "Press Ctrl+C to stop...",
    ...samples ? [samplesText(config)] : [],
    "",
  ];
}

/** Lines that explain an event to a person. */
export function eventText(event: RunEvent, config: ReportContext): readonly string[] {
  switch (event.type) {
    case "delayed":
      return [
        `The first send waits ${
          (event.inMs / 1000).toFixed(1)
        } s, so that shards do not send together.`,
      ];
    case "recording":
      return [recordingText(event, config)];
    case "recorded":
      return config.loop ? [] : ["Measurements recorded. Waiting for export..."];
    case "send":
      if (event.outcome !== "accepted") return [];
      if (config.loop) {
        const time = localTime(event.reportedAt);
        return [`[${time}] ✓ Sent ${counted(event.measurements, "measurement")}`];
      }
      if (event.isCutShort) return [`Sent ${counted(event.measurements, "measurement")}.`];
      return [
        `✓ Metrics exported successfully! Sent ${counted(event.measurements, "measurement")}.`,
        ...config.samples ? [samplesText(config)] : [],
        ...closingNote(config),
      ];
    case "late": {
      if (event.result.outcome !== "accepted") return [];
      const time = localTime(event.time);
      return [
        `[${time}] ✓ Sent ${counted(event.measurements, "measurement")} of ${
          origin(event.iteration)
        }`,
      ];
    }
    case "stopping":
      return ["", "", "Stopping... Flushing final metrics..."];
    case "summary":
      return [
        ...config.loop || event.sends === 0
          ? [summaryText(event, config)]
          : event.skipped > 0
          ? [skippedText(event.skipped)]
          : [],
        ...config.loop ? loadLines(event) : [],
        ...config.loop ? ["Shutdown complete."] : [],
      ];
    default:
      return [];
  }
}

function closingNote(
  { metrics, endpoint: { profile: { vendor } } }: ReportContext,
): readonly string[] {
  if (vendor === undefined) return [];
  const names = metrics.map((name) => `'${name}'`).join(", ");
  return ["", `Note: Check ${vendor} UI for the ${plural(metrics.length, "metric")} ${names}`];
}

function recordingText(
  { iteration, time }: Extract<RunEvent, { type: "recording" }>,
  { loop, samples, replays }: ReportContext,
): string {
  if (replays) return `[${localTime(time)}] Iteration ${iteration}: Replaying a request...`;
  if (loop) return `[${localTime(time)}] Iteration ${iteration}: Recording measurements...`;
  return samples ? "Recording sample measurements..." : "Recording measurements...";
}

function summaryText(summary: Summary, { spoolOnly }: ReportContext): string {
  const { recorded, delivered, rejected, dropped, pending, rejectedPoints, sends } = summary;
  const { invalid, skipped } = summary;
  if (recorded === 0 && sends === 0) {
    if (spoolOnly) return "Nothing to send: the spool is empty.";
    const left = skipped > 0 ? ` ${skippedText(skipped)}` : "";
    return `Nothing to send: no measurement was recorded.${left}`;
  }
  const parts = [
    rejected > 0 ? `${rejected} rejected` : "",
    dropped > 0 ? `${dropped} dropped` : "",
    pending > 0 ? `${pending} pending in the spool` : "",
    rejectedPoints > 0 ? `${counted(rejectedPoints, "data point")} rejected` : "",
    invalid > 0 ? `${invalid} invalid` : "",
    skipped > 0 ? `${counted(skipped, "line")} skipped` : "",
  ].filter((part) => part !== "");
  const inSends = sends === 0 ? "" : ` in ${counted(sends, "send")}`;
  return `Delivered ${delivered} of ${counted(recorded, "measurement")}${inSends}${
    parts.length > 0 ? `; ${parts.join(", ")}` : ""
  }.`;
}

function skippedText(skipped: number): string {
  return `Skipped ${counted(skipped, "line")} that did not match.`;
}
