import assert from "node:assert/strict";
import { batchSource } from "../../../src/source/source.ts";
import { LOOP, MINUTE, World } from "../../support/run_world.ts";
import { MemoryStore } from "../../support/simulation.ts";

Deno.test("run() loses nothing in a loop when the token is wrong for a while", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 6 },
    answers: () => ({ status: 401 }),
  });
  world.clock.after(2.5 * MINUTE, () => world.receiver.answer(() => ({})));
  const { delivered, recorded, exitCode } = await world.play();
  assert.deepEqual({ delivered, recorded, exitCode }, { delivered: 30, recorded: 30, exitCode: 0 });
  assert.deepEqual(
    world.of("send").map(({ outcome, status, message }) => [outcome, status, message]),
    [
      ...Array.from({ length: 3 }, () => ["failed", 401, "401 Unauthorized"]),
      ...Array.from({ length: 3 }, () => ["accepted", 200, null]),
    ],
  );
  assert.deepEqual(world.of("late").map(({ iteration }) => iteration), [1, 2, 3]);
  const sends = world.attempts.map((at) => Math.floor(at / MINUTE));
  assert.deepEqual(sends, [0, 1, 1, 2, 2, 3, 3, 3, 3, 4, 5], "once per send, and one more");
});

Deno.test("run() drops what is denied to the end of a loop, and keeps it when there is a store", async () => {
  for (const store of [undefined, new MemoryStore()]) {
    const world = new World({
      schedule: { ...LOOP, iterations: 2 },
      answers: () => ({ status: 403 }),
      ...store && { store },
    });
    const { dropped, pending, exitCode } = await world.play();
    assert.deepEqual(
      { dropped, pending, exitCode },
      { dropped: store ? 0 : 10, pending: store ? 10 : 0, exitCode: 1 },
    );
    const [undelivered] = world.of("undelivered");
    assert.equal(undelivered?.reason, "403 Forbidden");
    assert.equal(undelivered.trouble?.kind, "reply");
  }
});

Deno.test("run() keeps what is denied in a single run with a store, and delivers it in the next", async () => {
  const store = new MemoryStore();
  const world = new World({ store, answers: () => ({ status: 401 }) });
  const { pending, exitCode } = await world.play();
  assert.deepEqual({ pending, exitCode }, { pending: 5, exitCode: 1 });
  assert.equal(world.of("send")[0]?.outcome, "failed");
  assert.equal(world.attempts.length, 1);
  const left = [...store.files].map(([stored, file]) => ({ ...file, stored, iteration: null }));
  const next = new World({ store, left });
  const { delivered, exitCode: then } = await next.play();
  assert.deepEqual({ delivered, then }, { delivered: 10, then: 0 });
});

Deno.test("run() delivers its own when what an earlier process left is denied", async () => {
  const store = new MemoryStore();
  await new World({ store, answers: () => ({ status: 403 }) }).play();
  const left = [...store.files].map(([stored, file]) => ({ ...file, stored, iteration: null }));
  const world = new World({ store, left, answers: [{ status: 403 }] });
  const { delivered, pending, exitCode } = await world.play();
  assert.deepEqual({ delivered, pending, exitCode }, { delivered: 5, pending: 5, exitCode: 1 });
  assert.equal(world.of("send")[0]?.outcome, "accepted");
  assert.match(world.of("undelivered")[0]?.reason ?? "", /^403 /);
});

Deno.test("run() reports as late what is refused for good in the end", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 3 },
    answers: [{ status: 403 }, { status: 403 }, {}, { status: 403 }],
  });
  const { delivered, rejected, exitCode } = await world.play();
  assert.deepEqual({ delivered, rejected, exitCode }, { delivered: 10, rejected: 5, exitCode: 1 });
  assert.deepEqual(
    world.of("late").map(({ iteration, result }) => [iteration, result.outcome, result.status]),
    [[1, "rejected", 403]],
  );
  assert.deepEqual(world.of("send").map(({ outcome }) => outcome), [
    "failed",
    "accepted",
    "accepted",
  ]);
});

Deno.test("run() tries what was denied once more when it is stopped", async () => {
  const world = new World({ schedule: LOOP, answers: [{ status: 401 }] });
  world.clock.after(MINUTE / 2, () => world.stop.abort());
  const { delivered, exitCode } = await world.play();
  assert.deepEqual({ delivered, exitCode }, { delivered: 5, exitCode: 0 });
  assert.deepEqual(world.attempts, [0, MINUTE / 2]);
});

Deno.test("run() tries what was denied again in an interval without data, too", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 3 },
    source: () => {
      const source = batchSource(() => [{ value: 1, attributes: {} }]);
      let filled = 0;
      return {
        ...source,
        fill: (...wanted) =>
          filled++ === 0
            ? source.fill(...wanted)
            : Promise.resolve({ measurements: 0, ended: false }),
      };
    },
    answers: [{ status: 401 }],
  });
  const { delivered } = await world.play();
  assert.equal(delivered, 1);
  assert.deepEqual(world.attempts, [0, MINUTE]);
});

for (
  const [what, answer] of [
    ["denied", { status: 401 }],
    ["asked to wait for an hour", { status: 429, headers: { "retry-after": "3600" } }],
    ["told that the name is not known", { failure: "dns" }],
  ] as const
) {
  Deno.test(`run() backs off with --interval 0 when it is ${what}`, async () => {
    const world = new World({
      schedule: { ...LOOP, intervalMs: 0, durationMs: MINUTE },
      answers: () => answer,
      random: () => 0,
    });
    await world.play();
    // Waits of 0.25, 0.5, 1 and 2 s, then of 4 s.
    const sends = world.of("send").length;
    assert.ok(sends > 10 && sends < 22, `${sends} sends in a minute`);
    assert.ok(world.now < MINUTE + 100, `ended after ${world.now} ms`);
  });
}
