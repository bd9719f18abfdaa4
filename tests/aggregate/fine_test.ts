import assert from "node:assert/strict";
import fc from "fast-check";
import { cumulative, FineHistogram, measureQuantile } from "../../src/aggregate/fine.ts";
import { seededRandom } from "../../src/source/generate/random.ts";
import { parseDistribution } from "../../src/source/generate/distribution.ts";
import { SEED } from "../support/arbitrary.ts";

function fineOf(values: readonly number[]): FineHistogram {
  const fine = new FineHistogram();
  for (const value of values) fine.add(value);
  return fine;
}

function truth(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? NaN;
}

function assertClose(values: readonly number[], shares: readonly number[]) {
  const buckets = fineOf(values).buckets();
  const sorted = values.toSorted((a, b) => a - b);
  for (const q of shares) {
    const found = measureQuantile(q, buckets);
    assert.ok(found !== undefined);
    const exact = truth(sorted, q);
    const off = Math.abs(found.value - exact);
    assert.ok(off <= exact * 0.01, `p${q * 100}: ${found.value} for ${exact}`);
    if (found.uncertainty === 0) assert.equal(found.value, exact);
    assert.ok(off <= exact * 0.01 && off <= found.value * (found.uncertainty + 1e-12));
  }
}

const SHARES = [0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];

Deno.test("measureQuantile() is within 1 % of the sorted truth for values of many distributions", () => {
  const specs = [
    "lognormal(40,400)",
    "normal(200,30)",
    "exponential(50)",
    "uniform(10,150)",
    "pareto(10,1.5)",
    "constant(12.5)",
  ];
  const random = seededRandom("fine");
  let drawn = 0;
  for (const spec of specs) {
    const parsed = parseDistribution(spec);
    if (!("draw" in parsed)) continue;
    drawn++;
    for (const count of [1, 2, 10, 100, 1000, 30_000]) {
      const values = Array.from({ length: count }, () => Math.max(0, parsed.draw(random)));
      assertClose(values, SHARES);
      assertClose(values.map(Math.round), SHARES);
    }
  }
  assert.ok(drawn >= 4);
});

Deno.test("measureQuantile() is within 1 % of the sorted truth for any values, however uneven", () => {
  const value = fc.oneof(
    fc.double({ min: 2 ** -1022, noNaN: true, noDefaultInfinity: true }),
    fc.double({ min: 1, max: 1.011, noNaN: true }),
    fc.constantFrom(0, 1, 1.0109, 100, 101.05, Number.MAX_VALUE),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 80 }), (values) => {
      assertClose(values, SHARES);
    }),
    SEED,
  );
});

Deno.test("measureQuantile() tells whole numbers up to 90, the first and the last value exactly", () => {
  const values = Array.from({ length: 9000 }, (_, i) => i % 90);
  const buckets = fineOf(values).buckets();
  for (const q of SHARES) {
    const sorted = values.toSorted((a, b) => a - b);
    assert.deepEqual(measureQuantile(q, buckets), { value: truth(sorted, q), uncertainty: 0 });
  }
});

Deno.test("measureQuantile() knows nothing without values", () => {
  assert.equal(measureQuantile(0.5, new FineHistogram().buckets()), undefined);
});

Deno.test("merge() gives what one histogram of all values gives", () => {
  const [a, b] = [[0, 1, 2, 3.5, 1e9], [0, 2, 2.001, 1e-9]];
  const merged = fineOf(a);
  merged.merge(fineOf(b));
  assert.equal(merged.count, 9);
  assert.deepEqual(merged.buckets(), fineOf([...a, ...b]).buckets());
});

Deno.test("cumulative() counts whole numbers exactly", () => {
  const fine = fineOf([0, 0, 3, 7, 7, 50]);
  assert.deepEqual([...cumulative(fine.buckets(), [0, 2, 3, 6.99, 7, 49, 50, 60])], [
    2,
    2,
    3,
    3,
    5,
    5,
    6,
    6,
  ]);
});

Deno.test("buckets() stay few for a million values of three decades", () => {
  const random = seededRandom("many");
  const fine = new FineHistogram();
  for (let i = 0; i < 1_000_000; i++) fine.add(1000 ** random());
  assert.ok(fine.buckets().length < 650);
});

Deno.test("FineHistogram.addSeries() counts a few values as add() does, and billions at once", () => {
  const [one, each] = [new FineHistogram(), new FineHistogram()];
  one.addSeries({ first: 3, step: 7, count: 1000 });
  for (let i = 0; i < 1000; i++) each.add(3 + 7 * i);
  assert.deepEqual(one.buckets(), each.buckets());
  const many = new FineHistogram();
  many.addSeries({ first: 1, step: 1, count: 3e9 });
  assert.equal(many.count, 3e9);
  const p99 = measureQuantile(0.99, many.buckets())?.value ?? NaN;
  assert.ok(Math.abs(p99 - 2.97e9) < 0.01 * 2.97e9, String(p99));
});
