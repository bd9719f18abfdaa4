import assert from "node:assert/strict";
import fc from "fast-check";
import { Delivery } from "../../src/delivery/delivery.ts";
import { Lanes } from "../../src/delivery/lanes.ts";
import { plainSize } from "../../src/otlp/gzip.ts";
import type { EncodedRequest } from "../../src/otlp/request.ts";
import type { Point } from "../support/decode.ts";
import { DeliveringWorld, type WorldOptions } from "../support/delivery_world.ts";
import { MemoryStore, requestOf, SPLITTABLE, type Step, UNTRIED } from "../support/simulation.ts";

/** Lanes in simulated time. */
class World extends DeliveringWorld<Lanes> {
  constructor(count: number, options: WorldOptions = {}) {
    super(
      (dependencies) =>
        new Lanes(
          Array.from(
            { length: count },
            () => (shared) => new Delivery({ ...dependencies, shared }),
          ),
        ),
      options,
    );
  }

  override flush(forMs = 30_000): Promise<void> {
    return super.flush(forMs, { until: this.now + forMs });
  }

  get now(): number {
    return this.clock.monotonic();
  }
}

function inLane(lane: number, mark = lane): EncodedRequest {
  return { ...requestOf([1], mark + 1), lane };
}

Deno.test("Lanes have a request each under way at the same time", async () => {
  const world = new World(4, { answers: () => ({ latencyMs: 1000 }) });
  const began = world.now;
  await world.add(...[0, 1, 2, 3].map((lane) => inLane(lane)));
  await world.flush();
  assert.equal(world.now - began, 1000);
  assert.equal(world.delivery.ledger.delivered, 4);
  assert.equal(world.receiver.took, 4);
});

Deno.test("Lanes send what belongs to one lane one after the other, in its order", async () => {
  const world = new World(2, { answers: () => ({ latencyMs: 1000 }) });
  const began = world.now;
  await world.add(inLane(1, 1), inLane(1, 2), inLane(1, 3));
  await world.flush();
  assert.deepEqual(world.receiver.attempts.map(({ at }) => at - began), [0, 1000, 2000]);
  assert.deepEqual(
    world.receiver.attempts.map(({ points }) => points[0]?.attributes["series"]),
    ["2-0", "3-0", "4-0"],
  );
});

Deno.test("Lanes obey the Retry-After that one of them was told", async () => {
  const world = new World(2, {
    answers: (attempt) =>
      attempt === 0
        ? { status: 429, headers: { "retry-after": "20" } }
        : { latencyMs: attempt === 1 ? 5 : 1 },
  });
  const began = world.now;
  await world.add(inLane(0), inLane(1), inLane(1));
  await world.flush();
  const late = world.receiver.attempts.slice(2).map(({ at }) => at - began);
  assert.ok(late.length === 2 && late.every((at) => at >= 20_000), late.join());
  assert.equal(world.delivery.ledger.delivered, 3);
});

Deno.test("Lanes keep to --max-pending-mb together, and the newest of each lane", async () => {
  const size = inLane(0).body.length;
  const world = new World(3, {
    answers: () => ({ failure: "refused" }),
    limits: { maxPendingBytes: size * 6 },
  });
  for (let send = 0; send < 5; send++) {
    await world.add(...[0, 1, 2].map((lane) => inLane(lane, send)));
    await world.flush(10);
    assert.ok(
      world.delivery.pendingBytes <= size * 6,
      `${world.delivery.pendingBytes / size} requests`,
    );
  }
  assert.deepEqual(world.delivery.pending.map(({ iteration }) => iteration), [4, 5, 4, 5, 4, 5]);
  assert.equal(world.events.filter(({ type }) => type === "dropped").length, 9);
});

Deno.test("Lanes share one store, where every name is another", async () => {
  const store = new MemoryStore();
  const world = new World(3, { answers: () => ({ failure: "refused" }), store });
  await world.add(...[0, 1, 2, 0, 1].map((lane) => inLane(lane)));
  await world.flush(10);
  await world.end();
  assert.equal(store.files.size, 5);
  const next = new World(2, { store });
  next.delivery.adopt([...store.files].map(([name, pending]) => ({ ...pending, stored: name })));
  assert.equal(next.delivery.ledger.recorded, 5);
  await next.flush();
  assert.equal(next.receiver.took, 5);
  assert.equal(store.files.size, 0);
});

