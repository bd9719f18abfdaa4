import assert from "node:assert/strict";
import { NOON, World } from "../support/delivery_world.ts";
import { requestOf } from "../support/simulation.ts";

for (
  const { name, header, leastMs, mostMs } of [
    { name: "seconds", header: "7", leastMs: 7000, mostMs: 7002 },
    { name: "fractional seconds", header: "1.5", leastMs: 1500, mostMs: 1502 },
    { name: "an HTTP date", header: NOON, leastMs: 19_000, mostMs: 20_000 },
    { name: "nonsense", header: "soon", leastMs: 0, mostMs: 500 },
    { name: "negative", header: "-5", leastMs: 0, mostMs: 500 },
    { name: "zero", header: "0", leastMs: 0, mostMs: 500 },
    {
      name: "a date in the past",
      header: "Sat, 31 Jan 2015 12:00:20 GMT",
      leastMs: 0,
      mostMs: 500,
    },
  ]
) {
  Deno.test(`flush() waits as a minimum for a Retry-After when it is ${name}`, async () => {
    for (const status of [429, 502, 503, 504]) {
      const world = new World({
        answers: [{ status, headers: { "retry-after": header } }],
        random: () => 0.3,
      });
      await world.add(requestOf([1]));
      await world.flush();
      const [, second = NaN] = world.times;
      assert.ok(second >= leastMs && second <= mostMs, `${status}: again after ${second} ms`);
    }
  });
}

Deno.test("flush() obeys a Retry-After for every request when others are pending", async () => {
  const world = new World({
    answers: [{ status: 429, headers: { "retry-after": "20" } }],
    random: () => 0,
  });
  await world.add(requestOf([1], 1));
  await world.flush(5_000);
  await world.add(requestOf([1], 2));
  await world.flush(5_000);
  assert.equal(world.receiver.attempts.length, 1, "another request went out before its time");
  assert.match(world.of("held").at(-1)?.result.message ?? "", /another 20 s \(Retry-After\)/);
  await world.flush(30_000);
  assert.deepEqual(world.times.map((at) => Math.round(at / 100) / 10), [0, 20, 20]);
  assert.equal(world.delivery.ledger.delivered, 2);
});

Deno.test("flush() never retries before Retry-After, however long it is", async () => {
  const world = new World({
    answers: [{ status: 429, headers: { "retry-after": "7200" } }],
    limits: { maxAgeMs: 1e9 },
  });
  await world.add(requestOf([1]));
  await world.flush();
  await world.pass(7_190_000);
  await world.flush();
  assert.deepEqual(world.times.map(Math.round), [0, 7_200_001]);
  assert.equal(world.delivery.ledger.delivered, 1);
});

Deno.test("flush() waits for a Retry-After in the last window, too, though it is stopped", async () => {
  const world = new World({ answers: [{ status: 429, headers: { "retry-after": "3" } }] });
  await world.add(requestOf([5]));
  await world.flush(0);
  const stop = AbortSignal.abort();
  const until = world.clock.monotonic() + 6000;
  await world.flush(6000, { last: true, stop, until });
  assert.deepEqual(world.times.map(Math.round), [0, 3001]);
  assert.equal(world.delivery.ledger.delivered, 5);
});

for (
  const { name, forMs, retryAfter, message } of [
    {
      name: "is longer than --retry-for",
      forMs: 30_000,
      retryAfter: "60",
      message: "503 Service Unavailable; Retry-After is 60 s, longer than --retry-for (30 s)",
    },
    {
      name: "is longer than a fraction of a second",
      forMs: 500,
      retryAfter: "0.7",
      message: "503 Service Unavailable; Retry-After is 1 s, longer than --retry-for (0.5 s)",
    },
  ]
) {
  Deno.test(`flush() says that a Retry-After ${name}`, async () => {
    const world = new World({
      answers: [{ status: 503, headers: { "retry-after": retryAfter } }],
    });
    await world.add(requestOf([1]));
    await world.flush(forMs);
    assert.equal(world.of("held")[0]?.result.message, message);
    await world.flush(forMs);
    assert.equal(world.receiver.attempts.length, 1);
    assert.match(
      world.of("held")[1]?.result.message ?? "",
      /another \d+ s \(Retry-After\); Retry-After is \d+ s, longer than --retry-for \(/,
    );
  });
}

Deno.test("flush() names --retry-for only when it is what a Retry-After exceeds", async () => {
  const world = new World({ answers: () => ({ status: 503, headers: { "retry-after": "20" } }) });
  await world.add(requestOf([1]));
  await world.flush(30_000, { until: world.clock.monotonic() + 5_000 });
  assert.equal(world.of("held")[0]?.result.message, "503 Service Unavailable");
  await world.pass(60_000);
  await world.flush(6_000, { last: true });
  assert.equal(world.of("held")[1]?.result.message, "503 Service Unavailable");
});
