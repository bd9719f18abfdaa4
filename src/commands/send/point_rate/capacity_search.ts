import type { Capacity } from "../run_event.ts";
import { FineHistogram, measureQuantile } from "../../../aggregate/fine.ts";
import { type Pace, rising, steady } from "../../../source/generate/pace.ts";

/** Trouble that ends a phase. */
export interface CapacityTrouble {
  /** A response, the latency, or a request without a response; `none`: nothing of the receiver's. */
  readonly limitedBy: Capacity["limitedBy"];
  /** Sentence without its start: `answered 429`. */
  readonly text: string;
}

/** Trouble, and the rate at which it came. */
export interface CapacityBreak extends CapacityTrouble {
  /** Data points per second of all processes together. */
  readonly rate: number;
}

/** Stretch of time with a pace of its own. */
export interface SearchPhase {
  /** `settling` is not judged: the receiver gets over what came before. `resting` waits until it has recovered. */
  readonly kind: "rising" | "settling" | "holding" | "resting";
  readonly pace: Pace;
  readonly seconds: number;
}

/** One answered request; `dueSeconds` since the start of the phase. */
export interface AnsweredRequest {
  readonly dueSeconds: number;
  /** From when it was due to its response, in ms. */
  readonly latencyMs: number;
  readonly points: number;
  readonly acceptedPoints: number;
  /** Whether a connection was opened for it, which no later request waits for. */
  readonly opensConnection?: boolean;
  /** Why not all was accepted. */
  readonly trouble?: CapacityTrouble | undefined;
}

/** Rate that held: what was accepted while it did. */
export interface HeldRate {
  /** Data points per second, as asked, of all processes together. */
  readonly rate: number;
  readonly seconds: number;
  /** How long after that the last response came, beyond what is usual. */
  readonly lateSeconds: number;
  readonly points: number;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Rise of a search. */
export interface CapacitySearchOptions {
  readonly from: number;
  readonly to: number;
  readonly seconds: number;
  /** Highest p99 of the latency, in ms; Infinity for no limit. */
  readonly sloMs: number;
  /** Part of the points that this process sends, and how many a request has. */
  readonly ownPart: number;
  readonly pointsPerRequest: number;
  /** Other processes search at the same time. */
  readonly isShared: boolean;
}

/** How long a rate must hold to be confirmed. */
const HOLD_SECONDS = 10;
/**
 * How long after the rise processes that search together hold their rates, at least: none may be confirmed because
 * others have ended.
 */
const TOGETHER_SECONDS = 15;
/** How long a receiver gets to settle at a lower rate. */
const SETTLE_SECONDS = 1;
/** How long a rate must hold to get a second chance. */
const CHANCE_SECONDS = 3;
/** Lateness that timers have on a busy machine. */
const PUNCTUAL_MS = 100;
/** Factor of each step back. */
const STEP = 0.97;
/** Room above what was accepted of too high a rate. */
const ABOVE_ACCEPTED = 1.02;
/** A receiver that accepts a smaller part of a rate while it settles cannot hold it. */
const SETTLED = 0.97;
/** A receiver that accepts a smaller part has not shed load but broken down. */
const BROKEN_DOWN = 0.5;
/** Part of the rate at which such a receiver rests, and how many seconds at most. */
const REST_RATE = 0.1;
const MOST_RESTS = 10;
/** Largest step back after a rest. */
const AFTER_REST = 0.8;
/** Parts of the highest rate below which there is nothing to confirm. */
const LOWEST_PART = 1000;

/**
 * Search for the highest rate that a receiver holds: the rate rises until something breaks, goes back in steps, and is
 * confirmed where it holds. Arithmetic alone: the caller sends what `phase` asks for, reports each answer, and calls
 * `next()` when the phase is over or `isBroken`.
 */
export class CapacitySearch {
  readonly #options: CapacitySearchOptions;
  #phase: SearchPhase;
  #rate: number;
  #seen: Seen;
  #first: CapacityBreak | undefined;
  #held: HeldRate | undefined;
  /** Highest rate of a second of the rise in which all was well. */
  #lastGood: number;
  #rests = 0;
  #hasAccepted = false;
  /** Rate that gets a second chance. */
  #secondChance: number | undefined;
  #elapsedSeconds = 0;
  #isOver = false;

  constructor(options: CapacitySearchOptions) {
    const { from, to, seconds } = options;
    this.#options = options;
    this.#rate = to;
    this.#lastGood = from;
    this.#phase = { kind: "rising", pace: rising(from, to, seconds), seconds };
    this.#seen = this.#newSeen();
  }

  get phase(): SearchPhase {
    return this.#phase;
  }

