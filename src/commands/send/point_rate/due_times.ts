import type { Clock } from "../../../platform/clock.ts";

/** How long a run that is behind keeps timers and signals waiting, in ms. */
const TURN_MS = 100;

/** Waits until requests are due. */
export class DueTimes {
  readonly #clock: Clock;
  #waitedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Resolves when a request is due. Every so often a late one also waits: timers and signals would not have their turn
   * while nothing else waits, as with a fetch that is refused before it asks the network.
   */
  async wait(due: number, signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    if (due <= now && now - this.#waitedAt < TURN_MS) return;
    await this.#clock.sleep(Math.max(due - now, 1), signal);
    this.#waitedAt = this.#clock.monotonic();
  }
}
