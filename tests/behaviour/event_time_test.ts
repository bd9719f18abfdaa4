import assert from "node:assert/strict";
import type { Point } from "../support/decode.ts";
import { usageError } from "../support/fixture.ts";
import { assertHistogram, onePoint } from "../support/histogram.ts";
import { measure, runFixture, testFixtures } from "../support/run_fixture.ts";
import { lostMessage } from "../support/wording.ts";

const NOON = Date.UTC(2026, 0, 31, 12);
const lines = (...all: readonly string[]) => all.map((line) => `${line}\n`).join("");
/** A line of NDJSON, so many seconds after noon. */
const at = (seconds: number, value: number, path = "/") =>
  JSON.stringify({ ts: new Date(NOON + seconds * 1000).toISOString(), value, path });
const TIMED = ["--input", "-", "--time-field", "ts"] as const;

/** Seconds after noon. */
function intervals(points: readonly Point[]): readonly (readonly [number, number])[] {
  const seconds = (time: bigint) => (Number(time / 1_000_000n) - NOON) / 1000;
  return points.map(({ start, end }) => [seconds(start), seconds(end)]);
}

Deno.test("--time-field counts a line in the interval in which it happened, a series in each", async () => {
  const sent = await measure({
    args: [...TIMED, "--attr-field", "path"],
    stdin: lines(at(0, 7), at(59.999, 8, "/a"), at(60, 20), at(30, 9), at(130, 30), at(61, 21)),
  });
  assert.deepEqual(intervals(sent.points), [[0, 60], [0, 60], [60, 120], [120, 180]]);
  [[7, 9], [8], [20, 21], [30]].forEach((values, i) => {
    const point = sent.points[i];
    assert.ok(point !== undefined);
    assertHistogram(point, values);
  });
  assert.equal(sent.sends.length, 1);
});

