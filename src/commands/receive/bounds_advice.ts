import { conventionOf } from "../../aggregate/conventions.ts";
import { defaultBounds } from "../../aggregate/default_bounds.ts";
import { viewLines } from "../../draw/view_lines.ts";
import type { Problem } from "../../receivers/problem.ts";
import type { Hide } from "../../redact/secrets.ts";

/** Maximum number of metrics that get a view. */
const MOST_VIEWS = 20;

/** Views for the metrics in s whose bounds are for milliseconds: they can be pasted into the SDK that sends them. */
export class BoundsAdvice {
  readonly #metrics = new Set<string>();

  /** Notes the metrics of a request's problems. */
  add(problems: readonly Problem[]): void {
    for (const { rule, metric } of problems) {
      if (rule === "bounds-unit" && this.#metrics.size < MOST_VIEWS) this.#metrics.add(metric);
    }
  }

  /** Formats the views, with the bounds of the semantic conventions where they advise some. */
  lines(hide: Hide): readonly string[] {
    const views = [...this.#metrics].map((name) => {
      const defined = conventionOf(name);
      const advised = defined?.unit === "s" ? defined.bounds : undefined;
      return { name, bounds: advised ?? defaultBounds("s") };
    });
    const metrics = views.length === 1 ? "the metric" : "the metrics";
    return views.length === 0
      ? []
      : [`Bounds in seconds for ${metrics} of rule bounds-unit:`, ...viewLines(views, hide)];
  }
}
