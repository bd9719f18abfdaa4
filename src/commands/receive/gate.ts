import { counted } from "../../console/plural.ts";
import { metricsIn } from "../../otlp/data_points.ts";
import type { RequestEvent } from "./event.ts";

/** Conditions for a run to end with exit code 0. */
export interface GateOptions {
  /** Lowest level of a problem that fails the run; undefined accepts every problem. */
  readonly failOn: "error" | "warning" | undefined;
  /** Names of metrics that have to arrive. */
  readonly expect: readonly string[];
}

/** Result of a gate. */
export interface GateResult {
  /** Number of reported problems per level. */
  readonly errors: number;
  readonly warnings: number;
  /** Expected metrics that no accepted request contained. */
  readonly missing: readonly string[];
  /** Reasons why the run fails, one sentence each; empty if it does not. */
  readonly failures: readonly string[];
}

/** Gate of a run: counts problems, and which expected metrics arrived. */
export class Gate {
  readonly #options: GateOptions;
  readonly #missing: Set<string>;
  #errors = 0;
  #warnings = 0;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#missing = new Set(options.expect);
  }

  add({ problems, outcome, request }: RequestEvent): void {
    for (const { level } of problems) {
      if (level === "error") this.#errors++;
      else this.#warnings++;
    }
    if (this.#missing.size === 0 || request === undefined) return;
    if (outcome !== "accepted" && outcome !== "partial") return;
    for (const { name, data } of metricsIn(request)) {
      if ((data.value?.dataPoints.length ?? 0) > 0) this.#missing.delete(name);
    }
  }

  /**
   * Returns the result. `lacking` is the number of requests of `--requests` that had not arrived when `--wait` was
   * over.
   */
  result(lacking = 0): GateResult {
    const { failOn } = this.#options;
    const missing = [...this.#missing];
    const broken = [
      ...this.#errors > 0 && failOn !== undefined ? [counted(this.#errors, "error")] : [],
      ...this.#warnings > 0 && failOn === "warning" ? [counted(this.#warnings, "warning")] : [],
    ];
    return {
      errors: this.#errors,
      warnings: this.#warnings,
      missing,
      failures: [
        ...broken.length > 0 ? [`--fail-on ${failOn}: ${broken.join(" and ")}`] : [],
        ...missing.map((name) => `--expect "${name}": no accepted request held this metric`),
        ...lacking > 0
          ? [`--wait was over before --requests came: ${counted(lacking, "request")} short`]
          : [],
      ],
    };
  }
}
