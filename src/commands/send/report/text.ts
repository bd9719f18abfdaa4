import { localTime } from "../../../console/local_time.ts";
import { counted, plural } from "../../../console/plural.ts";
import { deliveredText } from "../../shown_figures.ts";
import { loadLines } from "./load_text.ts";
import type { RunEvent, Summary } from "../run_event.ts";
import type { ReportContext } from "./report_context.ts";

/** Says that the measurements are made up; to a vendor, which stores them, also how to send one's own. */
export function samplesText({ endpoint: { profile } }: ReportContext): string {
  const own = ". To send your own, use --value N, --input FILE, or --input - to read from a pipe";
  return `The measurements are built-in samples${profile.vendor === undefined ? "" : own}`;
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
    ...rateLines(config),
    "",
  ];
}

/** Says how many data points the measurements of --rate make: those of a series in an interval are merged. */
export function rateLines({ rate, intervalMs }: ReportContext): readonly string[] {
  if (rate === undefined || intervalMs === 0) return [];
  const { perSecond, series } = rate;
  const points = Math.min(series, Math.ceil(perSecond * intervalMs / 1000));
  return [
    `--rate ${perSecond} makes ${counted(points, "data point")} per interval of ${
      intervalMs / 1000
    } s, one per series: for data points per second, use --point-rate`,
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
        ...config.load ? loadLines(event) : [],
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
  const { recorded, skipped, sends } = summary;
  if (recorded === 0 && sends === 0) {
    if (spoolOnly) return "Nothing to send: the spool is empty.";
    const left = skipped > 0 ? ` ${skippedText(skipped)}` : "";
    return `Nothing to send: no measurement was recorded.${left}`;
  }
  return deliveredText(summary);
}

function skippedText(skipped: number): string {
  return `Excluded ${counted(skipped, "line")} that did not match.`;
}
