import assert from "node:assert/strict";
import fc from "fast-check";
import type { MetricConfig } from "../../../src/aggregate/metric_config.ts";
import type { ScheduleConfig } from "../../../src/settings/schedule_config.ts";
import type { Pending } from "../../../src/delivery/delivering.ts";
import { Delivery, type DeliveryLimits } from "../../../src/delivery/delivery.ts";
import type { Attributes } from "../../../src/aggregate/measurement.ts";
import { batchSource, emptySource, NO_INPUT, type Source } from "../../../src/source/source.ts";
import { type RequestLimits, withByteLimit } from "../../../src/otlp/request.ts";
import { run } from "../../../src/commands/send/run.ts";
import type { RunEvent, Summary } from "../../../src/commands/send/run_event.ts";
import { PROFILES } from "../../../src/receivers/profiles.ts";
import type { Point } from "../../support/decode.ts";
import { recordingOf } from "../../support/recording.ts";
import { seeded } from "../../support/seeded.ts";
import {
  MemoryStore,
  partial,
  requestOf,
  SimulatedClock,
  SimulatedReceiver,
  SPLITTABLE,
  type Step,
} from "../../support/simulation.ts";

const METRIC: MetricConfig = {
  name: "m",
  unit: "ms",
  description: "",
  bounds: [10, 100],
  maxSeries: 1000,
  resource: {},
  userResource: {},
  attributes: {},
};
const ONCE: ScheduleConfig = {
  loop: false,
  intervalMs: 60_000,
  iterations: Infinity,
  durationMs: Infinity,
};
const LOOP: ScheduleConfig = { ...ONCE, loop: true };
const PER_SEND = 5;
const MINUTE = 60_000;

interface Options {
  readonly answers?: readonly Step[] | ((attempt: number) => Step);
  readonly schedule?: ScheduleConfig;
  readonly retryForMs?: number;
  readonly timeoutMs?: number;
  readonly limits?: Partial<DeliveryLimits>;
  readonly request?: RequestLimits;
  readonly store?: MemoryStore;
  readonly resource?: Attributes;
  readonly left?: readonly Pending[];
  /** Nothing is recorded. */
  readonly nothing?: boolean;
  readonly random?: () => number;
  readonly source?: (clock: SimulatedClock) => Source;
  readonly startDelayMs?: number;
}

/** The loop over a simulated receiver, in simulated time. */
class World {
  readonly clock = new SimulatedClock();
  readonly stop = new AbortController();
  readonly kill = new AbortController();
  readonly receiver: SimulatedReceiver;
  readonly delivery: Delivery;
  readonly events: RunEvent[] = [];
  forced: ((why: string) => readonly RunEvent[]) | undefined;
  /** By event: when it came, in ms from the start. */
  readonly at = new Map<RunEvent, number>();
  readonly #start = this.clock.monotonic();
  readonly #run: AsyncGenerator<RunEvent>;

  constructor(options: Options = {}) {
    const { clock } = this;
    const timeoutMs = options.timeoutMs ?? 10_000;
    const limits = { maxPendingBytes: 64e6, maxAgeMs: 3_600_000, ...options.limits };
    this.receiver = new SimulatedReceiver(clock, options.answers, timeoutMs);
    this.delivery = new Delivery({
      post: this.receiver.post,
      hide: (text) => text,
      clock,
      random: options.random ?? (() => 0.5),
      limits,
      store: options.store,
      whenDenied: options.schedule?.loop || options.store ? "wait" : "refuse",
    });
    this.delivery.adopt(options.left ?? []);
    const batch = Array.from({ length: PER_SEND }, (_, i) => ({
      value: i,
      attributes: { series: i % 3 },
    }));
    const { recorder, requests } = recordingOf({
      resource: options.resource ?? {},
      instruments: [METRIC],
      maxSeries: 1000,
    }, clock);
    this.#run = run({
      source: options.source?.(clock) ??
        (options.nothing ? emptySource : batchSource(() => batch)),
      records: recorder,
      requests,
      delivery: this.delivery,
      clock,
      random: options.random ?? (() => 0.5),
      schedule: options.schedule ?? ONCE,
      startDelayMs: options.startDelayMs ?? 0,
      keep: { retryForMs: options.retryForMs ?? 30_000, spool: undefined, ...limits },
      format: () => ({
        limits: withByteLimit(
          this.delivery.largestRequest,
          options.request ?? PROFILES.otlp.limits,
        ),
        compression: "none",
      }),
      timeoutMs,
      review: () => Promise.resolve(),
      stop: this.stop.signal,
      kill: this.kill.signal,
      forced: (lastEvents) => this.forced = lastEvents,
    });
  }

  /** Runs to the end; the summary's ledger is checked. */
  async play(): Promise<Summary> {
    await this.clock.run((async () => {
      for await (const event of this.#run) {
        this.events.push(event);
        this.at.set(event, this.now);
        const { recorded, delivered, rejected, dropped, pending } = this.delivery.ledger;
        assert.equal(recorded, delivered + rejected + dropped + pending);
      }
    })());
    const last = this.events.at(-1);
    assert.ok(last?.type === "summary", `the last event is ${last?.type}`);
    const { recorded, delivered, rejected, dropped, pending } = last;
    assert.equal(recorded, delivered + rejected + dropped + pending);
    return last;
  }

  of<T extends RunEvent["type"]>(type: T): readonly Extract<RunEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: T }> =>
      event.type === type
    );
  }

  /** ms since the start. */
  get now(): number {
    return this.clock.monotonic() - this.#start;
  }

  /** When each attempt came, in ms since the start. */
  get attempts(): readonly number[] {
    return this.receiver.attempts.map(({ at }) => at - this.#start);
  }
}

