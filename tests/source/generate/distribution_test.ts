import assert from "node:assert/strict";
import { parseDistribution } from "../../../src/source/generate/distribution.ts";
import { seededRandom } from "../../../src/source/generate/random.ts";
import { kolmogorovSmirnov, mean, normalCdf, quantile } from "../input/statistics.ts";

const COUNT = 20_000;
const Z99 = 2.3263478740408408;

/** In 99 of 100 samples of the right distribution the statistic is smaller (Kolmogorov's limit distribution). */
const KS_BOUND = 1.628;

function sample(spec: string, seed = "theory", count = COUNT): readonly number[] {
  const parsed = parseDistribution(spec);
  assert.ok("draw" in parsed, spec);
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => parsed.draw(random));
}

function near(is: number, shouldBe: number, relative: number): void {
  assert.ok(Math.abs(is / shouldBe - 1) < relative, `${is} instead of ${shouldBe}`);
}

const sigma = Math.log(400 / 40) / Z99;
const above0 = 1 - normalCdf(-0.5);

/** Values of the theory; the tolerances are three to four standard errors. */
const THEORY: readonly {
  readonly spec: string;
  readonly cdf: (x: number) => number;
  readonly mean: readonly [number, number];
  readonly quantiles: readonly (readonly [p: number, x: number, tolerance: number])[];
  /** A distribution that is a little off. */
  readonly wrong: string;
}[] = [
  {
    spec: "uniform(10,150)",
    cdf: (x) => (x - 10) / 140,
    mean: [80, 0.013],
    quantiles: [[0.25, 45, 0.04], [0.5, 80, 0.025], [0.99, 148.6, 0.003]],
    wrong: "uniform(10,154)",
  },
  {
    spec: "normal(100,15)",
    cdf: (x) => normalCdf((x - 100) / 15),
    mean: [100, 0.0035],
    quantiles: [[0.01, 100 - 15 * Z99, 0.02], [0.5, 100, 0.005], [0.99, 100 + 15 * Z99, 0.01]],
    wrong: "normal(100.6,15)",
  },
  {
    spec: "normal(10,20)",
    cdf: (x) => (normalCdf((x - 10) / 20) - normalCdf(-0.5)) / above0,
    // The mean of a normal distribution that is truncated at 0: μ + σ φ(α) / (1 - Φ(α)), α = -μ/σ.
    mean: [10 + 20 * Math.exp(-0.125) / Math.sqrt(2 * Math.PI) / above0, 0.02],
    quantiles: [],
    wrong: "normal(10,21)",
  },
  {
    spec: "lognormal(40,400)",
    cdf: (x) => normalCdf(Math.log(x / 40) / sigma),
    mean: [40 * Math.exp(sigma ** 2 / 2), 0.03],
    quantiles: [[0.5, 40, 0.035], [0.99, 400, 0.1]],
    wrong: "lognormal(42,400)",
  },
  {
    spec: "exponential(25)",
    cdf: (x) => 1 - Math.exp(-x / 25),
    mean: [25, 0.025],
    quantiles: [[0.5, 25 * Math.LN2, 0.04], [0.99, 25 * Math.log(100), 0.06]],
    wrong: "exponential(26)",
  },
];

for (const { spec, cdf, mean: [expected, tolerance], quantiles, wrong } of THEORY) {
  Deno.test(`parseDistribution() draws what theory says of ${spec}`, () => {
    const values = sample(spec);
    near(mean(values), expected, tolerance);
    for (const [p, x, within] of quantiles) near(quantile(values, p), x, within);
    const statistic = kolmogorovSmirnov(values, cdf);
    assert.ok(statistic < KS_BOUND, `${spec}: ${statistic}`);
    // The bound is one that can fail.
    const off = kolmogorovSmirnov(sample(wrong), cdf);
    assert.ok(off > KS_BOUND, `${wrong}: ${off}`);
  });
}

