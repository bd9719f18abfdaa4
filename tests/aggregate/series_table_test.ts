import assert from "node:assert/strict";
import fc from "fast-check";
import { CardinalityLimit } from "../../src/aggregate/cardinality_limit.ts";
import { bucketOf, ExplicitHistogram } from "../../src/aggregate/explicit.ts";
import { OverflowCount } from "../../src/aggregate/overflow.ts";
import type { Attributes, Measurement } from "../../src/aggregate/measurement.ts";
import { attributeKey } from "../../src/aggregate/attribute_key.ts";
import { type Drained, SeriesTable } from "../../src/aggregate/series_table.ts";
import { batches, BOUNDS, SEED, value } from "../support/arbitrary.ts";

/** A table whose series keep their attributes readable, and what it was asked to encode. */
function tableOf(
  fixed: Attributes = {},
  limit = Infinity,
  cardinality = new CardinalityLimit(limit),
) {
  const encoded: string[] = [];
  const table = new SeriesTable({
    buckets: [5, 10],
    fixed,
    cardinality,
    encode(attributes) {
      const json = JSON.stringify(attributes);
      encoded.push(json);
      return new TextEncoder().encode(json);
    },
  });
  let delta = table.begin();
  return {
    encoded,
    recordBatch: (batch: readonly Measurement[]) => table.add(batch, delta),
    record: (...measurements: readonly (readonly [number, Attributes])[]) =>
      table.add(measurements.map(([value, attributes]) => ({ value, attributes })), delta),
    /** Ends the interval: each series' attributes and the count and sum of its values. */
    drain() {
      cardinality.release(delta.points.length);
      const drained = table.drain(delta);
      delta = table.begin();
      return { ...drained, shown: shownOf(drained) };
    },
  };
}

function shownOf({ points }: Drained): readonly (readonly [Attributes, number, number])[] {
  return points.map(({ attributes, histogram }) => [
    JSON.parse(new TextDecoder().decode(attributes)),
    histogram.count,
    histogram.sum,
  ]);
}

Deno.test("bucketOf() puts a value on a bound below it, and one beyond the last into the last bucket", () => {
  const bounds = [5, 10];
  assert.deepEqual([0, 5, 5.1, 10, 10.1].map((value) => bucketOf(bounds, value)), [0, 0, 1, 1, 2]);
  assert.equal(bucketOf([], 7), 0);
});

Deno.test("bucketOf() agrees with a plain search on any bounds and value", () => {
  const bounds = fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), {
    maxLength: 20,
  })
    .map((numbers) => numbers.map((n) => n + 0).sort((a, b) => a - b));
  fc.assert(
    fc.property(bounds, fc.double({ noNaN: true }), (bounds, value) => {
      for (const each of [value, ...bounds]) {
        const plain = bounds.findIndex((bound) => each <= bound);
        assert.equal(bucketOf(bounds, each), plain === -1 ? bounds.length : plain);
      }
    }),
    SEED,
  );
});

Deno.test("ExplicitHistogram counts as a plain reference does, also after clear()", () => {
  const histogram = new ExplicitHistogram(BOUNDS);
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), (values) => {
      histogram.clear();
      for (const each of values) histogram.add(each);
      const counts = [...BOUNDS, Infinity].map((upper, i) =>
        values.filter((each) => each <= upper && each > (BOUNDS[i - 1] ?? -Infinity)).length
      );
      assert.deepEqual(histogram.counts, counts);
      assert.equal(histogram.count, values.length);
      assert.equal(histogram.sum, values.reduce((sum, each) => sum + each, 0));
      assert.equal(histogram.min, Math.min(...values));
      assert.equal(histogram.max, Math.max(...values));
    }),
    SEED,
  );
});

Deno.test("add() takes attributes in any order as the same series, and values of another type as another", () => {
  const { record, drain } = tableOf();
  record([1, { a: 1, b: "x" }], [2, { b: "x", a: 1 }], [3, { a: "1", b: "x" }]);
  record([4, { a: true }], [5, { a: "true" }], [6, {}]);
  assert.deepEqual(drain().shown, [
    [{ a: 1, b: "x" }, 2, 3],
    [{ a: "1", b: "x" }, 1, 3],
    [{ a: true }, 1, 4],
    [{ a: "true" }, 1, 5],
    [{}, 1, 6],
  ]);
});

Deno.test("add() adds fixed attributes, which beat a measurement's own", () => {
  const { record, drain } = tableOf({ region: "eu" });
  record([1, { a: 1 }], [2, { region: "us", a: 1 }], [4, { region: "eu", a: 1 }]);
  assert.deepEqual(drain().shown, [[{ a: 1, region: "eu" }, 3, 7]]);
});

