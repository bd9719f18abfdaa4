import { decimal } from "../../platform/number.ts";
import { exp, ln, normalQuantile } from "./elementary.ts";

/** Draws one value, 0 or more and finite, from numbers that are uniform in [0, 1). */
export type Distribution = (random: () => number) => number;

/** Distribution that a text names, or the texts that are allowed in its place. */
export type Parsed = { readonly draw: Distribution } | { readonly expected: string };

interface Kind {
  readonly parameters: readonly string[];
  readonly condition: string;
  readonly holds: (...parameters: number[]) => boolean;
  readonly make: (...parameters: number[]) => Distribution;
}

/** The normal distribution's 99th percentile. */
const Z99 = 2.3263478740408408;

/**
 * A histogram takes no negative value. Half of all draws or more are not negative, since the mean is not: this many in a
 * row that are would happen once in 2^100 times.
 */
const MOST_REDRAWS = 100;

const KINDS: Readonly<Record<string, Kind>> = {
  constant: {
    parameters: ["x"],
    condition: "x of 0 or more",
    holds: (x) => x >= 0,
    make: (x) => () => x,
  },
  uniform: {
    parameters: ["a", "b"],
    condition: "0 ≤ a ≤ b",
    holds: (a, b) => a >= 0 && b >= a,
    make: (a, b) => (random) => a + (b - a) * random(),
  },
  normal: {
    parameters: ["mean", "stddev"],
    condition: "mean and stddev of 0 or more",
    holds: (mean, stddev) => mean >= 0 && stddev >= 0,
    make: (mean, stddev) => truncated((random) => mean + stddev * normal(random)),
  },
  lognormal: {
    parameters: ["median", "p99"],
    condition: "0 < median ≤ p99",
    holds: (median, p99) => median > 0 && p99 >= median,
    make: lognormal,
  },
  exponential: {
    parameters: ["mean"],
    condition: "a mean of 0 or more",
    holds: (mean) => mean >= 0,
    // The inverse of 1 - e^(-x/mean); 1 - random() is never 0.
    make: (mean) => (random) => -mean * ln(1 - random()),
  },
};

/** Lognormal by its median and 99th percentile: e^(μ + σz), μ = ln median, σ = ln(p99 / median) / z99. */
function lognormal(median: number, p99: number): Distribution {
  const sigma = (ln(p99) - ln(median)) / Z99;
  return (random) => median * exp(sigma * normal(random));
}

/** Standard normal, by inversion; the smallest p stands for everything below it. */
function normal(random: () => number): number {
  return normalQuantile(Math.max(random(), 2 ** -54));
}

/** The normal distribution under the condition of not being negative: what is negative is drawn again. */
function truncated(draw: Distribution): Distribution {
  return (random) => {
    for (let redraws = 0; redraws <= MOST_REDRAWS; redraws++) {
      const value = draw(random);
      if (value >= 0) return value;
    }
    return 0;
  };
}

/**
 * `constant(x)`, `uniform(a,b)`, `normal(mean,stddev)`, `lognormal(median,p99)` or `exponential(mean)`, blanks
 * allowed, in the metric's unit. A normal distribution is truncated at 0 by drawing again, which moves its mean up where
 * stddev is a large part of it.
 */
export function parseDistribution(text: string): Parsed {
  const [, name, list] = /^\s*([a-z]+)\s*\(([^()]*)\)\s*$/i.exec(text) ?? [];
  const kind = name === undefined
    ? undefined
    : Object.entries(KINDS).find(([key]) => key === name.toLowerCase())?.[1];
  if (name === undefined || list === undefined || kind === undefined) {
    return {
      expected: `${Object.entries(KINDS).map(signature).join(", ")}, for example lognormal(40,400)`,
    };
  }
  const numbers = list.split(",").map(parameter);
  if (
    numbers.length !== kind.parameters.length || numbers.some(Number.isNaN) ||
    !kind.holds(...numbers)
  ) {
    return { expected: `${signature([name.toLowerCase(), kind])} with ${kind.condition}` };
  }
  const draw = kind.make(...numbers);
  // `+ 0` makes 0 of -0.
  return { draw: (random) => Math.min(draw(random), LARGEST_DRAWN) + 0 };
}

/** The largest value that is drawn: far enough from the largest double to add values up. */
export const LARGEST_DRAWN = 1e300;

function signature([name, { parameters }]: readonly [string, Kind]): string {
  return `${name}(${parameters.join(",")})`;
}

/** NaN for text that is not a decimal number or too large. */
function parameter(text: string): number {
  const parsed = decimal(text);
  return Math.abs(parsed) <= LARGEST_DRAWN ? parsed : NaN;
}
