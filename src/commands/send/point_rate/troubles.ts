import { counted } from "../../../console/plural.ts";
import type { Result } from "../../../delivery/result.ts";
import type { CapacityTrouble } from "./capacity_search.ts";

/** Trouble with a request that was answered, or failed; undefined when all of it was accepted. */
export function troubleOf(
  { outcome, status, rejectedPoints, message }: Result,
): CapacityTrouble | undefined {
  if (outcome === "accepted") return undefined;
  if (status === null) {
    const why = message === null ? "" : `: ${message}`;
    return { limitedBy: "failure", text: `a request failed${why}` };
  }
  const text = outcome === "partial"
    ? `the receiver rejected ${counted(rejectedPoints, "data point")} of a request`
    : `the receiver answered ${message ?? status}`;
  return { limitedBy: "status", text };
}

/** Trouble with requests that are not sent when they are due: by this process, or by connections that wait. */
export function unsentTrouble(isOwnFault: boolean, connections: number): CapacityTrouble {
  if (isOwnFault) return { limitedBy: "none", text: "this process could not make more" };
  const text = connections === 1
    ? "the only connection was still waiting for a response"
    : `some of the ${connections} connections were still waiting for responses`;
  return { limitedBy: "latency", text: `${text} (--workers)` };
}

/** Warning that requests at a steady rate are late. */
export function unsentText(isOwnFault: boolean, rate: number, lateMs: number): string {
  const why = isOwnFault
    ? "this process cannot make more"
    : "the receiver's responses take too long for so few connections (--workers)";
  const seconds = (lateMs / 1000).toFixed(1);
  return `cannot keep up with --point-rate ${rate}: requests are ${seconds} s late, ${why}`;
}

/** Warning that a run at a steady rate ended before it could send what was due. */
export function givenUpText(points: number, rate: number, retryForMs: number): string {
  return `${
    counted(points, "data point")
  } of --point-rate ${rate} not sent: the run was still behind ${
    retryForMs / 1000
  } s after its end (--retry-for); lower the rate, or add --workers`;
}
