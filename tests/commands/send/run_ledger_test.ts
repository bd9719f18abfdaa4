import assert from "node:assert/strict";
import fc from "fast-check";
import { LOOP, World } from "../../support/run_world.ts";
import { seeded } from "../../support/seeded.ts";
import { MemoryStore, partial, type Step } from "../../support/simulation.ts";

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
