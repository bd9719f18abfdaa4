import assert from "node:assert/strict";
import type { ScheduleConfig } from "../../../src/settings/schedule_config.ts";
import { Delivery } from "../../../src/delivery/delivery.ts";
import { steady } from "../../../src/source/generate/pace.ts";
import { run } from "../../../src/commands/send/run.ts";
import type { Summary } from "../../../src/commands/send/run_event.ts";
import { PROFILES } from "../../../src/receivers/profiles.ts";
import { RequestFigures } from "../../../src/commands/send/request_figures.ts";
import type { Latency } from "../../../src/commands/shown_figures.ts";
import { type Generate, PaceSource } from "../../../src/source/generate/generated_source.ts";
import { batchSource, type Source } from "../../../src/source/source.ts";
import { recordingOf } from "../../support/recording.ts";
import { SimulatedClock, SimulatedReceiver, type Step, UNTRIED } from "../../support/simulation.ts";

const LOOP: ScheduleConfig = {
  loop: true,
  intervalMs: 100,
  iterations: Infinity,
  durationMs: 60_000,
};
const ONE = { value: 1, attributes: {} };
const generate: Generate = (records, count) => {
  records.add(Array.from({ length: count }, () => ONE));
  return count;
};

/** The summary of a run in simulated time. */
async function played(
  answers: (attempt: number) => Step,
  schedule: Partial<ScheduleConfig> = {},
  sourceOf: (clock: SimulatedClock) => Source = () => batchSource(() => [ONE]),
): Promise<Summary> {
  const clock = new SimulatedClock();
  const instrument = { name: "m", unit: "", description: "", attributes: {}, bounds: [] };
  const { recorder, requests } = recordingOf(
    { resource: {}, instruments: [instrument], maxSeries: 10 },
    clock,
  );
  const limits = { maxPendingBytes: 64e6, maxAgeMs: 3_600_000 };
  const events = run({
    source: sourceOf(clock),
    records: recorder,
    requests,
    delivery: new Delivery({
      post: new SimulatedReceiver(clock, answers).post,
      hide: (text) => text,
      clock,
      random: () => 0.5,
      limits,
      store: undefined,
      whenDenied: "wait",
    }),
    clock,
    random: () => 0.5,
    schedule: { ...LOOP, ...schedule },
    keep: { retryForMs: 30_000, spool: undefined, ...limits },
    format: () => ({ limits: PROFILES.otlp.limits, compression: "none" }),
    timeoutMs: 10_000,
    review: () => Promise.resolve(),
    stop: new AbortController().signal,
    kill: new AbortController().signal,
  });
  return await clock.run((async () => {
    for await (const event of events) if (event.type === "summary") return event;
    throw new Error("There was no summary");
  })());
}

/** Answers after 5 ms, but one request after two seconds. */
const stalls = (attempt: number): Step => ({ latencyMs: attempt === 100 ? 2000 : 5 });

function assertAbout(latency: Latency, expected: Record<keyof Latency, number>): void {
  for (const key of ["p50", "p90", "p99", "max"] as const) {
    const is = latency[key] ?? NaN;
    assert.ok(Math.abs(is - expected[key]) <= expected[key] * 0.01, `${key} is ${is}`);
  }
}

Deno.test("A stall of two seconds is in p99, though only one of 581 requests was under way", async () => {
  const { latencyMs, requests, elapsedMs, points } = await played(stalls);
  // 600 sends were due; nineteen of them were left out, and would have waited 1.9, 1.8, … s.
  assert.equal(requests, 581);
  assert.equal(points, 581);
  assertAbout(latencyMs, { p50: 5, p90: 5, p99: 1405, max: 2000 });
  assert.equal(elapsedMs, 59_905);
});

Deno.test("A stall is in p99 when measurements go on at their rate", async () => {
  const rate = (clock: SimulatedClock) =>
    new PaceSource(generate, { pace: steady(1000), count: undefined, onBehind() {} }, clock);
  const { latencyMs, recorded } = await played(stalls, {}, rate);
  assert.equal(recorded, 60_000);
  assertAbout(latencyMs, { p50: 5, p90: 5, p99: 1405, max: 2000 });
});

Deno.test("A stall is in p99 when sends follow each other and measurements go on at their rate", async () => {
  const rate = (clock: SimulatedClock) =>
    new PaceSource(generate, { pace: steady(100), count: undefined, onBehind() {} }, clock);
  const { latencyMs } = await played(stalls, { intervalMs: 0, durationMs: 60_000 }, rate);
  assert.ok((latencyMs.p50 ?? Infinity) < 20 && (latencyMs.p90 ?? Infinity) < 20);
  assert.ok((latencyMs.p99 ?? 0) > 1000 && (latencyMs.max ?? 0) >= 2000, `p99 ${latencyMs.p99}`);
});

Deno.test("Requests of sends that follow each other are due when they are sent", async () => {
  const { latencyMs, requests } = await played(stalls, { intervalMs: 0, iterations: 1000 });
  assert.equal(requests, 1000);
  assertAbout(latencyMs, { p50: 5, p90: 5, p99: 5, max: 2000 });
});

Deno.test("A request that is sent again is late from when it was due, and all answers count", async () => {
  const { latencyMs, requests, points } = await played(
    (attempt) => attempt === 0 ? { status: 503, latencyMs: 5 } : { latencyMs: 5 },
    { intervalMs: 10_000, iterations: 1 },
  );
  assert.deepEqual({ requests, points }, { requests: 2, points: 1 });
  assert.ok((latencyMs.max ?? 0) > 100, "the wait between them counts");
});

Deno.test("A request without an answer counts, and has no latency", async () => {
  const { latencyMs, requests, points, bytes } = await played(() => ({ failure: "refused" }), {
    loop: false,
  });
  assert.ok(requests > 1);
  assert.deepEqual({ points, bytes }, { points: 0, bytes: 0 });
  assert.deepEqual(latencyMs, { p50: null, p90: null, p99: null, max: null });
});

Deno.test("RequestFigures forgets when sends were due that are settled", () => {
  const clock = new SimulatedClock();
  const figures = new RequestFigures(clock);
  for (let iteration = 1; iteration <= 3; iteration++) {
    figures.due(iteration, { since: 0, last: 1000 - iteration, stepMs: 1000 }, []);
  }
  for (const [iteration, expected] of [[3, 3], [2, 0.5]] as const) {
    figures.event({
      type: "attempt",
      durationMs: 0.5,
      result: {
        outcome: "accepted",
        status: 200,
        rejectedPoints: 0,
        message: null,
        trouble: undefined,
      },
      pending: {
        ...UNTRIED,
        iteration,
        request: { body: new Uint8Array(), encoding: "identity", points: 1, measurements: 1 },
        attempts: 1,
      },
    });
    assert.ok(iteration !== 3 || figures.latency.max === expected);
  }
  assert.equal(figures.latency.p50, 0.5);
});
