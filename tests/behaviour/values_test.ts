import assert from "node:assert/strict";
import type { Fixture } from "../support/fixture.ts";
import { assertHistogram, onePoint } from "../support/histogram.ts";
import { measure, testFixtures } from "../support/run_fixture.ts";
import { afterSend, beforeSendOfOwn } from "../support/wording.ts";
import { atLeastOne } from "../support/cases.ts";

Deno.test("--value sends the measurements that are given, and nothing else", async () => {
  const sent = await measure({ args: ["--value", "12.5", "--value", "3", "--value=40.25"] });
  assert.equal(sent.summary["recorded"], 3);
  const point = onePoint(sent);
  assert.deepEqual(point.attributes, {});
  assertHistogram(point, [12.5, 3, 40.25]);
});

Deno.test("--value on a bound belongs to the bucket below it", async () => {
  const values = [0, 5, 10, 10.000001, 5000, 5000.1, 1e300];
  const sent = await measure({ args: values.flatMap((value) => ["--value", String(value)]) });
  assertHistogram(onePoint(sent), values);
});

Deno.test("--value takes numbers as people write them", async () => {
  const sent = await measure({ args: ["1e3", ".5", "+7", "2.", "-0"].map((v) => `--value=${v}`) });
  assertHistogram(onePoint(sent), [1000, .5, 7, 2, 0]);
  assert.ok(!Object.is(onePoint(sent).min, -0));
});

Deno.test("--value goes with --attr, --metric, --unit, --buckets and --service", async () => {
  const { decoded, points } = await measure({
    args: [
      ...["--value", "1.5", "--value", "9", "--attr", "job=nightly", "--attr", "host=a=b"],
      ...["--metric", "backup.duration", "--unit", "min", "--description", "Backups"],
      ...["--buckets", "1,2,4", "--service", "backup"],
    ],
  });
  const metric = decoded[0]?.metrics[0];
  assert.deepEqual(
    [metric?.name, metric?.unit, metric?.description],
    ["backup.duration", "min", "Backups"],
  );
  assert.equal(decoded[0]?.resource["service.name"], "backup");
  const point = onePoint({ points });
  assert.deepEqual(point.attributes, { job: "nightly", host: "a=b" });
  assert.deepEqual(point.bounds, [1, 2, 4]);
  assertHistogram(point, [1.5, 9], [1, 2, 4]);
});

Deno.test("--value with --loop sends the same measurements every time", async () => {
  const sent = await measure({
    args: ["--value", "7", "--value", "8", "--loop", "--interval", "0", "--iterations", "3"],
  });
  assert.equal(sent.summary["recorded"], 6);
  assert.equal(sent.points.length, 3);
  for (const point of atLeastOne(sent.points)) assertHistogram(point, [7, 8]);
});

Deno.test("--value that is refused counts as rejected", async () => {
  const sent = await measure({
    args: ["--value", "1", "--value", "2"],
    answers: [400],
    status: 1,
    said: [/^2 measurements not delivered: 400 Bad Request/],
  });
  assert.equal(sent.summary["rejected"], 2);
});

const to = (...args: readonly string[]) => ["--endpoint", "{url}", ...args];
const refused = (value: string, shown = value): Fixture => ({
  name: `--value ${value} is refused before anything is sent`,
  args: to("--value", "1", ...(value === "" ? ["--value", ""] : [`--value=${value}`])),
  status: 2,
  stderr: [
    `ERROR: Invalid --value "${shown}" (command line): expected a number, 0 or more, for example 12.5`,
  ],
  requests: 0,
});
const twoSources = (first: string, second: string, ...args: readonly string[]): Fixture => ({
  name: `${args.join(" ")} names two sources`,
  args: to(...args),
  status: 2,
  stderr: [`ERROR: ${first} and ${second} cannot be used together: choose one data source`],
  requests: 0,
});

const rows: readonly Fixture[] = [
  {
    name: "--value prints the predecessor's lines, without the word sample",
    args: to("--value", "1", "--value", "2"),
    posts: 1,
    stdout: [...beforeSendOfOwn(), ...afterSend(2)],
  },
  refused("-1"),
  refused("abc"),
  refused(""),
  refused("1e999"),
  refused("NaN"),
  refused("0x10"),
  refused("1,5"),
  twoSources("--value", "--input", "--value", "1", "--input", "-"),
  twoSources("--value", "--scenario", "--value", "1", "--scenario", "x.json"),
  twoSources("--value", "--series", "--series", "2", "--value", "1"),
  twoSources("--value", "--count", "--value", "1", "--count", "5"),
  twoSources("--value", "--distribution", "--value", "1", "--distribution", "constant(1)"),
  twoSources("--input", "--scenario", "--scenario", "x.json", "--input", "-"),
  twoSources("--input", "--rate", "--input", "-", "--rate", "5"),
  twoSources("--input", "--seed", "--input", "-", "--seed", "5"),
  twoSources("--scenario", "--series", "--scenario", "x.json", "--series", "5"),
  ...["--input-format=csv", "--value-field=v", "--attr-field=a", "--scale=1000"].map((
    flag,
  ): Fixture => ({
    name: `${flag} without an input is refused`,
    args: to("--value", "1", flag),
    status: 2,
    stderr: [
      `ERROR: ${
        flag.replace(/=.*/, "")
      } applies to an input: add --input FILE, or --input - for standard input`,
    ],
    requests: 0,
  })),
];
testFixtures(rows);
