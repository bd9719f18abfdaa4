import assert from "node:assert/strict";
import { troubleOf } from "../../../../src/commands/send/point_rate/troubles.ts";
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
