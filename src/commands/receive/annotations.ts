import { escapedLines } from "../../console/lines.ts";
import type { Level } from "../../receivers/problem.ts";
import type { ReportedProblem } from "./event.ts";

/** Number of annotations per level that GitHub shows in a step ("Workflow commands", "Limits"). */
const MOST_A_LEVEL = 10;

/** Turns problems into GitHub's annotations: each rule per level and metric once, and no more than GitHub shows. */
export class Annotations {
  readonly #annotated = new Set<string>();
  readonly #count: Record<Level, number> = { error: 0, warning: 0 };

  /** Formats a request's problems as workflow commands, without ignored ones. */
  of(problems: readonly ReportedProblem[]): readonly string[] {
    return problems.flatMap(({ rule, level, metric, message, ignored }) => {
      if (ignored) return [];
      const id = `${rule}\n${level}\n${metric}`;
      if (this.#count[level] >= MOST_A_LEVEL || this.#annotated.has(id)) return [];
      this.#annotated.add(id);
      this.#count[level]++;
      return [annotation(level, rule, metric === "" ? message : `${metric}: ${message}`)];
    });
  }
}

/** Formats a workflow command of GitHub Actions that annotates the run. */
export function annotation(level: Level, title: string, message: string): string {
  return `::${level} title=${property(title)}::${data(message)}`;
}

function data(text: string): string {
  return escapedLines(text.replaceAll("%", "%25").replaceAll("\r", "%0D")).join("%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
