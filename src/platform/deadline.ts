/**
 * Pending deadlines. They share one AbortSignal.timeout(): `setTimeout` would cost a single send 8 ms to load, and a
 * timer of AbortSignal.timeout() cannot be cleared, so one per request would pile up.
 */
const open = new Map<AbortController, number>();
/** Time at which the timer fires, on the monotonic clock; Infinity if it is not set. */
let firesAt = Infinity;

/** Creates a signal that is aborted after `ms` unless it is cleared first. Whatever waits for it has to keep the process alive itself. */
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
