/** The first wait is at most this, in ms. */
const BASE_MS = 500;
/** No wait is longer than this, in ms, so that a receiver that comes back is noticed soon. */
const CAP_MS = 5000;

/**
 * Exponential backoff with full jitter: uniform in [0, min(CAP, BASE · 2^failures)) ms, where `failures` counts
 * the failed attempts so far, from 1 (Brooker, "Exponential Backoff And Jitter", 2015).
 */
export function backoffMs(failures: number, random: () => number): number {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(failures, 30));
}
