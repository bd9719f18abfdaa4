import { escapeText } from "../../../console/escape.ts";
import type { Problem } from "../../../receivers/problem.ts";
import type { ProblemRow, ProblemTotal } from "./protocol.ts";

/** Rules and metrics that are told apart. */
const MOST = 200;

interface Total {
  readonly id: number;
  problem: Problem;
  requests: number;
  /** The request that had it last. */
  request: number;
}

/** Which rules were broken, by which metrics, and how often. */
export class ProblemTotals {
  readonly #totals = new Map<string, Total>();
  #more = 0;

  /** Problems that found no room. */
  get more(): number {
    return this.#more;
  }

  add(problems: readonly Problem[], request: number): void {
    for (const problem of problems) {
      const key = `${problem.rule}\n${problem.level}\n${problem.metric}`;
      const known = this.#totals.get(key);
      if (known === undefined) {
        if (this.#totals.size >= MOST) this.#more++;
        else this.#totals.set(key, { id: this.#totals.size, problem, requests: 1, request });
      } else {
        if (known.request !== request) known.requests++;
        known.problem = problem;
        known.request = request;
      }
    }
  }

  /** Those that a request after that one had. */
  since(request: number): readonly ProblemTotal[] {
    return [...this.#totals.values()].filter((it) => it.request > request)
      .map(({ id, problem, requests }) => ({ id, requests, ...problemRow(problem) }));
  }
}

/** A problem as it is told: safe for any display, and not endless. */
export function problemRow({ rule, level, metric, message }: Problem): ProblemRow {
  return { rule, level, metric: escapeText(metric), message: escapeText(message, 1000) };
}