/** Start and end of each request that was taken, in ms since 1970. */
function intervals(points: readonly Point[]): readonly (readonly [number, number])[] {
  const seen = new Map(
    points.map(({ start, end }) =>
      [`${start} ${end}`, [Number(start) / 1e6, Number(end) / 1e6] as const] as const
    ),
  );
  return [...seen.values()];
}

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

Deno.test("run() counts the points of every half when a split send is taken only in part", async () => {
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

Deno.test("run() loses nothing in a loop when the token is wrong for a while", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 6 },
    answers: () => ({ status: 401 }),
  });
  world.clock.after(2.5 * MINUTE, () => world.receiver.answer(() => ({})));
  const { delivered, recorded, exitCode } = await world.play();
  assert.deepEqual({ delivered, recorded, exitCode }, { delivered: 30, recorded: 30, exitCode: 0 });
  assert.deepEqual(
    world.of("send").map(({ outcome, status, message }) => [outcome, status, message]),
    [
      ...Array.from({ length: 3 }, () => ["failed", 401, "401 Unauthorized"]),
      ...Array.from({ length: 3 }, () => ["accepted", 200, null]),
    ],
  );
  assert.deepEqual(world.of("late").map(({ iteration }) => iteration), [1, 2, 3]);
  const sends = world.attempts.map((at) => Math.floor(at / MINUTE));
  assert.deepEqual(sends, [0, 1, 1, 2, 2, 3, 3, 3, 3, 4, 5], "once per send, and one more");
});

Deno.test("run() drops what is denied to the end of a loop, and keeps it when there is a store", async () => {
  for (const store of [undefined, new MemoryStore()]) {
    const world = new World({
      schedule: { ...LOOP, iterations: 2 },
      answers: () => ({ status: 403 }),
      ...store && { store },
    });
    const { dropped, pending, exitCode } = await world.play();
    assert.deepEqual(
      { dropped, pending, exitCode },
      { dropped: store ? 0 : 10, pending: store ? 10 : 0, exitCode: 1 },
    );
    const [undelivered] = world.of("undelivered");
    assert.equal(undelivered?.reason, "403 Forbidden");
    assert.equal(undelivered.trouble?.kind, "reply");
  }
});

Deno.test("run() keeps what is denied in a single run with a store, and delivers it in the next", async () => {
  const store = new MemoryStore();
  const world = new World({ store, answers: () => ({ status: 401 }) });
  const { pending, exitCode } = await world.play();
  assert.deepEqual({ pending, exitCode }, { pending: 5, exitCode: 1 });
  assert.equal(world.of("send")[0]?.outcome, "failed");
  assert.equal(world.attempts.length, 1);
  const left = [...store.files].map(([stored, file]) => ({ ...file, stored, iteration: null }));
  const next = new World({ store, left });
  const { delivered, exitCode: then } = await next.play();
  assert.deepEqual({ delivered, then }, { delivered: 10, then: 0 });
});

