import assert from "node:assert/strict";
import fc from "fast-check";
import type { MeasuredHistogram, Measurement } from "../../src/aggregate/measurement.ts";
import { decodeRequest } from "../../src/otlp/decode.ts";
import type { Instrument } from "../../src/aggregate/instrument.ts";
import { attributeKey } from "../../src/aggregate/attribute_key.ts";
import { atLeastOne } from "../support/cases.ts";
import { batches, BOUNDS, SEED } from "../support/arbitrary.ts";
import { decode } from "../support/decode.ts";
import { type EncodedRecorder, type RecordingConfig, recordingOf } from "../support/recording.ts";
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

function config(change: Partial<RecordingConfig> = {}): RecordingConfig {
  return { resource: RESOURCE, instruments: [instrument()], maxSeries: 10_000, ...change };
}

function measured(...values: readonly number[]): readonly Measurement[] {
  return values.map((value) => ({ value, attributes: {} }));
}

/** The request of a recorder and of the SDK for the same data, interval by interval. */
async function compared(
  config: RecordingConfig,
  intervals: readonly (readonly Measurement[])[],
): Promise<readonly (readonly [Uint8Array | undefined, Uint8Array])[]> {
  const clock = new StillClock();
  const ours = recordingOf(config, clock);
  const sdk = sdkRecorder(config);
  const pairs: (readonly [Uint8Array | undefined, Uint8Array])[] = [];
  for (const batch of intervals) {
    for (const [i] of config.instruments.entries()) {
      // Each instrument gets another part of the batch, the last one all of it.
      const part = i === config.instruments.length - 1 ? batch : batch.slice(i, batch.length / 2);
      ours.add(part, i);
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
  Deno.test(`take() gives the bytes of the SDK and its serializer with ${what}`, async () => {
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
  Deno.test(`take() folds as the SDK does, byte by byte (${String(bounds).slice(0, 11)})`, async () => {
    const limits = fc.integer({ min: 1, max: 5 });
    let folds = 0;
    await fc.assert(
      fc.asyncProperty(batches, limits, async (intervals, maxSeries) => {
        const folding = config({ maxSeries, instruments: [instrument({ bounds })] });
        const batches = ordered(intervals);
        for (const [i, [ours, theirs]] of (await compared(folding, batches)).entries()) {
          const sets = new Set((batches[i] ?? []).map(({ attributes }) =>
            attributeKey(attributes)
          )).size;
          // The SDK folds the last of exactly as many sets as the limit; here that needs one more.
          if (ours !== undefined && sets !== maxSeries) {
            assert.ok(equalBytes(ours, theirs), "other bytes");
            if (sets > maxSeries) folds++;
          }
        }
      }),
      SEED,
    );
    assert.ok(folds > 20, `only ${folds} were folded`);
  });
}

Deno.test("take() agrees with the SDK on thousands of series over many intervals", async () => {
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
  for (const [ours, theirs] of atLeastOne(await compared(config({ instruments }), intervals))) {
    assert.ok(ours !== undefined && equalBytes(ours, theirs));
  }
});

Deno.test("take() gives each delta once, with intervals that join", async () => {
  const clock = new StillClock(1_000_000);
  const recording = recordingOf(config(), clock);
  recording.add(measured(1, 7));
  clock.now += 100;
  const [first] = (await recording.collect(ALL, "none")).requests;
  clock.now += 200;
  assert.deepEqual((await recording.collect(ALL, "none")).requests, [], "nothing recorded");
  clock.now += 300;
  recording.add(measured(20));
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

Deno.test("take() leaves what is recorded while it compresses to the next interval", async () => {
  const recording = recordingOf(config(), new StillClock());
  recording.add(measured(1));
  const collecting = recording.collect(ALL, "gzip");
  recording.add(measured(2, 3));
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

Deno.test("take() says what was folded, of all instruments together", async () => {
  const instruments = [instrument({ name: "a" }), instrument({ name: "b", bounds: "exponential" })];
  const recording = recordingOf(config({ instruments, maxSeries: 3 }), new StillClock());
  for (const index of [0, 1]) {
    recording.add([1, 2, 3].map((value) => ({ value, attributes: { s: value } })), index);
  }
  const { requests, overflow } = await recording.collect(ALL, "none");
  assert.deepEqual(overflow, { measurements: 5, series: 5, more: false });
  assert.deepEqual(requests.map(({ points, measurements }) => [points, measurements]), [[3, 6]]);
  const [request] = requests;
  assert.deepEqual(
    decodeRequest(request?.body ?? new Uint8Array()).resourceMetrics[0]?.scopeMetrics[0]?.metrics
      .map(({ name, data }) => [name, data.case]),
    [["a", "histogram"], ["b", "exponentialHistogram"]],
  );
});

Deno.test("take() splits by the limits that it is given", async () => {
  const recording = recordingOf(config(), new StillClock());
  recording.add(Array.from({ length: 10 }, (_, s) => ({ value: s, attributes: { s } })));
  const { requests } = await recording.collect({ points: 4, bytes: Infinity }, "none");
  assert.deepEqual(requests.map(({ points }) => points), [4, 4, 2]);
});

Deno.test("add() throws for an instrument that it was not made with", () => {
  assert.throws(() => recordingOf(config(), new StillClock()).add([], 1), /no instrument 1/);
});

/** A histogram as a Prometheus endpoint has it: without min and max. */
function given(
  bounds: readonly number[],
  counts: readonly number[],
  change: Partial<MeasuredHistogram> = {},
): MeasuredHistogram {
  const count = counts.reduce((sum, each) => sum + each, 0);
  return {
    bounds,
    counts,
    count,
    sum: 10 * count,
    min: undefined,
    max: undefined,
    attributes: {},
    ...change,
  };
}

async function pointsOf(recording: EncodedRecorder) {
  const { requests, ...figures } = await recording.collect(ALL, "none");
  const metrics = requests.flatMap(({ body }) => decode(body).metrics);
  return { ...figures, points: metrics.flatMap(({ points }) => points) };
}

Deno.test("addHistograms() adds up equal bounds of one series, and values that were measured there", async () => {
  const recording = recordingOf(config(), new StillClock());
  recording.add(measured(1, 7));
  recording.addHistograms([
    given([5, 10], [1, 0, 2], { min: 0.5, max: 40 }),
    given([5, 10], [0, 3, 0], { min: 6, max: 9, sum: 22 }),
    given([5, 10], [0, 1, 0], { attributes: { a: 1 } }),
    given([5, 10], [0, 0, 0], { attributes: { empty: true } }),
  ]);
  const { points, unequalBounds } = await pointsOf(recording);
  assert.deepEqual(points.map(({ start: _, end: __, bounds: ___, ...rest }) => rest), [
    { attributes: {}, count: 8, sum: 60, min: 0.5, max: 40, counts: [2, 4, 2] },
    {
      attributes: { a: 1n },
      count: 1,
      sum: 10,
      min: undefined,
      max: undefined,
      counts: [0, 1, 0],
    },
  ]);
  assert.equal(unequalBounds, 0);
});

Deno.test("addHistograms() leaves out sum, min and max once a part does not tell them", async () => {
  const recording = recordingOf(config(), new StillClock());
  recording.addHistograms([
    given([5, 10], [1, 0, 0], { sum: undefined, min: 1, max: undefined }),
  ]);
  recording.add(measured(7));
  recording.addHistograms([given([5, 10], [1, 0, 0], { min: 0, max: 4 })]);
  const first = await pointsOf(recording);
  assert.deepEqual(
    first.points.map(({ count, sum, min, max, counts }) => ({ count, sum, min, max, counts })),
    [{ count: 3, sum: undefined, min: 0, max: undefined, counts: [2, 1, 0] }],
  );
  recording.add(measured(7));
  const { points: [second] } = await pointsOf(recording);
  assert.deepEqual([second?.sum, second?.min, second?.max], [7, 7, 7], "only of that interval");
});

Deno.test("addHistograms() sends unequal bounds as data points of their own, and counts such series", async () => {
  const recording = recordingOf(config(), new StillClock());
  const b = { attributes: { b: 1 } };
  recording.add(measured(1));
  recording.addHistograms([
    given([5, 10, 20], [1, 0, 0, 0]),
    given([], [4]),
    given([5, 10, 20], [0, 0, 0, 1]),
    given([1], [1, 1], b),
    given([1], [1, 1], b),
  ]);
  const { points, unequalBounds, overflow } = await pointsOf(recording);
  assert.deepEqual(points.map(({ attributes, bounds, counts }) => [attributes, bounds, counts]), [
    [{}, [5, 10], [1, 0, 0]],
    [{}, [5, 10, 20], [1, 0, 0, 1]],
    [{}, [], [4]],
    [{ b: 1n }, [1], [2, 2]],
  ]);
  assert.equal(unequalBounds, 1);
  assert.equal(overflow.measurements, 0);
  recording.addHistograms([given([1], [1, 0])]);
  assert.equal((await pointsOf(recording)).unequalBounds, 0, "not in that interval");
});

Deno.test("addHistograms() sends explicit bounds beside exponential buckets as a metric of that kind", async () => {
  const recording = recordingOf(
    config({ instruments: [instrument({ bounds: "exponential" })] }),
    new StillClock(),
  );
  recording.add(measured(1));
  recording.addHistograms([given([5], [1, 1])]);
  const { requests, unequalBounds } = await recording.collect(ALL, "none");
  const [request] = requests;
  assert.deepEqual(
    decodeRequest(request?.body ?? new Uint8Array()).resourceMetrics[0]?.scopeMetrics[0]?.metrics
      .map(({ name, data }) => [name, data.case, data.value?.dataPoints.length]),
    [
      ["http.server.duration", "histogram", 1],
      ["http.server.duration", "exponentialHistogram", 1],
    ],
  );
  assert.equal(unequalBounds, 1);
});

Deno.test("addHistograms() counts each data point against the limit, and keeps equal buckets when it folds", async () => {
  const recording = recordingOf(config({ maxSeries: 2 }), new StillClock());
  const series = [1, 2, 3].map((s) => given([1, 2], [s, 1, 0], { attributes: { s } }));
  recording.addHistograms(series);
  const { points, overflow } = await pointsOf(recording);
  assert.deepEqual(points.map(({ attributes, bounds, counts }) => [attributes, bounds, counts]), [
    [{ s: 1n }, [1, 2], [1, 1, 0]],
    [{ "otel.metric.overflow": true }, [1, 2], [5, 2, 0]],
  ]);
  assert.deepEqual(overflow, { measurements: 7, series: 2, more: false });
});

Deno.test("addHistograms() folds unequal bounds without buckets, but with count, sum, min and max", async () => {
  for (const bounds of [[5, 10], "exponential"] as const) {
    const recording = recordingOf(
      config({ maxSeries: 1, instruments: [instrument({ bounds })] }),
      new StillClock(),
    );
    recording.add(measured(1, 20));
    recording.addHistograms([
      given([2], [1, 1], { min: 0.5, max: 3, sum: 3.5 }),
      given([2, 4], [1, 1, 0], { min: 1, max: 3, sum: 4 }),
    ]);
    recording.add([{ value: 50, attributes: { s: 1 } }]);
    const { points, overflow, unequalBounds } = await pointsOf(recording);
    assert.deepEqual(
      points.map(({ start: _, end: __, ...rest }) => rest),
      [{
        attributes: { "otel.metric.overflow": true },
        count: 7,
        sum: 78.5,
        min: 0.5,
        max: 50,
        bounds: [],
        counts: [7],
      }],
    );
    assert.deepEqual([overflow.measurements, unequalBounds], [7, 0]);
    recording.add(measured(1));
    const [next] = (await recording.collect(ALL, "none")).requests;
    assert.deepEqual([next?.points, next?.measurements], [1, 1], "the next interval is as ever");
  }
});

Deno.test("addHistograms() throws for counts that do not fit the bounds", () => {
  const recording = recordingOf(config(), new StillClock());
  assert.throws(() => recording.addHistograms([given([1, 2], [1, 1])]), RangeError);
});

Deno.test("addHistograms() agrees with plain addition over random histograms, bounds and limits", async () => {
  const histograms = fc.constantFrom<readonly number[]>([5, 10], [], [1], [1, 2, 3]).chain((
    bounds,
  ) =>
    fc.record({
      counts: fc.array(fc.nat({ max: 9 }), {
        minLength: bounds.length + 1,
        maxLength: bounds.length + 1,
      }),
      s: fc.nat({ max: 3 }),
    }).map(({ counts, s }) => given(bounds, counts, { attributes: { s } }))
  );
  const intervals = fc.array(fc.array(histograms, { maxLength: 30 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(intervals, fc.constantFrom(1, 3, 100), async (intervals, maxSeries) => {
      const recording = recordingOf(config({ maxSeries }), new StillClock());
      for (const batch of intervals) {
        recording.addHistograms(batch);
        const { points } = await pointsOf(recording);
        const total = batch.reduce((sum, { count }) => sum + count, 0);
        assert.equal(points.reduce((sum, { count }) => sum + count, 0), total);
        assert.equal(points.reduce((sum, point) => sum + (point.sum ?? NaN), 0), 10 * total);
        assert.ok(points.length <= maxSeries);
        if (maxSeries < 100) continue;
        const plain = new Map<string, readonly number[]>();
        for (const { bounds, counts, count, attributes } of batch) {
          const key = `${attributes["s"]} ${bounds}`;
          const known = plain.get(key) ?? counts.map(() => 0);
          if (count > 0) plain.set(key, counts.map((each, i) => each + (known[i] ?? 0)));
        }
        assert.deepEqual(
          points.map(({ attributes, bounds, counts }) => [`${attributes["s"]} ${bounds}`, counts]),
          [...plain],
        );
      }
    }),
    SEED,
  );
});

Deno.test("take() takes start and end from the caller, and its own join over them", async () => {
  const clock = new StillClock(1_000_000);
  const recording = recordingOf(config(), clock);
  recording.add(measured(1));
  clock.now += 500;
  const scraped = { start: 1_000_100, end: 1_000_400 };
  const [first] = (await recording.collect(ALL, "none", scraped)).requests;
  recording.add(measured(1));
  clock.now += 500;
  const [second] = (await recording.collect(ALL, "none")).requests;
  const times = [first, second].map((request) => {
    const point = decode(request?.body ?? new Uint8Array()).metrics[0]?.points[0];
    return [Number(point?.start) / 1e6, Number(point?.end) / 1e6];
  });
  assert.deepEqual(times, [[1_000_100, 1_000_400], [1_000_500, 1_001_000]]);
});

Deno.test("take() names metrics whose values all fell into the first or the last bucket so far", async () => {
  const instruments = [
    instrument({ name: "low" }),
    instrument({ name: "high" }),
    instrument({ name: "spread" }),
    instrument({ name: "one bucket", bounds: [] }),
    instrument({ name: "exponential", bounds: "exponential" }),
    instrument({ name: "nothing" }),
  ];
  const recording = recordingOf(config({ instruments }), new StillClock());
  [measured(0.1, 5), measured(10.1, 999), measured(1, 20), measured(1), measured(1)]
    .forEach((batch, i) => recording.add(batch, i));
  const low = { metric: "low", bucket: "first", nearest: 5, bound: 5 } as const;
  const high = { metric: "high", bucket: "last", nearest: 10.1, bound: 10 } as const;
  assert.deepEqual((await recording.collect(ALL, "none")).endBuckets, [low, high]);
  recording.add(measured(6), 1);
  recording.add(measured(1), 2);
  assert.deepEqual((await recording.collect(ALL, "none")).endBuckets, [low]);
  recording.add(measured(1), 1);
  assert.deepEqual(
    (await recording.collect(ALL, "none")).endBuckets,
    [low],
    "of all collections so far",
  );
});
