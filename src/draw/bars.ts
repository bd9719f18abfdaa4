import {
  addCounts,
  base2Bound,
  type Exponential,
  type ExponentialSide,
  trimSide,
} from "../aggregate/base2.ts";
import { type Paint, PLAIN } from "../console/paint.ts";

/** Histogram to draw. Bounds are upper and inclusive, and there is one more count than bounds. */
export interface Drawable {
  readonly bounds: readonly number[];
  readonly counts: readonly (number | bigint)[];
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const SHORTEST_BAR = 8;
/** Longest run of empty buckets between filled ones that is drawn line by line; a longer one becomes one line. */
const LONGEST_GAP = 6;
/** Maximum number of lines by default; with more buckets, neighbours are merged. */
const MOST_LINES = 200;

/**
 * Draws a histogram as lines of bucket, bar and count, at most `width` characters long if the labels leave room. Of
 * the empty buckets at either end only the one beside the data is drawn.
 */
export function plot(
  histogram: Drawable,
  width: number,
  paint: Paint = PLAIN,
  mostLines = MOST_LINES,
): string[] {
  const { bounds, counts } = coarser(histogram, mostLines);
  const first = counts.findIndex(isFilled);
  if (first < 0) return ["(no measurements)"];
  const from = Math.max(0, first - 1);
  const to = Math.min(counts.length - 1, counts.findLastIndex(isFilled) + 1);

  const rows: Row[] = [];
  for (let i = from; i <= to; i++) {
    const gap = gapAt(counts, i, to);
    if (gap > LONGEST_GAP) {
      rows.push({ label: "⋮", count: 0, note: `${gap} empty buckets` });
      i += gap - 1;
    } else {
      rows.push({ label: bucketLabel(bounds, i), count: counts[i] ?? 0, note: undefined });
    }
  }
  const labelWidth = Math.max(...rows.map((row) => row.label.length));
  const countWidth = Math.max(...rows.map((row) => String(row.count).length));
  const barWidth = Math.max(SHORTEST_BAR, width - labelWidth - countWidth - 2);
  const most = Math.max(...rows.map((row) => Number(row.count)));
  return rows.map(({ label, count, note }) => {
    const drawn = paint.bar(bar(Number(count) / most, barWidth));
    return [paint.faint(label.padStart(labelWidth)), drawn, note ?? String(count)]
      .filter((part) => part !== "").join(" ");
  });
}

/** Draws a bar that fills `share` (0 to 1) of `width` characters, to an eighth; anything above 0 is visible. */
export function bar(share: number, width: number): string {
  if (!(share > 0)) return "";
  const eighths = Math.max(1, Math.round(Math.min(share, 1) * width * 8));
  return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
}

/**
 * Converts an exponential histogram into explicit buckets. Neighbours are merged in pairs, as a lower scale would do
 * (opentelemetry-proto, ExponentialHistogramDataPoint), until each side has at most `most`.
 */
export function exponentialBuckets(histogram: Exponential, most = 16): Drawable {
  let { scale, positive, negative } = histogram;
  positive = trimSide(positive);
  negative = trimSide(negative);
  while (positive.counts.length > most || negative.counts.length > most) {
    positive = halved(positive);
    negative = halved(negative);
    scale--;
  }
  const bound = (index: number) => base2Bound(index, scale);
  const bounds: number[] = [];
  const counts: (number | bigint)[] = [0];
  const add = (upper: number, count: number | bigint) => {
    // Extreme scales make bounds that a double cannot tell apart.
    if (upper > (bounds.at(-1) ?? -Infinity) && Number.isFinite(upper)) {
      bounds.push(upper);
      counts.splice(-1, 0, count);
    } else {
      counts.push(addCounts(counts.pop() ?? 0, count));
    }
  };
  negative.counts.toReversed().forEach((count, i) => {
    const index = negative.offset + negative.counts.length - 1 - i;
    if (i === 0) add(-bound(index + 1), 0);
    add(-bound(index), count);
  });
  if (positive.counts.length > 0) {
    add(bound(positive.offset), histogram.zeroCount);
    positive.counts.forEach((count, i) => add(bound(positive.offset + i + 1), count));
  } else {
    add(0, histogram.zeroCount);
  }
  return { bounds, counts };
}

function coarser({ bounds, counts }: Drawable, mostLines: number): Drawable {
  const together = Math.ceil(counts.length / mostLines);
  if (together <= 1) return { bounds, counts };
  const merged: (number | bigint)[] = [];
  counts.forEach((count, i) => {
    const to = Math.floor(i / together);
    merged[to] = addCounts(merged[to] ?? 0, count);
  });
  return { bounds: bounds.filter((_, i) => (i + 1) % together === 0), counts: merged };
}

interface Row {
  readonly label: string;
  readonly count: number | bigint;
  readonly note: string | undefined;
}

function isFilled(count: number | bigint): boolean {
  return count > 0;
}

function gapAt(counts: Drawable["counts"], from: number, to: number): number {
  let i = from;
  while (i <= to && counts[i] !== undefined && !isFilled(counts[i] ?? 0)) i++;
  return i - from;
}

/** Formats a bucket as an interval: `(5, 10]`. */
export function bucketLabel(bounds: readonly number[], bucket: number): string {
  const lower = bounds[bucket - 1];
  const upper = bounds[bucket];
  let digits = LEAST_DIGITS;
  const labels = () =>
    [lower, upper].map((bound) => bound === undefined ? "" : number(bound, digits));
  // The bounds of a fine exponential histogram are close to each other.
  while (digits < MOST_DIGITS && labels()[0] === labels()[1]) digits++;
  const [from = "", to = ""] = labels();
  return `(${from === "" ? "-∞" : from}, ${to === "" ? "+∞)" : `${to}]`}`;
}

const LEAST_DIGITS = 5;
/** Number of digits of a double. */
const MOST_DIGITS = 17;

function number(value: number, digits: number): string {
  const exact = String(value);
  return exact.length <= 8 ? exact : String(Number(value.toPrecision(digits)));
}

function halved(side: ExponentialSide): ExponentialSide {
  const offset = Math.floor(side.offset / 2);
  const counts: (number | bigint)[] = [];
  side.counts.forEach((count, i) => {
    const to = Math.floor((side.offset + i) / 2) - offset;
    counts[to] = addCounts(counts[to] ?? 0, count);
  });
  return { offset, counts };
}
