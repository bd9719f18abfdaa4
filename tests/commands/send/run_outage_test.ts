import assert from "node:assert/strict";
import type { Point } from "../../support/decode.ts";
import { LOOP, MINUTE, World } from "../../support/run_world.ts";
import { seeded } from "../../support/seeded.ts";

/** Start and end of each request that was taken, in ms since 1970. */
function intervals(points: readonly Point[]): readonly (readonly [number, number])[] {
  const seen = new Map(
    points.map(({ start, end }) =>
      [`${start} ${end}`, [Number(start) / 1e6, Number(end) / 1e6] as const] as const
    ),
  );
  return [...seen.values()];
}

Deno.test("run() sends what is pending first, with its own time stamps, when the receiver is back", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 6 },
    answers: () => ({ status: 503 }),
  });
  world.clock.after(3.5 * MINUTE, () => world.receiver.answer(() => ({})));
  const { delivered, recorded } = await world.play();
  assert.deepEqual({ delivered, recorded }, { delivered: 30, recorded: 30 });
  assert.equal(world.receiver.took, 30);
  const taken = intervals(world.receiver.takenPoints);
  assert.equal(taken.length, 6);
  taken.slice(1).forEach(([start], i) => {
    assert.equal(start, taken[i]?.[1], "intervals join, oldest first");
  });
  assert.deepEqual(world.of("late").map(({ iteration }) => iteration), [1, 2, 3, 4]);
  assert.deepEqual(world.of("send").map(({ outcome }) => outcome), [
    ...Array.from({ length: 4 }, () => "failed"),
    "accepted",
    "accepted",
  ]);
});

Deno.test("run() delivers within 35 s, and everything, when a receiver comes back after ten minutes", async () => {
  const waits: number[] = [];
  for (let second = 0; second < 60; second += 5) {
    const back = 10 * MINUTE + second * 1000;
    const world = new World({
      schedule: { ...LOOP, iterations: 15 },
      answers: () => ({ failure: "refused" }),
      random: seeded(second),
    });
    world.clock.after(back, () => world.receiver.answer(() => ({})));
    const { recorded, delivered, exitCode } = await world.play();
    assert.deepEqual({ recorded, delivered, exitCode }, {
      recorded: 75,
      delivered: 75,
      exitCode: 0,
    });
    assert.equal(world.receiver.took, 75);
    const ends = intervals(world.receiver.takenPoints).map(([, end]) => end);
    assert.deepEqual(ends, ends.toSorted((a, b) => a - b), "oldest first");
    assert.equal(ends.length, 15, "each send kept its own interval");
    const first = world.receiver.attempts.findIndex(({ taken }) => taken);
    waits.push((world.attempts[first] ?? Infinity) - back);
  }
  assert.ok(Math.max(...waits) <= 35_000, `first delivery after ${waits} ms`);
});

/** Three hours without a receiver, twenty minutes with one. */
Deno.test("run() names what it drops when an outage outlasts --max-age (opentelemetry-collector #15324)", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 200 },
    answers: () => ({ failure: "refused" }),
  });
  world.clock.after(180.5 * MINUTE, () => world.receiver.answer(() => ({})));
  const { recorded, delivered, dropped, exitCode } = await world.play();
  assert.equal(recorded, 1000);
  assert.equal(exitCode, 1, "a loss is no success");
  const named = world.of("dropped");
  assert.equal(named.reduce((sum, { pending }) => sum + pending.request.measurements, 0), dropped);
  for (const { reason } of named) assert.match(reason, /older than 3600 s \(--max-age\)/);
  // The oldest go, one after the other, and nothing of the last hour.
  assert.deepEqual(named.map(({ pending }) => pending.iteration), named.map((_, i) => i + 1));
  assert.ok(dropped >= 119 * 5 && dropped <= 121 * 5, `dropped ${dropped}`);
  assert.equal(world.receiver.took, delivered);
});

Deno.test("run() names what it drops when an outage outgrows --max-pending-mb (opentelemetry-collector #15324)", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 20 },
    answers: () => ({ failure: "refused" }),
    limits: { maxPendingBytes: 2000 },
  });
  world.clock.after(15.5 * MINUTE, () => world.receiver.answer(() => ({})));
  const { recorded, delivered, dropped } = await world.play();
  assert.equal(recorded, 100);
  assert.ok(dropped > 0 && delivered > 20, `${dropped} dropped, ${delivered} delivered`);
  const named = world.of("dropped");
  assert.equal(named.length * 5, dropped);
  for (const { reason } of named) assert.match(reason, /--max-pending-mb/);
  assert.equal(world.receiver.took, delivered);
});
