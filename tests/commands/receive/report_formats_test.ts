import assert from "node:assert/strict";
import { junitXml } from "../../../src/commands/receive/junit.ts";
import type { RunReport } from "../../../src/commands/receive/run_report.ts";
import { stepSummary } from "../../../src/commands/receive/step_summary.ts";

const REPORT: RunReport = {
  summary: { requests: 2, points: 3, measurements: 5, rejectedPoints: 1, otherSignals: 0 },
  gate: {
    ...{ errors: 1, warnings: 0, ignored: 0, missing: ["a{b}"], failures: ["one", "two"] },
    checks: [
      { kind: "expectation", name: "a", ok: true, detail: "met by request 1" },
      { kind: "expectation", name: "a{b}", ok: false, detail: "b is missing on 1 of 1 data point" },
      { kind: "rule", name: "bucket-sum", ok: false, detail: "error, 1 time: a: wrong" },
      { kind: "rule", name: "sum-range", ok: null, detail: "warning, 1 time: a: odd" },
    ],
  },
  startedAt: Date.UTC(2026, 10, 30, 12, 0, 1, 500),
  lengthMs: 1235,
  exitCode: 1,
};

/** A text that would end an element, an attribute, a row, a link, a line, and what XML does not allow at all. */
const EVIL = "</failure>\"'&|`*_[x](y)<b>@a #1\\\n\r\t\x00\x1b\ud800\ufffe\uffff]]>";

Deno.test("junitXml() has a test case per check", () => {
  const counts = 'name="otlp-histogram receive" tests="4" failures="2" errors="0"';
  assert.deepEqual(junitXml(REPORT).split("\n"), [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts} time="1.235">`,
    `  <testsuite ${counts} skipped="1" time="1.235" timestamp="2026-11-30T12:00:01">`,
    '    <testcase classname="otlp-histogram receive.expectation" name="a" time="0">' +
    "<system-out>met by request 1</system-out></testcase>",
    '    <testcase classname="otlp-histogram receive.expectation" name="a{b}" time="0">' +
    '<failure type="expectation" message="b is missing on 1 of 1 data point">' +
    "b is missing on 1 of 1 data point</failure></testcase>",
    '    <testcase classname="otlp-histogram receive.rule" name="bucket-sum" time="0">' +
    '<failure type="rule" message="error, 1 time: a: wrong">error, 1 time: a: wrong</failure></testcase>',
    '    <testcase classname="otlp-histogram receive.rule" name="sum-range" time="0">' +
    '<skipped message="warning, 1 time: a: odd"/></testcase>',
    "    <system-out>Received 2 requests: 3 data points, 5 measurements, 1 data point rejected</system-out>",
    "  </testsuite>",
    "</testsuites>",
    "",
  ]);
});

Deno.test("stepSummary() has a row per check", () => {
  assert.deepEqual(stepSummary(REPORT).split("\n"), [
    "### otlp-histogram receive: failed",
    "",
    "Received 2 requests&#58; 3 data points, 5 measurements, 1 data point rejected",
    "",
    "|  | check | name | result |",
    "| - | - | - | - |",
    "| ✓ | --expect | <code>a</code> | met by request 1 |",
    "| ✗ | --expect | <code>a&#123;b&#125;</code> | b is missing on 1 of 1 data point |",
    "| ✗ | rule | <code>bucket-sum</code> | error, 1 time&#58; a&#58; wrong |",
    "| – | rule | <code>sum-range</code> | warning, 1 time&#58; a&#58; odd |",
    "",
    "",
  ]);
});

Deno.test("stepSummary() has no table without checks", () => {
  const gate = { ...REPORT.gate, checks: [], failures: [] };
  assert.deepEqual(stepSummary({ ...REPORT, gate, exitCode: 0 }).split("\n"), [
    "### otlp-histogram receive: passed",
    "",
    "Received 2 requests&#58; 3 data points, 5 measurements, 1 data point rejected",
    "",
    "",
  ]);
});

const EVIL_REPORT: RunReport = {
  ...REPORT,
  gate: { ...REPORT.gate, checks: [{ kind: "rule", name: EVIL, ok: false, detail: EVIL }] },
};

Deno.test("junitXml() escapes what is not allowed in a text, an attribute or XML", () => {
  const escaped =
    "&#60;/failure&#62;&#34;&#39;&#38;|`*_[x](y)&#60;b&#62;@a #1\\\\u000a\\u000d\\u0009\\u0000\\u001b" +
    "\\ud800\\ufffe\\uffff]]&#62;";
  assert.equal(
    junitXml(EVIL_REPORT).split("\n")[3],
    `    <testcase classname="otlp-histogram receive.rule" name="${escaped}" time="0">` +
      `<failure type="rule" message="${escaped}">${escaped}</failure></testcase>`,
  );
});

Deno.test("stepSummary() escapes what Markdown and HTML obey", () => {
  const row = stepSummary(EVIL_REPORT).split("\n")[6] ?? "";
  const [, , , name = "", detail = ""] = row.split("|");
  assert.equal(row.split("|").length, 6);
  assert.equal(name.trim(), `<code>${detail.trim()}</code>`);
  assert.doesNotMatch(detail.replace(/&#\d+;/g, ""), /[<>`*_[\]\\@#|"'&]/);
});
