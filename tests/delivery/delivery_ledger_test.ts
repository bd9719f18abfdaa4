import assert from "node:assert/strict";
import fc from "fast-check";
import { Delivery } from "../../src/delivery/delivery.ts";
import { NOON, World } from "../support/delivery_world.ts";
import { MemoryStore, partial, requestOf, SPLITTABLE, type Step } from "../support/simulation.ts";

// These tests are property-based: whatever happens, the ledger is right.

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ status: fc.constant(200), latencyMs: fc.integer({ min: 0, max: 900 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      status: fc.constantFrom(429, 502, 503, 504),
      headers: fc.constantFrom<Record<string, string>>(
        {},
        { "retry-after": "3" },
        { "retry-after": "40" },
        { "retry-after": "-1" },
        { "retry-after": "gibberish" },
        { "retry-after": NOON },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ status: fc.constantFrom(204, 302, 400, 401, 403, 413, 500) }),
  },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 4 }).map((n) => partial(n)) },
  {
    weight: 2,
    arbitrary: fc.record({ failure: fc.constantFrom("refused", "dns", "certificate", "tls") }),
  },
);
/** The receiver may have taken it, and nobody here knows. */
const ambiguous: fc.Arbitrary<Step> = fc.record({
  failure: fc.constantFrom("timeout", "broken"),
  took: fc.boolean(),
});

type Command =
  | { readonly type: "add"; readonly counts: readonly (readonly number[])[] }
  | {
    readonly type: "flush";
    readonly forMs: number;
    readonly untilMs: number;
    readonly last: boolean;
  }
  | { readonly type: "stop"; readonly afterMs: number; readonly abort: boolean }
  | { readonly type: "pass"; readonly ms: number }
  | { readonly type: "set clock"; readonly byMs: number }
  | { readonly type: "full"; readonly full: boolean };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("add"),
      counts: fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 }), {
        maxLength: 3,
      }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("flush"),
      forMs: fc.constantFrom(0, 1000, 30_000),
      untilMs: fc.constantFrom(500, 20_000, Infinity),
      last: fc.boolean(),
    }),
  },
  {
    arbitrary: fc.record({
      type: fc.constant("stop"),
      afterMs: fc.integer({ min: 1, max: 5000 }),
      abort: fc.boolean(),
    }),
    weight: 1,
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("pass"), ms: fc.integer({ min: 0, max: 90_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("set clock"),
      byMs: fc.integer({ min: -1e9, max: 1e9 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("full"), full: fc.boolean() }) },
);

interface Story {
  readonly commands: readonly Command[];
  readonly steps: readonly Step[];
  readonly jitter: number;
  readonly spool: boolean;
  readonly whenDenied: "wait" | "refuse";
  /** Bytes added to each data point, so that requests are split. */
  readonly padding: number;
  readonly maxPendingBytes: number;
  readonly maxAgeMs: number;
}

function story(steps: fc.Arbitrary<Step>): fc.Arbitrary<Story> {
  return fc.record({
    commands: fc.array(command, { minLength: 1, maxLength: 20 }),
    steps: fc.array(steps, { maxLength: 60 }),
    jitter: fc.double({ min: 0, max: 0.99, noNaN: true }),
    spool: fc.boolean(),
    whenDenied: fc.constantFrom("wait", "refuse"),
    padding: fc.constantFrom(0, 0, 0, SPLITTABLE),
    maxPendingBytes: fc.constantFrom(150, 1000, 300_000, 64e6, 64e6),
    maxAgeMs: fc.constantFrom(60_000, 3_600_000),
  });
}

async function play(
  { commands, steps, jitter, spool, whenDenied, padding, maxPendingBytes, maxAgeMs }: Story,
) {
  const store = spool ? new MemoryStore() : undefined;
  const world = new World({
    answers: steps,
    limits: { maxPendingBytes, maxAgeMs },
    ...store && { store },
    whenDenied,
    random: () => jitter,
  });
  let stop = new AbortController();
  let abort = new AbortController();
  let mark = 0;
  for (const command of commands) {
    switch (command.type) {
      case "add":
        await world.add(...command.counts.map((counts) => requestOf(counts, ++mark, padding)));
        break;
      case "flush":
        await world.flush(command.forMs, {
          until: world.clock.monotonic() + command.untilMs,
          last: command.last,
          stop: stop.signal,
          abort: abort.signal,
        });
        [stop, abort] = [new AbortController(), new AbortController()];
        break;
      case "stop": {
        const [stopping, aborting] = [stop, abort];
        world.clock.after(command.afterMs, () => {
          stopping.abort();
          if (command.abort) aborting.abort();
        });
        break;
      }
      case "pass":
        await world.pass(command.ms);
        break;
      case "set clock":
        world.clock.setWall(command.byMs);
        break;
      case "full":
        if (store) store.full = command.full;
    }
    if (store) assertKept(world.delivery, store);
  }
  await world.end();
  if (store) assertKept(world.delivery, store);
  return world;
}

/** The store holds what is pending and named there, and nothing else. */
function assertKept({ pending }: Delivery, store: MemoryStore): void {
  const named = new Set(pending.flatMap(({ stored }) => stored === undefined ? [] : [stored]));
  assert.deepEqual(new Set(store.files.keys()), named);
}

/** Measurements of points that came to the receiver in a request that it took but in which it rejected every point. */
function rejectedWhole(world: World): number {
  return world.of("settled").filter(({ result }) =>
    result.outcome === "rejected" && /^2/.test(String(result.status))
  )
    .reduce((sum, { pending }) => sum + pending.request.measurements, 0);
}

const SEED = 20260131;

Deno.test("the ledger equals what the receiver took when no failure is ambiguous", async () => {
  await fc.assert(
    fc.asyncProperty(story(step), async (told) => {
      const world = await play(told);
      const interrupted = world.of("attempt").some(({ pending }) => pending.mayHaveArrived);
      const took = world.receiver.took - rejectedWhole(world);
      const { delivered } = world.delivery.ledger;
      if (interrupted) assert.ok(took >= delivered, `${took} taken, ${delivered} delivered`);
      else assert.equal(delivered, took);
    }),
    { seed: SEED, numRuns: 400 },
  );
});

Deno.test("the receiver took at least what the ledger says when failures are ambiguous", async () => {
  await fc.assert(
    fc.asyncProperty(story(fc.oneof(step, ambiguous)), async (told) => {
      const world = await play(told);
      const took = world.receiver.took - rejectedWhole(world);
      const { delivered } = world.delivery.ledger;
      assert.ok(took >= delivered, `${took} taken, ${delivered} delivered`);
      // A request that was accepted twice was reported as possibly duplicated.
      const said = world.of("attempt").some(({ pending }) => pending.possiblyDuplicated);
      const keys = world.receiver.takenPoints.map(({ attributes }) => attributes["series"]);
      if (!said) assert.equal(new Set(keys).size, keys.length, "taken twice, and nobody said so");
    }),
    { seed: SEED + 1, numRuns: 400 },
  );
});

Deno.test("what is pending in the end is in the store when there is one, and dropped when not", async () => {
  await fc.assert(
    fc.asyncProperty(story(fc.oneof(step, ambiguous)), async (told) => {
      const world = await play(told);
      if (!told.spool) assert.equal(world.delivery.ledger.pending, 0);
      assert.ok(world.delivery.pending.every(({ stored }) => stored !== undefined));
    }),
    { seed: SEED + 2, numRuns: 200 },
  );
});
