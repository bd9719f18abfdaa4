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
    ["3601", 3_601_000],
    ["Sat, 31 Jan 2026 12:00:07 GMT", 7000],
    ["Saturday, 31-Jan-26 12:01:00 GMT", 60_000],
    ["Sat Jan 31 12:00:30 2026 GMT", 30_000],
    ["Sat Jan 31 12:00:30 2026", 30_000],
    ["Sun Feb  1 12:00:00 2026", 86_400_000],
    ["Sat, 31 Jan 2026 12:00:07", 7000],
    ["Sat, 31 Jan 2026 13:00:07 +0100", 7000],
    // RFC 9110, 5.6.7: more than 50 years ahead means the past.
    ["Friday, 31-Jan-76 12:00:00 GMT", LONGEST_RETRY_AFTER_MS],
    ["Monday, 31-Jan-77 12:00:00 GMT", undefined],
    ["Saturday, 31-Jan-25 12:00:00 GMT", undefined],
    ["Sat Foo 31 12:00:30 2026", undefined],
    ["Sat, 31 Jan 2026 11:59:59 GMT", undefined],
    ["Sat, 31 Jan 2099 12:00:00 GMT", LONGEST_RETRY_AFTER_MS],
    ["2026-01-31T12:00:07Z", undefined],
  ] as const
) {
  Deno.test(`retryAfterMs() is ${ms} when the header is ${JSON.stringify(header)}`, () => {
    assert.equal(retryAfterMs(header, NOW), ms);
  });
}

Deno.test("retryAfterMs() reads the year of two digits that is at most 50 years ahead", () => {
  const at = (year: number) => Date.UTC(year, 11, 31, 23, 59, 50);
  assert.equal(retryAfterMs("Friday, 01-Jan-00 00:00:00 GMT", at(2099)), 10_000);
  assert.equal(retryAfterMs("Sunday, 01-Jan-50 00:00:00 GMT", at(2049)), 10_000);
});
