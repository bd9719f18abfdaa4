import type { Exponential } from "../../aggregate/base2.ts";
import type { BucketTotal, SeriesTotal } from "../../otlp/capture_totals.ts";
import {
  addExponentialTotals,
  type FilledBuckets,
  toScale,
  withAllBuckets,
} from "../../otlp/exponential_total.ts";

/** Kind of a difference. `missing`: only A has the series; `extra`: only B has it. */
export type DifferenceKind = "missing" | "extra" | "count" | "sum" | "bucket" | "unit" | "bounds";

/** One difference between the two totals of a series. */
export interface Difference {
  readonly series: SeriesTotal;
  readonly what: DifferenceKind;
  /** Values of the two files, as they are printed in JSON; null where a file has none. */
  readonly a: unknown;
  readonly b: unknown;
  /** Buckets of the same bounds whose counts differ, to be drawn. */
  readonly buckets?: readonly [BucketTotal, BucketTotal];
}

/** Result of a comparison. */
export interface CaptureComparison {
  readonly differences: readonly Difference[];
  /** Numbers of series: all, equal ones, different ones, those of A alone and those of B alone. */
  readonly series: number;
  readonly equal: number;
  readonly different: number;
  readonly missing: number;
  readonly extra: number;
}

type Totals = ReadonlyMap<string, SeriesTotal>;

/** Relative difference up to which sums agree: adding in another order changes the last digits. */
const SUM_TOLERANCE = 1e-9;

/** Compares the totals of two files, series by series. */
export function compareTotals(a: Totals, b: Totals): CaptureComparison {
  const differences: Difference[] = [];
  let equal = 0;
  let different = 0;
  let missing = 0;
  for (const [identity, ofA] of a) {
    const ofB = b.get(identity);
    if (ofB === undefined) {
      missing++;
      differences.push({ series: ofA, what: "missing", a: countJson(ofA.count), b: null });
      continue;
    }
    const found = seriesDifferences(ofA, ofB);
    if (found.length === 0) equal++;
    else different++;
    differences.push(...found);
  }
  const extras = [...b].filter(([identity]) => !a.has(identity)).map(([, series]) => series);
  for (const series of extras) {
    differences.push({ series, what: "extra", a: null, b: countJson(series.count) });
  }
  const extra = extras.length;
  const series = equal + different + missing + extra;
  return { differences, series, equal, different, missing, extra };
}

function seriesDifferences(a: SeriesTotal, b: SeriesTotal): readonly Difference[] {
  const found: Difference[] = [];
  const unit = [a, b].map(({ units }) => [...units].sort().join(", "));
  if (unit[0] !== unit[1]) found.push({ series: a, what: "unit", a: unit[0], b: unit[1] });
  if (a.count !== b.count) {
    found.push({ series: a, what: "count", a: countJson(a.count), b: countJson(b.count) });
  }
  if (!sumsAgree(a, b)) {
    found.push({ series: a, what: "sum", a: a.sum ?? null, b: b.sum ?? null });
  }
  const layouts = [a, b].map(({ buckets }) => [...buckets.keys()].sort().join("\n"));
  if (layouts[0] !== layouts[1]) {
    found.push({ series: a, what: "bounds", a: layoutsJson(a), b: layoutsJson(b) });
  }
  for (const [layout, ofA] of a.buckets) {
    const ofB = b.buckets.get(layout);
    if (ofB === undefined) continue;
    const [left, right] = onOneScale(ofA, ofB);
    if (countsText(left) !== countsText(right)) {
      const [inA, inB] = bothInJson(left, right);
      found.push({ series: a, what: "bucket", a: inA, b: inB, buckets: [left, right] });
    }
  }
  return found;
}

function sumsAgree({ sum: a, count }: SeriesTotal, { sum: b }: SeriesTotal): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (Object.is(a, b)) return true;
  // Positive and negative values may cancel each other out: then a sum is small and its last digits are not.
  const size = Math.max(Math.abs(a), Math.abs(b), Number(count) * Number.MIN_VALUE);
  return Math.abs(a - b) <= SUM_TOLERANCE * size;
}

/** Returns the bounds in JSON: of explicit buckets a list, or one per layout; `exponential` for others. */
function layoutsJson({ buckets }: SeriesTotal): unknown {
  const all = [...buckets.values()].map((total) =>
    total.kind === "explicit" ? total.bounds : "exponential"
  );
  return all.length === 1 ? all[0] : all;
}

/** Brings two exponential histograms to the coarser scale of both; explicit ones stay as they are. */
function onOneScale(a: BucketTotal, b: BucketTotal): readonly [BucketTotal, BucketTotal] {
  if (a.kind !== "exponential" || b.kind !== "exponential") return [a, b];
  const scale = Math.min(a.scale, b.scale);
  return [toScale(a, scale), toScale(b, scale)];
}

/** Returns a text that is equal for equal counts, however large these are. */
function countsText(total: BucketTotal): string {
  if (total.kind === "explicit") return total.counts.join(" ");
  const side = (filled: FilledBuckets) =>
    [...filled].sort(([a], [b]) => a - b).map(([index, count]) => `${index}: ${count}`).join(" ");
  return [total.zeroCount, side(total.positive), side(total.negative)].join(", ");
}

/** Maximum number of exponential buckets per side in JSON: few, unless the difference shows only in more. */
const LISTED_BUCKETS = [160, 4096, 65_536] as const;

/** Returns the counts of two histograms of one layout in JSON; exponential ones at the finest scale that is not too long. */
function bothInJson(a: BucketTotal, b: BucketTotal): readonly [unknown, unknown] {
  if (a.kind === "explicit" || b.kind === "explicit") return [countsJson(a), countsJson(b)];
  const both = addExponentialTotals(a, b);
  const listed = LISTED_BUCKETS.map((most) => {
    const { scale } = withAllBuckets(both, most);
    return [countsJson(toScale(a, scale)), countsJson(toScale(b, scale))] as const;
  });
  const differ = listed.find((sides) => {
    const [ofA, ofB] = sides.map((side) => JSON.stringify(side));
    return ofA !== ofB;
  });
  return differ ?? listed[0] ?? [null, null];
}

/** Returns a count in JSON: a number, or its digits where a double is not exact, as OTLP/JSON has them. */
function countJson(count: number | bigint): number | string {
  const number = Number(count);
  return Number.isSafeInteger(number) ? number : String(count);
}

function countsJson(total: BucketTotal): unknown {
  if (total.kind === "explicit") return total.counts.map(countJson);
  const { scale, zeroCount, positive, negative } = withAllBuckets(total, Infinity);
  const side = ({ offset, counts }: Exponential["positive"]) => ({
    offset,
    counts: counts.map(countJson),
  });
  return {
    scale,
    zeroCount: countJson(zeroCount),
    positive: side(positive),
    negative: side(negative),
  };
}
