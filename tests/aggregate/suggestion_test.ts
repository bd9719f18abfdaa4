import assert from "node:assert/strict";
import { relativeError, worstError } from "../../src/aggregate/accuracy.ts";
import { FineHistogram } from "../../src/aggregate/fine.ts";
import { explicitBuckets, quantile } from "../../src/aggregate/quantile.ts";
import { suggestBounds } from "../../src/aggregate/suggestion.ts";
import { bucketOf } from "../../src/aggregate/explicit.ts";
import { normalQuantile } from "../../src/source/generate/elementary.ts";
import { seededRandom } from "../../src/source/generate/random.ts";
import { atLeastOne } from "../support/cases.ts";

const DEFAULT = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000];
const random = seededRandom("suggestion");
const lognormal = (median: number, sigma: number) => () =>
  median * Math.exp(sigma * normalQuantile(random() || 0.5));
const some = (count: number, draw: () => number) => Array.from({ length: count }, draw);

function fineOf(values: readonly number[]) {
  const fine = new FineHistogram();
  for (const value of values) fine.add(value);
  return fine.buckets();
}

function suggest(
  series: readonly (readonly number[])[],
  most: number,
  keep: readonly number[] = [],
) {
  const fine = series.map(fineOf);
  const now = { bounds: DEFAULT, worstError: worstError(fine, DEFAULT) };
  const found = suggestBounds(fine, most, now, keep);
  assert.ok(found !== undefined);
  found.bounds.forEach((bound, i) => {
    assert.ok(Number.isFinite(bound) && bound >= 0 && bound > (found.bounds[i - 1] ?? -1));
  });
  return { found, now };
}

