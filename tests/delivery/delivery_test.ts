import assert from "node:assert/strict";
import fc from "fast-check";
import type { DeliveryEvent, Window } from "../../src/delivery/delivering.ts";
import type { Checkpoint } from "../../src/delivery/checkpoint.ts";
import { Delivery, type DeliveryLimits } from "../../src/delivery/delivery.ts";
import { plainSize } from "../../src/otlp/gzip.ts";
import type { EncodedRequest } from "../../src/otlp/request.ts";
import type { Point } from "../support/decode.ts";
import {
  measurementsOf,
  MemoryStore,
  partial,
  pointsOf,
  requestOf,
  SimulatedClock,
  SimulatedReceiver,
  SPLITTABLE,
  type Step,
} from "../support/simulation.ts";

const NEVER = new AbortController().signal;
const KEEP_ALL: DeliveryLimits = { maxPendingBytes: 64e6, maxAgeMs: 3_600_000 };

interface WorldOptions {
  readonly answers?: readonly Step[] | ((attempt: number, points: readonly Point[]) => Step);
  readonly limits?: Partial<DeliveryLimits>;
  readonly store?: MemoryStore;
  /** By default as in a single run without a spool. */
  readonly whenDenied?: "wait" | "refuse";
  /** The wait is this part of the way from the shortest to the longest that is possible. */
  readonly random?: () => number;
}

/** A Delivery in simulated time; every event's ledger is checked. */
class World {
  readonly clock = new SimulatedClock();
  readonly receiver: SimulatedReceiver;
  readonly delivery: Delivery;
  readonly events: DeliveryEvent[] = [];
  #iteration = 0;
  #sends = 0;

  constructor(
    { answers = [], limits = {}, store, whenDenied = "refuse", random = () => 0.5 }: WorldOptions =
      {},
  ) {
    this.receiver = new SimulatedReceiver(this.clock, answers);
    this.delivery = new Delivery({
      post: this.receiver.post,
      hide: (text) => text,
      clock: this.clock,
      random,
      limits: { ...KEEP_ALL, ...limits },
      store,
      whenDenied,
    });
  }

  add(...requests: readonly EncodedRequest[]): Promise<void> {
    return this.addUpTo(undefined, requests);
  }

  addUpTo(
    checkpoint: Checkpoint | undefined,
    requests: readonly EncodedRequest[],
  ): Promise<void> {
    const { clock, delivery } = this;
    return this.#drain(delivery.add(requests, ++this.#iteration, clock.wall(), checkpoint));
  }

  /** Tries for `forMs` at most; a send of its own. */
  flush(forMs = 30_000, window: Partial<Window> = {}): Promise<void> {
    return this.#drain(this.delivery.flush({
      send: ++this.#sends,
      retryForMs: forMs,
      until: Infinity,
      stop: NEVER,
      abort: NEVER,
      last: false,
      ...window,
    }));
  }

  end(): Promise<void> {
    return this.#drain(this.delivery.end("the end"));
  }

  /** Lets time pass in which nothing is sent. */
  pass(ms: number): Promise<void> {
    return this.clock.run(this.clock.sleep(ms, NEVER));
  }

  of<T extends DeliveryEvent["type"]>(type: T): readonly Extract<DeliveryEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<DeliveryEvent, { type: T }> =>
      event.type === type
    );
  }

  /** When each attempt came, in ms after the first. */
  get times(): readonly number[] {
    const [first] = this.receiver.attempts;
    return this.receiver.attempts.map(({ at }) => at - (first?.at ?? 0));
  }

  async #drain(events: AsyncGenerator<DeliveryEvent, unknown>): Promise<void> {
    await this.clock.run((async () => {
      for (;;) {
        const next = await events.next();
        // Adding up a very long queue after every event would be all that its test measures.
        if (next.done || this.delivery.pending.length < 1000) assertBalanced(this.delivery);
        if (next.done) return;
        this.events.push(next.value);
      }
    })());
  }
}

function assertBalanced({ ledger }: Delivery): void {
  const { recorded, delivered, rejected, dropped, pending } = ledger;
  assert.equal(recorded, delivered + rejected + dropped + pending, JSON.stringify(ledger));
}

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

const NOON = "Sat, 31 Jan 2026 12:00:20 GMT";
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

