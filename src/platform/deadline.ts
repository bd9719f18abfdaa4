/**
 * All deadlines share one timer, AbortSignal.timeout(): what `setTimeout` needs takes Deno 8 ms to load, which a single
 * send would pay, and a timer of AbortSignal.timeout() cannot be cleared, so that one for each request would pile up.
 */
const open = new Map<AbortController, number>();
/** When the timer fires, on the monotonic clock; Infinity: there is none. */
let firesAt = Infinity;

/** Aborted after `ms`, unless it was cleared before. Whatever waits for it keeps the process alive itself. */
export function deadline(ms: number): { readonly signal: AbortSignal; clear(): void } {
  const over = new AbortController();
  const at = performance.now() + ms;
  open.set(over, at);
  setTimer(at);
  return { signal: over.signal, clear: () => void open.delete(over) };
}

function setTimer(at: number): void {
  // An earlier one sets the next itself.
  if (at >= firesAt) return;
  firesAt = at;
  const ms = Math.max(0, Math.ceil(at - performance.now()));
  AbortSignal.timeout(ms).addEventListener("abort", abortDue);
}

function abortDue(): void {
  firesAt = Infinity;
  const now = performance.now();
  for (const [over, at] of open) {
    if (at > now) continue;
    open.delete(over);
    over.abort();
  }
  if (open.size > 0) setTimer(Math.min(...open.values()));
}
