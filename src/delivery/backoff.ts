/** The first wait is at least this, in ms. */
const BASE_MS = 250;
/** No wait is longer than this, in ms, so that a receiver that comes back is noticed soon. */
const CAP_MS = 5000;

/**
 * Exponential backoff with jitter that never shrinks: after `failures` failed attempts (from 1) uniform in
 * [BASE · 2^(failures - 1), twice that) ms, in the end in [4/5 CAP, CAP). Full jitter ("Exponential Backoff And Jitter",
 * Brooker 2015) spreads a fleet better, but waits nothing at all now and then.
 */
export function backoffMs(failures: number, random: () => number): number {
  const least = Math.min(CAP_MS * 0.8, BASE_MS * 2 ** Math.min(failures - 1, 30));
  return least + random() * (Math.min(CAP_MS, least * 2) - least);
}
