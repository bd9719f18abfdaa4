import assert from "node:assert/strict";
import { usageError } from "../support/fixture.ts";
import { onePoint } from "../support/histogram.ts";
import { measure, testFixtures } from "../support/run_fixture.ts";

Deno.test("--since measures the time that has passed, in --unit, whose default bounds it has", async () => {
  const sent = await measure({
    args: [
      ...["--metric", "ci.job.duration", "--unit", "s", "--attr", "status=0"],
      ...["--since", String(Date.now() / 1000 - 90)],
    ],
  });
  const { sum = NaN, bounds, attributes } = onePoint(sent);
  assert.ok(sum >= 90 && sum < 110, String(sum));
  assert.deepEqual(bounds, [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]);
  assert.deepEqual(attributes, { status: "0" });
  const [metric] = sent.metrics;
  assert.equal(metric?.description, "");
});

Deno.test("--since takes a time of RFC 3339", async () => {
  const since = new Date(Date.now() - 3_600_000).toISOString();
  const sent = await measure({ args: ["--unit", "min", "--since", since] });
  const { sum = NaN } = onePoint(sent);
  assert.ok(sum >= 60 && sum < 61, String(sum));
});

const since = (...args: readonly string[]) => ({
  args: ["--endpoint", "{url}", "--since", ...args],
});

testFixtures([
  usageError(
    "--since in a unit that is none of time is exit 2",
    since("1", "--unit", "By"),
    'ERROR: --since measures time, and --unit "By" (command line) is not a unit of time: set --unit s, ms, us, ns, min or h',
  ),
  usageError(
    "--since of a time to come is exit 2",
    since("9000000000"),
    'ERROR: Invalid --since "9000000000" (command line): expected a time in the past: this one is in the future',
  ),
  usageError(
    "--since of what is no time is exit 2",
    since("yesterday"),
    /^ERROR: Invalid --since "yesterday" \(command line\): expected seconds since 1970/,
  ),
  usageError(
    "--since in a loop is exit 2",
    since("1", "--loop"),
    "ERROR: --since is one measurement: remove --loop",
  ),
]);
