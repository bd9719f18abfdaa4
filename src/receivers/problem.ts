/** Level of a problem: an error rejects the data points. */
export type Level = "warning" | "error";

/** Problem of one metric: a rule that it breaks. */
export interface Problem {
  readonly rule: string;
  readonly level: Level;
  /** Name of the metric; empty when the problem is the request's. */
  readonly metric: string;
  readonly message: string;
}

/** Rule of the problem that counts the problems beyond the listed ones. */
export const UNLISTED = "unlisted";

/** Most problems listed for one request: the rest is counted. */
const MOST_PROBLEMS = 1000;

/** Way to fold findings and to describe them. */
export interface Folding<T> {
  /** Findings with the same key are one problem. */
  key(finding: T): string;
  level(finding: T): Level;
  problem(finding: T, times: number): Problem;
}

/** Findings about one request, folded into one problem per kind, so that their number stays small. */
export class ProblemFold<T> {
  readonly #how: Folding<T>;
  readonly #folded = new Map<string, { readonly finding: T; times: number }>();
  #unlisted = 0;
  #unlistedError = false;

  constructor(how: Folding<T>) {
    this.#how = how;
  }

  add(finding: T): void {
    const key = this.#how.key(finding);
    const known = this.#folded.get(key);
    if (known !== undefined) {
      known.times++;
    } else if (this.#folded.size < MOST_PROBLEMS) {
      this.#folded.set(key, { finding, times: 1 });
    } else {
      this.#unlisted++;
      this.#unlistedError ||= this.#how.level(finding) === "error";
    }
  }

  /** The first finding of each kind. */
  get findings(): readonly T[] {
    return [...this.#folded.values()].map(({ finding }) => finding);
  }

  problems(): Problem[] {
    const problems = [...this.#folded.values()].map(({ finding, times }) =>
      this.#how.problem(finding, times)
    );
    if (this.#unlisted > 0) {
      problems.push({
        rule: UNLISTED,
        level: this.#unlistedError ? "error" : "warning",
        metric: "",
        message: `${this.#unlisted} further problems are not listed`,
      });
    }
    return problems;
  }
}
