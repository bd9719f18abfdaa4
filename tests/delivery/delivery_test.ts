import assert from "node:assert/strict";
import { World } from "../support/delivery_world.ts";
import { measurementsOf, partial, requestOf } from "../support/simulation.ts";

Deno.test("flush() delivers once when the receiver takes it", async () => {
  const world = new World();
  await world.add(requestOf([2, 3]));
  await world.flush();
  assert.deepEqual(world.delivery.ledger, {
    recorded: 5,
    delivered: 5,
    rejected: 0,
    dropped: 0,
    pending: 0,
  });
  assert.equal(world.receiver.took, 5);
  assert.deepEqual(world.events.map(({ type }) => type), ["attempt", "settled"]);
});

for (
  const status of [
    100,
    301,
    302,
    307,
    400,
    401,
    403,
    404,
    405,
    408,
    415,
    500,
    501,
    505,
  ]
) {
  Deno.test(`flush() does not send it again when the answer is ${status}`, async () => {
    const world = new World({ answers: () => ({ status }) });
    await world.add(requestOf([4]));
    await world.flush();
    await world.flush();
    assert.equal(world.receiver.attempts.length, 1);
    assert.equal(world.delivery.ledger.rejected, 4);
  });
}

for (const status of [200, 201, 202, 204, 299]) {
  Deno.test(`flush() takes ${status} for a success`, async () => {
    const world = new World({ answers: () => ({ status }) });
    await world.add(requestOf([4]));
    await world.flush();
    await world.flush();
    assert.equal(world.receiver.attempts.length, 1);
    assert.equal(world.delivery.ledger.delivered, 4);
  });
}

Deno.test("flush() counts a partial success as delivered when some points were rejected", async () => {
  const world = new World({ answers: [partial(1)] });
  await world.add(requestOf([2, 3]));
  await world.flush();
  assert.equal(world.delivery.ledger.delivered, 5);
  const [settled] = world.of("settled");
  assert.equal(settled?.result.outcome, "partial");
  assert.equal(settled?.result.rejectedPoints, 1);
});

Deno.test("flush() counts a partial success as rejected when every point was", async () => {
  for (const rejected of [2, 1000]) {
    const world = new World({ answers: [partial(rejected)] });
    await world.add(requestOf([2, 3]));
    await world.flush();
    assert.equal(world.delivery.ledger.rejected, 5);
    assert.equal(world.of("settled")[0]?.result.rejectedPoints, 2);
  }
});

Deno.test("flush() passes the receiver's words on when nothing was rejected", async () => {
  const world = new World({ answers: [partial(0, "slow down, please")] });
  await world.add(requestOf([1]));
  await world.flush();
  const [settled] = world.of("settled");
  assert.equal(settled?.result.outcome, "accepted");
  assert.equal(settled?.result.message, "slow down, please");
});

Deno.test("flush() says possibly duplicated when it repeats what may have arrived", async () => {
  for (const failure of ["timeout", "broken"] as const) {
    const world = new World({ answers: [{ failure, took: true }] });
    await world.add(requestOf([5]));
    await world.flush();
    assert.equal(world.of("settled")[0]?.pending.possiblyDuplicated, true);
    assert.equal(world.delivery.ledger.delivered, 5);
    assert.equal(world.receiver.took, 10);
  }
});

Deno.test("flush() does not say possibly duplicated when no repeated attempt can have arrived", async () => {
  for (
    const step of [{ failure: "refused" as const }, {
      failure: "tls" as const,
      message: "tls handshake eof",
    }, { status: 503 }]
  ) {
    const world = new World({ answers: [step] });
    await world.add(requestOf([5]));
    await world.flush();
    assert.equal(world.of("settled")[0]?.pending.possiblyDuplicated, false);
  }
});

Deno.test("flush() sends oldest first and one after the other when a receiver comes back", async () => {
  const world = new World({ answers: () => ({ status: 503 }) });
  for (const mark of [1, 2, 3, 4]) {
    await world.add(requestOf([mark], mark));
    await world.flush(0);
  }
  const before = world.receiver.attempts.length;
  world.receiver.answer(() => ({ latencyMs: 50 }));
  await world.flush();
  const later = world.receiver.attempts.slice(before);
  assert.deepEqual(later.map(({ points }) => measurementsOf(points)), [1, 2, 3, 4]);
  const gaps = later.slice(1).map(({ at }, i) => at - (later[i]?.at ?? 0));
  assert.ok(gaps.every((gap) => gap >= 50), `two at a time: ${gaps}`);
});

Deno.test("flush() is done with 20,000 pending requests in a moment when the receiver is back", async () => {
  const world = new World({ answers: () => ({ status: 503, latencyMs: 0 }) });
  const request = requestOf([1]);
  await world.add(...Array.from({ length: 20_000 }, () => request));
  const began = performance.now();
  world.receiver.answer(() => ({ latencyMs: 0 }));
  await world.flush();
  assert.equal(world.delivery.ledger.delivered, 20_000);
  assert.ok(performance.now() - began < 30_000, `${performance.now() - began} ms`);
});
