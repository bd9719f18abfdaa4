import assert from "node:assert/strict";
import fc from "fast-check";
import { IntervalRecorder } from "../../src/aggregate/interval_recorder.ts";
import { LaneRecorder } from "../../src/aggregate/lane_recorder.ts";
import type { Measurement } from "../../src/aggregate/measurement.ts";
import { DeltaRecorder, type Recorder } from "../../src/aggregate/recorder.ts";
import { attributeEncoder } from "../../src/otlp/encoder.ts";
import { SEED } from "../support/arbitrary.ts";
import { SimulatedClock } from "../support/simulation.ts";
import { decode } from "../support/decode.ts";
import { EncodedRecorder } from "../support/recording.ts";

const ALL = { points: Infinity, bytes: Infinity };
const NOON = Date.UTC(2026, 0, 31, 12);
const INSTRUMENTS = ["a", "b", "c"].map((name) => ({
  name,
  unit: "ms",
  description: "",
  bounds: [5, 10],
  attributes: {},
}));

const config = (maxSeries: number) => ({ attributeEncoder, instruments: INSTRUMENTS, maxSeries });
const timed = (maxSeries: number) =>
  new IntervalRecorder({
    ...config(maxSeries),
    intervalMs: 1000,
    latenessMs: 500,
    mostDue: Infinity,
  });

type Mixed = Measurement & { readonly instrument: number };

const BATCHES = fc.array(
  fc.array(
    fc.record({
      value: fc.integer({ min: 0, max: 20 }),
      instrument: fc.nat(INSTRUMENTS.length - 1),
      time: fc.integer({ min: 0, max: 5000 }).map((ms) => NOON + ms),
      attributes: fc.constantFrom({ k: "x" }, { k: "y" }, {}),
    }),
    { minLength: 1, maxLength: 30 },
  ),
  { maxLength: 8 },
);

/** Metric, interval, series, count and sum of each data point, and how often an interval came again. */
async function findings(
  recorder: Recorder,
  batches: readonly (readonly Mixed[])[],
  add: (batch: readonly Mixed[]) => void,
) {
  const encoded = new EncodedRecorder(recorder);
  batches.forEach(add);
  encoded.finish();
  const { requests, ...others } = await encoded.collect(ALL, "none");
  const points = requests.flatMap(({ body }) => decode(body).metrics).flatMap((metric) =>
    metric.points.map((point) => ({ metric: metric.name, ...point }))
  );
  return { points, others };
}

function total<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((sum, item) => sum + figure(item), 0);
}

const keyed = ({ points }: Awaited<ReturnType<typeof findings>>) =>
  points.map(({ metric, attributes, start, end, count, sum, counts }) =>
    [metric, start, end, JSON.stringify(attributes), count, sum, counts.join()].join(" ")
  ).sort();

Deno.test("IntervalRecorder finds in batches of several instruments what it finds one by one", async () => {
  await fc.assert(
    fc.asyncProperty(BATCHES, async (batches) => {
      const whole = timed(Infinity);
      const single = timed(Infinity);
      const [mixed, one] = await Promise.all([
        findings(whole, batches, (batch) => whole.add(batch)),
        findings(single, batches, (batch) => {
          for (const { instrument, ...measurement } of batch) single.add([measurement], instrument);
        }),
      ]);
      assert.deepEqual(keyed(mixed), keyed(one));
      assert.deepEqual(mixed.others, one.others);
    }),
    { ...SEED, numRuns: 300 },
  );
});

Deno.test("every recorder counts all measurements of several instruments, whatever the limit", async () => {
  const clock = new SimulatedClock();
  const recorders = [
    () => timed(4),
    () => new DeltaRecorder(config(4), clock),
    () => new LaneRecorder(config(12), 3, clock),
  ];
  await fc.assert(
    fc.asyncProperty(BATCHES, async (batches) => {
      for (const make of recorders) {
        const recorder = make();
        const { points } = await findings(recorder, batches, (batch) => recorder.add(batch));
        const of = (name: string) => points.filter(({ metric }) => metric === name);
        for (const [index, { name }] of INSTRUMENTS.entries()) {
          const own = batches.flat().filter(({ instrument }) => instrument === index);
          assert.deepEqual(
            [total(of(name), ({ count }) => count), total(of(name), ({ sum }) => sum ?? NaN)],
            [own.length, total(own, ({ value }) => value)],
            name,
          );
        }
      }
    }),
    { ...SEED, numRuns: 100 },
  );
});