Deno.test("run() delivers its own when what an earlier process left is denied", async () => {
  const store = new MemoryStore();
  await new World({ store, answers: () => ({ status: 403 }) }).play();
  const left = [...store.files].map(([stored, file]) => ({ ...file, stored, iteration: null }));
  const world = new World({ store, left, answers: [{ status: 403 }] });
  const { delivered, pending, exitCode } = await world.play();
  assert.deepEqual({ delivered, pending, exitCode }, { delivered: 5, pending: 5, exitCode: 1 });
  assert.equal(world.of("send")[0]?.outcome, "accepted");
  assert.match(world.of("undelivered")[0]?.reason ?? "", /^403 /);
});

Deno.test("run() reports as late what is refused for good in the end", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 3 },
    answers: [{ status: 403 }, { status: 403 }, {}, { status: 403 }],
  });
  const { delivered, rejected, exitCode } = await world.play();
  assert.deepEqual({ delivered, rejected, exitCode }, { delivered: 10, rejected: 5, exitCode: 1 });
  assert.deepEqual(
    world.of("late").map(({ iteration, result }) => [iteration, result.outcome, result.status]),
    [[1, "rejected", 403]],
  );
  assert.deepEqual(world.of("send").map(({ outcome }) => outcome), [
    "failed",
    "accepted",
    "accepted",
  ]);
});

Deno.test("run() tries what was denied once more when it is stopped", async () => {
  const world = new World({ schedule: LOOP, answers: [{ status: 401 }] });
  world.clock.after(MINUTE / 2, () => world.stop.abort());
  const { delivered, exitCode } = await world.play();
  assert.deepEqual({ delivered, exitCode }, { delivered: 5, exitCode: 0 });
  assert.deepEqual(world.attempts, [0, MINUTE / 2]);
});

Deno.test("run() tries what was denied again in an interval without data, too", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 3 },
    source: () => {
      const source = batchSource(() => [{ value: 1, attributes: {} }]);
      let filled = 0;
      return {
        ...source,
        fill: (...wanted) =>
          filled++ === 0
            ? source.fill(...wanted)
            : Promise.resolve({ measurements: 0, ended: false }),
      };
    },
    answers: [{ status: 401 }],
  });
  const { delivered } = await world.play();
  assert.equal(delivered, 1);
  assert.deepEqual(world.attempts, [0, MINUTE]);
});

for (
  const [what, answer] of [
    ["denied", { status: 401 }],
    ["asked to wait for an hour", { status: 429, headers: { "retry-after": "3600" } }],
    ["told that the name is not known", { failure: "dns" }],
  ] as const
) {
  Deno.test(`run() backs off with --interval 0 when it is ${what}`, async () => {
    const world = new World({
      schedule: { ...LOOP, intervalMs: 0, durationMs: MINUTE },
      answers: () => answer,
      random: () => 0,
    });
    await world.play();
    // Waits of 0.25, 0.5, 1 and 2 s, then of 4 s.
    const sends = world.of("send").length;
    assert.ok(sends > 10 && sends < 22, `${sends} sends in a minute`);
    assert.ok(world.now < MINUTE + 100, `ended after ${world.now} ms`);
  });
}

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

Deno.test("run() sends what is pending first, with its own time stamps, when the receiver is back", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 6 },
    answers: () => ({ status: 503 }),
  });
  world.clock.after(3.5 * MINUTE, () => world.receiver.answer(() => ({})));
  const { delivered, recorded } = await world.play();
  assert.deepEqual({ delivered, recorded }, { delivered: 30, recorded: 30 });
  assert.equal(world.receiver.took, 30);
  const taken = intervals(world.receiver.takenPoints);
  assert.equal(taken.length, 6);
  taken.slice(1).forEach(([start], i) => {
    assert.equal(start, taken[i]?.[1], "intervals join, oldest first");
  });
  assert.deepEqual(world.of("late").map(({ iteration }) => iteration), [1, 2, 3, 4]);
  assert.deepEqual(world.of("send").map(({ outcome }) => outcome), [
    ...Array.from({ length: 4 }, () => "failed"),
    "accepted",
    "accepted",
  ]);
});

