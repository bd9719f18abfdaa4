import assert from "node:assert/strict";
import { deadline } from "../../src/platform/deadline.ts";

/** Runs `work` with something that keeps the process alive, which deadlines do not. */
async function alive(work: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => {}, 1000);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener("abort", resolve));
}

Deno.test("deadline() is over when its time is, one after the other and side by side", () =>
  alive(async () => {
    for (let i = 0; i < 3; i++) {
      const { signal, clear } = deadline(1);
      assert.equal(signal.aborted, false);
      await aborted(signal);
      clear();
    }
    await Promise.all([30, 1, 20, 1, 10].map((ms) => aborted(deadline(ms).signal)));
  }));

Deno.test("deadline() of a short time does not wait for one of a long time", () =>
  alive(async () => {
    const long = deadline(60_000);
    await aborted(deadline(1).signal);
    assert.equal(long.signal.aborted, false);
    long.clear();
  }));

Deno.test("deadline() is never over once it was cleared", () =>
  alive(async () => {
    const cleared = [deadline(1), deadline(5), deadline(1)];
    for (const { clear } of cleared) clear();
    await aborted(deadline(10).signal);
    for (const { signal } of cleared) assert.equal(signal.aborted, false);
  }));

Deno.test("deadline() sets one timer for any number of requests", () => {
  const { timeout } = AbortSignal;
  let timers = 0;
  AbortSignal.timeout = (ms) => {
    timers++;
    return timeout.call(AbortSignal, ms);
  };
  try {
    for (let i = 0; i < 1000; i++) deadline(60_000 + i).clear();
  } finally {
    AbortSignal.timeout = timeout;
  }
  assert.ok(timers <= 1, String(timers));
});
