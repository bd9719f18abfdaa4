/**
 * Since Deno 2.9 a process loads what `setTimeout` needs when it first uses it, for 8 ms; a single send has few deadlines
 * and does without. AbortSignal.timeout() needs nothing, but stands until its time is up: of many they would pile up.
 */
let atHand = 4;

/** Aborted after `ms`, unless it was cleared before. Whatever waits for it keeps the process alive itself. */
export function deadline(ms: number): { readonly signal: AbortSignal; clear(): void } {
  if (atHand > 0) {
    atHand--;
    return { signal: AbortSignal.timeout(ms), clear() {} };
  }
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), ms);
  return { signal: over.signal, clear: () => clearTimeout(timer) };
}