Deno.test("run() delivers within 35 s, and everything, when a receiver comes back after ten minutes", async () => {
  const waits: number[] = [];
  for (let second = 0; second < 60; second += 5) {
    const back = 10 * MINUTE + second * 1000;
    const world = new World({
      schedule: { ...LOOP, iterations: 15 },
      answers: () => ({ failure: "refused" }),
      random: seeded(second),
    });
    world.clock.after(back, () => world.receiver.answer(() => ({})));
    const { recorded, delivered, exitCode } = await world.play();
    assert.deepEqual({ recorded, delivered, exitCode }, {
      recorded: 75,
      delivered: 75,
      exitCode: 0,
    });
    assert.equal(world.receiver.took, 75);
    const ends = intervals(world.receiver.takenPoints).map(([, end]) => end);
    assert.deepEqual(ends, ends.toSorted((a, b) => a - b), "oldest first");
    assert.equal(ends.length, 15, "each send kept its own interval");
    const first = world.receiver.attempts.findIndex(({ taken }) => taken);
    waits.push((world.attempts[first] ?? Infinity) - back);
  }
  assert.ok(Math.max(...waits) <= 35_000, `first delivery after ${waits} ms`);
});

Deno.test("run() tries again until the next send is due, and no longer, when the interval is short", async () => {
  const world = new World({
    schedule: { ...LOOP, intervalMs: 10_000, iterations: 2 },
    answers: () => ({ status: 503 }),
    retryForMs: 1000 * 1000,
    random: () => 0.999,
  });
  world.clock.after(15_000, () => world.receiver.answer(() => ({})));
  const { delivered } = await world.play();
  assert.equal(delivered, 10);
  const second = world.of("recording")[1];
  assert.ok(second && world.at.get(second) === 10_000, "the second send came in time");
});

Deno.test("run() begins its schedule after the delay, which does not count as time of the run", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 3, durationMs: 150_000 },
    startDelayMs: 45_000,
  });
  const { sends, elapsedMs, latencyMs } = await world.play();
  assert.equal(sends, 3);
  assert.deepEqual(world.of("delayed").map(({ inMs }) => inMs), [45_000]);
  assert.deepEqual(world.attempts, [45_000, 105_000, 165_000]);
  assert.equal(elapsedMs, 120_001);
  assert.equal(latencyMs.max, 1);
});

Deno.test("run() ends at once when a signal comes during the delay", async () => {
  const world = new World({ schedule: LOOP, startDelayMs: 45_000 });
  world.clock.after(10_000, () => world.stop.abort());
  const { recorded, exitCode } = await world.play();
  assert.deepEqual([world.now, recorded, exitCode], [10_000, 0, 0]);
});

Deno.test("run() keeps its schedule when attempts take long", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 4 },
    answers: () => ({ latencyMs: 9_000 }),
  });
  await world.play();
  assert.deepEqual(world.of("recording").map((event) => world.at.get(event)), [
    0,
    60_000,
    120_000,
    180_000,
  ]);
});

Deno.test("run() sends as often as --duration has room for", async () => {
  const world = new World({ schedule: { ...LOOP, durationMs: 125_000 } });
  const { recorded, sends } = await world.play();
  assert.deepEqual({ recorded, sends }, { recorded: 15, sends: 3 });
  assert.deepEqual(
    world.of("recording").map((event) => world.at.get(event)),
    [0, 60_000, 120_000],
  );
});

Deno.test("run() is back in its schedule after a send that took longer than the interval", async () => {
  const world = new World({
    schedule: { ...LOOP, intervalMs: 1000, iterations: 3 },
    answers: (n) => ({ latencyMs: n === 0 ? 1300 : 0 }),
  });
  await world.play();
  assert.deepEqual(world.of("recording").map((event) => world.at.get(event)), [0, 1300, 2000]);
});

for (const byMs of [-2 * 86_400_000, -30_000, 30_000, 2 * 86_400_000]) {
  Deno.test(`run() keeps its schedule and drops nothing when the clock is set by ${byMs / 1000} s`, async () => {
    const world = new World({
      schedule: { ...LOOP, iterations: 5 },
      answers: (n) => n >= 1 && n < 6 ? { status: 503 } : {},
    });
    world.clock.after(90_000, () => world.clock.setWall(byMs));
    const { delivered, dropped } = await world.play();
    assert.deepEqual({ delivered, dropped }, { delivered: 25, dropped: 0 });
    assert.deepEqual(
      world.of("recording").map((event) => world.at.get(event)),
      [0, 60_000, 120_000, 180_000, 240_000],
    );
    for (const { start, end } of world.receiver.takenPoints) {
      assert.ok(start <= end, `${start} > ${end}`);
    }
  });
}

