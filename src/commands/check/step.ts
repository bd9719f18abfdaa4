/** The steps, in their order; tls only for https. */
export type StepName = "config" | "dns" | "tcp" | "tls" | "http" | "token" | "ingest";

/** Facts of a step for programs: `url`, `status`, `proxy`, `addresses`. */
export interface Facts {
  readonly [name: string]: string | number | boolean | null | readonly (string | Facts)[];
}

/** Outcome of a step. */
export interface Step {
  /** Null: undecided. */
  readonly ok: boolean | null;
  /** One line; what is among the facts is not in it. */
  readonly detail: string;
  /** Detail for a person, with the facts. */
  readonly text: string;
  readonly facts: Facts;
  /** Remedy, or oddity of something that works; several lines are possible. */
  readonly hint: string | null;
}

type Hints = readonly (string | undefined)[];

export function passed(detail: string, ...hints: Hints): Step {
  return step(true, detail, hints);
}

export function failed(detail: string, ...hints: Hints): Step {
  return step(false, detail, hints);
}

/** Makes the outcome of a step that cannot tell whether all is well. */
export function undecided(detail: string, ...hints: Hints): Step {
  return step(null, detail, hints);
}

/** A step with facts for a program; `text` is what a person reads in place of facts and detail. */
export function withFacts(step: Step, facts: Facts, text: string = step.text): Step {
  return { ...step, facts, text };
}

function step(ok: boolean | null, detail: string, hints: Hints): Step {
  const lines = hints.filter((hint) => hint !== undefined);
  const hint = lines.length === 0 ? null : lines.join("\n");
  return { ok, detail, text: detail, facts: {}, hint };
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
