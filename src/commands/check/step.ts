import { whenAborted } from "../../platform/abort.ts";

/** Names of the steps, in order; tls only for https. */
export type StepName = "config" | "dns" | "tcp" | "tls" | "http" | "token" | "ingest";

/** Facts of a step for programs: `url`, `status`, `proxy`, `addresses`. */
export interface Facts {
  readonly [name: string]: string | number | boolean | null | readonly (string | Facts)[];
}

/** Outcome of a step. */
export interface Step {
  /** Null: undecided. */
  readonly ok: boolean | null;
  /** One line, without the facts. */
  readonly detail: string;
  /** Detail for a person, with the facts. */
  readonly text: string;
  readonly facts: Facts;
  /** Remedy, or oddity of something that works; several lines are possible. */
  readonly hint: string | null;
}

type Hints = readonly (string | undefined)[];

/** Creates the result of a step that passed. */
export function passedStep(detail: string, ...hints: Hints): Step {
  return step(true, detail, hints);
}

/** Creates the result of a step that failed. */
export function failedStep(detail: string, ...hints: Hints): Step {
  return step(false, detail, hints);
}

/** Makes the outcome of a step that cannot tell whether all is well. */
export function undecidedStep(detail: string, ...hints: Hints): Step {
  return step(null, detail, hints);
}

/** Adds facts to a step. A person reads `text` in place of facts and detail. */
export function withFacts(step: Step, facts: Facts, text: string = step.text): Step {
  return { ...step, facts, text };
}

function step(ok: boolean | null, detail: string, hints: Hints): Step {
  const lines = hints.filter((hint) => hint !== undefined);
  const hint = lines.length === 0 ? null : lines.join("\n");
  return { ok, detail, text: detail, facts: {}, hint };
}

/** Formats a duration for a person: `3.2 ms`. */
export function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** Runs `work` for at most `ms`, then rejects. Its signal is aborted at that time and when `stop` is. */
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

/** Message of the error after which `withinTime` gives up. */
export const TIMED_OUT = "timed out";
