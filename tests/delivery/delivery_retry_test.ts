import assert from "node:assert/strict";
import { World } from "../support/delivery_world.ts";
import { requestOf } from "../support/simulation.ts";

Deno.test("flush() sends the same bytes again when it tries again", async () => {
  const world = new World({ answers: [{ status: 503 }, { failure: "refused" }, {}] });
  await world.add(requestOf([5]));
  await world.flush();
  const [first, ...others] = world.receiver.attempts;
  assert.equal(others.length, 2);
  for (const { body } of others) assert.equal(body, first?.body);
  assert.equal(world.delivery.ledger.delivered, 5);
});

Deno.test("flush() waits twice as long each time, up to 5 s, when attempts fail", async () => {
  const world = new World({ answers: () => ({ status: 503, latencyMs: 0 }), random: () => 0.999 });
  await world.add(requestOf([1]));
  await world.flush(60_000);
  const waits = world.of("retry").map(({ inMs }) => Math.round(inMs));
  assert.deepEqual(waits.slice(0, 6), [500, 1000, 1999, 3998, 4999, 4999]);
  assert.ok(world.times.every((at) => at < 60_000), `tried at ${world.times}`);
  assert.ok((world.times.at(-1) ?? 0) > 50_000, `gave up after ${world.times}`);
});

Deno.test("flush() waits anywhere between the shortest and the longest wait when the jitter says so", async () => {
  const jitter = [0, 0.25, 0.9];
  let drawn = 0;
  const world = new World({
    answers: [503, 503, 503].map((status) => ({ status })),
    random: () => jitter[drawn++] ?? 0,
  });
  await world.add(requestOf([1]));
  await world.flush();
  assert.deepEqual(world.of("retry").map(({ inMs }) => inMs), [250, 625, 1900]);
});

Deno.test("flush() keeps what is not delivered when the time to try is up", async () => {
  const world = new World({ answers: () => ({ status: 503 }) });
  await world.add(requestOf([1, 1]));
  await world.flush(10_000);
  assert.equal(world.delivery.ledger.pending, 2);
  assert.equal(world.of("held").length, 1);
  const before = world.receiver.attempts.length;
  world.receiver.answer(() => ({}));
  await world.flush(10_000);
  assert.equal(world.receiver.attempts.length, before + 1);
  assert.equal(world.delivery.ledger.delivered, 2);
});

Deno.test("flush() tries once when there is no time to try again", async () => {
  const world = new World({ answers: () => ({ status: 503 }) });
  await world.add(requestOf([1]));
  await world.flush(0);
  assert.equal(world.receiver.attempts.length, 1);
  assert.equal(world.delivery.ledger.pending, 1);
});

for (
  const { name, step } of [
    { name: "the certificate is wrong", step: { failure: "certificate" as const } },
    { name: "the receiver's name does not exist", step: { failure: "dns" as const } },
    {
      name: "the proxy wants a password (fetch)",
      step: { failure: "proxy" as const, message: "proxy authentication required" },
    },
    {
      name: "the proxy wants a password (node:https)",
      step: { failure: "proxy" as const, message: "tunnel error: the proxy answered 407" },
    },
  ]
) {
  Deno.test(`flush() tries once and keeps it when ${name}`, async () => {
    const world = new World({ answers: () => step });
    await world.add(requestOf([5]));
    await world.flush();
    assert.equal(world.receiver.attempts.length, 1);
    assert.equal(world.delivery.ledger.pending, 5);
    world.receiver.answer(() => ({}));
    await world.flush();
    assert.equal(world.delivery.ledger.delivered, 5);
  });
}

Deno.test("flush() tries again when a name that was known is not", async () => {
  for (const first of [{}, { status: 400 }, { failure: "refused" as const }]) {
    const world = new World({ answers: [first] });
    await world.add(requestOf([1], 1));
    await world.flush();
    world.receiver.answer((n) => n < 4 ? { failure: "dns" } : {});
    await world.add(requestOf([5], 2));
    await world.flush();
    assert.equal(world.delivery.ledger.pending, 0);
  }
});

Deno.test("flush() tries again when the resolver does not answer for now", async () => {
  const message = "getaddrinfo EAI_AGAIN collector";
  const world = new World({ answers: [{ failure: "dns", message }] });
  await world.add(requestOf([5]));
  await world.flush();
  assert.equal(world.delivery.ledger.delivered, 5);
});

Deno.test("flush() begins with the shortest wait again when something was delivered in between", async () => {
  const answers = [503, 503, 503, 200, 503].map((status) => ({ status }));
  const world = new World({ answers, random: () => 0 });
  await world.add(requestOf([1], 1), requestOf([1], 2));
  await world.flush();
  assert.deepEqual(world.of("retry").map(({ inMs }) => inMs), [250, 500, 1000, 250]);
});

Deno.test("flush() does not repeat a failed attempt when it is the last", async () => {
  const world = new World({ answers: [{ status: 503 }] });
  await world.add(requestOf([3]));
  await world.flush(10_000, { last: true });
  assert.equal(world.receiver.attempts.length, 1);
  assert.equal(world.delivery.ledger.pending, 3);
});

Deno.test("flush() neither drops nor waits wrongly when the wall clock is set", async () => {
  for (const byMs of [-86_400_000, 86_400_000]) {
    const world = new World({ answers: [{ status: 503 }, { status: 503 }] });
    await world.add(requestOf([1], 1));
    world.clock.after(100, () => world.clock.setWall(byMs));
    await world.flush();
    await world.add(requestOf([1], 2));
    await world.flush();
    assert.equal(world.delivery.ledger.delivered, 2);
    assert.ok((world.times.at(-1) ?? Infinity) < 5_000, `it took ${world.times}`);
  }
});

Deno.test("flush() stops waiting at once when it is stopped, and keeps everything", async () => {
  const world = new World({
    answers: [{ status: 429, headers: { "retry-after": "25" } }],
  });
  const stop = new AbortController();
  await world.add(requestOf([3]));
  const began = world.clock.monotonic();
  world.clock.after(2000, () => stop.abort());
  await world.flush(30_000, { stop: stop.signal });
  assert.equal(world.clock.monotonic() - began, 2000);
  assert.equal(world.delivery.ledger.pending, 3);
});

Deno.test("flush() tries what is left once more when it is the last", async () => {
  const world = new World({ answers: () => ({ status: 503 }) });
  const stop = new AbortController();
  stop.abort();
  await world.add(requestOf([3], 1), requestOf([4], 2));
  await world.flush(10_000, { stop: stop.signal, last: true });
  assert.equal(world.receiver.attempts.length, 1, "a receiver that is down is not asked twice");
  world.receiver.answer(() => ({}));
  await world.flush(10_000, { stop: stop.signal, last: true });
  assert.equal(world.delivery.ledger.delivered, 7);
});

Deno.test("flush() says that there was no time when it is due to end between two requests", async () => {
  const world = new World({ answers: () => ({ latencyMs: 600 }) });
  await world.add(requestOf([1], 1), requestOf([1], 2), requestOf([1], 3));
  await world.flush(30_000, { until: world.clock.monotonic() + 1000 });
  assert.equal(world.delivery.ledger.delivered, 2);
  assert.match(world.of("held")[0]?.result.message ?? "", /no time was left/);
});
