import assert from "node:assert/strict";
import fc from "fast-check";
import type { Measurement } from "../../src/measurements/measurement.ts";
import { decodeRequest } from "../../src/otlp/decode.ts";
import { type Instrument, recorder, type RecorderConfig } from "../../src/otlp/recorder.ts";
import { keyOf } from "../../src/histogram/series.ts";
import { batches, BOUNDS, SEED } from "../support/arbitrary.ts";
import { decode } from "../support/decode.ts";
import { sdkRecorder } from "../support/sdk.ts";
import { StillClock } from "../support/still_clock.ts";

const ALL = { points: Infinity, bytes: Infinity };
const RESOURCE = { "service.name": "my-service", "deployment.environment": "prod" };

function instrument(change: Partial<Instrument> = {}): Instrument {
  return {
    name: "http.server.duration",
    unit: "ms",
    description: "HTTP request duration",
    bounds: [5, 10],
    attributes: {},
    ...change,
  };
}

function config(change: Partial<RecorderConfig> = {}): RecorderConfig {
  return { resource: RESOURCE, instruments: [instrument()], maxSeries: 10_000, ...change };
}

function measured(...values: readonly number[]): readonly Measurement[] {
  return values.map((value) => ({ value, attributes: {} }));
}

/** The request of a recorder and of the SDK for the same data, interval by interval. */
async function compared(
  config: RecorderConfig,
  intervals: readonly (readonly Measurement[])[],
): Promise<readonly (readonly [Uint8Array | undefined, Uint8Array])[]> {
  const clock = new StillClock();
  const ours = recorder(config, clock);
  const sdk = sdkRecorder(config);
  const pairs: (readonly [Uint8Array | undefined, Uint8Array])[] = [];
  for (const batch of intervals) {
    for (const [i] of config.instruments.entries()) {
      // Each instrument gets another part of the batch, the last one all of it.
      const part = i === config.instruments.length - 1 ? batch : batch.slice(i, batch.length / 2);
      ours.record(part, i);
      sdk.record(part, i);
    }
    const start = clock.now;
    clock.now += 1234;
    const [request, ...others] = (await ours.collect(ALL, "none")).requests;
    assert.equal(others.length, 0);
    pairs.push([request?.body, await sdk.collect(start, clock.now)]);
  }
  return pairs;
}

/**
 * Without what may differ: the SDK takes the order of keys from an interval's first measurement of a series, the
 * recorder from the first of all; and the SDK keeps -0.
 */
function ordered(
  intervals: readonly (readonly Measurement[])[],
): readonly (readonly Measurement[])[] {
  return intervals.map((batch) =>
    batch.map(({ value, attributes }) => ({
      value: value + 0,
      attributes: Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => a < b ? -1 : 1)),
    }))
  );
}

const KINDS: readonly (readonly [string, readonly Instrument[]])[] = [
  ["explicit bounds", [instrument({ bounds: BOUNDS })]],
  ["no bounds", [instrument({ bounds: [], unit: "", description: "" })]],
  ["exponential histograms", [instrument({ bounds: "exponential" })]],
  ["fixed attributes", [instrument({ attributes: { "http.method": "GET", zone: "é" } })]],
  ["several instruments", [
    instrument({ name: "a", bounds: [0.5, 1] }),
    instrument({ name: "b", bounds: "exponential", unit: "By" }),
    instrument({ name: "c", description: "", attributes: { fixed: "x" } }),
  ]],
];

for (const [what, instruments] of KINDS) {
  Deno.test(`collect() gives the bytes of the SDK and its serializer with ${what}`, async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (intervals) => {
        for (const [ours, theirs] of await compared(config({ instruments }), ordered(intervals))) {
          if (ours === undefined) {
            assert.deepEqual(decodeRequest(theirs).resourceMetrics[0]?.scopeMetrics, []);
          } else assert.ok(equalBytes(ours, theirs), "other bytes");
        }
      }),
      SEED,
    );
  });
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

for (const bounds of [BOUNDS, "exponential"] as const) {
  Deno.test(`collect() folds as the SDK does, byte by byte (${String(bounds).slice(0, 11)})`, async () => {
    const limits = fc.integer({ min: 1, max: 5 });
    await fc.assert(
      fc.asyncProperty(batches, limits, async (intervals, maxSeries) => {
        const folding = config({ maxSeries, instruments: [instrument({ bounds })] });
        const batches = ordered(intervals);
        for (const [i, [ours, theirs]] of (await compared(folding, batches)).entries()) {
          const sets = new Set((batches[i] ?? []).map(({ attributes }) => keyOf(attributes))).size;
          // The SDK folds the last of exactly as many sets as the limit; here that needs one more.
          if (ours !== undefined && sets !== maxSeries) {
            assert.ok(equalBytes(ours, theirs), "other bytes");
          }
        }
      }),
      SEED,
    );
  });
}

