import type { Source } from "../../source/source.ts";

/** The slot of a fixed schedule that comes after `slot`, and what was missed on the way there. */
export interface NextSlot {
  readonly slot: number;
  /** On the clock of `start` and `now`; not after `now` when the slot is due already. */
  readonly due: number;
  /** Slots that passed while the send before was under way. */
  readonly missed: number;
}

/**
 * Slot k is due at start + k · interval (ms). A send that takes longer than the interval makes the next one late, but
 * never shifts the schedule: of the slots that have passed only the latest is kept. Interval 0: at once.
 */
export function nextSlot(start: number, intervalMs: number, slot: number, now: number): NextSlot {
  if (intervalMs === 0) return { slot: slot + 1, due: now, missed: 0 };
  const next = Math.max(slot + 1, Math.floor((now - start) / intervalMs));
  return { slot: next, due: start + next * intervalMs, missed: next - slot - 1 };
}

/** A send was due at `last`, and every `stepMs` before that, back to `since`, which is not among them. */
export interface Due {
  readonly since: number;
  /** On the monotonic clock, as is `since`. */
  readonly last: number;
  readonly stepMs: number;
}

/**
 * The step of a schedule, in ms; undefined: sends are due whenever the one before is over. Paced
 * measurements are due whatever becomes of the sends, which then go as they did before, every `averageMs`.
 */
export function stepOf(
  { loop, intervalMs }: { readonly loop: boolean; readonly intervalMs: number },
  kind: Source["kind"],
  averageMs: number,
): number | undefined {
  if (!loop) return undefined;
  return intervalMs > 0 ? intervalMs : kind === "paced" && averageMs > 0 ? averageMs : undefined;
}
