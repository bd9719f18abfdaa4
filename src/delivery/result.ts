import type { Endpoint } from "../config/endpoint.ts";
import { failureHint, statusHint } from "../http/hints.ts";
import type { ExportAnswer } from "./export_answer.ts";
import type { Failure, Reply } from "../http/reply.ts";

/** What a receiver decided about a request, or what its failed attempt was. */
export interface Result {
  readonly outcome: "accepted" | "partial" | "rejected" | "failed";
  readonly status: number | null;
  /** As the receiver counted them in a partial success. */
  readonly rejectedPoints: number;
  /** What the receiver or the system said; null when there is nothing to say. */
  readonly message: string | null;
  readonly hint: string | undefined;
}

/** Nothing was tried, and why. */
export function waiting(message: string): Result {
  return { outcome: "failed", status: null, rejectedPoints: 0, message, hint: undefined };
}

/** What an answer, or the lack of one, means for a request of so many data points. */
export function resultOf(
  answer: ExportAnswer | Failure,
  reply: Reply | Failure,
  points: number,
  endpoint: Endpoint,
): Result {
  const status = reply.kind === "reply" ? reply.status : null;
  switch (answer.kind) {
    case "accepted":
      return {
        outcome: "accepted",
        status,
        rejectedPoints: 0,
        message: answer.warning ?? null,
        hint: undefined,
      };
    case "partial": {
      const rejectedPoints = Math.min(answer.rejectedPoints, points);
      const message = `rejected ${rejectedPoints} of ${points} data points` +
        (answer.message === "" ? "" : `: ${answer.message}`);
      return {
        outcome: rejectedPoints === points ? "rejected" : "partial",
        status,
        rejectedPoints,
        message,
        hint: undefined,
      };
    }
    case "refused":
    case "too-large":
    case "retry":
    case "failure": {
      const hint = reply.kind === "failure"
        ? failureHint(reply, endpoint)
        : statusHint(reply.status, reply.headers, endpoint);
      const refused = answer.kind === "refused" || answer.kind === "too-large";
      const outcome = refused ? "rejected" : "failed";
      return { outcome, status, rejectedPoints: 0, message: answer.message, hint };
    }
  }
}