Deno.test("parseDistribution() draws the same value always when it is constant", () => {
  assert.deepEqual(new Set(sample("constant(12.5)")), new Set([12.5]));
  assert.deepEqual(new Set(sample("uniform(3,3)")), new Set([3]));
  assert.deepEqual(new Set(sample("normal(3,0)")), new Set([3]));
  assert.deepEqual(new Set(sample("lognormal(1,1)")), new Set([1]));
});

Deno.test("parseDistribution() draws no value that a histogram cannot take, whatever the random numbers are", () => {
  const specs = [
    "constant(0)",
    "uniform(0,1e300)",
    "normal(0,1e300)",
    "normal(0,5)",
    "lognormal(1e-300,1e300)",
    "exponential(0)",
    "exponential(1e300)",
  ];
  for (const spec of specs) {
    for (const x of [0, 2 ** -53, 0.5, 1 - 2 ** -53]) {
      const parsed = parseDistribution(spec);
      assert.ok("draw" in parsed, spec);
      const value = parsed.draw(() => x);
      assert.ok(value >= 0 && value <= 1e300 && !Object.is(value, -0), `${spec} at ${x}: ${value}`);
    }
  }
});

Deno.test("parseDistribution() gives the same numbers on every machine", () => {
  assert.deepEqual(GOLDEN.map(([spec]) => [spec, ...sample(spec, "7", 3)]), GOLDEN);
});

Deno.test("parseDistribution() takes blanks, capitals and exponents", () => {
  for (const spec of [" lognormal ( 40 , 400 ) ", "Lognormal(40,400)", "lognormal(4e1,+400.0)"]) {
    assert.deepEqual(sample(spec, "x", 5), sample("lognormal(40,400)", "x", 5));
  }
});

const ALL =
  "constant(x), uniform(a,b), normal(mean,stddev), lognormal(median,p99), exponential(mean), for example lognormal(40,400)";

for (
  const [spec, expected] of [
    ["", ALL],
    ["gamma(1,2)", ALL],
    ["toString(1)", ALL],
    ["lognormal", ALL],
    ["lognormal(40,400", ALL],
    ["lognormal(40,400) ms", ALL],
    ["constant()", "constant(x) with x of 0 or more"],
    ["constant(-1)", "constant(x) with x of 0 or more"],
    ["constant(0x10)", "constant(x) with x of 0 or more"],
    ["constant(1e999)", "constant(x) with x of 0 or more"],
    ["constant(1,2)", "constant(x) with x of 0 or more"],
    ["uniform(5,1)", "uniform(a,b) with 0 ≤ a ≤ b"],
    ["normal(-1,2)", "normal(mean,stddev) with mean and stddev of 0 or more"],
    ["normal(1,-2)", "normal(mean,stddev) with mean and stddev of 0 or more"],
    ["lognormal(40)", "lognormal(median,p99) with 0 < median ≤ p99"],
    ["lognormal(0,400)", "lognormal(median,p99) with 0 < median ≤ p99"],
    ["lognormal(400,40)", "lognormal(median,p99) with 0 < median ≤ p99"],
    ["exponential(-1)", "exponential(mean) with a mean of 0 or more"],
  ] as const
) {
  Deno.test(`parseDistribution() says what would be right instead of "${spec}"`, () => {
    assert.deepEqual(parseDistribution(spec), { expected });
  });
}

const GOLDEN: readonly (readonly [spec: string, ...values: number[]])[] = [
  ["constant(5)", 5, 5, 5],
  ["uniform(10,150)", 131.9070541614205, 45.253163081283134, 25.349038056298227],
  ["normal(100,15)", 116.95019827005464, 89.9678483201371, 81.57300548502991],
  ["normal(10,20)", 32.600264360072856, 33.899435114343646, 19.00920363173734],
  ["lognormal(40,400)", 122.40681003173609, 20.633190931539097, 11.857510697376629],
  ["exponential(25)", 51.15300732445517, 7.252401518575251, 2.903122387796472],
];
