import assert from "node:assert/strict";
import { denying, World } from "../support/delivery_world.ts";
import { MemoryStore, requestOf, SPLITTABLE, UNTRIED } from "../support/simulation.ts";

Deno.test("end() writes again what was removed from the store, and says so", async () => {
  const store = new MemoryStore();
  const world = new World({ answers: () => ({ status: 503 }), store });
  await world.add(requestOf([5], 1), requestOf([2], 2));
  await world.flush(0);
  const [first] = store.files.keys();
  store.remove(first);
  await world.end();
  assert.equal(world.delivery.ledger.pending, 7);
  assert.equal(store.files.size, 2);
  assert.match(
    world.of("warning")[0]?.message ?? "",
    /^1 request was removed.*written there again$/,
  );
});

Deno.test("end() drops what was removed from the store and cannot be written again, and says so", async () => {
  const store = new MemoryStore();
  const world = new World({ answers: () => ({ status: 503 }), store });
  await world.add(requestOf([5], 1), requestOf([2], 2));
  await world.flush(0);
  const [first] = store.files.keys();
  store.remove(first);
  store.full = true;
  await world.end();
  const { pending, dropped } = world.delivery.ledger;
  assert.deepEqual({ pending, dropped }, { pending: 2, dropped: 5 });
  assert.equal(world.of("dropped").length, 1);
  assert.match(world.of("warning").at(-1)?.message ?? "", /not all could be written there again$/);
});

Deno.test("end() drops what no store keeps, and says so", async () => {
  const world = new World({ answers: () => ({ status: 503 }) });
  await world.add(requestOf([1], 1), requestOf([2], 2));
  await world.flush(0);
  await world.end();
  assert.deepEqual(world.of("dropped").map(({ reason }) => reason), ["the end", "the end"]);
  assert.equal(world.delivery.ledger.dropped, 3);
});

Deno.test("end() leaves what the store keeps pending, and marks what cannot have arrived", async () => {
  const store = new MemoryStore();
  const world = new World({ store, answers: [{ failure: "timeout" }] });
  await world.add(requestOf([1], 1), requestOf([2], 2));
  await world.flush(0);
  await world.end();
  assert.equal(world.delivery.ledger.pending, 3);
  assert.deepEqual([...store.files.keys()], ["file-0", "file-1"]);
  assert.deepEqual([...store.unsent], ["file-1"]);
});

Deno.test("end() keeps in the store what had no room before when there is room now", async () => {
  const store = new MemoryStore();
  store.full = true;
  const world = new World({ store, answers: () => ({ status: 503 }) });
  await world.add(requestOf([7]));
  await world.flush(0);
  store.full = false;
  await world.end();
  assert.equal(world.delivery.ledger.pending, 7);
  assert.equal(store.files.size, 1);
});

Deno.test("end() leaves requests to their checkpoint that could not be kept with it", async () => {
  for (const checkpoint of [undefined, { id: "/log", value: 1 }]) {
    const store = new MemoryStore();
    const world = new World({ store, answers: () => ({ status: 401 }), whenDenied: "wait" });
    store.full = true;
    await world.addUpTo(checkpoint, [requestOf([5])]);
    assert.deepEqual(world.of("warning"), [{ type: "warning", message: "full" }]);
    store.full = false;
    await world.end();
    // Kept without its checkpoint, it would be sent, and its lines read once more.
    const [kept, lost] = checkpoint === undefined ? [5, 0] : [0, 5];
    assert.equal(store.files.size, kept === 0 ? 0 : 1);
    const { pending, dropped } = world.delivery.ledger;
    assert.deepEqual([pending, dropped], [kept, lost]);
  }
});

Deno.test("flush() forgets requests that were stored together only when the last of them is settled", async () => {
  const store = new MemoryStore();
  const world = new World({ store, answers: denying(1), whenDenied: "wait" });
  // Others wait in front of them, more than a request has halves.
  await world.add(...Array.from({ length: 70 }, (_, i) => requestOf([1], 100 + i)));
  const left = [1, 2, 3].map((mark) => ({
    request: requestOf([1], mark),
    ...UNTRIED,
    stored: "batch",
  }));
  const [first] = left;
  assert.ok(first !== undefined);
  store.files.set("batch", first);
  world.delivery.adopt(left);
  world.receiver.answer((_, points) =>
    points[0]?.attributes["series"] === "3-0" ? {} : { status: 401 }
  );
  await world.flush(30_000, { until: world.clock.monotonic() + 3 });
  assert.ok(store.files.has("batch"), "two of three are pending");
  world.receiver.answer(denying(1));
  await world.flush();
  assert.ok(store.files.has("batch"), "one is pending");
  await world.flush();
  assert.equal(world.delivery.ledger.rejected, 1);
  assert.equal(store.files.size, 0);
});

Deno.test("flush() keeps the file of requests that were stored together when it splits one of them", async () => {
  const store = new MemoryStore();
  const world = new World({ store });
  const left = [1, 2].map((mark) => ({
    request: requestOf([1, 2], mark, SPLITTABLE),
    ...UNTRIED,
    stored: "batch",
  }));
  const [first] = left;
  assert.ok(first !== undefined);
  store.files.set("batch", first);
  world.delivery.adopt(left);
  world.receiver.answer((n) => n === 0 ? { status: 413 } : { status: 503 });
  await world.flush(0);
  assert.deepEqual([...store.files.keys()], ["batch"]);
  world.receiver.answer(() => ({}));
  await world.flush();
  assert.equal(world.delivery.ledger.delivered, 6);
  assert.equal(store.files.size, 0);
});
