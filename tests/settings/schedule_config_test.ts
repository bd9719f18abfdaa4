import assert from "node:assert/strict";
import { scheduleConfig } from "../../src/settings/schedule_config.ts";
import { each } from "../support/cases.ts";

const intervalOf = (interval: string) =>
  scheduleConfig({ loop: true, interval }, () => undefined, []).intervalMs;

each(
  ["1e-12", "0.0009"],
  (text) => `scheduleConfig() refuses an interval of ${text} s`,
  (text) => {
    assert.throws(() => intervalOf(text), /expected 0\.001 seconds or more, or 0 for no pause$/);
  },
);

Deno.test("scheduleConfig() takes an interval of a millisecond, and none", () => {
  assert.deepEqual(["0.001", "0"].map(intervalOf), [1, 0]);
});
