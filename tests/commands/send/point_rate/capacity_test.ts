import assert from "node:assert/strict";
import { bucketAnswers, PointWorld, type PointWorldOptions } from "../../../support/point_world.ts";
import type { Step } from "../../../support/simulation.ts";

interface Case extends PointWorldOptions {
  readonly name: string;
  /** Data points per second that should be found, within 10%; undefined: none. */
  readonly capacity: number | undefined;
  readonly limitedBy: "status" | "latency" | "failure" | "none";
  readonly says: RegExp;
}

const rise = (from: number, to: number, more = {}) => ({ from, to, isRising: true, ...more });

const closing = bucketAnswers(500, 50);

const cases: readonly Case[] = [
  ...[200, 500, 900].flatMap((capacity) =>
    [1, 8].flatMap((workers) =>
      [0.25, 1].map((burstSeconds) => ({
        name: `a bucket of ${capacity} points/s and ${burstSeconds} s, with ${workers} workers`,
        rate: rise(50, 1000, { pointsPerRequest: 10 }),
        seconds: 5,
        series: 800,
        workers,
        answer: bucketAnswers(capacity, capacity * burstSeconds),
        capacity,
        limitedBy: "status" as const,
        says: /^Confirmed .* for 10 s .*; at [\d,.]+ points\/s the receiver answered 429/,
      }))
    )
  ),
  {
    name: "a receiver that answers one request in 40 ms, with an SLO",
    // 25 requests per second of 10 points.
    rate: rise(10, 1000, { pointsPerRequest: 10, sloMs: 200 }),
    seconds: 10,
    answer: () => ({ latencyMs: 40 }),
    capacity: 250,
    limitedBy: "latency",
    says: /; at [\d,.]+ points\/s p99 exceeded --slo 200 ms$/,
  },
  {
    name: "a receiver that answers one request in 40 ms, without an SLO",
    rate: rise(10, 1000, { pointsPerRequest: 10 }),
    seconds: 10,
    answer: () => ({ latencyMs: 40 }),
    capacity: 250,
    limitedBy: "latency",
    says: /; at [\d,.]+ points\/s the only connection was still waiting for a response/,
  },
  {
    name: "a receiver that is too slow within the first second of a steep rise",
    // 33 requests per second of 20 points, which the rise passes after 0.6 s.
    rate: rise(100, 5000, { pointsPerRequest: 20, sloMs: 100 }),
    seconds: 5,
    answer: () => ({ latencyMs: 30 }),
    capacity: 667,
    limitedBy: "latency",
    says: /; at 1,080 points\/s p99 exceeded --slo 100 ms$/,
  },
  {
    name: "a receiver that is too slow for the lowest rate",
    rate: rise(1000, 5000, { pointsPerRequest: 20, sloMs: 100 }),
    seconds: 5,
    answer: () => ({ latencyMs: 30 }),
    capacity: undefined,
    limitedBy: "latency",
    says: /^No rate was confirmed: .*; at 1,800 points\/s p99 exceeded --slo 100 ms$/,
  },
  {
    name: "four connections to it",
    rate: rise(10, 2000, { pointsPerRequest: 10, sloMs: 200 }),
    seconds: 10,
    workers: 4,
    answer: () => ({ latencyMs: 40 }),
    capacity: 1000,
    limitedBy: "latency",
    says: /p99 exceeded/,
  },
  {
    name: "a receiver that holds the highest rate",
    rate: rise(0, 400),
    seconds: 4,
    capacity: 400,
    limitedBy: "none",
    says: /^Confirmed 400 points\/s .*; the rate did not rise further$/,
  },
  {
    name: "a receiver that breaks down above 500 points/s, for 3 s",
    rate: rise(50, 1000, { pointsPerRequest: 10 }),
    seconds: 20,
    answer: breakingDown(500, 3),
    capacity: 470,
    limitedBy: "status",
    says: /answered 503/,
  },
  {
    name: "a receiver that closes connections above 500 points/s",
    rate: rise(50, 1000, { pointsPerRequest: 10 }),
    seconds: 10,
    answer: (attempt, points, seconds) => {
      const { status } = closing(attempt, points, seconds);
      return status === undefined ? {} : { failure: "broken" };
    },
    capacity: 500,
    limitedBy: "failure",
    says: /; at [\d,.]+ points\/s .+$/,
  },
  {
    name: "a pause of half a second, which is no limit",
    rate: rise(50, 400, { pointsPerRequest: 10, sloMs: 100 }),
    seconds: 5,
    answer: (attempt) => ({ latencyMs: attempt === 30 ? 500 : 2 }),
    capacity: 400,
    limitedBy: "none",
    says: /the rate did not rise further$/,
  },
  {
    name: "a receiver that refuses everything",
    rate: rise(50, 400),
    seconds: 2,
    answer: () => ({ status: 503 }),
    capacity: undefined,
    limitedBy: "status",
    says:
      /^No rate was confirmed: none held for 10 s; at [\d,.]+ points\/s the receiver answered 503/,
  },
];

/** Answers 503 to all for so many seconds once more than `capacity` points came in a second. */
function breakingDown(capacity: number, forSeconds: number) {
  const bucket = bucketAnswers(capacity, capacity / 4);
  let until = 0;
  return (attempt: number, points: number, seconds: number): Step => {
    if (seconds < until) return { status: 503 };
    const { status } = bucket(attempt, points, seconds);
    if (status === undefined) return {};
    until = seconds + forSeconds;
    return { status: 503 };
  };
}

for (const { name, capacity, limitedBy, says, ...options } of cases) {
  Deno.test(`--point-rate FROM..TO finds ${name}`, async () => {
    const world = new PointWorld(options);
    const summary = await world.play();
    const found = summary.capacity;
    assert.ok(found !== undefined);
    assert.match(found.message, says);
    assert.equal(found.limitedBy, limitedBy);
    assert.equal(summary.exitCode, capacity === undefined ? 1 : 0);
    assert.equal(summary.pending, 0);
    if (capacity === undefined) {
      assert.equal(found.pointsPerSecond, 0);
      assert.equal(found.p99Ms, null);
      return;
    }
    const ratio = found.pointsPerSecond / capacity;
    assert.ok(ratio > 0.9 && ratio < 1.1, `${found.pointsPerSecond} of ${capacity}`);
    assert.ok(found.points >= 0.9 * capacity * 10, "it held for 10 s");
    assert.ok(!world.events.some(({ type }) => type === "retry"), "nothing is retried");
  });
}

Deno.test("--point-rate FROM..TO confirms nothing when a signal interrupts it", async () => {
  const world = new PointWorld({ rate: rise(10, 100), seconds: 5, stopAfterMs: 8000 });
  const summary = await world.play();
  assert.equal(summary.exitCode, 1);
  assert.equal(summary.dropped, 0);
  assert.equal(summary.capacity?.message, "No rate was confirmed: the run was interrupted");
});
