import type { FineBucket } from "../../aggregate/fine.ts";
import { exp, ln, normalQuantile } from "./elementary.ts";

/** Distribution of some of a series' values, as a scenario writes it, and how many values it stands for. */
export interface FittedPart {
  readonly weight: number;
  readonly distribution: string;
}

/** A distribution with its text and its quantiles. */
interface Candidate {
  readonly distribution: string;
  readonly at: (q: number) => number;
}

/** Percentiles that a single distribution must meet, each with the error that it may have, as a share. */
const TOLERANCES = [[0.25, 0.1], [0.5, 0.05], [0.75, 0.1], [0.9, 0.05], [0.99, 0.05]] as const;
/** Percentiles at which values are divided where no single distribution meets them. */
const CUTS = [0.5, 0.9, 0.99] as const;
/** Maximum number of parts for the values of one series. */
const MOST_PARTS = 8;
/** Share of the values that may lie elsewhere than a part says, before it is divided. */
const MISFIT = 0.01;
/** A normal distribution is truncated at 0: this far from it, that changes no percentile. */
const STDDEVS_FROM_0 = 3;

/**
 * Fits distributions to the values of one series, which come in ranges that rise: a constant or a few, if there are no
 * more values; the one of uniform, normal, lognormal and exponential whose percentiles are off least, if p50, p90 and
 * p99 are off by 5% at most; else uniform parts that meet p50, p90 and p99 and follow the values in between.
 */
export function fitParts(ranges: readonly FineBucket[]): readonly FittedPart[] {
  if (ranges.length <= MOST_PARTS && ranges.every(isSingle)) return ranges.map(fittedPart);
  const weight = valuesIn(ranges);
  const best = candidateFits(ranges)
    .map((candidate) => ({ candidate, misses: missesOf(candidate, ranges) }))
    .filter(({ misses }) => misses <= 1)
    .sort((a, b) => a.misses - b.misses)[0];
  return best === undefined
    ? partsOf(ranges)
    : [{ weight, distribution: best.candidate.distribution }];
}

function candidateFits(ranges: readonly FineBucket[]): readonly Candidate[] {
  const [least, greatest] = [ranges[0]?.least ?? 0, ranges.at(-1)?.greatest ?? 0];
  const [median, p99] = [quantileOf(ranges, 0.5), quantileOf(ranges, 0.99)];
  const mean = meanOf(ranges, ({ least, greatest }) => least / 2 + greatest / 2);
  const stddev = Math.sqrt(
    meanOf(ranges, ({ least, greatest }) => (least / 2 + greatest / 2 - mean) ** 2),
  );
  const isNormal = mean >= STDDEVS_FROM_0 * stddev;
  const sigma = median > 0 ? (ln(p99) - ln(median)) / normalQuantile(0.99) : 0;
  return [
    {
      distribution: `uniform(${rounded(least)},${rounded(greatest)})`,
      at: (q) => least + (greatest - least) * q,
    },
    ...isNormal
      ? [{
        distribution: `normal(${rounded(mean)},${rounded(stddev)})`,
        at: (q: number) => mean + stddev * normalQuantile(q),
      }]
      : [],
    ...median > 0
      ? [{
        distribution: `lognormal(${rounded(median)},${rounded(p99)})`,
        at: (q: number) => median * exp(sigma * normalQuantile(q)),
      }]
      : [],
    { distribution: `exponential(${rounded(mean)})`, at: (q) => -mean * ln(1 - q) },
  ];
}

/** The greatest error of a percentile, as a share of the one it may have. */
function missesOf({ at }: Candidate, ranges: readonly FineBucket[]): number {
  return Math.max(...TOLERANCES.map(([q, tolerance]) => {
    const truth = quantileOf(ranges, q);
    const error = Math.abs(at(q) - truth);
    return error === 0 ? 0 : error / (truth * tolerance);
  }));
}

