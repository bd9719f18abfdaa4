import type { RunEvent } from "../loop.ts";

/** The object of the contract for an event, its keys in the contract's order; undefined where it has none. */
export function jsonObject(event: RunEvent): Readonly<Record<string, unknown>> | undefined {
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
        durationMs: Math.round(event.durationMs * 10) / 10,
        rejectedPoints: event.rejectedPoints,
        possiblyDuplicated: event.possiblyDuplicated,
        message: event.message,
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
      };
    }
    default:
      return undefined;
  }
}
