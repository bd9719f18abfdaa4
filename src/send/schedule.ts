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
