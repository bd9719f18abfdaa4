// Measures for tests of distributions, made in another way than the distributions.

/** The standard normal distribution function, by its series around 0 (Abramowitz and Stegun, 26.2.10). */
export function normalCdf(x: number): number {
  if (x < -9) return 0;
  if (x > 9) return 1;
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > 1e-18 * Math.abs(sum); odd += 2) {
    term *= x * x / odd;
    sum += term;
  }
  return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}

/** The Kolmogorov-Smirnov statistic: the largest distance of a sample's distribution to `cdf`, times √n. */
export function kolmogorovSmirnov(sample: readonly number[], cdf: (x: number) => number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  const n = sorted.length;
  const distances = sorted.map((x, i) => Math.max((i + 1) / n - cdf(x), cdf(x) - i / n));
  return Math.max(...distances) * Math.sqrt(n);
}

export function mean(sample: readonly number[]): number {
  return sample.reduce((sum, x) => sum + x, 0) / sample.length;
}

export function quantile(sample: readonly number[], p: number): number {
  return sample.toSorted((a, b) => a - b)[Math.ceil(p * sample.length) - 1] ?? NaN;
}
