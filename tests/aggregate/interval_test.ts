import assert from "node:assert/strict";
import fc from "fast-check";
import { alignedInterval, intervalNumber, intervals } from "../../src/aggregate/interval.ts";
import { SEED } from "../support/arbitrary.ts";

/** A clock whose wall time can be set, as an administrator or NTP does. */
function settableClock() {
  let monotonic = 5000;
  let offset = 1_769_860_800_000 - monotonic;
  return {
    wall: () => monotonic + offset,
    monotonic: () => monotonic,
    sleep: () => Promise.resolve(),
    pass: (ms: number) => monotonic += ms,
    set: (ms: number) => offset += ms,
  };
}

Deno.test("intervals() join without gap or overlap when the clock only goes on", () => {
  const clock = settableClock();
  const interval = intervals(clock);
  const first = clock.wall();
  const taken = [1000, 1, 60_000, 0].map((ms) => {
    clock.pass(ms);
    return interval();
  });
  assert.equal(taken[0]?.start, first);
  taken.slice(1).forEach(({ start }, i) => assert.equal(start, taken[i]?.end));
  assert.equal(taken.at(-1)?.end, clock.wall());
});

Deno.test("intervals() has no gap when the clock is set forward", () => {
  const clock = settableClock();
  const interval = intervals(clock);
  clock.pass(1000);
  const { end } = interval();
  clock.set(3_600_000);
  clock.pass(1000);
  assert.deepEqual(interval(), { start: end, end: end + 3_601_000 });
});

Deno.test("intervals() never ends before it starts when the clock is set back", () => {
  const clock = settableClock();
  const interval = intervals(clock);
  clock.pass(1000);
  interval();
  clock.set(-3_600_000);
  clock.pass(2500);
  const back = interval();
  assert.deepEqual(back, { start: clock.wall() - 2500, end: clock.wall() });
  clock.pass(700);
  assert.deepEqual(interval(), { start: back.end, end: back.end + 700 });
});

Deno.test("intervals() takes a clock set back by less than has passed as it is", () => {
  const clock = settableClock();
  const interval = intervals(clock);
  const start = clock.wall();
  clock.pass(1000);
  clock.set(-400);
  assert.deepEqual(interval(), { start, end: start + 600 });
});

Deno.test("intervalNumber() gives the aligned interval that holds a time, for any length", () => {
  const times = fc.oneof(
    fc.double({ min: 0, max: 2 ** 63 / 1e6, noNaN: true }),
    fc.integer({ min: 0, max: 2 ** 31 }).map((seconds) => seconds * 1000),
  );
  const lengths = fc.oneof(
    fc.constantFrom(0.1, 0.3, 1, 100, 1000, 60_000, 86_400_000, 1e9),
    fc.double({ min: 0.1, max: 1e8, noNaN: true }),
  );
  fc.assert(
    fc.property(times, lengths, (time, length) => {
      const { start, end } = alignedInterval(intervalNumber(time, length), length);
      assert.ok(start <= time && time < end, `${start} ${time} ${end}`);
    }),
    SEED,
  );
});

Deno.test("intervalNumber() begins a new interval on the whole multiple of its length", () => {
  assert.deepEqual([0, 59_999.9, 60_000, 119_999].map((time) => intervalNumber(time, 60_000)), [
    0,
    0,
    1,
    1,
  ]);
  assert.deepEqual(alignedInterval(2, 60_000), { start: 120_000, end: 180_000 });
});