/** Three hours without a receiver, twenty minutes with one. */
Deno.test("run() names what it drops when an outage outlasts --max-age (opentelemetry-collector #15324)", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 200 },
    answers: () => ({ failure: "refused" }),
  });
  world.clock.after(180.5 * MINUTE, () => world.receiver.answer(() => ({})));
  const { recorded, delivered, dropped, exitCode } = await world.play();
  assert.equal(recorded, 1000);
  assert.equal(exitCode, 1, "a loss is no success");
  const named = world.of("dropped");
  assert.equal(named.reduce((sum, { pending }) => sum + pending.request.measurements, 0), dropped);
  for (const { reason } of named) assert.match(reason, /older than 3600 s \(--max-age\)/);
  // The oldest go, one after the other, and nothing of the last hour.
  assert.deepEqual(named.map(({ pending }) => pending.iteration), named.map((_, i) => i + 1));
  assert.ok(dropped >= 119 * 5 && dropped <= 121 * 5, `dropped ${dropped}`);
  assert.equal(world.receiver.took, delivered);
});

Deno.test("run() names what it drops when an outage outgrows --max-pending-mb (opentelemetry-collector #15324)", async () => {
  const world = new World({
    schedule: { ...LOOP, iterations: 20 },
    answers: () => ({ failure: "refused" }),
    limits: { maxPendingBytes: 2000 },
  });
  world.clock.after(15.5 * MINUTE, () => world.receiver.answer(() => ({})));
  const { recorded, delivered, dropped } = await world.play();
  assert.equal(recorded, 100);
  assert.ok(dropped > 0 && delivered > 20, `${dropped} dropped, ${delivered} delivered`);
  const named = world.of("dropped");
  assert.equal(named.length * 5, dropped);
  for (const { reason } of named) assert.match(reason, /--max-pending-mb/);
  assert.equal(world.receiver.took, delivered);
});

// Signals.

Deno.test("run() ends at once and well when it is stopped while it waits", async () => {
  const world = new World({ schedule: LOOP });
  world.clock.after(20_000, () => world.stop.abort());
  const { exitCode, delivered, sends } = await world.play();
  assert.deepEqual({ exitCode, delivered, sends }, { exitCode: 0, delivered: 5, sends: 1 });
  assert.equal(world.now, 20_000);
  assert.equal(world.of("stopping").length, 1);
});

Deno.test("run() lets an attempt come to its end when it is stopped while it sends", async () => {
  const world = new World({ schedule: LOOP, answers: () => ({ latencyMs: 4_000 }) });
  world.clock.after(1_000, () => world.stop.abort());
  const { exitCode, delivered } = await world.play();
  assert.deepEqual({ exitCode, delivered }, { exitCode: 0, delivered: 5 });
  assert.equal(world.receiver.attempts.length, 1);
  assert.equal(world.now, 4_000);
});

Deno.test("run() tries once more at once when it is stopped while it backs off", async () => {
  const world = new World({
    schedule: LOOP,
    answers: (n) => n < 5 ? { status: 503 } : {},
    random: () => 0.999,
  });
  world.clock.after(9_000, () => world.stop.abort());
  const { exitCode, delivered } = await world.play();
  assert.deepEqual({ exitCode, delivered }, { exitCode: 0, delivered: 5 });
  assert.deepEqual(world.attempts.slice(-1), [9_000]);
});

Deno.test("run() tries once more, not twice, when it is stopped while it backs off in an outage", async () => {
  const world = new World({
    schedule: LOOP,
    answers: () => ({ status: 503 }),
    random: () => 0.999,
  });
  world.clock.after(9_000, () => world.stop.abort());
  const { exitCode, dropped } = await world.play();
  assert.deepEqual({ exitCode, dropped }, { exitCode: 1, dropped: 5 });
  assert.deepEqual(world.attempts.filter((at) => at >= 9_000), [9_000]);
});

Deno.test("run() tries once more and names the loss when it is stopped during an outage", async () => {
  const world = new World({ schedule: LOOP, answers: () => ({ status: 503 }) });
  world.clock.after(2.8 * MINUTE, () => world.stop.abort());
  const { exitCode, dropped } = await world.play();
  assert.deepEqual({ exitCode, dropped }, { exitCode: 1, dropped: 15 });
  assert.equal(
    world.attempts.filter((at) => at >= 2.8 * MINUTE).length,
    1,
    "one last try, not more",
  );
  const [lost] = world.of("undelivered");
  assert.equal(lost?.measurements, 15);
  assert.equal(lost?.spooled, false);
});

