import assert from "node:assert/strict";
import { nextSlot } from "../../../src/commands/send/schedule.ts";

Deno.test("nextSlot() is the next one when the send was in time", () => {
  assert.deepEqual(nextSlot(1000, 500, 0, 1100), { slot: 1, due: 1500, missed: 0 });
  assert.deepEqual(nextSlot(1000, 500, 6, 4300), { slot: 7, due: 4500, missed: 0 });
});

Deno.test("nextSlot() is due at once when the send ran into the next slot", () => {
  assert.deepEqual(nextSlot(1000, 500, 0, 1700), { slot: 1, due: 1500, missed: 0 });
  assert.deepEqual(nextSlot(1000, 500, 0, 1500), { slot: 1, due: 1500, missed: 0 });
});

Deno.test("nextSlot() keeps the latest of the slots that passed, and counts the others", () => {
  assert.deepEqual(nextSlot(1000, 500, 0, 3200), { slot: 4, due: 3000, missed: 3 });
  assert.deepEqual(nextSlot(1000, 500, 4, 3300), { slot: 5, due: 3500, missed: 0 });
});

Deno.test("nextSlot() never shifts the schedule, however long the sends take", () => {
  let slot = 0;
  let now = 7;
  for (let sends = 0; sends < 1000; sends++) {
    const next = nextSlot(7, 100, slot, now);
    assert.ok(next.slot > slot && next.due === 7 + next.slot * 100);
    slot = next.slot;
    now = Math.max(now, next.due) + (sends * 37) % 260;
  }
});

Deno.test("nextSlot() is now when the interval is 0", () => {
  assert.deepEqual(nextSlot(1000, 0, 3, 1234.5), { slot: 4, due: 1234.5, missed: 0 });
});
