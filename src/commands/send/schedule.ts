import type { ScheduleConfig } from "../../settings/schedule_config.ts";
import type { Source } from "../../source/source.ts";

/** A send was due at `last`, and every `stepMs` before that, back to `since`, which is not among them. */
export interface Due {
  readonly since: number;
  /** On the monotonic clock, as is `since`. */
  readonly last: number;
  readonly stepMs: number;
}

/**
 * Ticks of a run: when each is due, which were missed, and when the run is over. Arithmetic alone: the caller has the
 * clock, and all times are ms on the monotonic one.
 *
 * Tick k is due at start + k · interval. A send that takes longer than the interval makes the next one late, but never
 * shifts the schedule: of the ticks that have passed only the latest is kept. Interval 0: at once.
 */
export class Schedule {
  readonly #config: ScheduleConfig;
  readonly #kind: Source["kind"];
  readonly #start: number;
  /** When the run is over. */
  readonly #end: number;
  #tick: number;
  #dueBefore: number;

  constructor(config: ScheduleConfig, kind: Source["kind"], start: number) {
    this.#config = config;
    this.#kind = kind;
    this.#start = start;
    this.#end = start + config.durationMs;
    // Measurements that come over time are sent at the end of their interval, all others at the beginning.
    this.#tick = this.#isPull ? 0 : 1;
    this.#dueBefore = this.#isPull ? start - config.intervalMs : start;
  }

  /** When the current tick is due. */
  get due(): number {
    return Math.min(this.#start + this.#tick * this.#config.intervalMs, this.#end);
  }

  /** Whether nothing happens before the current tick is due. */
  get isWaiting(): boolean {
    return this.#isPull && this.#tick > 0 && !this.isImmediate;
  }

  /** Whether sends follow each other immediately. */
  get isImmediate(): boolean {
    return this.#config.intervalMs === 0;
  }

  /** Up to when measurements belong to the current tick; undefined: until there are any. */
  get fillUntil(): number | undefined {
    return !this.#config.loop ? Infinity : this.isImmediate ? undefined : this.due;
  }

  /** When the tick after this one is due, seen from `now`. */
  nextDue(now: number): number {
    return this.isImmediate ? now : this.#start + (this.#tick + 1) * this.#config.intervalMs;
  }

  /** Whether the current tick is the last one; `intervals` have ended with it. */
  isLast(now: number, intervals: number): boolean {
    const { loop, iterations } = this.#config;
    return !loop || intervals >= iterations ||
      (this.#isPull ? this.nextDue(now) : now) >= this.#end;
  }

  /** How much time is left. */
  leftMs(now: number): number {
    return this.#end - now;
  }

  /**
   * The sends that were due since the last call, up to the current tick; undefined: a send is due whenever the one before
   * is over. `sends`: how many were made.
   */
  takeDue(now: number, sends: number): Due | undefined {
    return this.takeDueUntil(this.isImmediate ? now : Math.min(this.due, now), sends);
  }

  /** The sends that were due since the last call, up to `last`, as in `takeDue`. */
  takeDueUntil(last: number, sends: number): Due | undefined {
    const since = this.#dueBefore;
    this.#dueBefore = last;
    const stepMs = this.#stepMs((since - this.#start) / Math.max(1, sends));
    return stepMs === undefined ? undefined : { since, last, stepMs };
  }

  /**
   * Goes on to the next tick. `missed`: ticks that passed meanwhile; measurements that come over time miss none.
   * `isOver`: the run ends before it.
   */
  advance(now: number): { readonly missed: number; readonly isOver: boolean } {
    const { intervalMs } = this.#config;
    const before = this.#tick;
    this.#tick = this.isImmediate
      ? before + 1
      : Math.max(before + 1, Math.floor((now - this.#start) / intervalMs));
    if (!this.#isPull) return { missed: 0, isOver: false };
    const due = this.isImmediate ? now : this.#start + this.#tick * intervalMs;
    return { missed: this.#tick - before - 1, isOver: due >= this.#end };
  }

  get #isPull(): boolean {
    return this.#kind === "pull";
  }

  /** Paced measurements are due whatever becomes of the sends, which then go as they did before, every `averageMs`. */
  #stepMs(averageMs: number): number | undefined {
    const { loop, intervalMs } = this.#config;
    if (!loop) return undefined;
    return intervalMs > 0
      ? intervalMs
      : this.#kind === "paced" && averageMs > 0
      ? averageMs
      : undefined;
  }
}
