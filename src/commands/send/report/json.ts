import { tenths } from "../../shown_figures.ts";
import type { RunEvent } from "../run_event.ts";
import type { ReportContext } from "./report_context.ts";

/** The object of the contract for an event, its keys in the contract's order; undefined where it has none. */
export function jsonObject(
  event: RunEvent,
  { shard }: Pick<ReportContext, "shard">,
): Readonly<Record<string, unknown>> | undefined {
  switch (event.type) {
    case "send":
      return {
        type: "send",
        time: new Date(event.time).toISOString(),
        iteration: event.iteration,
        measurements: event.measurements,
        points: event.points,
        outcome: event.outcome,
        attempts: event.attempts,
        status: event.status,
        bytes: event.bytes,
        durationMs: tenths(event.durationMs),
        rejectedPoints: event.rejectedPoints,
        possiblyDuplicated: event.possiblyDuplicated,
        message: event.message,
        ...event.phase !== undefined && { phase: event.phase },
      };
    case "late":
      return {
        type: "late",
        time: new Date(event.time).toISOString(),
        iteration: event.iteration,
        points: event.points,
        outcome: event.result.outcome,
        attempts: event.attempts,
        status: event.result.status,
      };
    case "summary": {
      const { recorded, delivered, rejected, dropped, pending, invalid, skipped, rejectedPoints } =
        event;
      return {
        type: "summary",
        recorded,
        delivered,
        rejected,
        dropped,
        pending,
        invalid,
        skipped,
        rejectedPoints,
        sends: event.sends,
        exitCode: event.exitCode,
        elapsedMs: tenths(event.elapsedMs),
        requests: event.requests,
        points: event.points,
        bytes: event.bytes,
        latencyMs: {
          p50: tenths(event.latencyMs.p50),
          p90: tenths(event.latencyMs.p90),
          p99: tenths(event.latencyMs.p99),
          max: tenths(event.latencyMs.max),
        },
        startTime: new Date(event.startTime).toISOString(),
        latencyHistogram: event.latencyHistogram,
        shard,
        ...event.capacity !== undefined && { capacity: event.capacity },
      };
    }
    default:
      return undefined;
  }
}
