import type { DeliveryEvent } from "../../../delivery/delivering.ts";
import type { Result } from "../../../delivery/result.ts";
import type { RunEvent } from "../run_event.ts";
import { SendTotals } from "../send_report.ts";

/** Requests of one second, which make one `send` event. */
class OpenSecond {
  readonly iteration: number;
  readonly number: number;
  /** End of the second, on the monotonic clock. */
  readonly endsAt: number;
  /** When its first request was made, ms since 1970. */
  readonly time: number;
  readonly totals: SendTotals;
  settledAt: number;
  /** Requests that are being made or are under way. */
  underWay = 0;
  /** Data points of dropped requests, and the last reason. */
  dropped = 0;
  reason: string | undefined;
  readonly #began: number;

  constructor(iteration: number, number: number, endsAt: number, began: number, time: number) {
    this.iteration = iteration;
    this.number = number;
    this.endsAt = endsAt;
    this.time = time;
    this.totals = new SendTotals(iteration);
    this.settledAt = this.#began = began;
  }

  get durationMs(): number {
    return this.settledAt - this.#began;
  }
}

/** A product of times and rates may miss a whole second by its last digits. */
const ROUNDING = 1e-6;

/** Seconds of a point load that are not reported yet, oldest first. */
export class OpenSeconds {
  readonly #start: number;
  #open: readonly OpenSecond[] = [];
  #sends = 0;
  #rejectedPoints = 0;
  /** Number of the last second that was reported, from 1. */
  #reportedUntil = 0;

  /** `start`: on the monotonic clock. */
  constructor(start: number) {
    this.#start = start;
  }

  /** Number of reported seconds. */
  get reported(): number {
    return this.#sends - this.#open.length;
  }

  get rejectedPoints(): number {
    return this.#rejectedPoints;
  }

  /** Returns when the second of a time ends. A time between two seconds belongs to the first. */
  endOf(time: number): number {
    return this.#start + this.#numberOf(time) * 1000;
  }

  /** Number of the second that a time is in, or of the first one after it that is not reported yet. */
  #numberOf(time: number): number {
    const seconds = Math.ceil((time - this.#start) / 1000 - ROUNDING);
    return Math.max(seconds, this.#reportedUntil + 1);
  }

  /** Finds or opens the second that a request belongs to. `now` and `at` are on the monotonic clock. */
  enter(at: number, now: number, wall: number): OpenSecond {
    const number = this.#numberOf(at);
    let second = this.#open.find((open) => open.number === number);
    if (second === undefined) {
      second = new OpenSecond(++this.#sends, number, this.#start + number * 1000, now, wall);
      this.#open = [...this.#open, second];
    }
    second.underWay++;
    return second;
  }

  /** Assigns an event to the second of its request; false when that was reported already. */
  apply(event: DeliveryEvent, now: number): boolean {
    const second = this.#open.find(({ totals }) => totals.apply(event));
    if (second === undefined) return false;
    second.settledAt = now;
    if (event.type === "dropped") {
      second.dropped += event.pending.request.points;
      second.reason = event.reason;
    }
    return true;
  }

  /** Notes points that the receiver rejected after their second was reported. */
  addRejected(points: number): void {
    this.#rejectedPoints += points;
  }

  /** Reports the seconds that are over by `time`, as far as nothing of them is under way; Infinity reports all. */
  *report(time: number, end: EndOfSecond): Generator<RunEvent> {
    for (let [second] = this.#open; second !== undefined; [second] = this.#open) {
      if (time !== Infinity && (second.endsAt > time || second.underWay > 0)) return;
      this.#open = this.#open.slice(1);
      this.#reportedUntil = second.number;
      const report = withDropped(second.totals.report(end.lastFailure), second);
      this.#rejectedPoints += report.rejectedPoints;
      const { iteration } = second;
      yield { type: "recording", iteration, time: second.time };
      yield {
        type: "send",
        ...report,
        time: second.time,
        durationMs: second.durationMs,
        pending: end.pending,
        reportedAt: end.reportedAt,
        isCutShort: false,
      };
    }
  }
}

/** State of a run when a second is reported. */
export interface EndOfSecond {
  readonly lastFailure: Result | undefined;
  readonly pending: number;
  readonly reportedAt: number;
}

type Totals = ReturnType<SendTotals["report"]>;

/** Dropped requests are settled: nothing of them stays pending. */
function withDropped(report: Totals, { dropped, reason }: OpenSecond): Totals {
  if (dropped === 0) return report;
  const message = `${dropped} of ${report.points} data points lost: ${reason}`;
  return { ...report, outcome: dropped === report.points ? "rejected" : "partial", message };
}
