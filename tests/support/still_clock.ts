import type { Clock } from "../../src/platform/clock.ts";

/** A clock that stands still until it is moved on. */
export class StillClock implements Clock {
  now: number;

  constructor(now = 1_769_860_800_000) {
    this.now = now;
  }

  wall(): number {
    return this.now;
  }

  monotonic(): number {
    return this.now;
  }

  /** Passes at once. */
  sleep(ms: number): Promise<void> {
    this.now += Math.max(0, ms);
    return Promise.resolve();
  }
}
