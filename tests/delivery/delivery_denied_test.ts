import assert from "node:assert/strict";
import { denying, World } from "../support/delivery_world.ts";
import { MemoryStore, requestOf, type Step } from "../support/simulation.ts";

/** By what marks its points (`requestOf`): how many times each request came, and in which order. */
const marks = ({ receiver }: World) =>
  receiver.attempts.map(({ points: [point] }) =>
    Number(String(point?.attributes["series"]).split("-")[0])
  );

const DENIALS: readonly (readonly [string, Step])[] = [
  ["401", { status: 401 }],
  ["403", { status: 403 }],
  ["a sign-in page", {
    headers: { "content-type": "text/html" },
    body: new TextEncoder().encode("<title>Sign in</title>"),
    took: false,
  }],
];

for (const [what, denied] of DENIALS) {
  Deno.test(`flush() keeps what is answered with ${what}, and tries it once per send`, async () => {
    const world = new World({ answers: () => denied, whenDenied: "wait" });
    await world.add(requestOf([5]));
    await world.flush();
    assert.equal(world.receiver.attempts.length, 1);
    assert.equal(world.delivery.ledger.pending, 5);
    assert.equal(world.of("attempt")[0]?.result.outcome, "failed");
    assert.match(world.of("denied")[0]?.result.message ?? "", /^(401 |403 |200, but .*Sign in)/);
    await world.flush();
    assert.equal(world.receiver.attempts.length, 2);
    world.receiver.answer(() => ({}));
    await world.flush();
    assert.equal(world.delivery.ledger.delivered, 5);
    assert.equal(world.of("settled")[0]?.pending.possiblyDuplicated, false);
  });

  Deno.test(`flush() rejects what is answered with ${what} when nothing is to wait`, async () => {
    const world = new World({ answers: [denied] });
    await world.add(requestOf([5], 1), requestOf([2], 2));
    await world.flush();
    const { rejected, delivered } = world.delivery.ledger;
    assert.deepEqual({ rejected, delivered }, { rejected: 5, delivered: 2 });
    assert.equal(world.of("denied").length, 0);
  });
}

Deno.test("flush() does not try what was denied again in other windows of the same send", async () => {
  const world = new World({ answers: [{ status: 401 }], whenDenied: "wait" });
  await world.add(requestOf([1], 1));
  await world.flush(30_000, { send: 1 });
  await world.add(requestOf([1], 2));
  await world.flush(30_000, { send: 1 });
  assert.deepEqual(marks(world), [1, 2]);
  await world.flush(30_000, { send: 2 });
  assert.deepEqual(marks(world), [1, 2, 1]);
  assert.equal(world.delivery.ledger.delivered, 2);
});

Deno.test("flush() tries one more request, the newest, when the oldest was denied", async () => {
  const world = new World({ answers: () => ({ status: 401 }), whenDenied: "wait" });
  await world.add(...[1, 2, 3, 4].map((mark) => requestOf([mark], mark)));
  await world.flush();
  assert.deepEqual(marks(world), [1, 4]);
  assert.equal(world.of("held").length, 1);
  assert.equal(world.delivery.ledger.pending, 10);
});

Deno.test("flush() loses nothing, and delivers in order, when the token is right again", async () => {
  const world = new World({ answers: () => ({ status: 401 }), whenDenied: "wait" });
  for (const mark of [1, 2, 3, 4, 5]) {
    await world.add(requestOf([mark], mark));
    await world.flush();
  }
  assert.deepEqual(marks(world), [1, 1, 2, 1, 3, 1, 4, 1, 5]);
  const before = world.receiver.attempts.length;
  world.receiver.answer(() => ({}));
  await world.flush();
  assert.deepEqual(marks(world).slice(before), [1, 2, 3, 4, 5]);
  assert.equal(world.delivery.ledger.delivered, 15);
});

Deno.test("flush() delivers what is behind a request that is always denied, and rejects that in the next send", async () => {
  const world = new World({ answers: denying(1), whenDenied: "wait" });
  await world.add(...[1, 2, 3, 4].map((mark) => requestOf([mark], mark)));
  await world.flush();
  assert.deepEqual(marks(world), [1, 4, 2, 3]);
  assert.equal(world.delivery.ledger.delivered, 9);
  assert.equal(world.delivery.ledger.pending, 1);
  assert.equal(world.of("held").length, 0);
  await world.flush();
  assert.deepEqual(marks(world), [1, 4, 2, 3, 1]);
  assert.equal(world.delivery.ledger.rejected, 1);
  assert.equal(world.of("settled").at(-1)?.result.outcome, "rejected");
});