Deno.test("flush() does not repeat a failed attempt when it is the last", async () => {
  const world = new World({ answers: [{ status: 503 }] });
  await world.add(requestOf([3]));
  await world.flush(10_000, { last: true });
  assert.equal(world.receiver.attempts.length, 1);
  assert.equal(world.delivery.ledger.pending, 3);
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
  assert.match(world.of("held")[0]?.result.message ?? "", /no time left/);
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

Deno.test("flush() is done with 20,000 pending requests in a moment when the receiver is back", async () => {
  const world = new World({ answers: () => ({ status: 503, latencyMs: 0 }) });
  const request = requestOf([1]);
  await world.add(...Array.from({ length: 20_000 }, () => request));
  const began = performance.now();
  world.receiver.answer(() => ({ latencyMs: 0 }));
  await world.flush();
  assert.equal(world.delivery.ledger.delivered, 20_000);
  assert.ok(performance.now() - began < 10_000, `${performance.now() - began} ms`);
});

/** By what marks its points (`requestOf`): how many times each request came, and in which order. */
const marks = ({ receiver }: World) =>
  receiver.attempts.map(({ points: [point] }) =>
    Number(String(point?.attributes["series"]).split("-")[0])
  );

/** Denies what has one of these marks, and takes everything else. */
const denying = (...denied: readonly number[]) => (_: number, points: readonly Point[]): Step =>
  denied.includes(Number(String(points[0]?.attributes["series"]).split("-")[0]))
    ? { status: 403 }
    : {};

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
    iteration: null,
    recordedAt: 0,
    bornAt: 0,
    stored: "batch",
    attempts: 0,
    mayHaveArrived: false,
    possiblyDuplicated: false,
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
    iteration: null,
    recordedAt: 0,
    bornAt: 0,
    stored: "batch",
    attempts: 0,
    mayHaveArrived: false,
    possiblyDuplicated: false,
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

// What follows is property-based: whatever happens, the books are right.

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ status: fc.constant(200), latencyMs: fc.integer({ min: 0, max: 900 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      status: fc.constantFrom(429, 502, 503, 504),
      headers: fc.constantFrom<Record<string, string>>(
        {},
        { "retry-after": "3" },
        { "retry-after": "40" },
        { "retry-after": "-1" },
        { "retry-after": "gibberish" },
        { "retry-after": NOON },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ status: fc.constantFrom(204, 302, 400, 401, 403, 413, 500) }),
  },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 4 }).map((n) => partial(n)) },
  {
    weight: 2,
    arbitrary: fc.record({ failure: fc.constantFrom("refused", "dns", "certificate", "tls") }),
  },
);
/** The receiver may have taken it, and nobody here knows. */
const ambiguous: fc.Arbitrary<Step> = fc.record({
  failure: fc.constantFrom("timeout", "broken"),
  took: fc.boolean(),
});

