import assert from "node:assert/strict";
import { NO_INPUT, type Source } from "../../../src/source/source.ts";
import type { RunEvent } from "../../../src/commands/send/run_event.ts";
import { LOOP, MINUTE, World } from "../../support/run_world.ts";
import { MemoryStore, partial, SimulatedClock } from "../../support/simulation.ts";

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
  /** Number of stored requests at each attempt. */
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