Deno.test("run() says that the store has it when it is stopped during an outage (opentelemetry-collector #15677)", async () => {
  const store = new MemoryStore();
  const world = new World({ schedule: LOOP, answers: () => ({ status: 503 }), store });
  world.clock.after(2.8 * MINUTE, () => world.stop.abort());
  const { exitCode, pending, dropped } = await world.play();
  assert.deepEqual({ exitCode, pending, dropped }, { exitCode: 1, pending: 15, dropped: 0 });
  assert.equal(store.files.size, 3, "trying to the last deletes nothing");
  assert.equal(world.of("undelivered")[0]?.spooled, true);
});

Deno.test("run() ends within the timeout when the receiver hangs and it is stopped", async () => {
  for (const afterMs of [1_000, 20_000, 65_000]) {
    const world = new World({ schedule: LOOP, answers: () => ({ failure: "timeout" }) });
    world.clock.after(afterMs, () => world.stop.abort());
    const { exitCode, dropped, recorded } = await world.play();
    assert.equal(exitCode, 1);
    assert.equal(dropped, recorded);
    assert.ok(world.now - afterMs <= 6_000, `ended ${world.now - afterMs} ms after the signal`);
  }
});

Deno.test("run() ends within 6 s of a signal when the receiver hangs, however long its timeout is", async () => {
  for (const afterMs of [1_000, 59_000, 65_000]) {
    const world = new World({
      schedule: LOOP,
      answers: () => ({ failure: "timeout" }),
      timeoutMs: 600_000,
      store: new MemoryStore(),
    });
    world.clock.after(afterMs, () => world.stop.abort());
    const { exitCode, pending, recorded } = await world.play();
    assert.deepEqual({ exitCode, pending }, { exitCode: 1, pending: recorded });
    assert.equal(world.now - afterMs, 6_000);
    assert.equal(world.of("undelivered").length, 1);
  }
});

/** A source over time: two measurements at once, three more after 500 ms. */
function twoThenThree(clock: SimulatedClock): Source {
  const started = clock.monotonic();
  let recorded = 0;
  return {
    kind: "live",
    status: NO_INPUT,
    hold() {},
    close() {},
    async fill(recorder, until, stop) {
      if (recorded > 0) await clock.sleep((until ?? 0) - clock.monotonic(), stop);
      const due = clock.monotonic() - started < 500 ? 2 : 5;
      const measurements = due - recorded;
      recorder.add(Array.from({ length: measurements }, () => ({ value: 1, attributes: {} })));
      recorded = due;
      return { measurements, ended: false };
    },
  };
}

Deno.test("run() stores what came while the last send was under way before it tries for the last time", async () => {
  const store = new MemoryStore();
  /** What was stored when each attempt was made. */
  const kept: number[] = [];
  const world: World = new World({
    schedule: { ...LOOP, intervalMs: 0 },
    source: twoThenThree,
    store,
    answers: (n) => {
      kept.push(store.files.size);
      return n === 0 ? { status: 503, latencyMs: 2_000 } : {};
    },
  });
  world.clock.after(1_000, () => world.stop.abort());
  const { recorded, delivered, exitCode } = await world.play();
  assert.deepEqual({ recorded, delivered, exitCode }, { recorded: 5, delivered: 5, exitCode: 0 });
  assert.deepEqual(kept, [1, 2, 1]);
  assert.deepEqual(
    world.of("send").map((
      { iteration, measurements, outcome },
    ) => [iteration, measurements, outcome]),
    [[1, 2, "accepted"], [2, 3, "accepted"]],
  );
});

Deno.test("run() sends what came while the last send was under way when nothing stops it", async () => {
  const world = new World({
    schedule: { ...LOOP, intervalMs: 0, iterations: 1 },
    source: twoThenThree,
    answers: () => ({ latencyMs: 1_000 }),
  });
  const { recorded, delivered, sends } = await world.play();
  assert.deepEqual({ recorded, delivered, sends }, { recorded: 5, delivered: 5, sends: 2 });
});

