import assert from "node:assert/strict";
import { Schedule } from "../../../src/commands/send/schedule.ts";
import type { ScheduleConfig } from "../../../src/settings/schedule_config.ts";

const START = 1000;
const CONFIG: ScheduleConfig = {
  loop: true,
  intervalMs: 500,
  iterations: Infinity,
  durationMs: Infinity,
};

function schedule(change: Partial<ScheduleConfig> = {}, kind: "pull" | "paced" | "live" = "pull") {
  return new Schedule({ ...CONFIG, ...change }, kind, START);
}

/** Goes on, and tells when the next tick is due and how many were missed. */
function next(ticks: Schedule, now: number) {
  const { missed } = ticks.advance(now);
  return { due: ticks.due, missed };
}

Deno.test("advance() goes to the next tick when the send was in time", () => {
  const ticks = schedule();
  assert.equal(ticks.due, START);
  assert.deepEqual(next(ticks, 1100), { due: 1500, missed: 0 });
  assert.deepEqual(next(ticks, 1999), { due: 2000, missed: 0 });
});

Deno.test("advance() goes to a tick that is due at once when the send ran into it", () => {
  assert.deepEqual(next(schedule(), 1700), { due: 1500, missed: 0 });
  assert.deepEqual(next(schedule(), 1500), { due: 1500, missed: 0 });
});

Deno.test("advance() keeps the latest of the ticks that passed, and counts the others", () => {
  const ticks = schedule();
  assert.deepEqual(next(ticks, 3200), { due: 3000, missed: 3 });
  assert.deepEqual(next(ticks, 3300), { due: 3500, missed: 0 });
});

Deno.test("advance() misses nothing of what comes over time", () => {
  for (const kind of ["paced", "live"] as const) {
    const ticks = schedule({}, kind);
    assert.equal(ticks.due, 1500, "at the end of its interval");
    assert.deepEqual(next(ticks, 3200), { due: 3000, missed: 0 });
  }
});

Deno.test("advance() never shifts the schedule, however long the sends take", () => {
  const ticks = schedule({ intervalMs: 100 });
  let now = START;
  for (let sends = 0; sends < 1000; sends++) {
    const before = ticks.due;
    const { due } = next(ticks, now);
    assert.ok(due > before && (due - START) % 100 === 0);
    now = Math.max(now, due) + (sends * 37) % 260;
  }
});

Deno.test("isLast() and advance() end after the duration", () => {
  const ticks = schedule({ durationMs: 700 });
  assert.equal(ticks.isLast(1000, 1), false);
  assert.equal(ticks.advance(1000).isOver, false);
  assert.equal(ticks.isLast(1500, 2), true, "the next tick would be due at 2000");
  assert.equal(ticks.advance(1500).isOver, true);
  assert.equal(ticks.due, 1700);
  assert.equal(ticks.leftMs(1650), 50);
  const live = schedule({ durationMs: 700 }, "live");
  assert.equal(live.isLast(1500, 1), false);
  assert.equal(live.isLast(1700, 2), true);
});

Deno.test("isLast() ends after so many sends, and after one without a loop", () => {
  assert.equal(schedule({ iterations: 2 }).isLast(1000, 1), false);
  assert.equal(schedule({ iterations: 2 }).isLast(1000, 2), true);
  assert.equal(schedule({ loop: false }).isLast(1000, 1), true);
});

Deno.test("fillUntil is the end of the interval, of all there is, or of the first that comes", () => {
  assert.equal(schedule({}, "live").fillUntil, 1500);
  assert.equal(schedule({ loop: false }, "live").fillUntil, Infinity);
  assert.equal(schedule({ intervalMs: 0 }, "live").fillUntil, undefined);
});

Deno.test("isWaiting holds for every tick but the first, of what is made when it is due", () => {
  const ticks = schedule();
  assert.equal(ticks.isWaiting, false);
  ticks.advance(1000);
  assert.equal(ticks.isWaiting, true);
  assert.equal(schedule({}, "paced").isWaiting, false);
  const immediate = schedule({ intervalMs: 0 });
  immediate.advance(1000);
  assert.equal(immediate.isWaiting, false);
});

Deno.test("takeDue() gives the sends that were due since the last call", () => {
  const ticks = schedule();
  assert.deepEqual(ticks.takeDue(1000, 0), { since: 500, last: 1000, stepMs: 500 });
  ticks.advance(3200);
  assert.deepEqual(ticks.takeDue(3201, 1), { since: 1000, last: 3000, stepMs: 500 });
  assert.deepEqual(ticks.takeDueUntil(3300, 2), { since: 3000, last: 3300, stepMs: 500 });
});

Deno.test("takeDue() steps as paced sends went before, when they follow each other immediately", () => {
  const ticks = schedule({ intervalMs: 0 }, "paced");
  assert.equal(ticks.takeDue(1040, 0), undefined, "there was none before");
  assert.deepEqual(ticks.takeDue(1080, 1), { since: 1040, last: 1080, stepMs: 40 });
  assert.deepEqual(ticks.takeDue(1090, 2), { since: 1080, last: 1090, stepMs: 40 });
  for (const kind of ["pull", "live"] as const) {
    const others = schedule({ intervalMs: 0 }, kind);
    others.takeDue(1040, 0);
    assert.equal(others.takeDue(1080, 1), undefined);
  }
  assert.equal(schedule({ loop: false }).takeDue(1000, 0), undefined);
});
