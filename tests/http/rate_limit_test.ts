import assert from "node:assert/strict";
import { rateLimitText } from "../../src/http/rate_limit.ts";

Deno.test("rateLimitText() reads the headers that limit the rate, the reset in microseconds", () => {
  const headers = new Headers({
    "X-RateLimit-Limit": "1000",
    "X-RateLimit-Remaining": "0",
    "X-RateLimit-Reset": String(Date.UTC(2026, 0, 31, 12) * 1000),
  });
  assert.equal(
    rateLimitText(headers),
    "the rate is limited: 1000 requests are allowed, 0 are left, the next begin at 2026-01-31T12:00:00.000Z",
  );
  assert.equal(rateLimitText(new Headers()), undefined);
});

Deno.test("rateLimitText() says nothing of headers that are no numbers", () => {
  const odd = { "X-RateLimit-Limit": "many", "X-RateLimit-Reset": "9".repeat(20) };
  assert.equal(rateLimitText(new Headers(odd)), undefined);
});
