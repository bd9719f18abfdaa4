import assert from "node:assert/strict";
import { plainSize } from "../../src/otlp/gzip.ts";
import { World } from "../support/delivery_world.ts";
import { MemoryStore, pointsOf, requestOf, SPLITTABLE } from "../support/simulation.ts";

Deno.test("flush() halves a request down to single points when the answer is 413", async () => {
  const world = new World();
  world.receiver.answer((_, points) => points.length > 1 ? { status: 413 } : {});
  const counts = [3, 0, 7, 1, 4];
  const request = requestOf(counts, 1, SPLITTABLE);
  await world.add(request);
  await world.flush();
  assert.equal(world.delivery.ledger.delivered, 15);
  assert.deepEqual(world.receiver.takenPoints, pointsOf(request.body));
});

Deno.test("flush() loses only the point that is too large when the others are taken", async () => {
  const world = new World();
  world.receiver.answer((_, points) =>
    points.some(({ count }) => count === 7) ? { status: 413 } : {}
  );
  await world.add(requestOf([3, 2, 7, 1, 4], 1, SPLITTABLE));
  await world.flush();
  assert.deepEqual(world.delivery.ledger, {
    recorded: 17,
    delivered: 10,
    rejected: 7,
    dropped: 0,
    pending: 0,
  });
  assert.equal(world.receiver.took, 10);
});

Deno.test("flush() keeps the whole in the store when its halves cannot be stored", async () => {
  const store = new MemoryStore();
  const world = new World({ store });
  await world.add(requestOf([1, 2, 3, 4], 1, SPLITTABLE));
  const whole = [...store.files.keys()];
  store.full = true;
  world.receiver.answer((attempt) =>
    attempt < 2 ? { status: 413 } : attempt < 4 ? {} : { status: 503 }
  );
  await world.flush(0);
  assert.equal(world.delivery.ledger.delivered, 3, "two quarters");
  assert.deepEqual([...store.files.keys()], whole, "what is left is kept by the whole alone");
  world.receiver.answer(() => ({}));
  await world.flush();
  assert.equal(world.delivery.ledger.delivered, 10);
  assert.equal(store.files.size, 0);
});

Deno.test("flush() replaces a request in the store by its halves when the answer is 413", async () => {
  const store = new MemoryStore();
  const world = new World({ store, answers: (n) => n === 0 ? { status: 413 } : { status: 503 } });
  const request = requestOf([1, 2, 3], 1, SPLITTABLE);
  await world.add(request);
  await world.flush(0);
  const kept = [...store.files.values()].flatMap(({ request }) => pointsOf(request.body));
  assert.deepEqual(kept, pointsOf(request.body));
  assert.deepEqual([...store.files.keys()], ["file-0-1", "file-0-2"]);
});

/** A data point each, of a little more than 64 KiB. */
const large = (points: number, mark = 1) =>
  requestOf(Array.from({ length: points }, () => 1), mark, SPLITTABLE);
const sizes = ({ receiver }: World) => receiver.attempts.map(({ points }) => points.length);

Deno.test("flush() halves what any 4xx calls too large, as a Collector does with 400", async () => {
  const body = new TextEncoder().encode("http: request body too large\n");
  const world = new World();
  world.receiver.answer((_, points) => points.length > 2 ? { status: 400, body } : {});
  await world.add(large(8));
  await world.flush();
  assert.deepEqual(sizes(world), [8, 4, 2, 2, 2, 2]);
  assert.equal(world.delivery.ledger.delivered, 8);
  assert.equal(world.of("split").length, 2);
});

Deno.test("flush() splits before sending what is larger than what worked, for the rest of the run", async () => {
  const world = new World({ store: new MemoryStore() });
  world.receiver.answer((_, points) => points.length > 2 ? { status: 413 } : {});
  await world.add(large(4, 1), large(4, 2), large(3, 3), large(1, 4));
  assert.equal(world.delivery.largestRequest, Infinity);
  await world.flush();
  assert.deepEqual(sizes(world), [4, 2, 2, 2, 2, 2, 1, 1]);
  const { largestRequest } = world.delivery;
  assert.equal(largestRequest, plainSize(large(2, 2)));
  await world.add(large(4, 5));
  await world.flush();
  assert.deepEqual(sizes(world).slice(8), [2, 2]);
  assert.equal(world.of("split").length, 1);
  assert.equal(world.delivery.ledger.delivered, 16);
  assert.equal(new World().delivery.largestRequest, Infinity, "another process begins afresh");
});

Deno.test("flush() rejects what is too large when its halves would have less than 64 KiB", async () => {
  for (const [points, attempts] of [[1, [1]], [2, [2, 1, 1]], [3, [3, 2, 1, 1, 1]]] as const) {
    const world = new World({ answers: () => ({ status: 413 }) });
    await world.add(large(points));
    await world.flush();
    assert.deepEqual(sizes(world), attempts);
    assert.equal(world.delivery.ledger.rejected, points);
  }
  const small = requestOf([1, 1], 1, SPLITTABLE - 1000);
  const world = new World({ answers: () => ({ status: 413 }) });
  await world.add(small);
  await world.flush();
  assert.deepEqual(sizes(world), [2]);
});
