import type { DeliveryEvent } from "../../delivery/delivering.ts";
import { FineHistogram, measureQuantile } from "../../aggregate/fine.ts";
import type { Due } from "./schedule.ts";

/** Up to which rate a receiver took everything. */
export interface RampResult {
  /** Null: not even the lowest rate was taken. */
  readonly taken: {
    readonly measurementsPerSecond: number;
    readonly pointsPerSecond: number;
    readonly p99Ms: number;
  } | null;
  /** Trouble above that rate: a status, a reason, or a latency beyond the limit; null when there was none up to the end. */
  readonly above: string | { readonly p99Ms: number } | null;
}

/** Shortest step, in ms: a second has enough requests for percentiles. Shorter ones are joined. */
const SHORTEST_STEP_MS = 1000;

/** Rounding error that sums of intervals may have, in ms. */
const ROUNDING_MS = 0.01;

/** Stretch of time: the sends that were due in it, and their outcome. */
class Step {
  readonly sinceMs: number;
  lastMs: number;
  measurements = 0;
  points = 0;
  /** Why not everything was accepted. */
  trouble: string | undefined;
  readonly latency = new FineHistogram();

  constructor({ since, last }: Due) {
    this.sinceMs = since;
    this.lastMs = last;
  }

  get lengthMs(): number {
    return this.lastMs - this.sinceMs;
  }

  get p99(): number | undefined {
    return measureQuantile(0.99, this.latency.buckets())?.value;
  }
}

/**
 * Finds out up to which rate everything was taken while the rate rises: in every step up to there each request was
 * accepted at the first try, within the limit at the 99th percentile. A single step beyond that limit counts only when
 * the next one is in trouble as well: a connection that is opened, or a pause, is no limit of the receiver's. What comes
 * after is not looked at, since a receiver that has shed load is another one.
 */
export class Ramp {
  readonly #sloMs: number;
  readonly #steps: Step[] = [];
  readonly #byIteration = new Map<number, Step>();

  /** `sloMs`: Infinity for no limit. */
  constructor(sloMs: number) {
    this.#sloMs = sloMs;
  }

  due(iteration: number, due: Due): void {
    const last = this.#steps.at(-1);
    let step = last;
    if (step === undefined || step.lengthMs >= SHORTEST_STEP_MS - ROUNDING_MS) {
      step = new Step(due);
      this.#steps.push(step);
    }
    step.lastMs = due.last;
    this.#byIteration.set(iteration, step);
  }

  attempt(
    { pending, result }: Extract<DeliveryEvent, { type: "attempt" }>,
    latencies: readonly number[],
  ): void {
    const step = this.#stepOf(pending);
    if (step === undefined) return;
    if (result.outcome !== "accepted") {
      step.trouble ??= result.outcome === "partial"
        ? `${result.rejectedPoints} rejected points`
        : result.status === null
        ? result.message ?? "no answer"
        : String(result.status);
      return;
    }
    step.measurements += pending.request.measurements;
    step.points += pending.request.points;
    for (const latency of latencies) step.latency.add(latency);
  }

  /** Notes a request that was not sent, or not again. */
  failed(
    { pending }: Pick<Extract<DeliveryEvent, { type: "held" | "denied" | "dropped" }>, "pending">,
  ): void {
    const step = this.#stepOf(pending);
    if (step !== undefined) step.trouble ??= UNANSWERED;
  }

  /** This program cannot make more. */
  fellBehind(): void {
    const step = this.#steps.at(-1);
    if (step !== undefined) step.trouble ??= "more than this process can make";
  }

  #stepOf({ iteration }: { readonly iteration: number | null }): Step | undefined {
    return iteration === null ? undefined : this.#byIteration.get(iteration);
  }

  result(): RampResult {
    // A rest at the end is too short to have a rate.
    const steps = this.#steps.filter(({ lengthMs }) => lengthMs >= SHORTEST_STEP_MS / 2);
    const isLate = (step: Step | undefined) => step === undefined || this.#lateness(step) !== null;
    const worst = steps.findIndex((step, i) =>
      step.trouble !== undefined ||
      (isLate(step) && (isLate(steps[i + 1]) || hasTrouble(steps[i + 1])))
    );
    const failed = worst < 0 ? undefined : steps[worst];
    const best = steps[(worst < 0 ? steps.length : worst) - 1];
    return {
      taken: best === undefined ? null : {
        measurementsPerSecond: best.measurements / best.lengthMs * 1000,
        pointsPerSecond: best.points / best.lengthMs * 1000,
        p99Ms: best.p99 ?? 0,
      },
      above: failed === undefined ? null : failed.trouble ?? this.#lateness(failed),
    };
  }

  /** How late it was, where that is beyond the limit. */
  #lateness({ p99 }: Step): RampResult["above"] {
    if (p99 === undefined) return UNANSWERED;
    return p99 > this.#sloMs ? { p99Ms: p99 } : null;
  }
}

const UNANSWERED = "requests that were not answered in time";

function hasTrouble(step: Step | undefined): boolean {
  return step?.trouble !== undefined;
}