  /** Whether the phase should end now. */
  get isBroken(): boolean {
    const { kind } = this.#phase;
    return (kind === "rising" || kind === "holding") && this.#seen.trouble !== undefined;
  }

  /** The first trouble of all. */
  get firstBreak(): CapacityBreak | undefined {
    return this.#first;
  }

  /** The confirmed rate, once there is one. */
  get held(): HeldRate | undefined {
    return this.#held;
  }

  /** Whether the search has come to its end. */
  get isOver(): boolean {
    return this.#isOver;
  }

  answered(request: AnsweredRequest): void {
    this.#hasAccepted ||= request.acceptedPoints > 0;
    this.#seen.answered(request);
  }

  /** Notes trouble with a request that could not even be sent when it was due. */
  unsent(dueSeconds: number, trouble: CapacityTrouble): void {
    this.#seen.note(dueSeconds, trouble);
  }

  /**
   * Whether a request comes too late to be sent: the receiver settles for a limited time, whatever is still due.
   * `sinceStart`, `sinceDue`: in ms.
   */
  isTooLate(sinceStart: number, sinceDue: number): boolean {
    const { kind, seconds } = this.#phase;
    const isLimited = kind === "settling" || kind === "resting";
    return isLimited && sinceStart > seconds * 1000 && sinceDue > PUNCTUAL_MS;
  }

  /** Notes points that were due in the phase, and not sent. */
  left(points: number): void {
    this.#seen.due += points;
  }

  /** Ends the phase, all of which was answered after `seconds`, and begins the next; undefined when the search is over. */
  next(seconds: number): SearchPhase | undefined {
    this.#elapsedSeconds += seconds;
    const next = this.#next(seconds);
    this.#isOver = next === undefined;
    return next;
  }

  #next(seconds: number): SearchPhase | undefined {
    const { kind } = this.#phase;
    const trouble = this.#located(this.#seen.lateAtEnd() ?? this.#seen.trouble);
    if (trouble !== undefined && kind !== "resting") {
      this.#first ??= { ...trouble, rate: this.#phase.pace.rateAt(trouble.dueSeconds) };
    }
    switch (kind) {
      case "rising":
        if (trouble === undefined) {
          this.#lastGood = this.#options.to;
          return this.#begin("settling", this.#options.to);
        }
        this.#lastGood = this.#phase.pace.rateAt(Math.max(0, trouble.dueSeconds - 1));
        return this.#goBack(this.#phase.pace.rateAt(trouble.dueSeconds), STEP);
      case "settling": {
        const part = this.#seen.acceptedPart;
        return part >= SETTLED ? this.#begin("holding", this.#rate) : this.#afterShedding(part);
      }
      case "holding":
        this.#held = undefined;
        if (trouble !== undefined) return this.#afterHolding(trouble.dueSeconds);
        this.#held = {
          rate: this.#rate,
          seconds: this.#phase.seconds,
          lateSeconds: Math.max(0, seconds - this.#phase.seconds - PUNCTUAL_MS / 1000),
          ...this.#seen.figures(),
        };
        return this.#isHeldTogether ? undefined : this.#begin("holding", this.#rate);
      case "resting":
        if (trouble === undefined) {
          return this.#begin(
            "settling",
            this.#rate * Math.min(STEP, Math.max(AFTER_REST, this.#lastGood / this.#rate)),
          );
        }
        return this.#rest();
    }
  }

  /** Requests of a rise that are late in its first second are those at its end: FROM itself may hold. */
  #located(trouble: Seen["trouble"]): Seen["trouble"] {
    const isAtStart = this.#phase.kind === "rising" && trouble?.limitedBy === "latency" &&
      trouble.dueSeconds === 0;
    return isAtStart ? { ...trouble, dueSeconds: Math.min(1, this.#phase.seconds) } : trouble;
  }

  /** A rate that held for a while gets another chance: a pause of this machine makes a burst as well. */
  #afterHolding(heldSeconds: number): SearchPhase | undefined {
    if (heldSeconds < CHANCE_SECONDS || this.#secondChance === this.#rate) {
      return this.#goBack(this.#rate, STEP);
    }
    this.#secondChance = this.#rate;
    return this.#begin("settling", this.#rate);
  }

  get #isHeldTogether(): boolean {
    const { isShared, seconds } = this.#options;
    return !isShared || this.#elapsedSeconds >= seconds + TOGETHER_SECONDS;
  }

  #afterShedding(part: number): SearchPhase | undefined {
    if (part > BROKEN_DOWN) return this.#goBack(this.#rate, Math.min(STEP, part * ABOVE_ACCEPTED));
    // Each rest has a lower rate to go on with.
    this.#lastGood = Math.min(this.#lastGood, this.#rate) * STEP;
    return this.#rest();
  }

  /** A receiver that has never accepted anything will not recover. */
  #rest(): SearchPhase | undefined {
    const isHopeless = !this.#hasAccepted || ++this.#rests > MOST_RESTS;
    return isHopeless ? undefined : this.#begin("resting", this.#rate);
  }

  #goBack(rate: number, factor: number): SearchPhase | undefined {
    const { from, to } = this.#options;
    const lowest = Math.max(from, to / LOWEST_PART);
    return rate <= lowest ? undefined : this.#begin("settling", Math.max(lowest, rate * factor));
  }

  #begin(kind: SearchPhase["kind"], rate: number): SearchPhase {
    this.#rate = rate;
    this.#phase = {
      kind,
      pace: steady(kind === "resting" ? rate * REST_RATE : rate),
      seconds: kind === "holding" ? HOLD_SECONDS : SETTLE_SECONDS,
    };
    this.#seen = this.#newSeen();
    return this.#phase;
  }

  #newSeen(): Seen {
    const { sloMs, ownPart, pointsPerRequest } = this.#options;
    const { pace, kind } = this.#phase;
    const requestsIn = (second: number) => pace.rateAt(second + 0.5) * ownPart / pointsPerRequest;
    return new Seen(sloMs, requestsIn, kind === "holding");
  }
}