type Command =
  | { readonly type: "add"; readonly counts: readonly (readonly number[])[] }
  | {
    readonly type: "flush";
    readonly forMs: number;
    readonly untilMs: number;
    readonly last: boolean;
  }
  | { readonly type: "stop"; readonly afterMs: number; readonly abort: boolean }
  | { readonly type: "pass"; readonly ms: number }
  | { readonly type: "set clock"; readonly byMs: number }
  | { readonly type: "full"; readonly full: boolean };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("add"),
      counts: fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 }), {
        maxLength: 3,
      }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("flush"),
      forMs: fc.constantFrom(0, 1000, 30_000),
      untilMs: fc.constantFrom(500, 20_000, Infinity),
      last: fc.boolean(),
    }),
  },
  {
    arbitrary: fc.record({
      type: fc.constant("stop"),
      afterMs: fc.integer({ min: 1, max: 5000 }),
      abort: fc.boolean(),
    }),
    weight: 1,
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("pass"), ms: fc.integer({ min: 0, max: 90_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("set clock"),
      byMs: fc.integer({ min: -1e9, max: 1e9 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("full"), full: fc.boolean() }) },
);

interface Story {
  readonly commands: readonly Command[];
  readonly steps: readonly Step[];
  readonly jitter: number;
  readonly spool: boolean;
  readonly whenDenied: "wait" | "refuse";
  /** Of each data point: so large that requests are split. */
  readonly padding: number;
  readonly maxPendingBytes: number;
  readonly maxAgeMs: number;
}

function story(steps: fc.Arbitrary<Step>): fc.Arbitrary<Story> {
  return fc.record({
    commands: fc.array(command, { minLength: 1, maxLength: 20 }),
    steps: fc.array(steps, { maxLength: 60 }),
    jitter: fc.double({ min: 0, max: 0.99, noNaN: true }),
    spool: fc.boolean(),
    whenDenied: fc.constantFrom("wait", "refuse"),
    padding: fc.constantFrom(0, 0, 0, SPLITTABLE),
    maxPendingBytes: fc.constantFrom(150, 1000, 300_000, 64e6, 64e6),
    maxAgeMs: fc.constantFrom(60_000, 3_600_000),
  });
}

async function play(
  { commands, steps, jitter, spool, whenDenied, padding, maxPendingBytes, maxAgeMs }: Story,
) {
  const store = spool ? new MemoryStore() : undefined;
  const world = new World({
    answers: steps,
    limits: { maxPendingBytes, maxAgeMs },
    ...store && { store },
    whenDenied,
    random: () => jitter,
  });
  let stop = new AbortController();
  let abort = new AbortController();
  let mark = 0;
  for (const command of commands) {
    switch (command.type) {
      case "add":
        await world.add(...command.counts.map((counts) => requestOf(counts, ++mark, padding)));
        break;
      case "flush":
        await world.flush(command.forMs, {
          until: world.clock.monotonic() + command.untilMs,
          last: command.last,
          stop: stop.signal,
          abort: abort.signal,
        });
        [stop, abort] = [new AbortController(), new AbortController()];
        break;
      case "stop": {
        const [stopping, aborting] = [stop, abort];
        world.clock.after(command.afterMs, () => {
          stopping.abort();
          if (command.abort) aborting.abort();
        });
        break;
      }
      case "pass":
        await world.pass(command.ms);
        break;
      case "set clock":
        world.clock.setWall(command.byMs);
        break;
      case "full":
        if (store) store.full = command.full;
    }
    if (store) assertKept(world.delivery, store);
  }
  await world.end();
  if (store) assertKept(world.delivery, store);
  return world;
}

/** The store holds what is pending and named there, and nothing else. */
function assertKept({ pending }: Delivery, store: MemoryStore): void {
  const named = new Set(pending.flatMap(({ stored }) => stored === undefined ? [] : [stored]));
  assert.deepEqual(new Set(store.files.keys()), named);
}

/** Measurements of points that came to the receiver in a request that it took but in which it rejected every point. */
function rejectedWhole(world: World): number {
  return world.of("settled").filter(({ result }) =>
    result.outcome === "rejected" && /^2/.test(String(result.status))
  )
    .reduce((sum, { pending }) => sum + pending.request.measurements, 0);
}

const SEED = 20260131;

Deno.test("the ledger equals what the receiver took when no failure is ambiguous", async () => {
  await fc.assert(
    fc.asyncProperty(story(step), async (told) => {
      const world = await play(told);
      const interrupted = world.of("attempt").some(({ pending }) => pending.mayHaveArrived);
      const took = world.receiver.took - rejectedWhole(world);
      const { delivered } = world.delivery.ledger;
      if (interrupted) assert.ok(took >= delivered, `${took} taken, ${delivered} delivered`);
      else assert.equal(delivered, took);
    }),
    { seed: SEED, numRuns: 400 },
  );
});

Deno.test("the receiver took at least what the ledger says when failures are ambiguous", async () => {
  await fc.assert(
    fc.asyncProperty(story(fc.oneof(step, ambiguous)), async (told) => {
      const world = await play(told);
      const took = world.receiver.took - rejectedWhole(world);
      const { delivered } = world.delivery.ledger;
      assert.ok(took >= delivered, `${took} taken, ${delivered} delivered`);
      // What was taken twice was said to be possibly duplicated.
      const said = world.of("attempt").some(({ pending }) => pending.possiblyDuplicated);
      const keys = world.receiver.takenPoints.map(({ attributes }) => attributes["series"]);
      if (!said) assert.equal(new Set(keys).size, keys.length, "taken twice, and nobody said so");
    }),
    { seed: SEED + 1, numRuns: 400 },
  );
});

Deno.test("what is pending in the end is in the store when there is one, and dropped when not", async () => {
  await fc.assert(
    fc.asyncProperty(story(fc.oneof(step, ambiguous)), async (told) => {
      const world = await play(told);
      if (!told.spool) assert.equal(world.delivery.ledger.pending, 0);
      assert.ok(world.delivery.pending.every(({ stored }) => stored !== undefined));
    }),
    { seed: SEED + 2, numRuns: 200 },
  );
});
