import { localTime } from "../../base/local_time.ts";
import { loadLines } from "./load_text.ts";
import type { RunEvent, Summary } from "../loop.ts";
import { measurements, origin } from "./lines.ts";
import type { Reported } from "./reported.ts";

/** What is said before the first send. */
export function startText({ endpoint, loop, intervalMs }: Reported): readonly string[] {
  const to = `Sending histogram metrics to: ${endpoint.shown}`;
  if (!loop) return [to];
  return [
    to,
    `Running in loop mode (sending every ${intervalMs / 1000} seconds)`,
    "Press Ctrl+C to stop...",
    "",
  ];
}

/** What an event means to a person. */
export function eventText(event: RunEvent, config: Reported): readonly string[] {
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
        return [`[${localTime(event.time)}] ✓ Sent ${event.measurements} measurements`];
      }
      return [
        `✓ Metrics exported successfully! Sent ${event.measurements} measurements.`,
        "",
        `Note: Check Dynatrace UI for the ${config.metrics.length === 1 ? "metric" : "metrics"} ${
          config.metrics.map((name) => `'${name}'`).join(", ")
        }`,
      ];
    case "late": {
      if (event.result.outcome !== "accepted") return [];
      const time = localTime(event.time);
      return [`[${time}] ✓ Sent ${event.measurements} measurements of ${origin(event.iteration)}`];
    }
    case "stopping":
      return ["", "", "Stopping... Flushing final metrics..."];
    case "summary":
      return [
        ...config.loop || event.sends === 0 ? [summaryText(event, config)] : [],
        ...config.loop ? loadLines(event) : [],
        ...config.loop ? ["Shutdown complete."] : [],
      ];
    default:
      return [];
  }
}

function recordingText(
  { iteration, time }: Extract<RunEvent, { type: "recording" }>,
  { loop, samples }: Reported,
): string {
  if (loop) return `[${localTime(time)}] Iteration ${iteration}: Recording measurements...`;
  return samples ? "Recording sample measurements..." : "Recording measurements...";
}

function summaryText(summary: Summary, { spoolOnly }: Reported): string {
  const { recorded, delivered, rejected, dropped, pending, rejectedPoints, sends } = summary;
  if (recorded === 0 && sends === 0) {
    return spoolOnly
      ? "Nothing to send: the spool is empty."
      : "Nothing to send: no measurement was recorded.";
  }
  const parts = [
    rejected > 0 ? `${rejected} rejected` : "",
    dropped > 0 ? `${dropped} dropped` : "",
    pending > 0 ? `${pending} pending in the spool` : "",
    rejectedPoints > 0 ? `${rejectedPoints} data points rejected` : "",
  ].filter((part) => part !== "");
  const inSends = sends === 0 ? "" : ` in ${sends} ${sends === 1 ? "send" : "sends"}`;
  return `Delivered ${delivered} of ${measurements(recorded)}${inSends}${
    parts.length > 0 ? `; ${parts.join(", ")}` : ""
  }.`;
}