Deno.test("flush() delivers in the end what is not denied, however many are", async () => {
  const world = new World({ answers: denying(1, 2, 3, 5, 6), whenDenied: "wait" });
  await world.add(...[1, 2, 3, 4, 5, 6].map((mark) => requestOf([1], mark)));
  for (let send = 7; send < 13; send++) {
    await world.add(requestOf([1], send));
    await world.flush();
  }
  assert.deepEqual(world.delivery.ledger, {
    recorded: 12,
    delivered: 7,
    rejected: 5,
    dropped: 0,
    pending: 0,
  });
});

Deno.test("flush() finds the request that is not denied though no new one comes", async () => {
  const world = new World({ answers: denying(1, 2, 3, 5, 6), whenDenied: "wait" });
  await world.add(...[1, 2, 3, 4, 5, 6].map((mark) => requestOf([1], mark)));
  for (let send = 0; send < 6; send++) await world.flush();
  assert.equal(world.delivery.ledger.delivered, 1);
});

Deno.test("flush() rejects one request, not the queue, when the token is revoked after another was accepted", async () => {
  const world = new World({ answers: () => ({ status: 401 }), whenDenied: "wait" });
  for (const mark of [1, 2, 3, 4, 5]) {
    await world.add(requestOf([1], mark));
    await world.flush();
  }
  // The token is right for one request.
  const taken = world.receiver.attempts.length;
  world.receiver.answer((n) => n === taken ? {} : { status: 401 });
  for (let send = 0; send < 10; send++) await world.flush();
  const { delivered, rejected, pending } = world.delivery.ledger;
  assert.deepEqual({ delivered, rejected, pending }, { delivered: 1, rejected: 1, pending: 3 });
  world.receiver.answer(() => ({}));
  await world.flush();
  assert.equal(world.delivery.ledger.delivered, 4);
});

Deno.test("flush() retries what is tried in place of a denied request as any other", async () => {
  const world = new World({
    answers: [{ status: 401 }, { status: 503 }, {}],
    whenDenied: "wait",
  });
  await world.add(requestOf([1], 1), requestOf([1], 2), requestOf([1], 3));
  await world.flush();
  assert.deepEqual(marks(world), [1, 3, 3, 2]);
  assert.equal(world.delivery.ledger.delivered, 2);
});

Deno.test("flush() drops what is denied at --max-age and --max-pending-mb, as anything else", async () => {
  const size = requestOf([1], 1).body.length;
  const world = new World({
    answers: () => ({ status: 401 }),
    limits: { maxPendingBytes: size * 2.5, maxAgeMs: 60_000 },
    whenDenied: "wait",
  });
  for (const mark of [1, 2, 3]) {
    await world.add(requestOf([1], mark));
    await world.flush();
  }
  assert.match(world.of("dropped")[0]?.reason ?? "", /--max-pending-mb/);
  await world.pass(61_000);
  await world.flush();
  assert.deepEqual(world.delivery.ledger, {
    recorded: 3,
    delivered: 0,
    rejected: 0,
    dropped: 3,
    pending: 0,
  });
});

Deno.test("flush() tries what was denied once more in the last window, and what is behind it", async () => {
  const world = new World({ answers: denying(1), whenDenied: "wait" });
  await world.add(requestOf([1], 1));
  await world.flush();
  await world.add(requestOf([1], 2));
  const until = world.clock.monotonic() + 6000;
  await world.flush(6000, { last: true, stop: AbortSignal.abort(), until });
  assert.deepEqual(marks(world), [1, 1, 2]);
  assert.equal(world.delivery.ledger.delivered, 1);
  assert.equal(world.delivery.ledger.pending, 1);
});

Deno.test("end() leaves what was denied in the store, marked as not sent", async () => {
  const store = new MemoryStore();
  const world = new World({ store, answers: () => ({ status: 401 }), whenDenied: "wait" });
  await world.add(requestOf([5]));
  await world.flush();
  await world.end();
  assert.equal(world.delivery.ledger.pending, 5);
  assert.deepEqual([...store.unsent], ["file-0"]);
});
