import assert from "node:assert/strict";
import { Shutdown } from "../../../src/commands/send/shutdown.ts";
import { SimulatedClock } from "../../support/simulation.ts";

const forever = new AbortController().signal;

function begin(timeoutMs = 10_000) {
  const clock = new SimulatedClock();
  const [stop, kill] = [new AbortController(), new AbortController()];
  const shutdown = new Shutdown({ stop: stop.signal, kill: kill.signal, clock, timeoutMs });
  const pass = (ms: number) => clock.run(clock.sleep(ms, forever));
  return { clock, stop, kill, shutdown, pass };
}

Deno.test("Shutdown aborts requests six seconds after the signal, however long they may take", async () => {
  const { stop, shutdown, pass } = begin(60_000);
  await pass(100_000);
  assert.ok(!shutdown.isStopping && !shutdown.abort.aborted);
  stop.abort();
  assert.ok(shutdown.isStopping && !shutdown.isKilled);
  await pass(5_999);
  assert.equal(shutdown.abort.aborted, false);
  await pass(2);
  assert.equal(shutdown.abort.aborted, true);
});

Deno.test("Shutdown aborts requests at once with the second signal", () => {
  const { stop, kill, shutdown } = begin();
  stop.abort();
  kill.abort();
  assert.ok(shutdown.isKilled && shutdown.abort.aborted);
  assert.equal(shutdown.lastTry(), undefined);
});

Deno.test("lastTry() ends within the timeout of a request from the signal on, and within six seconds", async () => {
  for (const [timeoutMs, limit] of [[2_000, 2_000], [10_000, 6_000]] as const) {
    const { clock, stop, shutdown, pass } = begin(timeoutMs);
    await pass(500);
    const stoppedAt = clock.monotonic();
    stop.abort();
    await pass(300);
    using lastTry = shutdown.lastTry();
    assert.ok(lastTry !== undefined);
    assert.equal(lastTry.until, stoppedAt + limit);
    assert.equal(lastTry.leftMs, limit - 300);
    await pass(limit - 301);
    assert.equal(lastTry.abort.aborted, false);
    await pass(2);
    assert.equal(lastTry.abort.aborted, true);
    assert.equal(shutdown.lastTry(), undefined, "no time is left");
  }
});

Deno.test("lastTry() aborts nothing once it is disposed", async () => {
  const { stop, shutdown, pass } = begin(2_000);
  stop.abort();
  const lastTry = shutdown.lastTry();
  lastTry?.[Symbol.dispose]();
  await pass(3_000);
  assert.equal(lastTry?.abort.aborted, false);
});

Deno.test("end() stops the timer, and a signal after it starts none", async () => {
  const before = begin();
  before.stop.abort();
  before.shutdown.end();
  await before.pass(10_000);
  assert.equal(before.shutdown.abort.aborted, false);
  const after = begin();
  after.shutdown.end();
  after.stop.abort();
  await after.pass(10_000);
  assert.equal(after.shutdown.abort.aborted, false);
});

Deno.test("Shutdown counts from the beginning when the signal came before it", async () => {
  const clock = new SimulatedClock();
  const stop = AbortSignal.abort();
  const shutdown = new Shutdown({ stop, kill: forever, clock, timeoutMs: 1_000 });
  using lastTry = shutdown.lastTry();
  assert.equal(lastTry?.leftMs, 1_000);
  await clock.run(clock.sleep(6_001, forever));
  assert.equal(shutdown.abort.aborted, true);
});
