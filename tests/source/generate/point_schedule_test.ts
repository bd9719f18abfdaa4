import assert from "node:assert/strict";
import { type Pace, rising, steady } from "../../../src/source/generate/pace.ts";
import { type DueRequest, PointSchedule } from "../../../src/source/generate/point_schedule.ts";

interface Case {
  readonly pace: Pace;
  readonly seconds: number;
  readonly series: number;
  readonly pointsPerRequest: number;
  /** Connections of all processes. */
  readonly of: number;
}

function requestsOf({ of, ...options }: Case, index: number): readonly DueRequest[] {
  const schedule = new PointSchedule({ ...options, share: { index, of } });
  const requests: DueRequest[] = [];
  for (let next = schedule.next(); next !== undefined; next = schedule.next()) requests.push(next);
  return requests;
}

const cases: readonly (Case & { readonly points: number })[] = [
  { pace: steady(100), seconds: 3, series: 10, pointsPerRequest: 5, of: 1, points: 300 },
  { pace: steady(100), seconds: 3, series: 10, pointsPerRequest: 5, of: 8, points: 300 },
  { pace: steady(333), seconds: 1.5, series: 27, pointsPerRequest: 9, of: 5, points: 499 },
  { pace: steady(1), seconds: 10, series: 1000, pointsPerRequest: 50, of: 3, points: 10 },
  { pace: steady(1000), seconds: 1, series: 1, pointsPerRequest: 50, of: 1, points: 1000 },
  { pace: rising(0, 200, 4), seconds: 4, series: 64, pointsPerRequest: 4, of: 16, points: 400 },
];

for (const each of cases) {
  const { series, of, pointsPerRequest, pace, points } = each;
  Deno.test(`PointSchedule divides ${pace.text} points/s of ${series} series among ${of} connections`, () => {
    const all = Array.from({ length: of }, (_, index) => requestsOf(each, index));
    const total = all.flat().reduce((sum, request) => sum + request.points, 0);
    assert.equal(total, points, "together they send the points of one");
    for (const [index, requests] of all.entries()) {
      const own = Math.ceil((series - index) / of);
      const sent = requests.reduce((sum, request) => sum + request.points, 0);
      const expected = Math.floor(points / series) * own +
        Math.max(0, Math.ceil((points % series - index) / of));
      assert.equal(sent, expected, `connection ${index} sends the points of its series`);
      let before = 0;
      for (const { points, dueSeconds } of requests) {
        assert.ok(points >= 1 && points <= Math.min(pointsPerRequest, own));
        assert.ok(dueSeconds >= before && dueSeconds <= each.seconds);
        before = dueSeconds;
      }
    }
  });
}

Deno.test("PointSchedule spreads the requests of several connections evenly over time", () => {
  const options = { pace: steady(800), seconds: 2, series: 800, pointsPerRequest: 100, of: 8 };
  const dues = Array.from({ length: 8 }, (_, index) => requestsOf(options, index))
    .flatMap((requests) => requests.slice(0, -1)).map(({ dueSeconds }) => dueSeconds)
    .sort((a, b) => a - b);
  const gaps = dues.slice(1).map((due, i) => due - (dues[i] ?? 0));
  assert.ok(gaps.length > 8);
  // 100 points at 800 per second: a request each 0.125 s.
  for (const gap of gaps) assert.ok(Math.abs(gap - 0.125) < 0.02, `gap ${gap}`);
});

Deno.test("PointSchedule has no end without one", () => {
  const schedule = new PointSchedule({
    pace: steady(10),
    seconds: Infinity,
    series: 4,
    share: { index: 1, of: 2 },
    pointsPerRequest: 2,
  });
  for (let i = 0; i < 1000; i++) assert.ok(schedule.next() !== undefined);
  // The series 2 and 4 of 1, 2, 3, 4: two of four points, the last of request 1001 the 4004th of all.
  assert.equal(schedule.next()?.dueSeconds, 400.4);
});
