import type { ExportAnswer, Unseen } from "./export_answer.ts";
import type { Failure, Reply, Trouble } from "../http/reply.ts";

/** What a receiver decided about a request, or what its failed attempt was. */
export interface Result {
  readonly outcome: "accepted" | "partial" | "rejected" | "failed";
  readonly status: number | null;
  /** As the receiver counted them in a partial success. */
  readonly rejectedPoints: number;
  /** What the receiver or the system said, or what could not be seen; null when there is nothing to say. */
  readonly message: string | null;
  /** Accepted, and the message says why a partial success could not have been seen. */
  readonly unseen?: Unseen["kind"] | undefined;
  /** What stood in the way, for whoever can tell what to do about it. */
  readonly trouble: Trouble | undefined;
}

/** Nothing was tried, and why. */
export function waiting(message: string): Result {
  return { outcome: "failed", status: null, rejectedPoints: 0, message, trouble: undefined };
}

/** What an answer, or the lack of one, means for a request of so many data points. */
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

/** What an accepted request leaves open. */
export function unseenText({ why }: Unseen): string {
  return `a partial success could not have been seen: ${why}`;
}