/** Divides values into few uniform parts. */
function partsOf(ranges: readonly FineBucket[]): readonly FittedPart[] {
  const total = valuesIn(ranges);
  let parts: readonly (readonly FineBucket[])[] = [ranges];
  for (const q of CUTS) {
    parts = parts.flatMap((part, i) => {
      const before = parts.slice(0, i).reduce((sum, other) => sum + valuesIn(other), 0);
      return cutAt(part, Math.ceil(q * total) - before);
    });
  }
  while (parts.length < MOST_PARTS) {
    const misfits = parts.map(misfitOf);
    const worst = misfits.reduce((a, b) => b.count > a.count ? b : a);
    if (worst.count <= MISFIT * total) break;
    const index = misfits.indexOf(worst);
    parts = parts.flatMap((part, i) =>
      i === index ? [part.slice(0, worst.end), part.slice(worst.end)] : [part]
    );
  }
  return parts.map((part) =>
    fittedPart({
      count: valuesIn(part),
      least: part[0]?.least ?? 0,
      greatest: part.at(-1)?.greatest ?? 0,
    })
  );
}

/** Cuts ranges after so many values, within a range if need be. */
function cutAt(ranges: readonly FineBucket[], rank: number): readonly (readonly FineBucket[])[] {
  if (rank <= 0 || rank >= valuesIn(ranges)) return [ranges];
  let before = 0;
  for (const [i, range] of ranges.entries()) {
    const inside = rank - before;
    before += range.count;
    if (before < rank) continue;
    const { count, least, greatest } = range;
    const cut = least + (greatest - least) * (inside / count);
    const rest = { count: count - inside, least: cut, greatest };
    return [
      [...ranges.slice(0, i), { count: inside, least, greatest: cut }],
      [...rest.count > 0 ? [rest] : [], ...ranges.slice(i + 1)],
    ];
  }
  return [ranges];
}

/** Where the values of a part are furthest from uniform, as the end of a slice, and how many lie elsewhere. */
function misfitOf(part: readonly FineBucket[]): { readonly count: number; readonly end: number } {
  const count = valuesIn(part);
  const [least, greatest] = [part[0]?.least ?? 0, part.at(-1)?.greatest ?? 0];
  const uniform = (value: number) => count * ((value - least) / (greatest - least));
  let worst = { count: 0, end: 0 };
  let before = 0;
  for (let end = 1; end < part.length; end++) {
    before += part[end - 1]?.count ?? 0;
    for (const edge of [part[end - 1]?.greatest ?? least, part[end]?.least ?? greatest]) {
      const misplaced = Math.abs(before - uniform(edge));
      if (misplaced > worst.count) worst = { count: misplaced, end };
    }
  }
  return worst;
}

function fittedPart(range: FineBucket): FittedPart {
  const { count, least, greatest } = range;
  return {
    weight: count,
    distribution: isSingle(range)
      ? `constant(${rounded(least, EXACT_DIGITS)})`
      : `uniform(${rounded(least)},${rounded(greatest)})`,
  };
}

function isSingle({ least, greatest }: FineBucket): boolean {
  return least === greatest;
}

function valuesIn(ranges: readonly FineBucket[]): number {
  return ranges.reduce((sum, { count }) => sum + count, 0);
}

function meanOf(ranges: readonly FineBucket[], of: (range: FineBucket) => number): number {
  const total = valuesIn(ranges);
  return ranges.reduce((sum, range) => sum + of(range) * (range.count / total), 0);
}

/** The value that a share of all does not exceed; the values of a range are taken as evenly spread. */
function quantileOf(ranges: readonly FineBucket[], q: number): number {
  const rank = q * valuesIn(ranges);
  let before = 0;
  for (const { count, least, greatest } of ranges) {
    if (before + count >= rank) return least + (greatest - least) * ((rank - before) / count);
    before += count;
  }
  return ranges.at(-1)?.greatest ?? 0;
}

const DIGITS = 5;
/** Digits of a value that is repeated as it is, without what a conversion of units leaves in the last ones. */
const EXACT_DIGITS = 14;

function rounded(value: number, digits = DIGITS): string {
  return String(Number(value.toPrecision(digits)));
}
