import { escapeText } from "../../console/escape.ts";
import type { GateCheck } from "./gate_check.ts";
import { receiveSummaryText } from "./report.ts";
import type { RunReport } from "./run_report.ts";

const NAME = "otlp-histogram receive";
const LONGEST_TEXT = 2000;

/** Formats a report as JUnit XML, as Jenkins, GitLab and others read it: a test case per check. */
export function junitXml({ summary, gate, startedAt, lengthMs }: RunReport): string {
  const { checks } = gate;
  const failures = checks.filter(({ ok }) => ok === false).length;
  const skipped = checks.filter(({ ok }) => ok === null).length;
  const time = (Math.max(0, lengthMs) / 1000).toFixed(3);
  // The format has no time zone; UTC is customary.
  const timestamp = new Date(startedAt).toISOString().slice(0, 19);
  const counts = `name="${NAME}" tests="${checks.length}" failures="${failures}" errors="0"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts} time="${time}">`,
    `  <testsuite ${counts} skipped="${skipped}" time="${time}" timestamp="${timestamp}">`,
    ...checks.map(testCase),
    `    <system-out>${xml(receiveSummaryText(summary))}</system-out>`,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function testCase({ kind, name, ok, detail }: GateCheck): string {
  const text = xml(detail);
  const result = ok === null
    ? `<skipped message="${text}"/>`
    : ok
    ? `<system-out>${text}</system-out>`
    : `<failure type="${kind}" message="${text}">${text}</failure>`;
  return `    <testcase classname="${NAME}.${kind}" name="${
    xml(name)
  }" time="0">${result}</testcase>`;
}

/** Escapes a text for XML 1.0, which allows neither most control characters nor U+FFFE and U+FFFF. */
function xml(text: string): string {
  return escapeText(text, LONGEST_TEXT)
    .replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