Deno.test("add() throws for what no histogram can hold", () => {
  const { record, drain } = tableOf();
  for (const value of [-1, NaN, Infinity, -Infinity, -5e-324]) {
    assert.throws(() => record([value, {}]), new RangeError(`No histogram can hold ${value}`));
  }
  record([0, {}]);
  assert.deepEqual(drain().shown, [[{}, 1, 0]]);
});

Deno.test("add() takes -0 for 0", () => {
  const { record, drain } = tableOf();
  record([-0, {}]);
  const [point] = drain().points;
  assert.ok(Object.is(point?.histogram.min, 0) && Object.is(point?.histogram.max, 0));
});

Deno.test("drain() gives each delta once, only series with values, and encodes their attributes once", () => {
  const { record, drain, encoded } = tableOf();
  const b = { s: "b" };
  record([1, { s: "a" }], [2, b]);
  assert.deepEqual(drain().shown, [[{ s: "a" }, 1, 1], [{ s: "b" }, 1, 2]]);
  record([3, b], [4, { s: "b" }]);
  assert.deepEqual(drain().shown, [[{ s: "b" }, 2, 7]]);
  assert.deepEqual(drain().shown, []);
  assert.equal(encoded.length, 2);
});

Deno.test("drain() lists series by their first value in the interval", () => {
  const { record, drain } = tableOf();
  const [a, b] = [{ s: "a" }, { s: "b" }];
  record([1, a], [1, b]);
  drain();
  record([1, b], [1, a]);
  assert.deepEqual(drain().shown.map(([attributes]) => attributes), [b, a]);
});

Deno.test("add() folds what is beyond the limit, and says how much of how many series", () => {
  const { record, drain } = tableOf({}, 3);
  const overflow = { "otel.metric.overflow": true };
  record([1, { s: 1 }], [2, { s: 2 }], [4, { s: 3 }], [8, { s: 4 }], [16, { s: 3 }], [32, {
    s: 1,
  }]);
  const first = drain();
  assert.deepEqual(first.shown, [[{ s: 1 }, 2, 33], [{ s: 2 }, 1, 2], [overflow, 3, 28]]);
  assert.deepEqual(first.overflow, { measurements: 3, series: 2, more: false });

  record([1, { s: 4 }], [2, { s: 3 }], [4, { s: 1 }], [8, { s: 1 }], [16, { s: 2 }], [32, {
    s: 1,
  }]);
  const second = drain();
  assert.deepEqual(second.shown, [[{ s: 4 }, 1, 1], [{ s: 3 }, 1, 2], [overflow, 4, 60]]);
  assert.deepEqual(second.overflow, { measurements: 4, series: 2, more: false });
  record([1, { s: 1 }], [2, { s: 2 }], [4, { s: 3 }]);
  const exactly = drain();
  assert.deepEqual(exactly.shown, [[{ s: 1 }, 1, 1], [{ s: 2 }, 1, 2], [{ s: 3 }, 1, 4]]);
  assert.deepEqual(exactly.overflow, { measurements: 0, series: 0, more: false });
  record([1, { s: 4 }]);
  assert.deepEqual(drain().overflow, { measurements: 0, series: 0, more: false });
});

Deno.test("add() puts fixed attributes on the data point of what is folded, too", () => {
  const { record, drain } = tableOf({ region: "eu" }, 1);
  record([1, { s: 1 }], [2, { s: 2 }]);
  assert.deepEqual(drain().shown, [[{ region: "eu", "otel.metric.overflow": true }, 2, 3]]);
});

Deno.test("add() still knows every series when those that have none are not told apart any more", () => {
  const { record, recordBatch, drain } = tableOf({ region: "eu" }, 3);
  record([1, { id: "a", s: 1 }], [1, { id: "b", s: 1 }]);
  recordBatch(
    Array.from({ length: 100_050 }, (_, n) => ({ value: 1, attributes: { id: `${n}`, s: 2 } })),
  );
  // Other objects, and another order of the same attributes.
  record([10, { s: 1, id: "a" }], [20, { id: "b", s: 1 }], [40, { id: "c", s: 1 }]);
  const { shown, overflow } = drain();
  assert.deepEqual(shown, [
    [{ id: "a", s: 1, region: "eu" }, 2, 11],
    [{ id: "b", s: 1, region: "eu" }, 2, 21],
    [{ region: "eu", "otel.metric.overflow": true }, 100_051, 100_090],
  ]);
  assert.deepEqual(overflow, { measurements: 100_051, series: 100_000, more: true });
});

Deno.test("add() shares the overflow data point with measurements that name it", () => {
  const { record, drain } = tableOf({}, 2);
  record([1, { s: 1 }], [2, { s: 2 }], [4, { "otel.metric.overflow": true }]);
  assert.deepEqual(drain().shown, [[{ s: 1 }, 1, 1], [{ "otel.metric.overflow": true }, 2, 6]]);
});

