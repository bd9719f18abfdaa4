import type { Clock } from "../../platform/clock.ts";
import type { DeliveryEvent, Pending } from "../../delivery/delivering.ts";
import { FineHistogram, measureQuantile } from "../../aggregate/fine.ts";
import type { Ramp, RampResult } from "./ramp.ts";
import type { Due } from "./schedule.ts";

/** In ms; null without a request that was answered. */
export interface Latency {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** Figures of a run's requests, for a load test. */
export interface Figures {
  readonly elapsedMs: number;
  readonly requests: number;
  /** Data points of accepted requests. */
  readonly points: number;
  readonly bytes: number;
  readonly latencyMs: Latency;
  /** Where the rate rose. */
  readonly ramp: RampResult | undefined;
}

/**
 * Counts requests, and how long after they were due they were answered: a receiver that keeps a request waiting makes
 * those late that come after it, and those that were left out (G. Tene's "coordinated omission"). A request without a
 * schedule is due when it is sent.
 */
export class RequestFigures {
  readonly #clock: Clock;
  readonly #ramp: Ramp | undefined;
  #started: number;
  #requests = 0;
  #points = 0;
  #bytes = 0;
  #max: number | null = null;
  readonly #latency = new FineHistogram();
  /** By iteration, the first first. */
  readonly #dues = new Map<number, Due>();

  constructor(clock: Clock, ramp?: Ramp) {
    this.#clock = clock;
    this.#ramp = ramp;
    this.#started = clock.monotonic();
  }

  /** From now on time counts. */
  start(): void {
    this.#started = this.#clock.monotonic();
  }

  /** An iteration of a schedule is about to be sent. `pending`: what is not settled of those before it. */
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
    this.#ramp?.due(iteration, due);
  }

  /** More was due than this program can make. */
  fellBehind(): void {
    this.#ramp?.fellBehind();
  }

  event(event: DeliveryEvent): void {
    if (event.type !== "attempt") {
      if (event.type === "dropped" || event.type === "held" || event.type === "denied") {
        this.#ramp?.failed(event);
      }
      return;
    }
    const { pending: { request }, result } = event;
    this.#requests++;
    if (result.outcome === "accepted" || result.outcome === "partial") {
      this.#points += request.points - result.rejectedPoints;
      this.#bytes += request.body.length;
    }
    const latencies = result.status === null ? [] : this.#latencies(event);
    for (const latency of latencies) {
      this.#latency.add(latency);
      this.#max = Math.max(this.#max ?? 0, latency);
    }
    this.#ramp?.attempt(event, latencies);
  }

  /** One for every send that was due and that this request stands for. */
  #latencies(
    { pending: { iteration }, durationMs }: Extract<DeliveryEvent, { type: "attempt" }>,
  ): readonly number[] {
    const due = iteration === null ? undefined : this.#dues.get(iteration);
    if (due === undefined) return [durationMs];
    const latency = Math.max(durationMs, this.#clock.monotonic() - due.last);
    const steps = Math.max(1, Math.round((due.last - due.since) / due.stepMs));
    return Array.from({ length: steps }, (_, step) => latency + step * due.stepMs);
  }

  get latency(): Latency {
    const buckets = this.#latency.buckets();
    const at = (q: number) => measureQuantile(q, buckets)?.value ?? null;
    return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: this.#max };
  }

  get soFar(): Omit<Figures, "ramp" | "latencyMs"> {
    return {
      elapsedMs: this.#clock.monotonic() - this.#started,
      requests: this.#requests,
      points: this.#points,
      bytes: this.#bytes,
    };
  }

  get figures(): Figures {
    return { ...this.soFar, latencyMs: this.latency, ramp: this.#ramp?.result() };
  }
}
