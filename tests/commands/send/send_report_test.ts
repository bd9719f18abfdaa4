import assert from "node:assert/strict";
import type { Pending } from "../../../src/delivery/delivering.ts";
import type { Result } from "../../../src/delivery/result.ts";
import { SendTotals } from "../../../src/commands/send/send_report.ts";
import { requestOf, UNTRIED } from "../../support/simulation.ts";

const silent: Result = {
  outcome: "accepted",
  status: 200,
  rejectedPoints: 0,
  message: null,
  trouble: undefined,
};
const unseen: Result = { ...silent, message: "unseen", unseen: "unreadable" };
const warned: Result = { ...silent, message: "old version" };
const refused: Result = { ...silent, outcome: "rejected", status: 400, message: "400: no" };

function told(...results: readonly Result[]) {
  const totals = new SendTotals(1);
  for (const [i, result] of results.entries()) {
    const request = requestOf([1], i);
    totals.add([request]);
    const pending: Pending = { ...UNTRIED, request, iteration: 1, attempts: 1 };
    totals.apply({ type: "settled", pending, result });
  }
  const { outcome, message, unseen } = totals.report(undefined);
  return { outcome, message, unseen };
}

Deno.test("report() has the receiver's words before what could not be seen, whichever came first", () => {
  assert.deepEqual(told(silent, unseen, silent), {
    outcome: "accepted",
    message: "unseen",
    unseen: "unreadable",
  });
  for (const results of [[warned, unseen], [unseen, warned]]) {
    assert.deepEqual(told(...results), {
      outcome: "accepted",
      message: "old version",
      unseen: undefined,
    });
  }
  for (const results of [[refused, unseen], [unseen, refused]]) {
    assert.deepEqual(told(...results), {
      outcome: "partial",
      message: "400: no",
      unseen: undefined,
    });
  }
});
