import assert from "node:assert/strict";
import { Secrets } from "../../../src/redact/secrets.ts";
import { Console } from "../../../src/console/console.ts";
import type { RunEvent } from "../../../src/commands/send/run_event.ts";
import { liveLine } from "../../../src/commands/send/live_line.ts";
import { RequestFigures } from "../../../src/commands/send/request_figures.ts";
import { SimulatedClock, UNTRIED } from "../../support/simulation.ts";

const CLEAR = "\r\x1b[K";

function attempt(outcome: "accepted" | "failed"): Extract<RunEvent, { type: "attempt" }> {
  return {
    type: "attempt",
    durationMs: 12.5,
    result: { outcome, status: 200, rejectedPoints: 0, message: null, trouble: undefined },
    pending: {
      ...UNTRIED,
      iteration: 1,
      request: { body: new Uint8Array(), encoding: "identity", points: 1500, measurements: 1500 },
      attempts: 1,
    },
  };
}

Deno.test("liveLine() draws every second, clears what it drew, and stops", async () => {
  const clock = new SimulatedClock();
  const written: string[] = [];
  const figures = new RequestFigures(clock);
  const ledger = { recorded: 0, delivered: 0, rejected: 0, dropped: 0, pending: 42 };
  const console = new Console({
    stdout: () => assert.fail(),
    stderr: (text) => written.push(text),
    secrets: new Secrets(),
  }, { format: "text" });
  let phase: string | undefined;
  const state = { ledger: () => ledger, phase: () => phase };
  const line = liveLine(figures, state, console, { clock });
  const after = (ms: number) => clock.run(clock.sleep(ms, new AbortController().signal));
  console.clear();
  assert.deepEqual(written, [], "nothing is cleared before something is drawn");
  await after(1500);
  assert.deepEqual(written.splice(0), [`${CLEAR}1 s, 0 points/s, 42 unsent, 0 failures, p99 -`]);
  for (const outcome of ["accepted", "accepted", "failed"] as const) {
    figures.event(attempt(outcome));
    line.event(attempt(outcome));
  }
  phase = "out\x1bage";
  await after(1000);
  assert.deepEqual(written.splice(0), [
    `${CLEAR}2 s, 3,000 points/s, 42 unsent, 1 failure, p99 12.5 ms, phase out\\u001bage`,
  ]);
  phase = undefined;
  console.clear();
  console.clear();
  assert.deepEqual(written.splice(0), [CLEAR], "once");
  await after(1000);
  assert.deepEqual(written.splice(0), [
    `${CLEAR}3 s, 0 points/s, 42 unsent, 1 failure, p99 12.5 ms`,
  ]);
  line.close();
  await after(5000);
  assert.deepEqual(written, [CLEAR]);
});
