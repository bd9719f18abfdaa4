import assert from "node:assert/strict";
import { deadline } from "../../src/base/deadline.ts";

Deno.test("a deadline is over when its time is, unless it was cleared, the first in a process and later ones", async () => {
  // The first do not keep the process alive themselves.
  const alive = setInterval(() => {}, 1000);
  try {
    for (let i = 0; i < 6; i++) {
      const { signal, clear } = deadline(1);
      assert.equal(signal.aborted, false);
      await aborted(signal);
      clear();
    }
    const cleared = deadline(1);
    cleared.clear();
    await aborted(deadline(1).signal);
    assert.equal(cleared.signal.aborted, false);
  } finally {
    clearInterval(alive);
  }
});

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener("abort", resolve));
}
