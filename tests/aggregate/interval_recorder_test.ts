import assert from "node:assert/strict";
import fc from "fast-check";
import type { Attributes, Measurement } from "../../src/aggregate/measurement.ts";
import {
  IntervalRecorder,
  type IntervalRecorderConfig,
} from "../../src/aggregate/interval_recorder.ts";
import { attributeEncoder } from "../../src/otlp/encoder.ts";
import { SEED } from "../support/arbitrary.ts";
import { EncodedRecorder } from "../support/recording.ts";
import { decode, type Point, type Values } from "../support/decode.ts";
import { atLeastOne } from "../support/cases.ts";

const ALL = { points: Infinity, bytes: Infinity };
const BOUNDS = [5, 10, 100];
const MINUTE = 60_000;
/** On the minute. */
const NOON = Date.UTC(2026, 0, 31, 12);

type TestRecorder = EncodedRecorder<IntervalRecorder>;
type Collected = Awaited<ReturnType<TestRecorder["collect"]>>;

function recorderOf(change: Partial<IntervalRecorderConfig> = {}): TestRecorder {
  return new EncodedRecorder(
    new IntervalRecorder({
      attributeEncoder,
      instruments: [{ name: "m", unit: "ms", description: "", bounds: BOUNDS, attributes: {} }],
      maxSeries: 10_000,
      intervalMs: MINUTE,
      latenessMs: MINUTE,
      mostDue: Infinity,
      ...change,
    }),
    { "service.name": "s" },
  );
}

function at(seconds: number, value = 1, attributes: Attributes = {}): Measurement {
  return { value, attributes, time: NOON + seconds * 1000 };
}

/** One batch for each measurement, as a live input brings them, or all in one. */
function recordAll(recorder: TestRecorder, measured: readonly Measurement[], size = 1): void {
  for (let i = 0; i < measured.length; i += size) recorder.add(measured.slice(i, i + size));
}

function pointsOf({ requests }: Collected): readonly Point[] {
  return requests.flatMap(({ body }) => decode(body).metrics).flatMap(({ points }) => points);
}

/** Start in seconds after noon, length in seconds, and count of each data point. */
async function collected(recorder: TestRecorder) {
  return pointsOf(await recorder.collect(ALL, "none")).map(({ start, end, count }) => [
    Number(start / 1_000_000n - BigInt(NOON)) / 1000,
    Number((end - start) / 1_000_000n) / 1000,
    count,
  ]);
}

async function ended(recorder: TestRecorder): Promise<Collected> {
  recorder.finish();
  return await recorder.collect(ALL, "none");
}

interface Total {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly counts: readonly number[];
}

/** Data points of one interval and one series, added up. */
function merged(points: readonly Point[]): ReadonlyMap<string, Total> {
  const totals = new Map<string, Total>();
  for (const { start, end, attributes, count, sum = NaN, min = NaN, max = NaN, counts } of points) {
    const key = `${start} ${end} ${JSON.stringify(sorted(attributes))}`;
    const known = totals.get(key);
    totals.set(key, {
      count: count + (known?.count ?? 0),
      sum: sum + (known?.sum ?? 0),
      min: Math.min(min, known?.min ?? Infinity),
      max: Math.max(max, known?.max ?? -Infinity),
      counts: counts.map((each, i) => each + (known?.counts[i] ?? 0)),
    });
  }
  return new Map([...totals].sort(([a], [b]) => a < b ? -1 : 1));
}

function sorted(attributes: Values): unknown {
  return Object.entries(attributes).map(([key, value]) => [key, String(value)]).sort();
}

/** Expected contents of the intervals, by plain arithmetic. */
function expected(measured: readonly Measurement[], intervalMs: number) {
  return merged(measured.map(({ value, attributes, time = NaN }): Point => {
    const start = BigInt(Math.floor(time / intervalMs)) * BigInt(intervalMs) * 1_000_000n;
    const bucket = BOUNDS.findIndex((bound) => value <= bound);
    return {
      attributes: { ...attributes },
      count: 1,
      sum: value,
      min: value,
      max: value,
      bounds: BOUNDS,
      counts: [0, 1, 2, 3].map((i) => i === (bucket < 0 ? 3 : bucket) ? 1 : 0),
      start,
      end: start + BigInt(intervalMs) * 1_000_000n,
    };
  }));
}

