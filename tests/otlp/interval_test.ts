import assert from "node:assert/strict";
import { intervals } from "../../src/otlp/interval.ts";

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
