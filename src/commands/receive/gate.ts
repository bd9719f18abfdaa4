import { counted } from "../../console/plural.ts";
import { metricsIn } from "../../otlp/data_points.ts";
import type { RequestEvent } from "./event.ts";

/** What has to hold for a run to end with 0. */
export interface GateOptions {
  /** The least level of a problem that fails; undefined lets every problem pass. */
  readonly failOn: "error" | "warning" | undefined;
  /** Names of metrics that have to come. */
  readonly expect: readonly string[];
}

/** What a gate found. */
export interface GateResult {
  /** Problems of either level, as they were reported. */
  readonly errors: number;
  readonly warnings: number;
  /** Expected metrics that no accepted request held. */
  readonly missing: readonly string[];
  /** Why the run fails, a sentence each; empty when it does not. */
  readonly failures: readonly string[];
}

/** Counts what the requests of a run broke, and which of the expected metrics came. */
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

  /** `lacking`: how many requests of `--requests` had not come when `--wait` was over. */
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
