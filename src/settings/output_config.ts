import { UsageError } from "../platform/errors.ts";
import type { Variables } from "./setting.ts";
import { choiceOf, type SendFlags, variableOf } from "./settings.ts";

/** Form and amount of output. */
export interface OutputConfig {
  readonly format: "text" | "json";
  readonly level: "quiet" | "normal" | "verbose";
}

/** Drawing of sent requests. `color` applies as far as the terminal supports it. */
export interface DrawingConfig {
  readonly color: boolean;
}

/** Reads form and amount of output from flags; throws a UsageError if they contradict each other. */
export function outputConfig(flags: Pick<SendFlags, "output" | "quiet" | "verbose">): OutputConfig {
  if (flags.quiet && flags.verbose) {
    throw new UsageError("--quiet and --verbose cannot be used together: remove one of them");
  }
  return {
    format: choiceOf("output", flags),
    level: flags.quiet ? "quiet" : flags.verbose ? "verbose" : "normal",
  };
}

/**
 * Reads whether and how to draw sent requests; undefined draws nothing. Throws a UsageError for flags that exclude
 * drawing.
 */
export function drawingConfig(
  flags: Pick<SendFlags, "plot">,
  { format, level }: OutputConfig,
  find: Variables,
): DrawingConfig | undefined {
  if (!flags.plot) return undefined;
  if (format === "json") throw new UsageError("--plot draws text: remove --output json");
  if (level === "quiet") {
    throw new UsageError("--plot and --quiet cannot be used together: remove one of them");
  }
  return { color: variableOf("noColor", find) === undefined };
}
