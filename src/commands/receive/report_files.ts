import type { Console } from "../../console/console.ts";
import { messageOf, UsageError } from "../../platform/errors.ts";
import { junitXml } from "./junit.ts";
import type { RunReport } from "./run_report.ts";
import { stepSummary } from "./step_summary.ts";

/** Paths of the files that a run leaves a report in. */
export interface ReportPaths {
  /** File of `--junit`, which is replaced. */
  readonly junit: string | undefined;
  /** GITHUB_STEP_SUMMARY, which is appended to. */
  readonly stepSummary: string | undefined;
}

/** Files that a run leaves a report in. Open them before the run, so that a mistyped path ends it at its start. */
export class ReportFiles {
  readonly #paths: ReportPaths;

  private constructor(paths: ReportPaths) {
    this.#paths = paths;
  }

  /** Empties the file of `--junit`, or throws a UsageError: a report of an earlier run must not stay. */
  static open(paths: ReportPaths): ReportFiles {
    const { junit } = paths;
    try {
      if (junit !== undefined) Deno.writeTextFileSync(junit, "");
    } catch (thrown) {
      throw new UsageError(unwritable(junit, thrown));
    }
    return new ReportFiles(paths);
  }

  /**
   * Writes the reports and returns the run's exit code: 1 if the file of `--junit` is incomplete. A run without its
   * step summary ends the same.
   */
  write(report: RunReport, console: Console): number {
    const isComplete = this.#writeJUnit(report, console);
    const exitCode = isComplete ? report.exitCode : 1;
    this.#appendSummary({ ...report, exitCode }, console);
    return exitCode;
  }

  #writeJUnit(report: RunReport, console: Console): boolean {
    const { junit } = this.#paths;
    try {
      if (junit !== undefined) Deno.writeTextFileSync(junit, junitXml(report));
      return true;
    } catch (thrown) {
      console.error(unwritable(junit, thrown));
      return false;
    }
  }

  #appendSummary(report: RunReport, console: Console): void {
    const { stepSummary: path } = this.#paths;
    try {
      if (path !== undefined) Deno.writeTextFileSync(path, stepSummary(report), { append: true });
    } catch (thrown) {
      console.warn(`GITHUB_STEP_SUMMARY "${path}" cannot be written: ${messageOf(thrown)}`);
    }
  }
}

function unwritable(path: string | undefined, thrown: unknown): string {
  return `--junit "${path}" (command line) cannot be written: ${messageOf(thrown)}. ` +
    "Use a regular file in an existing directory";
}
