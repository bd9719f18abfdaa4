import assert from "node:assert/strict";
import { RequestMeaning } from "../../../src/receivers/meaning/request.ts";
import { MEANING_RULES } from "../../../src/receivers/meaning/rules.ts";
import { atLeastOne, each } from "../../support/cases.ts";
import { histogram, MEANING_CASES, point, requestOf, SDK_BOUNDS, spread } from "./cases.ts";

const NONE = new Set<never>();

each(
  MEANING_CASES,
  ({ name, rules }) => `${rules.join(" and ") || "no rule"}: ${name}`,
  ({ rules, metrics }) => {
    const found = new RequestMeaning().add(requestOf(...metrics), NONE);
    assert.deepEqual(found.map(({ rule }) => rule), rules);
    for (const { level } of found) assert.equal(level, "warning");
  },
);

Deno.test("the table has forty rows or more, and half of them are silent", () => {
  const silent = MEANING_CASES.filter(({ rules }) => rules.length === 0);
  assert.ok(MEANING_CASES.length >= 40, `${MEANING_CASES.length} rows`);
  assert.ok(silent.length * 2 >= MEANING_CASES.length, `${silent.length} silent ones`);
  for (const { id } of atLeastOne(MEANING_RULES)) {
    assert.ok(MEANING_CASES.some(({ rules }) => rules.includes(id)), id);
  }
});

/** The message of a rule about one metric. */
function messageOf(rule: string, ...metrics: Parameters<typeof requestOf>): string {
  const found = new RequestMeaning().add(requestOf(...metrics), NONE);
  const problem = found.find((each) => each.rule === rule);
  assert.ok(problem !== undefined, found.map((each) => each.rule).join());
  return problem.message;
}

const SECONDS_IN_MS = histogram("a", "s", [point(SDK_BOUNDS, spread(100, 0.1, 0.4))]);
const MESSAGES: readonly [rule: string, expected: RegExp, message: () => string][] = [
  [
    "bounds-unit",
    /^the unit is s, but the bounds are the SDKs' default ones for milliseconds \(0, 5, 10 … 10000\); 100 of 100 values are at most 5 s; a backend shows p50 2\.5 s, p90 4\.5 s, p99 4\.95 s\. Remedy: .*explicit_bucket_boundaries.*view.*declarative configuration.*--unit/,
    () => messageOf("bounds-unit", SECONDS_IN_MS),
  ],
  [
    "one-bucket",
    /^all 100 values lie in one of 16 buckets, \(0, 5\] s; a backend shows p50 2\.5 s, p90 4\.5 s, p99 4\.95 s, whatever the values are \(their mean is 0\.25 s\)\. Remedy: .*explicit_bucket_boundaries.*view.*--buckets/,
    () => messageOf("one-bucket", SECONDS_IN_MS),
  ],
  [
    "overflow-bucket",
    /^5 of 100 values \(5%\) lie above the last bound, 10 ms; a backend shows p50 5\.\d+ ms, p90 9\.\d+ ms, p99 10 ms, however large those values are\. Remedy: .*larger bounds.*--buckets/,
    () =>
      messageOf(
        "overflow-bucket",
        histogram("a", "ms", [
          point([0, 2, 4, 6, 8, 10], [...spread(95, 0, 10), ...spread(5, 11)]),
        ]),
      ),
  ],
  [
    "convention-unit",
    /^the semantic conventions define this metric in s, but its unit is ms; dashboards that follow them show 45 ms as 45 s\. Remedy: .*--unit/,
    () =>
      messageOf(
        "convention-unit",
        histogram("http.server.request.duration", "ms", [point([50, 100], [40, 50])]),
      ),
  ],
  [
    "convention-unit",
    /dashboards that follow them read its values in s\. Remedy/,
    () =>
      messageOf(
        "convention-unit",
        histogram("http.server.request.duration", "ms", [point([], [40], { sum: undefined })]),
      ),
  ],
];

each(
  MESSAGES,
  ([rule, { source }]) => `the message of ${rule}: ${source.slice(0, 60)}`,
  ([, expected, message]) => assert.match(message(), expected),
);