Deno.test("the query for Dynatrace covers the time that was sent, and groups by its attributes", async () => {
  const then = new Date(Date.now() - 45 * 60_000).toISOString();
  await runFixture({
    args: ["--endpoint", "{url}/api/v2/otlp", ...TIMED, "--attr-field", "path"],
    stdin: lines(JSON.stringify({ ts: then, value: 7, path: "/" })),
    posts: 1,
    stdout: "any",
    check({ stdout }) {
      const queries = stdout.match(/timeseries .*http\.server.*/g) ?? [];
      assert.equal(queries.length, 1);
      for (const query of queries) {
        assert.match(query, /, by: \{path\}, from: -7[5-7]m$/);
        assert.doesNotMatch(query, /count\(/);
      }
    },
  });
});

Deno.test("a number that is hardly the time of a log is reported once", async () => {
  const warned = (time: string) =>
    `"ts" has the time ${time}. If that is wrong, name another field with --time-field, or its ` +
    "unit with --time-format";
  for (
    const [ts, time] of [
      [0.5, "1970-01-01T00:00:00.500Z"], // since the start of a test
      [46357.5, "1970-01-01T12:52:37.500Z"], // a spreadsheet's day
      [20261201, "1970-08-23T12:06:41.000Z"],
    ] as const
  ) {
    const line = JSON.stringify({ ts, value: 7 });
    const sent = await measure({ args: TIMED, stdin: lines(line, line), said: [warned(time)] });
    assertHistogram(onePoint(sent), [7, 7]);
  }
  await measure({ args: TIMED, stdin: lines('{"ts":315532800,"value":7}'), said: [] });
});

Deno.test("--interval is the length of the intervals, with a loop and without", async () => {
  for (const loop of [[], ["--loop"]]) {
    const sent = await measure({
      args: [...TIMED, "--interval", "10", ...loop],
      stdin: lines(at(1, 7), at(11, 8), at(29.5, 9)),
    });
    assert.deepEqual(intervals(sent.points), [[0, 10], [10, 20], [20, 30]]);
  }
});

Deno.test("a line that comes later than --lateness opens its interval again, as one more delta", async () => {
  const late = lines(at(0, 7), at(130, 8), at(1, 9));
  const waited = await measure({ args: [...TIMED, "--lateness", "600"], stdin: late });
  assert.deepEqual(intervals(waited.points), [[0, 60], [120, 180]]);
  const again = await measure({
    args: TIMED,
    stdin: late,
    said: [/^1 interval was reopened by late lines/],
  });
  assert.deepEqual(intervals(again.points), [[0, 60], [0, 60], [120, 180]]);
  assert.equal(again.summary["delivered"], 3);
});

Deno.test("a live input sends an interval once the input's time has passed its end", async () => {
  const sent = await measure({
    args: [...TIMED, "--interval", "1", "--lateness", "0", "--loop"],
    stdin: { open: true },
    async meanwhile({ program, receiver }) {
      await program.write(lines(at(0, 7), at(0.5, 8), at(1.5, 9)));
      await receiver.waitForRequests(1);
      await program.write(lines(at(2.5, 10)));
      await receiver.waitForRequests(2);
      await program.closeStdin();
    },
  });
  assert.deepEqual(intervals(sent.points), [[0, 1], [1, 2], [2, 3]]);
  assert.deepEqual(sent.points.map(({ count }) => count), [2, 1, 1]);
});

Deno.test("a line without a usable time is invalid", async () => {
  const sent = await measure({
    args: TIMED,
    stdin: lines(at(0, 7), '{"value":8}', '{"value":9,"ts":"2026-01-31T12:00:00"}'),
    status: 1,
    said: [
      'line 2 not used: no field "ts"',
      /^line 3 not used: "ts" has no time zone, such as Z or \+02:00/,
    ],
  });
  assert.equal(onePoint(sent).count, 1);
  assert.equal(sent.summary["invalid"], 2);
});

Deno.test("an input of many intervals is sent in parts, the oldest first, as one send", async () => {
  const minutes = 25_000;
  const stdin = Array.from({ length: minutes }, (_, i) => `${at(i * 60, 7 + i % 3)}\n`).join("");
  const sent = await measure({ args: TIMED, stdin, said: [/^rule one-bucket: /] });
  const starts = sent.points.map(({ start }) => start);
  assert.equal(starts.length, minutes);
  assert.ok(starts.every((start, i) => i === 0 || start > (starts[i - 1] ?? start)));
  assert.ok(sent.requests.length > 1, `${sent.requests.length} requests`);
  assert.equal(sent.sends.length, 1);
  assert.equal(sent.sends[0]?.["measurements"], minutes);
  assert.equal(sent.sends[0]?.["points"], minutes);
});

Deno.test("a receiver that takes no part is named once, and every part is accounted for", async () => {
  const minutes = 25_000;
  const stdin = Array.from({ length: minutes }, (_, i) => `${at(i * 60, 7)}\n`).join("");
  const sent = await measure({
    args: [...TIMED, "--retry-for", "0"],
    stdin,
    stopped: true,
    status: 1,
    posts: 0,
    said: [/^rule one-bucket: /, lostMessage(25000, /connection refused/i)],
  });
  assert.equal(sent.summary["dropped"], minutes);
});

Deno.test("--max-series is what all open intervals have together: beyond it the oldest is closed early", async () => {
  const sent = await measure({
    args: [...TIMED, "--max-series", "1"],
    stdin: lines(at(0, 7), at(60, 8)),
    said: [/^1 interval was sent before it was complete/],
  });
  assert.deepEqual(intervals(sent.points), [[0, 60], [60, 120]]);
});

Deno.test("what Dynatrace's time window leaves out is counted before it is sent", async () => {
  const soon = (ms: number) => JSON.stringify({ ts: Date.now() + ms, value: 100 });
  const old = Array.from({ length: 5 }, (_, i) => at(i, 100));
  const setup = {
    stdin: lines(...old, soon(0), soon(3_600_000)),
    stdout: "any",
    stderr: "any",
  } as const;
  const args = ["--endpoint", "{url}/api/v2/otlp", ...TIMED];
  const sent = await runFixture({ ...setup, args, posts: 1 });
  const past =
    /^WARNING: Dynatrace rule time-past: --time-field: 5 measurements are more than an hour old, the first of 2026-01-31T12:00:00.000Z: expect/m;
  const ahead =
    /^WARNING: Dynatrace rule time-future: --time-field: 1 measurement is more than ten minutes/m;
  assert.match(sent.stderr, past);
  assert.match(sent.stderr, ahead);
  assert.equal(sent.stderr.match(/time-past/g)?.length, 1);
  const strict = await runFixture({ ...setup, args: [...args, "--strict"], status: 2, posts: 0 });
  assert.match(strict.stderr, /5 measurements are more than an hour old/);
  assert.match(strict.stderr, /Nothing was sent, because of --strict/);
});

testFixtures([
  usageError(
    "--lateness without --time-field is exit 2",
    { args: ["--endpoint", "{url}", "--input", "-", "--lateness", "5"] },
    "ERROR: --lateness applies to the time of a line: set its field with --time-field",
  ),
  usageError(
    "--time-field with --interval 0 is exit 2",
    { args: ["--endpoint", "{url}", ...TIMED, "--interval", "0", "--loop"] },
    "ERROR: --time-field sorts measurements into intervals: set --interval to 0.001 seconds or more",
  ),
]);