Deno.test("collect() agrees with the SDK on thousands of series over many intervals", async () => {
  const sets = Array.from(
    { length: 3000 },
    (_, series) => ({ series, zone: `zone ${series % 7}` }),
  );
  let state = 7;
  const random = () => (state = state * 48271 % 2147483647) / 2147483647;
  const intervals = Array.from(
    { length: 4 },
    () =>
      sets.filter(() => random() < 0.8).map((attributes) => ({
        value: random() * 6000,
        attributes,
      })),
  );
  const instruments = [
    instrument({ bounds: [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000] }),
  ];
  for (const [ours, theirs] of await compared(config({ instruments }), intervals)) {
    assert.ok(ours !== undefined && equalBytes(ours, theirs));
  }
});

Deno.test("collect() gives each delta once, with intervals that join", async () => {
  const clock = new StillClock(1_000_000);
  const recording = recorder(config(), clock);
  recording.record(measured(1, 7));
  clock.now += 100;
  const [first] = (await recording.collect(ALL, "none")).requests;
  clock.now += 200;
  assert.deepEqual((await recording.collect(ALL, "none")).requests, [], "nothing recorded");
  clock.now += 300;
  recording.record(measured(20));
  const [third] = (await recording.collect(ALL, "none")).requests;
  assert.ok(first !== undefined && third !== undefined);
  assert.deepEqual([first.points, first.measurements, first.encoding], [1, 2, "identity"]);
  const [one, two] = [first, third].map(({ body }) => decode(body).metrics[0]);
  assert.equal(one?.temporality, "delta");
  assert.deepEqual(one?.points[0], {
    attributes: {},
    count: 2,
    sum: 8,
    min: 1,
    max: 7,
    bounds: [5, 10],
    counts: [1, 1, 0],
    start: 1_000_000_000_000n,
    end: 1_000_100_000_000n,
  });
  assert.deepEqual([two?.points[0]?.counts, two?.points[0]?.start, two?.points[0]?.end], [
    [0, 0, 1],
    1_000_300_000_000n,
    1_000_600_000_000n,
  ]);
});

Deno.test("collect() leaves what is recorded while it compresses to the next interval", async () => {
  const recording = recorder(config(), new StillClock());
  recording.record(measured(1));
  const collecting = recording.collect(ALL, "gzip");
  recording.record(measured(2, 3));
  const [first] = (await collecting).requests;
  const [second] = (await recording.collect(ALL, "gzip")).requests;
  assert.deepEqual([first?.measurements, second?.measurements], [1, 2]);
  assert.deepEqual([first?.encoding, second?.encoding], ["gzip", "gzip"]);
  const sums = await Promise.all([first, second].map(async (request) => {
    const stream = new Blob([request?.body ?? ""]).stream().pipeThrough(
      new DecompressionStream("gzip"),
    );
    return decode(await new Response(stream).bytes()).metrics[0]?.points[0]?.sum;
  }));
  assert.deepEqual(sums, [1, 5]);
});

Deno.test("collect() says what was refused and folded, of all instruments together", async () => {
  const instruments = [instrument({ name: "a" }), instrument({ name: "b", bounds: "exponential" })];
  const recording = recorder(config({ instruments, maxSeries: 3 }), new StillClock());
  for (const index of [0, 1]) {
    recording.record([1, 2, 3].map((value) => ({ value, attributes: { s: value } })), index);
    recording.record(measured(-1, NaN), index);
  }
  const { requests, overflow, refused } = await recording.collect(ALL, "none");
  assert.equal(refused, 4);
  assert.deepEqual(overflow, { measurements: 5, series: 5, more: false });
  assert.deepEqual(requests.map(({ points, measurements }) => [points, measurements]), [[3, 6]]);
  const [request] = requests;
  assert.deepEqual(
    decodeRequest(request?.body ?? new Uint8Array()).resourceMetrics[0]?.scopeMetrics[0]?.metrics
      .map(({ name, data }) => [name, data.case]),
    [["a", "histogram"], ["b", "exponentialHistogram"]],
  );
});

Deno.test("collect() splits by the limits that it is given", async () => {
  const recording = recorder(config(), new StillClock());
  recording.record(Array.from({ length: 10 }, (_, s) => ({ value: s, attributes: { s } })));
  const { requests } = await recording.collect({ points: 4, bytes: Infinity }, "none");
  assert.deepEqual(requests.map(({ points }) => points), [4, 4, 2]);
});

Deno.test("record() throws for an instrument that it was not made with", () => {
  assert.throws(() => recorder(config(), new StillClock()).record([], 1), /no instrument 1/);
});
