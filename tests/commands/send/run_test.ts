import assert from "node:assert/strict";
import type { Pending } from "../../../src/delivery/delivering.ts";
import { LOOP, World } from "../../support/run_world.ts";
import { MemoryStore, partial, requestOf, SPLITTABLE, UNTRIED } from "../../support/simulation.ts";

Deno.test("run() delivers once when the receiver takes it", async () => {
  const world = new World();
  const { exitCode, delivered, sends } = await world.play();
  assert.deepEqual({ exitCode, delivered, sends }, { exitCode: 0, delivered: 5, sends: 1 });
  assert.equal(world.receiver.took, 5);
});

for (
  const { name, answers, exitCode, outcome } of [
    { name: "0 when everything is accepted", answers: [{}], exitCode: 0, outcome: "accepted" },
    { name: "1 when it is refused", answers: [{ status: 401 }], exitCode: 1, outcome: "rejected" },
    {
      name: "3 when some points are rejected",
      answers: [partial(1)],
      exitCode: 3,
      outcome: "partial",
    },
    {
      name: "1 when every point is rejected",
      answers: [partial(3)],
      exitCode: 1,
      outcome: "rejected",
    },
    {
      name: "0 when nothing was rejected with a warning",
      answers: [partial(0)],
      exitCode: 0,
      outcome: "accepted",
    },
    {
      name: "1 when nobody answers",
      answers: () => ({ failure: "refused" as const }),
      exitCode: 1,
      outcome: "failed",
    },
  ]
) {
  Deno.test(`run() ends with ${name}`, async () => {
    const world = new World({ answers });
    assert.equal((await world.play()).exitCode, exitCode);
    assert.deepEqual(world.of("send").map((send) => send.outcome), [outcome]);
  });
}

Deno.test("run() prefers 1 to 3 when one send was rejected and another taken in part", async () => {
  const world = new World({
    answers: [partial(1), { status: 400 }, {}],
    schedule: { ...LOOP, iterations: 3 },
  });
  const { exitCode, rejected, rejectedPoints } = await world.play();
  assert.deepEqual({ exitCode, rejected, rejectedPoints }, {
    exitCode: 1,
    rejected: 5,
    rejectedPoints: 1,
  });
});

Deno.test("run() counts the points of every half when a split send is only partly accepted", async () => {
  const world = new World({
    answers: [{ status: 413 }, partial(1), { status: 400 }],
    resource: { padding: "x".repeat(2 * SPLITTABLE) },
  });
  const { delivered, rejected } = await world.play();
  // The first half has two of the three points: 2 + 2 of the 5 measurements.
  assert.deepEqual({ delivered, rejected }, { delivered: 4, rejected: 1 });
  const [send] = world.of("send");
  assert.equal(send?.outcome, "partial");
  assert.equal(send?.rejectedPoints, 2);
});

Deno.test("run() makes requests no larger than what the receiver took", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 3 },
    resource: { padding: "x".repeat(2 * SPLITTABLE) },
  });
  world.receiver.answer((_, points) => points.length > 2 ? { status: 413 } : {});
  const { delivered } = await world.play();
  assert.equal(delivered, 15);
  // The first is split. Those that follow are made so small that none has to be, with some bytes to spare.
  assert.deepEqual(
    world.receiver.attempts.map(({ points }) => points.length),
    [3, 2, 1, 1, 1, 1, 1, 1, 1],
  );
});

Deno.test("run() reports a late delivery and the send after it with times in order", async () => {
  const world = new World({
    schedule: { ...LOOP, intervalMs: 10_000, iterations: 2 },
    retryForMs: 0,
    answers: (n) => n === 0 ? { status: 503 } : { latencyMs: 3000 },
  });
  await world.play();
  const times = world.events.flatMap((event) =>
    event.type === "late" ? [event.time] : event.type === "send" ? [event.reportedAt] : []
  );
  assert.equal(world.of("late").length, 1);
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
});

Deno.test("run() sends what an earlier process left, and nothing else, when nothing is recorded", async () => {
  const store = new MemoryStore();
  const left = await leftBehind(store, [1, 2, 3]);
  const world = new World({ nothing: true, store, left });
  const { recorded, delivered, sends } = await world.play();
  assert.deepEqual({ recorded, delivered, sends }, { recorded: 6, delivered: 6, sends: 0 });
  assert.deepEqual(
    world.of("late").map(({ iteration, measurements }) => [iteration, measurements]),
    [
      [null, 1],
      [null, 2],
      [null, 3],
    ],
  );
  assert.equal(store.files.size, 0);
});

Deno.test("run() sends more than one request when a collection is too large for one", async () => {
  const world = new World({ request: { points: 2, bytes: 1e6 } });
  const { delivered } = await world.play();
  assert.equal(delivered, 5);
  assert.deepEqual(world.receiver.attempts.map(({ points }) => points.length), [2, 1]);
  assert.equal(world.of("send")[0]?.attempts, 2);
});

async function leftBehind(store: MemoryStore, counts: readonly number[]): Promise<Pending[]> {
  const left: Pending[] = [];
  for (const count of counts) {
    const pending: Pending = { ...UNTRIED, request: requestOf([count], count) };
    left.push({ ...pending, stored: (await store.save([pending])).stored });
  }
  return left;
}

Deno.test("run() exits with 1 when a request without measurements was rejected", async () => {
  for (const [status, exitCode] of [[200, 0], [400, 1]] as const) {
    const world = new World({
      nothing: true,
      left: await leftBehind(new MemoryStore(), [0]),
      answers: [{ status }],
    });
    const summary = await world.play();
    assert.deepEqual([summary.recorded, summary.rejected, summary.exitCode], [0, 0, exitCode]);
  }
});