/** Whole values, so that sums do not depend on their order. */
const logs = fc.array(
  fc.record({
    value: fc.nat({ max: 200 }),
    attributes: fc.constantFrom<Attributes>({}, { s: "a" }, { s: "b" }, { s: 1 }),
    time: fc.oneof(
      fc.integer({ min: NOON - 10 * MINUTE, max: NOON + 10 * MINUTE }),
      fc.integer({ min: -3, max: 3 }).map((minutes) => NOON + minutes * MINUTE),
      // Daylight saving ends in Europe, a year begins, a leap day, the first interval of all.
      fc.constantFrom(
        Date.UTC(2026, 9, 25, 0, 59, 59, 999),
        Date.UTC(2026, 9, 25, 1),
        Date.UTC(2026, 11, 31, 23, 59, 59, 999),
        Date.UTC(2027, 0, 1),
        Date.UTC(2028, 1, 29, 12),
        0,
      ),
    ),
  }),
  { maxLength: 60 },
);

Deno.test("The intervals of a log in any order hold what plain arithmetic says, whatever is open", async () => {
  const options = fc.record({
    intervalMs: fc.constantFrom(1, 1000, MINUTE, 90_000, 86_400_000),
    latenessMs: fc.constantFrom(0, 1, 500, MINUTE, 3_600_000),
    // Four attribute sets always fit into one interval.
    maxSeries: fc.constantFrom(4, 5, 9, 10_000),
    size: fc.constantFrom(1, 7, 100),
    every: fc.constantFrom(1, 3, Infinity),
  });
  await fc.assert(
    fc.asyncProperty(logs, options, async (log, { size, every, ...options }) => {
      const inOrder = log.toSorted((a, b) => a.time - b.time);
      for (const measured of [log, inOrder]) {
        const recorder = recorderOf(options);
        const points: Point[] = [];
        for (let i = 0; i < measured.length; i += size) {
          recorder.add(measured.slice(i, i + size));
          if (i / size % every === 0) points.push(...pointsOf(await recorder.collect(ALL, "none")));
        }
        const last = await ended(recorder);
        points.push(...pointsOf(last));
        assert.deepEqual(merged(points), expected(measured, options.intervalMs));
        assert.equal(last.overflow.measurements, 0);
        assert.equal(recorder.recorder.due, 0);
        assert.deepEqual((await recorder.collect(ALL, "none")).requests, []);
        if (measured === inOrder && options.maxSeries === 10_000) {
          assert.equal(last.reopened + last.closedEarly, 0);
          assert.equal(points.length, expected(measured, options.intervalMs).size, "one each");
        }
      }
    }),
    { ...SEED, numRuns: 200 },
  );
});

Deno.test("Series that come and go over open intervals keep every count, and one data point a delta", async () => {
  const log = fc.array(
    fc.record({
      value: fc.nat({ max: 200 }),
      attributes: fc.record({ s: fc.nat({ max: 40 }) }),
      time: fc.integer({ min: NOON, max: NOON + 4 * MINUTE }),
    }),
    { maxLength: 150 },
  );
  const maxSeries = fc.constantFrom(1, 2, 3, 5, 100);
  await fc.assert(
    fc.asyncProperty(log, maxSeries, fc.constantFrom(1, 5, 200), async (log, maxSeries, size) => {
      const recorder = recorderOf({ maxSeries, latenessMs: 10 * MINUTE });
      const points: Point[] = [];
      let folded = 0;
      for (let i = 0; i < log.length; i += 50) {
        recordAll(recorder, log.slice(i, i + 50), size);
        const collected = await recorder.collect(ALL, "none");
        points.push(...pointsOf(collected));
        folded += collected.overflow.measurements;
      }
      const last = await ended(recorder);
      points.push(...pointsOf(last));
      folded += last.overflow.measurements;
      const together = (all: readonly Point[]) =>
        merged(all.map((point) => ({ ...point, attributes: {} })));
      const own = points.filter(({ attributes }) => !("otel.metric.overflow" in attributes));
      const overflow = points.filter(({ attributes }) => "otel.metric.overflow" in attributes);
      assert.deepEqual(
        together(points),
        expected(log.map((each) => ({ ...each, attributes: {} })), MINUTE),
      );
      assert.equal(overflow.reduce((sum, { count }) => sum + count, 0), folded);
      // A series with a data point of its own never has more than was measured of it.
      const measured = expected(log, MINUTE);
      for (const [key, { count }] of merged(own)) {
        assert.ok(count <= (measured.get(key)?.count ?? 0), key);
      }
      if (maxSeries === 100) assert.ok(merged(own).size === measured.size);
    }),
    { ...SEED, numRuns: 150 },
  );
});

