import type { Clock } from "../../platform/clock.ts";
import type { Latency } from "../shown_figures.ts";
import type { DeliveryEvent, Pending } from "../../delivery/delivering.ts";
import { FineHistogram, measureQuantile, type ValueSeries } from "../../aggregate/fine.ts";
import { type LatencyHistogram, latencyHistogram } from "./latency_histogram.ts";
import type { Due } from "./schedule.ts";

/** Figures of a run's requests, for a load test. */
export interface Figures {
  readonly elapsedMs: number;
  readonly requests: number;
  /** Data points of accepted requests. */
  readonly points: number;
  readonly bytes: number;
  readonly latencyMs: Latency;
  /** When the elapsed time began, ms since 1970. */
  readonly startTime: number;
  /** The latencies of `latencyMs`. */
  readonly latencyHistogram: LatencyHistogram;
}

/**
 * Counts requests, and how long after they were due they were answered: a receiver that keeps a request waiting makes
 * those late that come after it, and those that were left out (G. Tene's "coordinated omission"). A request without a
 * schedule is due when it is sent.
 */
export class RequestFigures {
  readonly #clock: Clock;
  #started: number;
  #startTime: number;
  #requests = 0;
  #points = 0;
  #bytes = 0;
  #max: number | null = null;
  readonly #latency = new FineHistogram();
  /** Sends that were due, by iteration in rising order. */
  readonly #dues = new Map<number, Due>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#started = clock.monotonic();
    this.#startTime = clock.wall();
  }

  /** Starts the elapsed time. */
  start(): void {
    this.#started = this.#clock.monotonic();
    this.#startTime = this.#clock.wall();
  }

  /** Notes an iteration that is about to be sent. `pending`: unsettled requests of earlier ones. */
  due(iteration: number, due: Due, pending: readonly Pending[]): void {
    const oldest = pending.reduce(
      (least, each) => Math.min(least, each.iteration ?? iteration),
      iteration,
    );
    for (const before of this.#dues.keys()) {
      if (before >= oldest) break;
      this.#dues.delete(before);
    }
    this.#dues.set(iteration, due);
  }

  event(event: DeliveryEvent): void {
    if (event.type !== "attempt") return;
    const { pending: { request }, result } = event;
    this.#requests++;
    if (result.outcome === "accepted" || result.outcome === "partial") {
      this.#points += request.points - result.rejectedPoints;
      this.#bytes += request.body.length;
    }
    const latencies = result.status === null ? undefined : this.#latencies(event);
    if (latencies !== undefined) {
      const { first, step, count } = latencies;
      this.#latency.addSeries(latencies);
      this.#max = Math.max(this.#max ?? 0, first + (count - 1) * step);
    }
  }

  /** Latencies of a request: one for each due send that it stands for. */
  #latencies(
    { pending: { iteration }, durationMs }: Extract<DeliveryEvent, { type: "attempt" }>,
  ): ValueSeries {
    const due = iteration === null ? undefined : this.#dues.get(iteration);
    if (due === undefined) return { first: durationMs, step: 0, count: 1 };
    const first = Math.max(durationMs, this.#clock.monotonic() - due.last);
    const count = Math.max(1, Math.round((due.last - due.since) / due.stepMs));
    return { first, step: due.stepMs, count };
  }

  get latency(): Latency {
    const buckets = this.#latency.buckets();
    const at = (q: number) => measureQuantile(q, buckets)?.value ?? null;
    return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: this.#max };
  }

  get soFar(): Pick<Figures, "elapsedMs" | "requests" | "points" | "bytes"> {
    return {
      elapsedMs: this.#clock.monotonic() - this.#started,
      requests: this.#requests,
      points: this.#points,
      bytes: this.#bytes,
    };
  }

  get figures(): Figures {
    return {
      ...this.soFar,
      latencyMs: this.latency,
      startTime: this.#startTime,
      latencyHistogram: latencyHistogram(this.#latency.buckets()),
    };
  }
}
