import assert from "node:assert/strict";
import { verifySummaryLines } from "../../../src/commands/verify/report.ts";
import { testCases } from "../../support/cases.ts";

const SUMMARY = {
  ok: false,
  exitCode: 1,
  backend: "grail",
  metric: "m",
  visible: [],
  repeat: 1,
  runs: 1,
  failedRuns: 1,
  isStored: true,
} as const;

testCases(
  ([
    [
      "a run that agreed",
      { ok: true, exitCode: 0, visible: [40], failedRuns: 0 },
      "The backend shows what was sent. The metric m stays in the backend.",
    ],
    [
      "a run that failed",
      {},
      "Not verified: see ✗ and ? above. The metric m stays in the backend.",
    ],
    [
      "a run that the receiver rejected",
      { isStored: false },
      "Not verified: see ✗ and ? above.",
    ],
    ["no run", { runs: 0, failedRuns: 0, isStored: false }, "Not verified."],
    [
      "an interrupted pause",
      { repeat: 5, visible: [40], failedRuns: 0 },
      "Not verified: it ended after run 1 of 5. 1 run, 0 failed. Time to visible: min 40 ms, p50 40 ms, " +
      "p90 40 ms, max 40 ms. The metric m stays in the backend.",
    ],
  ] as const).map(([what, changed, line]) => ({
    name: `verify ends its text with what is true of ${what}`,
    run() {
      assert.equal(verifySummaryLines({ ...SUMMARY, ...changed }, "text"), line);
    },
  })),
);
