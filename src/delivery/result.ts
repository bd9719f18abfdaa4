import type { ExportAnswer, Unseen } from "./export_answer.ts";
import type { Failure, Reply, Trouble } from "../http/reply.ts";

/** Outcome of a request or of one attempt: the receiver's decision, or the failure. */
export interface Result {
  readonly outcome: "accepted" | "partial" | "rejected" | "failed";
  readonly status: number | null;
  /** Rejected data points as the receiver counts them in a partial success. */
  readonly rejectedPoints: number;
  /** Message of the receiver or the system, or a note on what could not be seen; null without one. */
  readonly message: string | null;
  /** Accepted, and the message says why a partial success could not have been seen. */
  readonly unseen?: Unseen["kind"] | undefined;
  /** Cause of the outcome, for an explanation of what to do; undefined without one. */
  readonly trouble: Trouble | undefined;
}

/** Result of a request that was not tried; the message says why. */
export function untriedResult(message: string): Result {
  return { outcome: "failed", status: null, rejectedPoints: 0, message, trouble: undefined };
}

/** Result of an answer, or of the lack of one, for a request with that number of data points. */
export function resultOf(
  answer: ExportAnswer | Failure,
  reply: Reply | Failure,
  points: number,
): Result {
  const status = reply.kind === "reply" ? reply.status : null;
  switch (answer.kind) {
    case "accepted": {
      const { warning = null, unseen } = answer;
      return {
        outcome: "accepted",
        status,
        rejectedPoints: 0,
        message: unseen === undefined ? warning : unseenText(unseen),
        ...unseen && { unseen: unseen.kind },
        trouble: undefined,
      };
    }
    case "partial": {
      const rejectedPoints = Math.min(answer.rejectedPoints, points);
      const message = `rejected ${rejectedPoints} of ${points} data points` +
        (answer.message === "" ? "" : `: ${answer.message}`);
      return {
        outcome: rejectedPoints === points ? "rejected" : "partial",
        status,
        rejectedPoints,
        message,
        trouble: undefined,
      };
    }
    case "refused":
    case "too-large":
    case "retry":
    case "failure": {
      const refused = answer.kind === "refused" || answer.kind === "too-large";
      return {
        outcome: refused ? "rejected" : "failed",
        status,
        rejectedPoints: 0,
        message: answer.message,
        trouble: reply.kind === "failure"
          ? reply
          : { kind: "reply", status: reply.status, headers: reply.headers },
      };
    }
  }
}

/** Message about an accepted request whose rejections could not have been seen. */
export function unseenText({ why }: Unseen): string {
  return `a partial success could not have been seen: ${why}`;
}