const markOf = (points: readonly Point[]) =>
  Number.parseInt(String(points[0]?.attributes["series"]));

Deno.test("Lanes lose nothing when the token is wrong for some sends", async () => {
  const world = new World(3, { answers: () => ({ status: 401 }), whenDenied: "wait" });
  for (let send = 0; send < 4; send++) {
    await world.add(...[0, 1, 2].map((lane) => inLane(lane, 3 * send + lane)));
    await world.flush();
    assert.ok(world.receiver.attempts.length <= 6 * (send + 1), "two per lane and send");
  }
  world.receiver.answer(() => ({}));
  await world.flush();
  assert.equal(world.delivery.ledger.delivered, 12);
});

Deno.test("Lanes learn from each other that a request is denied for its own sake", async () => {
  // The second lane has nothing but this request.
  const world = new World(2, {
    answers: (_, points) => markOf(points) === 100 ? { status: 403 } : {},
    whenDenied: "wait",
  });
  await world.add(inLane(0, 1), inLane(1, 99));
  await world.flush();
  assert.equal(world.delivery.ledger.pending, 1);
  await world.add(inLane(0, 2));
  await world.flush();
  const { delivered, rejected } = world.delivery.ledger;
  assert.deepEqual({ delivered, rejected }, { delivered: 2, rejected: 1 });
});

Deno.test("Lanes know together which size the receiver takes", async () => {
  const request = { ...requestOf([1, 1, 1, 1], 1, SPLITTABLE), lane: 0 };
  const world = new World(2, {
    answers: (_, points) => points.length > 2 ? { status: 413 } : {},
  });
  await world.add(request);
  await world.flush();
  assert.equal(world.delivery.largestRequest, plainSize(requestOf([1, 1], 1, SPLITTABLE)));
  await world.add({ ...request, lane: 1 });
  await world.flush();
  assert.deepEqual(world.receiver.attempts.map(({ points }) => points.length), [4, 2, 2, 2, 2]);
});

Deno.test("Lanes take over through one lane what shares a name in the store", async () => {
  const store = new MemoryStore();
  const world = new World(2, { store, answers: (n) => n < 1 ? {} : { failure: "refused" } });
  const left = [1, 2, 3].map((mark) => ({
    request: requestOf([1], mark),
    ...UNTRIED,
    stored: "batch",
  }));
  const [first] = left;
  assert.ok(first !== undefined);
  store.files.set("batch", first);
  world.delivery.adopt(left);
  await world.flush(10);
  assert.equal(world.delivery.ledger.delivered, 1);
  assert.ok(store.files.has("batch"));
});

const answer: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ latencyMs: fc.integer({ min: 0, max: 12_000 }) }) },
  { weight: 2, arbitrary: fc.record({ status: fc.constantFrom(429, 503, 400, 401, 403) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ failure: "refused" }) },
);

Deno.test("Lanes have the ledger right whatever the receiver answers", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 6 }), { maxLength: 6 }),
      fc.array(answer, { maxLength: 30 }),
      fc.constantFrom(300, 2000, 64e6),
      fc.constantFrom("wait", "refuse"),
      async (count, sends, answers, maxPendingBytes, whenDenied) => {
        const world = new World(count, {
          answers: (n) => answers[n] ?? {},
          limits: { maxPendingBytes },
          whenDenied,
        });
        for (const lanes of sends) {
          await world.add(...lanes.map((lane) => inLane(lane)));
          await world.flush(5000);
        }
        await world.end();
        const { recorded, delivered, pending } = world.delivery.ledger;
        assert.equal(recorded, sends.flat().length);
        assert.equal(pending, 0);
        assert.ok(world.receiver.took >= delivered);
      },
    ),
    { numRuns: 100 },
  );
});