Deno.test("A shuffled log of a day has the intervals of the sorted one", async () => {
  let state = 11;
  const random = () => (state = state * 48271 % 2147483647) / 2147483647;
  const sortedLog = Array.from({ length: 20_000 }, (_, i): Measurement =>
    at(
      i * 86_400 / 20_000,
      Math.floor(random() * 200),
      { path: `/${Math.floor(random() * 20)}` },
    ));
  const shuffled = sortedLog.map((each) => [random(), each] as const)
    .sort(([a], [b]) => a - b).map(([, each]) => each);
  const gathered = async (log: readonly Measurement[]) => {
    const recorder = recorderOf({ maxSeries: 1000 });
    recordAll(recorder, log, 1000);
    const last = await ended(recorder);
    return { ...last, totals: merged(pointsOf(last)) };
  };
  const [one, other] = [await gathered(sortedLog), await gathered(shuffled)];
  assert.deepEqual(one.totals, other.totals);
  assert.deepEqual([one.closedEarly, one.reopened], [0, 0]);
  assert.ok(other.closedEarly > 1000 && other.reopened > 1000);
});

Deno.test("An interval is complete when the input's time has passed its end by the lateness", async () => {
  for (const lateness of [0, 1, 30, 60, 90]) {
    const recorder = recorderOf({ latenessMs: lateness * 1000 });
    recorder.add([at(0), at(59.999)]);
    recorder.add([at(59.999 + lateness, 1, { other: true })]);
    assert.deepEqual(await collected(recorder), [], `${lateness}: not yet`);
    recorder.add([at(60 + lateness, 1, { other: true })]);
    const [first] = await collected(recorder);
    assert.deepEqual(first, [0, 60, 2], `${lateness}: complete`);
  }
});

Deno.test("A line within the lateness joins its interval, a later one opens it again as one more delta", async () => {
  const recorder = recorderOf();
  recorder.add([at(0), at(61), at(119), at(1), at(120)]);
  assert.equal(recorder.recorder.due, 1);
  recorder.add([at(2), at(180), at(3)]);
  recorder.add([at(4)]);
  const first = await recorder.collect(ALL, "none");
  assert.deepEqual(
    pointsOf(first).map(({ start, count }) => [Number(start / 1_000_000n) - NOON, count]),
    [[0, 2], [0, 1], [0, 2], [MINUTE, 2]],
  );
  assert.deepEqual([first.reopened, first.closedEarly], [2, 0]);
  recorder.add([at(5)]);
  const second = await recorder.collect(ALL, "none");
  assert.deepEqual([pointsOf(second).length, second.reopened], [1, 1], "figures begin anew");
  recorder.finish();
  assert.deepEqual(await collected(recorder), [[120, 60, 1], [180, 60, 1]]);
});

Deno.test("An old line for an interval that was never there is late, but reopens nothing", async () => {
  const recorder = recorderOf();
  recorder.add([at(600), at(0), at(1)]);
  const first = await recorder.collect(ALL, "none");
  assert.deepEqual([pointsOf(first).map(({ count }) => count), first.reopened], [[2], 0]);
});

Deno.test("One absurd time in the future loses nothing: all that follows is late", async () => {
  const recorder = recorderOf();
  const measured = [at(0), at(20 * 365 * 86_400), ...[10, 70, 130, 190, 11].map((s) => at(s))];
  recordAll(recorder, measured);
  assert.deepEqual(await collected(recorder), [
    [0, 60, 1],
    [0, 60, 2],
    [60, 60, 1],
    [120, 60, 1],
    [180, 60, 1],
  ]);
  assert.deepEqual(merged(pointsOf(await ended(recorder))).size, 1);
});

Deno.test("Beyond --max-series the oldest interval is closed early, over all open intervals", async () => {
  const recorder = recorderOf({ maxSeries: 3, latenessMs: 600_000 });
  recorder.add([at(0, 1, { s: 1 }), at(0, 1, { s: 2 }), at(60, 1, { s: 1 })]);
  assert.equal(recorder.recorder.due, 0);
  recorder.add([at(60, 1, { s: 2 })]);
  assert.equal(recorder.recorder.due, 2);
  // Room again for two; the closed interval takes one of them, and is the oldest again.
  recorder.add([at(1, 1, { s: 1 }), at(61, 1, { s: 3 })]);
  const first = await recorder.collect(ALL, "none");
  assert.deepEqual([first.closedEarly, first.reopened, first.overflow.measurements], [2, 1, 0]);
  assert.deepEqual(pointsOf(first).map(({ attributes }) => attributes), [
    { s: 1n },
    { s: 2n },
    { s: 1n },
  ]);
  assert.equal((await ended(recorder)).requests[0]?.points, 3);
});

