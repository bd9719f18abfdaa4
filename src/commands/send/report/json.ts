import type { RunEvent } from "../run_event.ts";
import type { RampResult } from "../ramp.ts";
import { rampText } from "./load_text.ts";

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
        durationMs: tenths(event.durationMs),
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
        ...event.ramp !== undefined && { ramp: rampObject(event.ramp) },
      };
    }
    default:
      return undefined;
  }
}

/** JSON of a rising rate: the figures of its sentence, and the sentence. */
function rampObject(ramp: RampResult): Readonly<Record<string, unknown>> {
  const { taken } = ramp;
  return {
    measurementsPerSecond: tenths(taken?.measurementsPerSecond ?? 0),
    pointsPerSecond: tenths(taken?.pointsPerSecond ?? 0),
    p99Ms: tenths(taken?.p99Ms ?? null),
    message: rampText(ramp),
  };
}

function tenths(ms: number): number;
function tenths(ms: number | null): number | null;
function tenths(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}
