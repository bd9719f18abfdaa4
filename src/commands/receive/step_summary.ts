import { escapeText } from "../../console/escape.ts";
import { receiveSummaryText } from "./report.ts";
import type { RunReport } from "./run_report.ts";

const LONGEST_TEXT = 1000;
const LABELS = { expectation: "--expect", rule: "rule", run: "run", exam: "--exam" } as const;

/** Formats a report as Markdown for the step summary of GitHub Actions: its totals, and a table with a row per check. */
export function stepSummary({ summary, gate, exitCode }: RunReport): string {
  const rows = gate.checks.map(({ kind, name, ok, detail }) => {
    const mark = ok === null ? "–" : ok ? "✓" : "✗";
    return `| ${mark} | ${markdown(LABELS[kind])} | <code>${markdown(name)}</code> | ${
      markdown(detail)
    } |`;
  });
  return [
    `### otlp-histogram receive: ${exitCode === 0 ? "passed" : "failed"}`,
    "",
    markdown(receiveSummaryText(summary)),
    "",
    ...rows.length === 0 ? [] : ["|  | check | name | result |", "| - | - | - | - |", ...rows, ""],
    "",
  ].join("\n");
}

/** Escapes a text so that nothing in it is Markdown or HTML: as character references, which are text only. */
function markdown(text: string): string {
  return escapeText(text, LONGEST_TEXT)
    .replace(/[!-'*+:-@[-`{-~]/g, (character) => `&#${character.charCodeAt(0)};`);
}
