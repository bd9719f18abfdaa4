import { whenAborted } from "../../platform/abort.ts";

/** The steps, in their order; tls only for https. */
export type StepName = "config" | "dns" | "tcp" | "tls" | "http" | "token" | "ingest";

/** What a program may want of a step without reading its words: `url`, `status`, `proxy`, `addresses`. */
export interface Facts {
  readonly [name: string]: string | number | boolean | null | readonly (string | Facts)[];
}

/** What a step found. */
export interface Step {
  /** Null: it cannot be told. */
  readonly ok: boolean | null;
  /** One line; what is among the facts is not in it. */
  readonly detail: string;
  /** The same for a person, with the facts. */
  readonly text: string;
  readonly facts: Facts;
  /** What to do, or what is odd though it works; several lines are possible. */
  readonly hint: string | null;
}

type Hints = readonly (string | undefined)[];

export function passed(detail: string, ...hints: Hints): Step {
  return step(true, detail, hints);
}

export function failed(detail: string, ...hints: Hints): Step {
  return step(false, detail, hints);
}

/** What was found does not tell whether all is well. */
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
export async function withinTime<T>(
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
    const late = whenAborted(ended.signal).then(() => Promise.reject(ended.signal.reason));
    return await Promise.race([work(ended.signal), late]);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", end);
  }
}

export const TIMED_OUT = "timed out";
