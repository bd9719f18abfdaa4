import assert from "node:assert/strict";
import { World } from "../support/delivery_world.ts";
import { requestOf } from "../support/simulation.ts";

Deno.test("add() drops the oldest and says so when more is pending than --max-pending-mb", async () => {
  const size = requestOf([1], 1).body.length;
  const world = new World({
    answers: () => ({ status: 503 }),
    limits: { maxPendingBytes: size * 2.5 },
  });
  for (const mark of [1, 2, 3]) {
    await world.add(requestOf([mark], mark));
    await world.flush(0);
  }
  const dropped = world.of("dropped");
  assert.deepEqual(dropped.map(({ pending }) => pending.request.measurements), [1]);
  assert.match(dropped[0]?.reason ?? "", /--max-pending-mb/);
  assert.equal(world.delivery.ledger.dropped, 1);
  assert.equal(world.delivery.ledger.pending, 5);
});

Deno.test("add() makes room before anything is sent when more is pending than --max-pending-mb", async () => {
  const size = requestOf([1], 1).body.length;
  const world = new World({ limits: { maxPendingBytes: size * 1.5 } });
  await world.add(requestOf([1], 1));
  await world.add(requestOf([2], 2));
  assert.equal(world.delivery.ledger.dropped, 1);
  assert.equal(world.delivery.ledger.pending, 2);
});

Deno.test("flush() tries a request once when it alone is larger than --max-pending-mb", async () => {
  for (const [answer, delivered, dropped] of [[{}, 6, 0], [{ status: 503 }, 0, 6]] as const) {
    const world = new World({ answers: [answer], limits: { maxPendingBytes: 10 } });
    await world.add(requestOf([6]));
    await world.flush(0);
    assert.equal(world.delivery.ledger.delivered, delivered);
    assert.equal(world.delivery.ledger.dropped, dropped);
  }
});

Deno.test("flush() drops what is older than --max-age and says so", async () => {
  const world = new World({ answers: () => ({ status: 503 }), limits: { maxAgeMs: 60_000 } });
  await world.add(requestOf([1], 1));
  await world.flush(0);
  await world.pass(40_000);
  await world.add(requestOf([2], 2));
  await world.flush(0);
  await world.pass(30_000);
  world.receiver.answer(() => ({}));
  await world.flush(0);
  assert.match(world.of("dropped")[0]?.reason ?? "", /older than 60 s \(--max-age\)/);
  assert.equal(world.delivery.ledger.dropped, 1);
  assert.equal(world.delivery.ledger.delivered, 2);
});