Deno.test("An interval that alone has more than --max-series folds, and says how much", async () => {
  const recorder = recorderOf({ maxSeries: 3 });
  recordAll(recorder, Array.from({ length: 10 }, (_, s) => at(s, 1, { s })), 4);
  const { overflow, closedEarly, requests } = await ended(recorder);
  assert.deepEqual(overflow, { measurements: 8, series: 8, more: false });
  assert.equal(closedEarly, 0);
  assert.deepEqual(requests.map(({ points, measurements }) => [points, measurements]), [[3, 10]]);
});

Deno.test("An interval that began without room for it pushes out an older one, never itself", async () => {
  const recorder = recorderOf({ maxSeries: 2, latenessMs: 600_000 });
  recorder.add([at(60, 1, { s: 1 }), at(60, 1, { s: 2 })]);
  recorder.add([at(0, 1, { s: 3 })]);
  const first = await recorder.collect(ALL, "none");
  assert.deepEqual(pointsOf(first).length, 2);
  assert.equal(first.closedEarly, 1);
  assert.equal(pointsOf(await ended(recorder)).length, 1);
});

Deno.test("What is open stays bounded while a long log in order is read", async () => {
  const recorder = recorderOf({ maxSeries: 50 });
  let points = 0;
  let measurements = 0;
  for (let minute = 0; minute < 1440; minute++) {
    recorder.add(
      Array.from({ length: 100 }, (_, i) => at(minute * 60 + i / 2, i, { s: i % 20 })),
    );
    assert.ok(recorder.recorder.due <= 20, `${recorder.recorder.due} wait`);
    const { requests, closedEarly } = await recorder.collect(ALL, "none");
    assert.equal(closedEarly, 0);
    for (const request of requests) {
      points += request.points;
      measurements += request.measurements;
    }
  }
  for (const request of atLeastOne((await ended(recorder)).requests)) {
    points += request.points;
    measurements += request.measurements;
  }
  assert.deepEqual([points, measurements], [1440 * 20, 144_000]);
});

Deno.test("Several instruments share the limit, and the oldest interval comes first", async () => {
  const instrument = { name: "a", unit: "", description: "", bounds: BOUNDS, attributes: {} };
  const recorder = recorderOf({ instruments: [instrument, { ...instrument, name: "b" }] });
  recorder.add([at(60), at(0)], 0);
  recorder.add([at(0), at(60)], 1);
  const [request] = (await ended(recorder)).requests;
  const { metrics } = decode(request?.body ?? new Uint8Array());
  assert.deepEqual(
    metrics.map(({ name, points }) => [name, Number(points[0]?.start) / 1e6 - NOON]),
    [
      ["a", 0],
      ["b", 0],
      ["a", MINUTE],
      ["b", MINUTE],
    ],
  );
});

Deno.test("addHistograms() counts a histogram in the interval of its time", async () => {
  const recorder = recorderOf();
  const one = { bounds: BOUNDS, counts: [1, 2, 0, 0], count: 3, sum: 12, min: 1, max: 9 };
  recorder.addHistograms([
    { ...one, attributes: {}, time: NOON },
    { ...one, attributes: {}, time: NOON + MINUTE },
  ]);
  recorder.add([at(0, 5)]);
  const points = pointsOf(await ended(recorder));
  assert.deepEqual(points.map(({ count, sum, counts }) => [count, sum, counts]), [
    [4, 17, [2, 2, 0, 0]],
    [3, 12, [1, 2, 0, 0]],
  ]);
});

Deno.test("add() throws for a time that OTLP cannot say, or none", () => {
  for (const time of [-1, NaN, Infinity, 2 ** 63 / 1e6]) {
    assert.throws(
      () => recorderOf().add([{ value: 1, attributes: {}, time }]),
      new RangeError(`No usable time: ${time}`),
    );
  }
  assert.throws(() => recorderOf().add([{ value: 1, attributes: {} }]), /No usable time/);
  assert.throws(() => recorderOf({ intervalMs: 0 }), RangeError);
  assert.throws(() => recorderOf({ latenessMs: -1 }), RangeError);
});
