import assert from "node:assert/strict";
import { readHistograms } from "../../../src/source/prometheus/cumulative.ts";
import { startHealth } from "../../../src/commands/send/health.ts";
import type { RunEvent } from "../../../src/commands/send/run_event.ts";
import { UNTRIED } from "../../support/simulation.ts";

const result = { status: 200, rejectedPoints: 0, message: null, trouble: undefined } as const;
const pending = {
  ...UNTRIED,
  request: { body: new Uint8Array(), encoding: "gzip", points: 1, measurements: 2 },
  iteration: 1,
  attempts: 1,
} as const;

function attempt(outcome: "accepted" | "failed", durationMs: number): RunEvent {
  return { type: "attempt", pending, result: { ...result, outcome }, durationMs };
}

function late(outcome: "accepted" | "failed"): RunEvent {
  return {
    type: "late",
    time: 0,
    iteration: 1,
    measurements: 2,
    points: 1,
    attempts: 1,
    possiblyDuplicated: false,
    result: { ...result, outcome },
  };
}

Deno.test("startHealth() tells whether the loop turns, whether the last send was accepted, and the figures", async () => {
  let now = 0;
  const health = startHealth({
    hostname: "127.0.0.1",
    port: 0,
    clock: { wall: () => now, monotonic: () => now, sleep: () => Promise.resolve() },
    stuckAfterMs: 1000,
    ledger: () => ({ recorded: 10, delivered: 4, rejected: 1, dropped: 2, pending: 3 }),
    pendingBytes: () => 77,
    warn: (message) => assert.fail(message),
  });
  const get = async (path: string, method = "GET") => {
    const answer = await fetch(health.url + path, { method });
    return [answer.status, await answer.text()] as const;
  };
  try {
    assert.deepEqual(await get("/livez"), [200, "ok\n"]);
    assert.deepEqual(await get("/readyz"), [200, "ok\n"]);
    now = 1500;
    assert.deepEqual(await get("/livez"), [503, "the loop has been stuck for 2 s\n"]);
    health.turned();
    assert.deepEqual(await get("/livez"), [200, "ok\n"]);
    const rest = Promise.withResolvers<string>();
    const waited = health.waiting(rest.promise);
    now = 90_000;
    assert.deepEqual(await get("/livez"), [200, "ok\n"], "waiting is not being stuck");
    rest.resolve("rested");
    assert.equal(await waited, "rested");
    assert.deepEqual(await get("/livez"), [200, "ok\n"]);
    now += 1500;
    assert.equal((await get("/livez"))[0], 503);
    health.event(attempt("failed", 20));
    health.event(late("failed"));
    assert.deepEqual(await get("/readyz"), [503, "the last send was failed\n"]);
    health.event(attempt("accepted", 20_000));
    health.event(late("accepted"));
    assert.deepEqual(await get("/readyz"), [200, "ok\n"]);
    assert.equal((await get("/"))[0], 404);
    assert.equal((await get("/livez", "POST"))[0], 405);

    const [, text] = await get("/metrics");
    const value = (name: string, outcome?: string) => {
      const sample = `${name}${outcome === undefined ? "" : `{outcome="${outcome}"}`} `;
      return Number(text.split("\n").find((line) => line.startsWith(sample))?.slice(sample.length));
    };
    assert.equal(value("otlp_histogram_measurements_total", "delivered"), 4);
    assert.equal(value("otlp_histogram_measurements_total", "rejected"), 1);
    assert.equal(value("otlp_histogram_measurements_total", "dropped"), 2);
    assert.equal(value("otlp_histogram_pending_measurements"), 3);
    assert.equal(value("otlp_histogram_pending_bytes"), 77);
    assert.equal(value("otlp_histogram_requests_total", "accepted"), 1);
    assert.equal(value("otlp_histogram_requests_total", "failed"), 1);
    assert.equal(value("otlp_histogram_requests_total", "partial"), 0);
    const reading = readHistograms(text);
    assert.ok(typeof reading !== "string" && reading.isWhole);
    const [durations] = reading.histograms;
    assert.deepEqual(durations?.below.slice(1, 3), [0, 1]);
    assert.deepEqual(durations?.below.slice(-2), [1, 2]);
    assert.equal(durations?.sum, 20.02);
  } finally {
    health.close();
  }
});
