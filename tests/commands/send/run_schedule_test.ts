import assert from "node:assert/strict";
import { LOOP, World } from "../../support/run_world.ts";

Deno.test("run() tries again until the next send is due, and no longer, when the interval is short", async () => {
  const world = new World({
    schedule: { ...LOOP, intervalMs: 10_000, iterations: 2 },
    answers: () => ({ status: 503 }),
    retryForMs: 1000 * 1000,
    random: () => 0.999,
  });
  world.clock.after(15_000, () => world.receiver.answer(() => ({})));
  const { delivered } = await world.play();
  assert.equal(delivered, 10);
  const second = world.of("recording")[1];
  assert.ok(second && world.at.get(second) === 10_000, "the second send came in time");
});

Deno.test("run() begins its schedule after the delay, which does not count as time of the run", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 3, durationMs: 150_000 },
    startDelayMs: 45_000,
  });
  const { sends, elapsedMs, latencyMs } = await world.play();
  assert.equal(sends, 3);
  assert.deepEqual(world.of("delayed").map(({ inMs }) => inMs), [45_000]);
  assert.deepEqual(world.attempts, [45_000, 105_000, 165_000]);
  assert.equal(elapsedMs, 120_001);
  assert.equal(latencyMs.max, 1);
});

Deno.test("run() ends at once when a signal comes during the delay", async () => {
  const world = new World({ schedule: LOOP, startDelayMs: 45_000 });
  world.clock.after(10_000, () => world.stop.abort());
  const { recorded, exitCode } = await world.play();
  assert.deepEqual([world.now, recorded, exitCode], [10_000, 0, 0]);
});

Deno.test("run() keeps its schedule when attempts take long", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 4 },
    answers: () => ({ latencyMs: 9_000 }),
  });
  await world.play();
  assert.deepEqual(world.of("recording").map((event) => world.at.get(event)), [
    0,
    60_000,
    120_000,
    180_000,
  ]);
});

Deno.test("run() sends as often as --duration has room for", async () => {
  const world = new World({ schedule: { ...LOOP, durationMs: 125_000 } });
  const { recorded, sends } = await world.play();
  assert.deepEqual({ recorded, sends }, { recorded: 15, sends: 3 });
  assert.deepEqual(
    world.of("recording").map((event) => world.at.get(event)),
    [0, 60_000, 120_000],
  );
});

Deno.test("run() is back in its schedule after a send that took longer than the interval", async () => {
  const world = new World({
    schedule: { ...LOOP, intervalMs: 1000, iterations: 3 },
    answers: (n) => ({ latencyMs: n === 0 ? 1300 : 0 }),
  });
  await world.play();
  assert.deepEqual(world.of("recording").map((event) => world.at.get(event)), [0, 1300, 2000]);
});

Deno.test("run() goes on after a month of sleep, whose sends it leaves out", async () => {
  const MONTH_MS = 30 * 86_400_000;
  for (const wallMs of [0, -2 * MONTH_MS]) {
    const world = new World({
      schedule: { ...LOOP, intervalMs: 1, iterations: 20 },
      answers: () => ({ latencyMs: 0.5 }),
    });
    world.clock.after(10, () => {
      world.clock.jump(MONTH_MS);
      world.clock.setWall(wallMs);
    });
    const { delivered, sends, dropped, latencyMs } = await world.play();
    assert.deepEqual({ delivered, sends, dropped }, { delivered: 100, sends: 20, dropped: 0 });
    // The latency of those that were left out counts, up to that of the first.
    const max = latencyMs.max ?? NaN;
    assert.ok(Math.abs(max - MONTH_MS) < 100, `${max} ms`);
    const times = world.of("recording").map((event) => world.at.get(event) ?? NaN);
    assert.ok(times.every((time, i) => time >= (times[i - 1] ?? 0)), times.join());
  }
});

for (const byMs of [-2 * 86_400_000, -30_000, 30_000, 2 * 86_400_000]) {
  Deno.test(`run() keeps its schedule and drops nothing when the clock is set by ${byMs / 1000} s`, async () => {
    const world = new World({
      schedule: { ...LOOP, iterations: 5 },
      answers: (n) => n >= 1 && n < 6 ? { status: 503 } : {},
    });
    world.clock.after(90_000, () => world.clock.setWall(byMs));
    const { delivered, dropped } = await world.play();
    assert.deepEqual({ delivered, dropped }, { delivered: 25, dropped: 0 });
    assert.deepEqual(
      world.of("recording").map((event) => world.at.get(event)),
      [0, 60_000, 120_000, 180_000, 240_000],
    );
    for (const { start, end } of world.receiver.takenPoints) {
      assert.ok(start <= end, `${start} > ${end}`);
    }
  });
}
