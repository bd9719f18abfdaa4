import type { DeliveryEvent } from "../../delivery/delivering.ts";
import type { Result } from "../../delivery/result.ts";
import type { EncodedRequest } from "../../otlp/request.ts";

/** Outcome of one iteration, or of a request that was pending before it. */
export interface SendReport extends Result {
  /** When its measurements were recorded, ms since 1970. */
  readonly time: number;
  readonly iteration: number;
  /** Phase of its latest measurements; missing: their scenario has none. */
  readonly phase?: string;
  readonly measurements: number;
  readonly points: number;
  readonly attempts: number;
  /** Size of its requests' bodies, as they go over the wire. */
  readonly bytes: number;
  readonly durationMs: number;
  readonly possiblyDuplicated: boolean;
}

/** Totals of one iteration: adds up the outcomes of its requests. */
export class SendTotals {
  readonly #iteration: number;
  #measurements = 0;
  #points = 0;
  #bytes = 0;
  #attempts = 0;
  #status: number | null = null;
  #possiblyDuplicated = false;
  #settledPoints = 0;
  /** Points of requests that were rejected as a whole. */
  #refusedPoints = 0;
  /** Rejected points of requests that were accepted in part. */
  #partialPoints = 0;
  /** Rejected points as partial successes count them, including those that name every point. */
  #namedPoints = 0;
  #decisive: Result | undefined;
  #droppedFor: string | undefined;

  constructor(iteration: number) {
    this.#iteration = iteration;
  }

  /** Requests of the iteration, which may come in several parts. */
  add(requests: readonly EncodedRequest[]): void {
    for (const { measurements, points, body } of requests) {
      this.#measurements += measurements;
      this.#points += points;
      this.#bytes += body.length;
    }
  }

  /** Whether the event is about this iteration. */
  apply(event: DeliveryEvent): boolean {
    if (!("pending" in event) || event.pending.iteration !== this.#iteration) return false;
    switch (event.type) {
      case "attempt":
        this.#attempts++;
        this.#status = event.result.status ?? this.#status;
        this.#possiblyDuplicated ||= event.pending.possiblyDuplicated;
        break;
      case "dropped":
        this.#droppedFor = `dropped: ${event.reason}`;
        break;
      case "settled": {
        const { result, pending: { request: { points } } } = event;
        this.#settledPoints += points;
        this.#namedPoints += result.rejectedPoints;
        if (result.outcome === "rejected") this.#refusedPoints += points;
        else this.#partialPoints += result.rejectedPoints;
        if (weightOf(result) >= weightOf(this.#decisive)) this.#decisive = result;
      }
    }
    return true;
  }

  /** Reports the iteration. `held`: why its unsettled requests are held. */
  report(held: Result | undefined): Omit<SendReport, "time" | "durationMs"> {
    const points = this.#points;
    const result = this.#settledPoints < points ? undefined : this.#decisive;
    const mixed = this.#refusedPoints > 0 && this.#refusedPoints < points;
    return {
      iteration: this.#iteration,
      measurements: this.#measurements,
      points,
      outcome: result === undefined && points > 0
        ? "failed"
        : this.#refusedPoints === points && points > 0
        ? "rejected"
        : this.#partialPoints > 0 || mixed
        ? "partial"
        : "accepted",
      attempts: this.#attempts,
      status: this.#status,
      bytes: this.#bytes,
      // In a split send a part may have been refused as a whole, which no partial success counts.
      rejectedPoints: mixed ? this.#refusedPoints + this.#partialPoints : this.#namedPoints,
      possiblyDuplicated: this.#possiblyDuplicated,
      message: result === undefined && points > 0
        ? this.#droppedFor ?? held?.message ?? "interrupted before it was sent"
        : result?.message ?? null,
      ...result?.unseen && { unseen: result.unseen },
      trouble: result === undefined ? held?.trouble : result.trouble,
    };
  }
}

/** Weight of a result: the last one of the greatest weight is reported, a receiver's words before an unseen outcome. */
function weightOf(result: Result | undefined): number {
  if (result === undefined) return 0;
  return result.message === null ? 0 : result.unseen === undefined ? 2 : 1;
}
