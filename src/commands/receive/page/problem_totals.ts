import { escapeText } from "../../../console/escape.ts";
import type { Problem } from "../../../receivers/problem.ts";
import type { ProblemRow, ProblemTotal } from "./protocol.ts";

/** Maximum number of combinations of rule and metric. */
const MOST = 200;

interface Total {
  readonly id: number;
  row: ProblemRow;
  requests: number;
  /** Number of the last request that had it. */
  request: number;
}

/** Totals of problems: which rules were broken, by which metrics, in how many requests. */
export class ProblemTotals {
  readonly #totals = new Map<string, Total>();
  #more = 0;

  /** Number of problems that found no room. */
  get more(): number {
    return this.#more;
  }

  add(problems: readonly Problem[], request: number): void {
    for (const problem of problems) {
      const key = `${problem.rule}\n${problem.level}\n${problem.metric}`;
      const known = this.#totals.get(key);
      if (known === undefined) {
        if (this.#totals.size >= MOST) this.#more++;
        else {this.#totals.set(key, {
            id: this.#totals.size,
            row: problemRow(problem),
            requests: 1,
            request,
          });}
      } else {
        if (known.request !== request) known.requests++;
        known.row = problemRow(problem);
        known.request = request;
      }
    }
  }

  /** Returns the problems that requests after `request` had. */
  since(request: number): readonly ProblemTotal[] {
    return [...this.#totals.values()].filter((total) => total.request > request)
      .map(({ id, row, requests }) => ({ id, requests, ...row }));
  }
}

/** Formats a problem for display: escaped, and not endless. */
export function problemRow({ rule, level, metric, message }: Problem): ProblemRow {
  return { rule, level, metric: escapeText(metric), message: escapeText(message, 1000) };
}
