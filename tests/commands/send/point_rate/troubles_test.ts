import assert from "node:assert/strict";
import { troubleOf } from "../../../../src/commands/send/point_rate/troubles.ts";
import { untriedResult } from "../../../../src/delivery/result.ts";
import { each } from "../../../support/cases.ts";

each(
  [[1, "1 data point of"], [2, "2 data points of"]] as const,
  ([rejectedPoints]) => `troubleOf() counts ${rejectedPoints} rejected`,
  ([rejectedPoints, says]) => {
    const trouble = troubleOf({
      outcome: "partial",
      status: 200,
      message: "no",
      rejectedPoints,
      trouble: undefined,
    });
    assert.equal(trouble?.text, `the receiver rejected ${says} a request`);
  },
);

Deno.test("troubleOf() makes a sentence of a request without a response", () => {
  const trouble = troubleOf(untriedResult("Connection refused"));
  assert.deepEqual(trouble, {
    limitedBy: "failure",
    text: "a request failed: Connection refused",
  });
});
