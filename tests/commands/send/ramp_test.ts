import assert from "node:assert/strict";
import type { Result } from "../../../src/delivery/result.ts";
import { Ramp } from "../../../src/commands/send/ramp.ts";

const accepted: Result = {
  outcome: "accepted",
  status: 200,
  rejectedPoints: 0,
  message: null,
  trouble: undefined,
};
const refused: Result = { ...accepted, outcome: "failed", status: 429, message: "429" };

interface Step {
  readonly result?: Result;
  readonly latencyMs?: number;
  /** Nothing was answered. */
  readonly silent?: true;
}

/** A ramp whose step k, of `lengthMs`, has 100 k measurements in k points. */
function played(steps: readonly Step[], { sloMs = Infinity, lengthMs = 1000 } = {}) {
  const ramp = new Ramp(sloMs);
  steps.forEach(({ result = accepted, latencyMs = 10, silent }, at) => {
    const iteration = at + 1;
    ramp.due(iteration, { since: at * lengthMs, last: iteration * lengthMs, stepMs: lengthMs });
    if (silent) return;
    const request = {
      body: new Uint8Array(),
      encoding: "identity" as const,
      points: iteration,
      measurements: iteration * 100,
    };
    const pending = {
      request,
      iteration,
      recordedAt: 0,
      bornAt: 0,
      stored: undefined,
      attempts: 1,
      mayHaveArrived: false,
      possiblyDuplicated: false,
    };
    ramp.attempt({ type: "attempt", pending, result, durationMs: latencyMs }, [latencyMs]);
  });
  return ramp.result();
}

const taken = (step: number, p99Ms = 10) => ({
  measurementsPerSecond: step * 100,
  pointsPerSecond: step,
  p99Ms,
});

Deno.test("Ramp names the last step before the first refusal, whatever comes after it", () => {
  assert.deepEqual(played([{}, {}, {}, { result: refused }, {}, {}]), {
    taken: taken(3),
    above: "429",
  });
});

Deno.test("Ramp names the end when everything was taken", () => {
  assert.deepEqual(played([{}, {}, {}]), { taken: taken(3), above: null });
  assert.deepEqual(played([{ latencyMs: 5000 }, { latencyMs: 5000 }]), {
    taken: taken(2, 5000),
    above: null,
  });
});

Deno.test("Ramp names no rate when not even the first was taken", () => {
  assert.deepEqual(played([{ result: refused }, {}]), { taken: null, above: "429" });
  assert.deepEqual(played([]), { taken: null, above: null });
});

Deno.test("Ramp holds the latency of a step against the limit when the next is in trouble too", () => {
  const late = { latencyMs: 80 };
  assert.deepEqual(played([{}, late, {}, {}, late, late, {}], { sloMs: 50 }), {
    taken: taken(4),
    above: { p99Ms: 80 },
  });
  assert.deepEqual(played([{}, late, { result: refused }], { sloMs: 50 }), {
    taken: taken(1),
    above: { p99Ms: 80 },
  });
  assert.deepEqual(played([{}, {}, late], { sloMs: 50 }).taken, taken(2), "the last has no next");
});

Deno.test("Ramp looks at a second at least, and not at a rest at the end", () => {
  const short = played([{}, {}, {}, {}, {}], { lengthMs: 400 });
  // 1 + 2 + 3 in 1.2 s, then 4 + 5 in 0.8 s.
  assert.deepEqual(short.taken, {
    measurementsPerSecond: 1125,
    pointsPerSecond: 11.25,
    p99Ms: 10,
  });
  assert.equal(played([{}, {}, {}, { result: refused }], { lengthMs: 400 }).above, null);
});

Deno.test("Ramp names what was not answered, rejected in part, dropped, or never made", () => {
  assert.equal(
    played([{}, { silent: true }, { silent: true }]).above,
    "requests that were not answered in time",
  );
  const partial: Result = { ...accepted, outcome: "partial", rejectedPoints: 7 };
  assert.equal(played([{}, { result: partial }]).above, "7 rejected points");
  const broken: Result = { ...refused, status: null, message: "Connection refused" };
  assert.equal(played([{}, { result: broken }]).above, "Connection refused");
  const ramp = new Ramp(Infinity);
  ramp.due(1, { since: 0, last: 1000, stepMs: 1000 });
  ramp.fellBehind();
  assert.equal(ramp.result().above, "more than this process can make");
});
