import assert from "node:assert/strict";
import type { Clock } from "../../src/clock.ts";
import type { Measurement } from "../../src/measurements/measurement.ts";
import { atRate, Rate } from "../../src/measurements/rate.ts";

Deno.test("Rate says exactly how many are due, over any time and however it is asked", () => {
  for (const perSecond of [0.1, 1, 3, 7.5, 1000, 123_457]) {
    const rate = new Rate(perSecond, 5000.25);
    let taken = 0;
    for (let now = 5000.25; now <= 5000.25 + 3_600_000; now += 997.3) {
      const due = rate.due(now);
      rate.take(due);
      taken += due;
      assert.equal(rate.due(now), 0);
      assert.ok(Math.abs(taken - (now - 5000.25) * perSecond / 1000) <= 1);
    }
    const end = 5000.25 + 3_600_000;
    assert.equal(taken + rate.due(end), Math.floor(3600 * perSecond));
  }
});

Deno.test("Rate says when the next one is due, and how many are late", () => {
  const rate = new Rate(4, 100);
  assert.equal(rate.due(100), 0);
  assert.equal(rate.nextDue(), 350);
  assert.equal(rate.due(349.9), 0);
  assert.equal(rate.due(350), 1);
  assert.equal(rate.due(10_100), 40);
  rate.take(3);
  assert.equal(rate.due(10_100), 37);
  assert.equal(rate.nextDue(), 1100);
  assert.equal(rate.due(0), 0);
});

/** Time passes only while somebody sleeps, and `perBatch` ms for each batch. */
function fakeClock(): Clock & { now: number; readonly slept: number[] } {
  return {
    now: 1000,
    slept: [],
    wall: () => 0,
    monotonic() {
      return this.now;
    },
    sleep(ms, signal) {
      if (!signal.aborted) {
        this.now += ms;
        this.slept.push(ms);
      }
      return Promise.resolve();
    },
  };
}

const MEASUREMENT: Measurement = { value: 1, attributes: {} };
function* batchesOf(count: number) {
  for (let left = count; left > 0; left -= 100) {
    yield Array.from({ length: Math.min(left, 100) }, () => MEASUREMENT);
  }
}

Deno.test("atRate() spreads measurements over time", async () => {
  for (const [perSecond, most] of [[0.5, 1], [20, 1], [1000, 10], [100_000, 100]] as const) {
    const clock = fakeClock();
    const stop = new AbortController();
    let count = 0;
    for await (const batch of atRate(new Rate(perSecond, 1000), batchesOf, clock, stop.signal)) {
      assert.ok(batch.length <= most);
      count += batch.length;
      if (clock.now >= 11_000) stop.abort();
    }
    assert.equal(count, 10 * perSecond);
    // It waits for what is due, or for a tick's worth, and no longer.
    const longest = Math.max(10, 1000 / perSecond) + 1e-6;
    assert.ok(clock.slept.every((ms) => ms >= 10 && ms <= longest), String(clock.slept[0]));
  }
});

Deno.test("atRate() makes up for a slow moment, and its rate tells how many are late", async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const rate = new Rate(1000, 1000);
  let count = 0;
  let late = 0;
  for await (const batch of atRate(rate, batchesOf, clock, stop.signal)) {
    count += batch.length;
    if (count === 50) {
      clock.now += 5000;
      late = rate.due(clock.now);
    }
    if (clock.now >= 11_000) stop.abort();
  }
  assert.equal(late, 5000);
  assert.equal(count, Math.floor(clock.now - 1000));
});

Deno.test("atRate() ends when it is stopped before anything is due", async () => {
  const batches = await Array.fromAsync(
    atRate(new Rate(1, 1000), batchesOf, fakeClock(), AbortSignal.abort()),
  );
  assert.deepEqual(batches, []);
});

Deno.test("atRate() keeps a short pause when it cannot keep up, and ends soon when it is stopped", async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const rate = new Rate(1_000_000, 1000);
  let afterStop = 0;
  for await (const batch of atRate(rate, batchesOf, clock, stop.signal)) {
    // So much work takes longer than it is due: a hundred in 0.2 ms instead of 0.1 ms.
    clock.now += 0.2;
    if (stop.signal.aborted) afterStop += batch.length;
    if (clock.now >= 3000) stop.abort();
  }
  assert.ok(clock.slept.slice(1).every((ms) => ms === 1 || ms === 10));
  assert.ok(clock.slept.filter((ms) => ms === 1).length > 2);
  assert.ok(rate.due(clock.now) > 500_000);
  assert.equal(afterStop, 100_000);
});