/** Part of the requests that may be later than the SLO, so that the p99 is not. */
const MOST_LATE = 0.01;

/** Answers of a phase. */
class Seen {
  trouble: (CapacityTrouble & { readonly dueSeconds: number }) | undefined;
  readonly #sloMs: number;
  readonly #requestsIn: (second: number) => number;
  readonly #isHolding: boolean;
  readonly #latency = new FineHistogram();
  /** Late requests by the second in which they were due. */
  readonly #late = new Map<number, number>();
  #requests = 0;
  /** Points that were due, and those that were accepted. */
  due = 0;
  #accepted = 0;
  /** Points of the largest request. */
  #largest = 0;

  constructor(sloMs: number, requestsIn: (second: number) => number, isHolding: boolean) {
    this.#sloMs = sloMs;
    this.#requestsIn = requestsIn;
    this.#isHolding = isHolding;
  }

  note(dueSeconds: number, trouble: CapacityTrouble): void {
    this.trouble ??= { ...trouble, dueSeconds };
  }

  answered(
    { dueSeconds, latencyMs, points, acceptedPoints, opensConnection, trouble }: AnsweredRequest,
  ): void {
    this.#requests++;
    this.due += points;
    this.#accepted += acceptedPoints;
    this.#largest = Math.max(this.#largest, points);
    this.#latency.add(latencyMs);
    if (trouble !== undefined) this.note(dueSeconds, trouble);
    if (latencyMs <= this.#sloMs || opensConnection) return;
    const second = Math.floor(dueSeconds);
    this.#late.set(second, (this.#late.get(second) ?? 0) + 1);
    // One late second may be a pause of either side; two are none.
    for (const first of [second - 1, second]) {
      if (first >= 0 && this.#isLate(first) && this.#isLate(first + 1)) {
        this.note(first, this.#latencyTrouble());
      }
    }
  }

  /** The latency of the whole phase, where that must keep to the SLO. */
  lateAtEnd(): (CapacityTrouble & { readonly dueSeconds: number }) | undefined {
    if (this.trouble !== undefined || !this.#isHolding) return undefined;
    return this.#at(0.99) > this.#sloMs ? { ...this.#latencyTrouble(), dueSeconds: 0 } : undefined;
  }

  /**
   * Part of the points due that was accepted, at most: of a few requests two may be refused by chance, and a slow
   * process may have had none to send.
   */
  get acceptedPart(): number {
    return this.due === 0 ? 1 : (this.#accepted + 2 * this.#largest) / this.due;
  }

  figures(): Omit<HeldRate, "rate" | "seconds" | "lateSeconds"> {
    return {
      points: this.#accepted,
      requests: this.#requests,
      p50Ms: this.#at(0.5),
      p99Ms: this.#at(0.99),
    };
  }

  #at(quantile: number): number {
    return measureQuantile(quantile, this.#latency.buckets())?.value ?? 0;
  }

  #isLate(second: number): boolean {
    return (this.#late.get(second) ?? 0) > MOST_LATE * this.#requestsIn(second);
  }

  #latencyTrouble(): CapacityTrouble {
    return { limitedBy: "latency", text: `p99 exceeded --slo ${this.#sloMs} ms` };
  }
}
