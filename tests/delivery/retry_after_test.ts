import assert from "node:assert/strict";
import { LONGEST_RETRY_AFTER_MS, retryAfterMs } from "../../src/delivery/retry_after.ts";

const NOW = Date.UTC(2026, 0, 31, 12, 0, 0);

for (
  const [header, ms] of [
    [null, undefined],
    ["", undefined],
    ["5", 5000],
    [" 5 ", 5000],
    ["0.25", 250],
    ["0", undefined],
    ["-5", undefined],
    ["5s", undefined],
    ["soon", undefined],
    ["1e3", undefined],
    ["99999999999999999999", LONGEST_RETRY_AFTER_MS],
    ["3601", LONGEST_RETRY_AFTER_MS],
    ["Sat, 31 Jan 2026 12:00:07 GMT", 7000],
    ["Saturday, 31-Jan-26 12:01:00 GMT", 60_000],
    ["Sat Jan 31 12:00:30 2026 GMT", 30_000],
    ["Sat, 31 Jan 2026 11:59:59 GMT", undefined],
    ["Sat, 31 Jan 2099 12:00:00 GMT", LONGEST_RETRY_AFTER_MS],
    ["2026-01-31T12:00:07Z", undefined],
  ] as const
) {
  Deno.test(`retryAfterMs() is ${ms} when the header is ${JSON.stringify(header)}`, () => {
    assert.equal(retryAfterMs(header, NOW), ms);
  });
}