Deno.test("run() has its last events at any time, for an end by force", async () => {
  const store = new MemoryStore();
  const world = new World({ schedule: LOOP, answers: () => ({ failure: "timeout" }), store });
  let last: readonly RunEvent[] = [];
  world.clock.after(5_000, () => last = world.forced?.("by force") ?? []);
  world.clock.after(6_000, () => world.kill.abort());
  world.clock.after(6_000, () => world.stop.abort());
  await world.play();
  assert.deepEqual(
    last.map((event) =>
      event.type === "undelivered" ? [event.measurements, event.spooled] : event.type
    ),
    [[5, true], "summary"],
  );
  assert.equal(world.forced, undefined, "the summary is not said twice");
});

Deno.test("run() reports as late, with its points, what the last try after a signal delivers", async () => {
  const world = new World({ schedule: LOOP, answers: () => ({ failure: "refused" }) });
  world.clock.after(50_000, () => {
    world.receiver.answer(() => partial(1));
    world.stop.abort();
  });
  const { delivered, rejectedPoints, exitCode } = await world.play();
  assert.deepEqual({ delivered, rejectedPoints, exitCode }, {
    delivered: 5,
    rejectedPoints: 1,
    exitCode: 3,
  });
  assert.deepEqual(world.of("send").map(({ outcome }) => outcome), ["failed"]);
  assert.deepEqual(world.of("late").map(({ iteration }) => iteration), [1]);
});

Deno.test("run() obeys a Retry-After to the last when it is stopped", async () => {
  const world = new World({
    schedule: LOOP,
    answers: [{ status: 429, headers: { "retry-after": "1000" } }],
  });
  world.clock.after(10_000, () => world.stop.abort());
  const { dropped } = await world.play();
  assert.equal(dropped, 5);
  assert.equal(world.receiver.attempts.length, 1);
  assert.match(world.of("undelivered")[0]?.reason ?? "", /Retry-After/);
});

Deno.test("run() ends at once and names the loss when a second signal comes", async () => {
  const world = new World({ schedule: LOOP, answers: () => ({ failure: "timeout" }) });
  world.clock.after(2_000, () => world.stop.abort());
  world.clock.after(3_000, () => world.kill.abort());
  const { exitCode, dropped } = await world.play();
  assert.deepEqual({ exitCode, dropped }, { exitCode: 1, dropped: 5 });
  assert.equal(world.now, 3_000);
});

Deno.test("run() records nothing when it is stopped before it begins", async () => {
  const world = new World({ schedule: LOOP });
  world.stop.abort();
  const { recorded, exitCode } = await world.play();
  assert.deepEqual({ recorded, exitCode }, { recorded: 0, exitCode: 0 });
  assert.equal(world.receiver.attempts.length, 0);
});

Deno.test("run() ends with 1 when a single run is stopped before it begins", async () => {
  const world = new World({ startDelayMs: 1000 });
  world.clock.after(500, () => world.stop.abort());
  const { recorded, exitCode } = await world.play();
  assert.deepEqual({ recorded, exitCode }, { recorded: 0, exitCode: 1 });
  assert.deepEqual(world.of("cut-short").map(({ progress }) => progress), ["nothing was recorded"]);
});

/** A source that has recorded one of two measurements when a signal comes; `isEndless`: the second never comes. */
function oneOfTwo(isEndless: boolean): (clock: SimulatedClock) => Source {
  return (clock) => {
    let recorded = 0;
    return {
      kind: "live",
      get status() {
        const unfinished = isEndless || recorded === 2 ? undefined : `${recorded} of 2`;
        return { ...NO_INPUT, unfinished };
      },
      hold() {},
      close() {},
      async fill(recorder, _until, stop) {
        if (recorded > 0) await clock.sleep(isEndless ? Infinity : 60_000, stop);
        if (stop.aborted || recorded === 2) return { measurements: 0, ended: recorded === 2 };
        recorder.add([{ value: 1, attributes: {} }]);
        recorded++;
        return { measurements: 1, ended: recorded === 2 };
      },
    };
  };
}

