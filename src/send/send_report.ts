import type { DeliveryEvent, Result } from "../delivery/delivery.ts";
import type { EncodedRequest } from "../otlp/request.ts";

/** What became of one iteration, or of something that was pending before it. */
export interface SendReport extends Result {
  /** When its measurements were recorded, ms since 1970. */
  readonly time: number;
  readonly iteration: number;
  readonly measurements: number;
  readonly points: number;
  readonly attempts: number;
  /** Of its requests' bodies, as they go over the wire. */
  readonly bytes: number;
  readonly durationMs: number;
  readonly possiblyDuplicated: boolean;
}

/** Adds up what became of one iteration's requests. */
export class SendTotals {
  readonly #iteration: number;
  readonly #requests: readonly EncodedRequest[];
  #attempts = 0;
  #status: number | null = null;
  #possiblyDuplicated = false;
  #settledPoints = 0;
  /** Of requests that were rejected as a whole. */
  #refusedPoints = 0;
  /** Of requests that were taken in part. */
  #partialPoints = 0;
  /** As partial successes counted them, those that name every point included. */
  #namedPoints = 0;
  #told: Result | undefined;
  #droppedFor: string | undefined;

  constructor(iteration: number, requests: readonly EncodedRequest[]) {
    this.#iteration = iteration;
    this.#requests = requests;
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
        if (result.message !== null || this.#told === undefined) this.#told = result;
      }
    }
    return true;
  }

  /** `held`: why what is not settled is not. */
  report(held: Result | undefined): Omit<SendReport, "time" | "durationMs"> {
    const points = total(this.#requests, "points");
    const told = this.#settledPoints < points ? undefined : this.#told;
    const mixed = this.#refusedPoints > 0 && this.#refusedPoints < points;
    return {
      iteration: this.#iteration,
      measurements: total(this.#requests, "measurements"),
      points,
      outcome: told === undefined && points > 0
        ? "failed"
        : this.#refusedPoints === points && points > 0
        ? "rejected"
        : this.#partialPoints > 0 || mixed
        ? "partial"
        : "accepted",
      attempts: this.#attempts,
      status: this.#status,
      bytes: this.#requests.reduce((sum, { body }) => sum + body.length, 0),
      // In a split send a part may have been refused as a whole, which no partial success counts.
      rejectedPoints: mixed ? this.#refusedPoints + this.#partialPoints : this.#namedPoints,
      possiblyDuplicated: this.#possiblyDuplicated,
      message: told === undefined && points > 0
        ? this.#droppedFor ?? held?.message ?? "interrupted before it was sent"
        : told?.message ?? null,
      trouble: told === undefined ? held?.trouble : told.trouble,
    };
  }
}

function total(requests: readonly EncodedRequest[], key: "points" | "measurements"): number {
  return requests.reduce((sum, request) => sum + request[key], 0);
}
