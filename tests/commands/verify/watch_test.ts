import assert from "node:assert/strict";
import { watchRun } from "../../../src/commands/verify/watch.ts";
import { expectedHistogram, knownValues } from "../../../src/commands/verify/canary.ts";
import { areAllRight, figureSteps } from "../../../src/commands/verify/steps.ts";
import type { SentRun, ShownHistogram, Sighting } from "../../../src/receivers/backend.ts";
import { each } from "../../support/cases.ts";
import { SimulatedClock } from "../../support/simulation.ts";

const BOUNDS = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000];
const EXPECTED = expectedHistogram(knownValues(BOUNDS), BOUNDS);
const RUN: SentRun = {
  metric: "m",
  unit: "ms",
  attribute: "otlp_histogram.run",
  id: "1",
  attributes: [],
  time: 0,
  bounds: BOUNDS,
  buckets: EXPECTED.buckets,
  count: EXPECTED.count,
  sum: EXPECTED.sum,
};

const histogram = (changes: Partial<ShownHistogram> = {}): ShownHistogram => ({
  metric: "m",
  count: EXPECTED.count,
  sum: EXPECTED.sum,
  min: EXPECTED.min,
  max: EXPECTED.max,
  percentile: EXPECTED.median,
  buckets: EXPECTED.buckets,
  dimensions: undefined,
  notes: {},
  ...changes,
});

const EXACT = { cannot: {}, hasVagueExtremes: false };
const NOTHING: Sighting = { kind: "nothing" };
const shownAs = (changes?: Partial<ShownHistogram>): Sighting => ({
  kind: "shown",
  histogram: histogram(changes),
});
const BUSY: Sighting = {
  kind: "trouble",
  message: "429",
  hint: undefined,
  retryAfterMs: 20_000,
  isUnreachable: false,
};

/** Waits in simulated time; the last sighting goes on. Resolves to the result, and when each query came. */
async function watch(sightings: readonly Sighting[], waitMs = 300_000) {
  const clock = new SimulatedClock();
  const times: number[] = [];
  const began = clock.monotonic();
  const watched = await clock.run(watchRun(
    {
      find() {
        times.push(clock.monotonic() - began);
        return Promise.resolve(sightings[times.length - 1] ?? sightings.at(-1) ?? NOTHING);
      },
    },
    RUN,
    {
      waitMs,
      clock,
      stop: new AbortController().signal,
      agrees: (shown) => areAllRight(figureSteps({ expected: EXPECTED }, shown, EXACT)),
      progress() {},
    },
  ));
  return { watched, times };
}

Deno.test("watchRun() asks once more after all agreed", async () => {
  const { watched, times } = await watch([NOTHING, shownAs()]);
  assert.deepEqual(times, [0, 1000, 2000]);
  assert.deepEqual([watched.end, watched.agreedMs, watched.firstMs], ["agreed", 1000, 1000]);
});

Deno.test("watchRun() goes on when what agreed does not agree any more", async () => {
  const { watched } = await watch([shownAs(), shownAs({ count: 40 }), shownAs()]);
  assert.deepEqual([watched.end, watched.polls], ["agreed", 4]);
  assert.ok((watched.agreedMs ?? 0) > 1000);
});

Deno.test("watchRun() waits from 1 s to 10 s between queries, until the time is up", async () => {
  const { watched, times } = await watch([NOTHING], 60_000);
  const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  assert.equal(pauses[0], 1000);
  assert.ok(pauses.slice(0, -1).every((pause, i) => pause >= (pauses[i - 1] ?? 0)));
  assert.equal(Math.max(...pauses), 10_000);
  assert.deepEqual([watched.end, times.at(-1)], ["time", 60_000]);
});

Deno.test("watchRun() waits as long as Retry-After says", async () => {
  const { times } = await watch([BUSY, shownAs()]);
  assert.deepEqual(times, [0, 20_000, 21_000]);
});

Deno.test("watchRun() keeps the part that was shown when the time is up", async () => {
  const { watched } = await watch([shownAs({ count: 10 })], 5000);
  assert.deepEqual([watched.end, watched.histogram?.count, watched.agreedMs], [
    "time",
    10,
    undefined,
  ]);
});

each(
  [BOUNDS, [], [1], [0.005, 0.01, 0.025], [0, 100]],
  (bounds) => `knownValues() of the bounds [${bounds}] are 20, and none is negative`,
  (bounds) => {
    const values = knownValues(bounds);
    assert.equal(values.length, 20);
    assert.ok(values.every((value) => value >= 0 && Number.isFinite(value)));
    const { buckets, median, medianBucket } = expectedHistogram(values, bounds);
    assert.equal(buckets.reduce((sum, { count }) => sum + count, 0), 20);
    assert.ok(median >= medianBucket.lower && median <= medianBucket.upper);
  },
);

each(
  [
    [{ sum: EXPECTED.sum + 1 }, "sum", false],
    [{ percentile: 76 }, "percentile", true],
    [{ percentile: 80 }, "percentile", false],
    [{ buckets: EXPECTED.buckets.slice(1) }, "buckets", false],
    [{ buckets: undefined }, "buckets", null],
    [{ min: undefined }, "min", null],
    [{ count: 19 }, "count", false],
  ] as const,
  ([changes, name, ok]) => `figureSteps() finds ${name} ${ok} for ${JSON.stringify(changes)}`,
  ([changes, name, ok]) => {
    const steps = figureSteps({ expected: EXPECTED }, histogram(changes), EXACT);
    assert.deepEqual(steps.filter((step) => step.ok !== true).map((step) => step.name), [
      ...ok === true ? [] : [name],
    ]);
    assert.equal(steps.find((step) => step.name === name)?.ok, ok);
  },
);
