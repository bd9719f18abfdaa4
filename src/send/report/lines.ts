import { escapeJson, escapeText } from "../../base/escape.ts";
import type { OutputConfig } from "../../config/output_config.ts";

/** Lines for standard output and standard error, without their ends. */
export interface Lines {
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/** Nothing to say. */
export const NONE: Lines = { out: [], err: [] };

/** A warning on standard error, in the form of the output. */
export function warningLines(format: OutputConfig["format"], message: string): readonly string[] {
  return [
    format === "json" ? escapeJson({ type: "warning", message }) : `WARNING: ${safe(message)}`,
  ];
}

/** An error on standard error, in the form of the output. */
export function errorLines(
  format: OutputConfig["format"],
  message: string,
  hint?: string,
): readonly string[] {
  if (format === "json") {
    return [
      escapeJson({ type: "error", message: hint ? `${message}. Hint: ${hint}` : message }),
    ];
  }
  return [`ERROR: ${safe(message)}`, ...hint ? [`  Hint: ${safe(hint)}`] : []];
}

/** The lines of a message; the name of a file or a setting's value in it does nothing to a terminal. */
function safe(message: string): string {
  return message.split("\n").map((line) => escapeText(line, Infinity)).join("\n");
}

/** `1 measurement`, `2 measurements`. */
export function measurements(count: number): string {
  return count === 1 ? "1 measurement" : `${count} measurements`;
}

/** Which send recorded it: an iteration of this run, or an earlier one. */
export function origin(iteration: number | null): string {
  return iteration === null ? "an earlier run" : `iteration ${iteration}`;
}
