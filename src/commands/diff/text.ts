import { base2Bound } from "../../aggregate/base2.ts";
import { type Canvas, wrapWords } from "../../console/canvas.ts";
import { escapeJson } from "../../console/escape.ts";
import { counted } from "../../console/plural.ts";
import { bar, bucketLabel, type Drawable, exponentialBuckets } from "../../draw/bars.ts";
import { attributeWords, titleWords } from "../../draw/words.ts";
import type { CaptureComparison, Difference } from "./compare.ts";
import type { BucketTotal } from "../../otlp/capture_totals.ts";
import {
  addExponentialTotals,
  type ExponentialTotal,
  withAllBuckets,
} from "../../otlp/exponential_total.ts";

/** Maximum number of differences in text; the others are only counted. */
const MOST_LISTED = 20;

/** Lists the differences and their number. The first one whose buckets differ is drawn. */
export function comparisonLines(comparison: CaptureComparison, canvas: Canvas): readonly string[] {
  const { differences, series, equal, different, missing, extra } = comparison;
  const drawn = differences.find(({ buckets }) => buckets !== undefined);
  const listed = differences.slice(0, MOST_LISTED);
  const more = differences.length - listed.length;
  return [
    ...listed.flatMap((difference, i) => [
      ...listed[i - 1]?.series === difference.series ? [] : titleLines(difference, canvas),
      ...wrapWords(differenceWords(difference).split(" "), 2, canvas.breakAt),
      ...difference === drawn ? barLines(difference, canvas) : [],
    ]),
    ...more > 0 ? [`… and ${counted(more, "more difference")}`] : [],
    ...differences.length === 0 ? [`✓ Equal: ${counted(series, "series", "series")}`] : [
      `✗ Different: of ${counted(series, "series", "series")} ${equal} equal, ` +
      `${different} different, ${missing} only in A, ${extra} only in B`,
    ],
  ];
}

function titleLines({ series }: Difference, canvas: Canvas): readonly string[] {
  const { metric, units, attributes, resource } = series;
  const { breakAt, hide, paint } = canvas;
  const unit = [...units].join(", ");
  const title = titleWords({ name: metric, unit }, attributeWords(attributes, hide), hide);
  const place = attributeWords(resource, hide);
  return [
    ...wrapWords(title, 0, breakAt).map(paint.strong),
    ...place.length > 0 ? wrapWords(["resource", ...place], 2, breakAt).map(paint.faint) : [],
  ];
}

function differenceWords({ what, a, b }: Difference): string {
  switch (what) {
    case "missing":
      return `missing in B: A has ${counted(Number(a), "measurement")}`;
    case "extra":
      return `missing in A: B has ${counted(Number(b), "measurement")}`;
    case "bucket":
      return "bucket counts differ";
    case "count":
    case "sum":
    case "unit":
    case "bounds":
      return `${what}: A ${escapeJson(a)}, B ${escapeJson(b)}`;
  }
}

const INDENT = 4;
const SHORTEST_BAR = 8;

/** Draws each bucket that one of both fills, A above B, and marks where they differ. */
function barLines({ buckets }: Difference, { width, paint }: Canvas): readonly string[] {
  if (buckets === undefined) return [];
  const [a, b] = onOneLayout(buckets);
  const rows = Array.from({ length: Math.max(a.counts.length, b.counts.length) }, (_, i) => ({
    label: bucketLabel(a.bounds, i),
    a: a.counts[i] ?? 0,
    b: b.counts[i] ?? 0,
  })).filter((row) => row.a > 0 || row.b > 0);
  const labelWidth = Math.max(...rows.map(({ label }) => label.length));
  const most = Math.max(...rows.flatMap((row) => [Number(row.a), Number(row.b)]));
  const barWidth = Math.max(SHORTEST_BAR, width - INDENT - labelWidth - 16);
  const line = (label: string, name: string, count: number | bigint, mark: string) =>
    [
      " ".repeat(INDENT) + label.padStart(labelWidth),
      name,
      ...count > 0 ? [paint.bar(bar(Number(count) / most, barWidth))] : [],
      `${count}${mark}`,
    ].join(" ");
  return rows.flatMap((row) => [
    line(row.label, "A", row.a, ""),
    line("", "B", row.b, BigInt(row.a) === BigInt(row.b) ? "" : "  ≠"),
  ]);
}

/** Maximum number of exponential buckets per side that are drawn: few, unless the difference shows only in more. */
const DRAWN_BUCKETS = [16, 64] as const;
/** Maximum number of buckets that are drawn alone, where the difference shows only in even more. */
const DRAWN_ALONE = 8;

/** Returns both sides with the same bounds: exponential ones begin and end at buckets of their own. */
function onOneLayout([a, b]: readonly [BucketTotal, BucketTotal]): readonly [Drawable, Drawable] {
  if (a.kind === "explicit" || b.kind === "explicit") return [toDrawn(a), toDrawn(b)];
  const both = addExponentialTotals(a, b);
  const drawn = DRAWN_BUCKETS.map((most) => {
    const { bounds } = exponentialBuckets(withAllBuckets(both, most), most);
    return [inLayout(a, bounds), inLayout(b, bounds)] as const;
  });
  const differ = drawn.find(([ofA, ofB]) => ofA.counts.some((count, i) => count !== ofB.counts[i]));
  if (differ !== undefined) return differ;
  const bounds = endsOfDifferent(a, b);
  return [inLayout(a, bounds), inLayout(b, bounds)];
}

/** Returns the bounds of the first buckets whose counts differ between two histograms of one scale. */
function endsOfDifferent(a: ExponentialTotal, b: ExponentialTotal): readonly number[] {
  const different = (side: "positive" | "negative") =>
    [...new Set([...a[side].keys(), ...b[side].keys()])]
      .filter((index) => a[side].get(index) !== b[side].get(index)).sort((one, two) => one - two);
  const bound = (index: number) => base2Bound(index, a.scale);
  const ends = [
    ...different("negative").toReversed().map((index) => [-bound(index + 1), -bound(index)]),
    ...different("positive").map((index) => [bound(index), bound(index + 1)]),
  ];
  return [...new Set(ends.slice(0, DRAWN_ALONE).flat())].filter(Number.isFinite);
}

/** Sorts exponential buckets into coarser ones, whose bounds are bounds of theirs. */
function inLayout(
  { scale, zeroCount, positive, negative }: ExponentialTotal,
  bounds: readonly number[],
): Drawable {
  const counts = new Array<bigint>(bounds.length + 1).fill(0n);
  const add = (upper: number, count: bigint) => {
    const bucket = bounds.findIndex((bound) => upper <= bound);
    const to = bucket < 0 ? bounds.length : bucket;
    counts[to] = (counts[to] ?? 0n) + count;
  };
  for (const [index, count] of negative) add(-base2Bound(index, scale), count);
  add(0, zeroCount);
  for (const [index, count] of positive) add(base2Bound(index + 1, scale), count);
  return { bounds, counts };
}

function toDrawn(total: BucketTotal): Drawable {
  return total.kind === "explicit"
    ? total
    : exponentialBuckets(withAllBuckets(total, DRAWN_BUCKETS[0]));
}