for (
  const { name, isEndless = false, atMs, schedule = LOOP, exitCode, cutShort, delivered } of [
    {
      name: "1 when a signal cuts its source short",
      atMs: 5000,
      exitCode: 1,
      cutShort: "1 of 2",
      delivered: 1,
    },
    {
      name: "0 when a signal ends an endless source",
      isEndless: true,
      atMs: 5000,
      exitCode: 0,
      cutShort: undefined,
      delivered: 1,
    },
    {
      name: "0 when a signal comes after its source has ended",
      atMs: 61_500,
      exitCode: 0,
      cutShort: undefined,
      delivered: 2,
    },
    {
      name: "0 when a signal comes after the last of its iterations",
      atMs: 500,
      schedule: { ...LOOP, iterations: 1 },
      exitCode: 0,
      cutShort: undefined,
      delivered: 1,
    },
  ]
) {
  Deno.test(`run() ends with ${name}`, async () => {
    const world = new World({
      schedule: { ...schedule, intervalMs: 0 },
      source: oneOfTwo(isEndless),
      answers: () => ({ latencyMs: 1000 }),
    });
    world.clock.after(atMs, () => world.stop.abort());
    const summary = await world.play();
    assert.deepEqual([summary.exitCode, summary.delivered], [exitCode, delivered]);
    assert.equal(world.of("cut-short").at(0)?.progress, cutShort);
  });
}

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

// Whatever answers and signals come, the books are right.

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ latencyMs: fc.integer({ min: 0, max: 12_000 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      status: fc.constantFrom(429, 503, 413, 400, 401),
      headers: fc.constantFrom<Record<string, string>>({}, { "retry-after": "20" }, {
        "retry-after": "90",
      }),
    }),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 4 }).map((points) => partial(points)) },
  {
    weight: 2,
    arbitrary: fc.record({
      failure: fc.constantFrom("refused", "broken", "timeout", "certificate"),
      took: fc.boolean(),
    }),
  },
);

Deno.test("run() has the ledger right whatever the receiver answers and whenever it is stopped", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.record({
        intervalMs: fc.constantFrom(0, 1000, 60_000),
        iterations: fc.integer({ min: 1, max: 8 }),
        stopAfterMs: fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 300_000 })),
        killAfterMs: fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 20_000 })),
        setByMs: fc.constantFrom(0, -7_200_000, 7_200_000),
        maxPendingBytes: fc.constantFrom(500, 64e6),
        spool: fc.boolean(),
        seed: fc.integer(),
      }),
      async (
        answers,
        { stopAfterMs, killAfterMs, setByMs, maxPendingBytes, spool, seed, ...schedule },
      ) => {
        const store = spool ? new MemoryStore() : undefined;
        const world = new World({
          // Refused and certificate failures come before a request is sent.
          answers: answers.map((answer) =>
            answer.failure === "refused" || answer.failure === "certificate"
              ? { ...answer, took: false }
              : answer
          ),
          schedule: { ...LOOP, ...schedule },
          limits: { maxPendingBytes },
          random: seeded(seed),
          ...store && { store },
        });
        if (stopAfterMs !== undefined) {
          world.clock.after(stopAfterMs, () => world.stop.abort());
          if (killAfterMs !== undefined) {
            world.clock.after(stopAfterMs + killAfterMs, () => world.kill.abort());
          }
        }
        world.clock.after(30_000, () => world.clock.setWall(setByMs));
        const { recorded, delivered, pending, exitCode, rejected, dropped, rejectedPoints } =
          await world.play();
        assert.equal(
          recorded,
          world.of("send").reduce((sum, { measurements }) => sum + measurements, 0),
        );
        assert.equal(exitCode, rejected + dropped + pending > 0 ? 1 : rejectedPoints > 0 ? 3 : 0);
        if (!spool) assert.equal(pending, 0);
        if (store) assert.equal(keptIn(store), pending);
        const rejectedWhole = world.of("attempt").filter(({ result }) =>
          result.status === 200 && result.outcome === "rejected"
        ).reduce((sum, attempt) => sum + attempt.pending.request.measurements, 0);
        const ambiguous = world.of("attempt").some((attempt) => attempt.pending.mayHaveArrived);
        const took = world.receiver.took - rejectedWhole;
        if (ambiguous) assert.ok(took >= delivered, `${took} taken, ${delivered} delivered`);
        else assert.equal(took, delivered);
      },
    ),
    { seed: 15677, numRuns: 300 },
  );
});

function keptIn(store: MemoryStore): number {
  return [...store.files.values()].reduce((sum, { request }) => sum + request.measurements, 0);
}

async function leftBehind(store: MemoryStore, counts: readonly number[]): Promise<Pending[]> {
  const left: Pending[] = [];
  for (const count of counts) {
    const pending: Pending = {
      request: requestOf([count], count),
      iteration: null,
      recordedAt: 0,
      bornAt: 0,
      stored: undefined,
      attempts: 0,
      mayHaveArrived: false,
      possiblyDuplicated: false,
    };
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