/** From the values themselves: nothing here knows a fine histogram. */
function exactError(series: readonly (readonly number[])[], bounds: readonly number[]): number {
  let worst = 0;
  for (const values of series) {
    const sorted = values.toSorted((a, b) => a - b);
    const counts = new Array<number>(bounds.length + 1).fill(0);
    for (const value of values) {
      const bucket = bucketOf(bounds, value);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    const extremes = { min: sorted[0], max: sorted.at(-1) };
    for (const q of [0.5, 0.9, 0.99]) {
      const estimate = quantile(q, explicitBuckets(bounds, counts), extremes)?.value ?? NaN;
      worst = Math.max(
        worst,
        relativeError(estimate, sorted[Math.ceil(q * sorted.length) - 1] ?? NaN),
      );
    }
  }
  return worst;
}

const FIVE: Readonly<Record<string, () => number>> = {
  uniform: () => 10 + 140 * random(),
  lognormal: lognormal(40, 0.8),
  exponential: () => -50 * Math.log(1 - random()),
  pareto: () => 10 * (1 - random()) ** (-1 / 1.5),
  bimodal: () => random() < 0.7 ? lognormal(8, 0.2)() : lognormal(300, 0.3)(),
};

for (const [name, draw] of Object.entries(FIVE)) {
  Deno.test(`suggestBounds() is better than the default bounds for values that are ${name}`, () => {
    const values = some(20_000, draw);
    const { found, now } = suggest([values], 11);
    assert.equal(found.bounds.length, 11);
    assert.ok(found.worstError <= now.worstError && found.worstError < 0.01);
    // The error that it states holds for the values themselves.
    assert.ok(Math.abs(exactError([values], found.bounds) - found.worstError) < 0.012);
  });
}

Deno.test("suggestBounds() is never worse than the bounds that there are", () => {
  for (let i = 0; i < 12; i++) {
    const series = some(1 + i % 6, () => i).map(() =>
      some(1 + Math.floor(300 * random()), lognormal(20 ** random() * 5, 1.2 * random()))
    );
    const { found, now } = suggest(series, 11);
    assert.ok(found.worstError <= now.worstError, `${found.worstError} ${now.worstError}`);
  }
});

Deno.test("suggestBounds() gives back bounds that cannot be bettered", () => {
  const perfect = { bounds: [1, 2, 3], worstError: 0 };
  const found = suggestBounds([fineOf([1, 1, 2, 2, 3, 3])], 3, perfect);
  assert.equal(found?.worstError, 0);
});

function* subsets(places: readonly number[], size: number): Generator<readonly number[]> {
  if (size === 0) return yield [];
  for (const [i, place] of places.entries()) {
    for (const rest of subsets(places.slice(i + 1), size - 1)) yield [place, ...rest];
  }
}

Deno.test("suggestBounds() is within 5 % of an exhaustive search on small cases", () => {
  for (let i = 0; i < 12; i++) {
    const most = 1 + i % 3;
    const series = some(1 + i % 4, () => i).map(() =>
      some(40 + 10 * i, lognormal(10 + 20 * random(), 0.3 + 0.5 * random()))
        .map((value) => i % 2 === 0 ? Math.max(1, Math.round(value)) : value)
    );
    const sorted = series.flat().sort((a, b) => a - b);
    const [low = 1, high = 1] = [sorted[0], sorted.at(-1)];
    const places = some([0, 200, 50, 20][most] ?? 0, () => 0)
      .map((_, at, { length }) => low * (high / low) ** (at / length));
    let best = Infinity;
    for (const bounds of subsets(places, most)) best = Math.min(best, exactError(series, bounds));
    const { found } = suggest(series, most);
    const error = exactError(series, found.bounds);
    // The difference is the error of a fine histogram.
    assert.ok(error <= best * 1.05 + 0.002, `${most} bounds: ${error} against ${best}`);
  }
});

Deno.test("suggestBounds() puts zeros into a bucket of their own", () => {
  const { found, now } = suggest([some(1000, () => random() < 0.6 ? 0 : 20 + random())], 11);
  assert.equal(now.worstError, 1);
  assert.equal(found.bounds[0], 0);
  assert.ok(found.worstError < 0.01);
});

Deno.test("suggestBounds() gives as many bounds as asked, whatever the values", () => {
  const odd = [[7], [0, 0], [Number.MIN_VALUE], [1e-9, 1e9], [100, 100.001, 100.002]];
  for (const values of odd) {
    for (const most of [1, 2, 11, 100]) {
      const { found } = suggest([values], most);
      assert.equal(found.bounds.length, most);
      assert.ok(found.worstError <= 1);
    }
  }
  suggest([some(50, () => Number.MAX_VALUE * random())], 11);
  assert.equal(suggestBounds([], 11, { bounds: DEFAULT, worstError: 0 }), undefined);
  assert.equal(suggestBounds([[]], 11, { bounds: DEFAULT, worstError: 0 }), undefined);
});

Deno.test("suggestBounds() gives round numbers", () => {
  const { found } = suggest([some(20_000, lognormal(40, 0.8))], 11);
  for (const bound of atLeastOne(found.bounds)) {
    assert.ok(String(bound).replace(/^0\.0*|\./g, "").length <= 4, String(bound));
  }
});

Deno.test("suggestBounds() takes hundreds of series", () => {
  const series = some(500, () => 0).map((_, i) =>
    some(200, lognormal(5 * 1.01 ** i, 0.3 + (i % 7) / 7))
  );
  const few = suggest(series, 11).found.worstError;
  const many = suggest(series, 100).found.worstError;
  assert.ok(few < 1 && many < 0.1 && many < few / 2, `${few} ${many}`);
});

Deno.test("suggestBounds() with pinned bounds is within 5 % of an exhaustive search", () => {
  for (let i = 0; i < 8; i++) {
    const series = some(1 + i % 3, () => i).map(() =>
      some(60 + 10 * i, lognormal(10 + 20 * random(), 0.3 + 0.5 * random()))
    );
    const sorted = series.flat().sort((a, b) => a - b);
    const [low = 1, high = 1] = [sorted[0], sorted.at(-1)];
    const keep = some(1 + i % 2, () => low + (high - low) * random());
    const free = 1 + i % 2;
    const places = some(free === 1 ? 200 : 50, () => 0)
      .map((_, at, { length }) => low * (high / low) ** (at / length));
    let best = Infinity;
    for (const chosen of subsets(places, free)) {
      const bounds = [...new Set([...chosen, ...keep])].sort((a, b) => a - b);
      best = Math.min(best, exactError(series, bounds));
    }
    const { found } = suggest(series, free + keep.length, keep);
    for (const bound of keep) assert.ok(found.bounds.includes(bound), `${bound}`);
    const error = exactError(series, found.bounds);
    assert.ok(error <= best * 1.05 + 0.002, `${keep}: ${error} against ${best}`);
  }
});

Deno.test("suggestBounds() keeps pinned bounds wherever they are, and counts them", () => {
  const values = some(1000, lognormal(40, 0.8));
  for (const keep of [[0], [1e9], [0, 7, 250, 1e9], DEFAULT]) {
    const { found } = suggest([values], 11, keep);
    assert.equal(found.bounds.length, 11);
    for (const bound of keep) assert.ok(found.bounds.includes(bound), `${bound}`);
  }
  assert.deepEqual(suggest([values], 1, [250]).found.bounds, [250]);
  // The present bounds lack the pinned one: being better does not save them.
  assert.ok(suggest([[1, 1, 2, 2]], 11, [1.5]).found.bounds.includes(1.5));
});

Deno.test("suggestBounds() has finite bounds and errors at both ends of what a double holds", () => {
  const tiny = Number.MIN_VALUE;
  for (const values of [[1e308], [tiny], [tiny, 1e308], [0, 1e308], [1e308, Number.MAX_VALUE]]) {
    for (const most of [1, 11]) {
      const { found, now } = suggest([values], most);
      assert.ok(found.bounds.length > 0, String(values));
      assert.ok(Number.isFinite(found.worstError) && Number.isFinite(now.worstError));
    }
  }
  assert.equal(suggest([[1e308]], 11).found.bounds.length, 11);
});