Deno.test("CardinalityLimit keeps several instruments together within the limit", () => {
  const cardinality = new CardinalityLimit(5, 2);
  const tables = [tableOf({}, 5, cardinality), tableOf({}, 5, cardinality)];
  for (let s = 0; s < 4; s++) for (const { record } of tables) record([1, { s }]);
  const shown = tables.map(({ drain }) => drain().shown);
  assert.equal(shown.flat().length, 4, "one is kept back for an instrument that has none yet");
  assert.equal(shown.flat().reduce((sum, [, count]) => sum + count, 0), 8);
});

Deno.test("drain() forgets series that are unused when there are more than twice the limit", () => {
  const { record, drain, encoded } = tableOf({}, 4);
  const live = { s: "live" };
  for (let s = 0; s < 20; s++) {
    record([1, live], [1, { s }]);
    drain();
  }
  assert.equal(encoded.length, 21);
  record([1, live], [1, { s: 0 }], [1, { s: 19 }]);
  assert.deepEqual(drain().shown, [[live, 1, 1], [{ s: 0 }, 1, 1], [{ s: 19 }, 1, 1]]);
  assert.deepEqual(encoded.slice(21), ['{"s":0}'], "the oldest was forgotten, the latest was not");
});

Deno.test("add() finds one series for equal attributes after it was forgotten", () => {
  const idle = { s: "idle" };
  const live = { s: "live" };
  const others = Array.from({ length: 9 }, (_, s) => ({ s }));
  // However late it was last used, in a batch of its own or after another series.
  for (const last of [0, 1, 2, 3, 4, 5, 6, 7]) {
    for (const alone of [true, false]) {
      const { record, drain, encoded } = tableOf({}, 4);
      for (const [i, other] of others.entries()) {
        if (alone) record([1, live], [1, other]);
        if (i <= last) record([1, live], [1, idle]);
        if (!alone) record([1, live]);
        if (!alone) record([1, other]);
        drain();
      }
      record([1, live], [1, idle], [2, { ...idle }]);
      assert.deepEqual(drain().shown, [[live, 1, 1], [idle, 2, 3]], `used until ${last}`);
      const times = encoded.filter((json) => json.includes("idle")).length;
      assert.equal(times, last < 7 ? 2 : 1, "encoded anew once it was forgotten");
    }
  }
});

Deno.test("OverflowCount counts every measurement, and series as far as its memory is bounded", () => {
  const many = new OverflowCount();
  for (let i = 0; i < 100_000; i++) many.note(`series ${i}`);
  many.note("series 0");
  assert.deepEqual(many.total, { measurements: 100_001, series: 100_000, more: false });
  many.note("one more");
  many.note("series 0");
  assert.deepEqual(many.total, { measurements: 100_003, series: 100_000, more: true });
  const long = new OverflowCount();
  for (let i = 0; i < 3; i++) long.note("x".repeat(3_000_000) + i);
  assert.deepEqual(long.total, { measurements: 3, series: 2, more: true });
  const longest = new OverflowCount();
  longest.note("x".repeat(9_000_000), 7);
  assert.deepEqual(longest.total, { measurements: 7, series: 1, more: true });
  assert.deepEqual(new OverflowCount().total, { measurements: 0, series: 0, more: false });
});

Deno.test("add() agrees with a plain reference on random batches and limits", () => {
  const limits = fc.constantFrom(1, 2, 3, Infinity);
  fc.assert(
    fc.property(batches, limits, (intervals, limit) => {
      const { recordBatch, drain } = tableOf({}, limit);
      for (const batch of intervals) {
        recordBatch(batch);
        const { shown, overflow } = drain();
        const expected = plain(batch, limit);
        assert.deepEqual(
          shown.map(([attributes, ...figures]) => [attributeKey(attributes), ...figures]),
          expected,
        );
        const [, inOverflow] = expected.find(([key]) => key.includes("otel.metric.overflow")) ?? [];
        assert.equal(overflow.measurements, inOverflow ?? 0);
      }
    }),
    SEED,
  );
});

/** Key, count and sum of each data point, in the order of their first values. */
function plain(
  batch: readonly Measurement[],
  limit: number,
): readonly (readonly [string, number, number])[] {
  const points = new Map<string, [string, number, number]>();
  const keys = [...new Set(batch.map(({ attributes }) => attributeKey(attributes)))];
  const distinct = new Set(keys.length > limit ? keys.slice(0, limit - 1) : keys);
  for (const { value, attributes } of batch) {
    const own = attributeKey(attributes);
    const key = distinct.has(own) ? own : attributeKey({ "otel.metric.overflow": true });
    const [, count, sum] = points.get(key) ?? [key, 0, 0];
    points.set(key, [key, count + 1, sum + value]);
  }
  return [...points.values()];
}
