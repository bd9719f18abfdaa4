/** The steps, in their order; tls only for https. */
export type StepName = "config" | "dns" | "tcp" | "tls" | "http" | "token" | "ingest";

/** What a step found. */
export interface Step {
  readonly ok: boolean;
  /** One line. */
  readonly detail: string;
  /** What to do, or what is odd though it works; several lines are possible. */
  readonly hint: string | null;
}

export function passed(detail: string, ...hints: readonly (string | undefined)[]): Step {
  return { ok: true, detail, hint: joined(hints) };
}

export function failed(detail: string, ...hints: readonly (string | undefined)[]): Step {
  return { ok: false, detail, hint: joined(hints) };
}

function joined(hints: readonly (string | undefined)[]): string | null {
  const lines = hints.filter((hint) => hint !== undefined);
  return lines.length === 0 ? null : lines.join("\n");
}

/** `3.2 ms`, for a person. */
export function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** Runs `work` for at most `ms`; its signal is aborted then, and when `stop` is. */
export async function within<T>(
  ms: number,
  stop: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const end = () => ended.abort(new Error(stop.aborted ? "interrupted" : TIMED_OUT));
  const timer = setTimeout(end, ms);
  stop.addEventListener("abort", end);
  if (stop.aborted) end();
  try {
    return await Promise.race([work(ended.signal), aborted(ended.signal)]);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", end);
  }
}

export const TIMED_OUT = "timed out";

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
