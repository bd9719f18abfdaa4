import assert from "node:assert/strict";
import { each } from "./cases.ts";
import type { Expectation, Setup } from "./fixture.ts";
import { runFixture } from "./run_fixture.ts";
import { sentOnce, SHOWN_URL } from "./wording.ts";

// The harness has to fail where a fixture says less or something else than what happens.

const right: Setup & Expectation = { stdout: sentOnce(SHOWN_URL) };
const wrong: readonly (readonly [what: string, fixture: Setup & Expectation])[] = [
  ["standard output is not named", {}],
  ["a line of standard output is missing", { stdout: sentOnce(SHOWN_URL).slice(1) }],
  ["standard error is another", { ...right, stderr: ["WARNING: none came"] }],
  ["something is on standard error", {
    ...right,
    args: ["--endpoint", "{url}", "--interval", "1"],
  }],
  ["the exit status is another", { ...right, status: 1 }],
  ["there are more requests", { ...right, requests: 0 }],
  ["a request is another", { ...right, requests: [{ name: "other" }] }],
  ["the check throws", { ...right, check: () => assert.fail() }],
];

Deno.test("runFixture() is content when all is as the fixture says", async () => {
  const { status, requests } = await runFixture(right);
  assert.deepEqual([status, requests.length], [0, 1]);
});

each(
  wrong,
  ([what]) => `runFixture() fails when ${what}`,
  ([, fixture]) => assert.rejects(runFixture(fixture), assert.AssertionError),
);
