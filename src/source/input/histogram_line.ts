import { counted } from "../../console/plural.ts";
import type { MeasuredHistogram } from "../../aggregate/measurement.ts";
import { isCount, type JsonObject } from "../../platform/json_object.ts";

type Figures = Omit<MeasuredHistogram, "attributes" | "time">;

/** Sums were added up in some order, and may be off by roundings. */
const ROUNDING = 1e-9;

/** Whether a line of NDJSON holds a histogram in place of a value. */
export function holdsHistogram(line: JsonObject): boolean {
  return Object.hasOwn(line, "bounds") && Object.hasOwn(line, "counts");
}

/**
 * Reads the figures of `{"bounds":[…],"counts":[…],"sum":…,"min":…,"max":…}`, or says how they contradict one another.
 * `count` may be given too. Bounds, sum, min and max are multiplied with `scale`, which is greater than 0.
 */
export function histogramOf(line: JsonObject, scale: number): Figures | string {
  const bounds = numbers(line["bounds"])?.map((bound) => bound * scale);
  if (bounds === undefined) return '"bounds" is not a list of finite numbers';
  if (!bounds.every(Number.isFinite)) return '"bounds" has a number that is not finite';
  const unsorted = bounds.findIndex((bound, i) => i > 0 && !(bound > (bounds[i - 1] ?? NaN)));
  if (unsorted > 0) return `"bounds" do not increase at ${bounds[unsorted]}`;
  const counts = numbers(line["counts"]);
  if (counts === undefined || !counts.every(isCount)) {
    return '"counts" is not a list of whole numbers, 0 or more';
  }
  if (counts.length !== bounds.length + 1) {
    return `${counted(counts.length, "count")} for ${
      counted(bounds.length, "bound")
    }: there must be one more`;
  }
  const count = counts.reduce((sum, n) => sum + n, 0);
  if (!isCount(count)) return '"counts" add up to more than 2^53';
  const stated = line["count"] ?? count;
  if (stated !== count) {
    return `"count" is ${JSON.stringify(stated)}, but the counts add up to ${count}`;
  }
  const [sum, min, max] = ["sum", "min", "max"].map((name) => scaled(line[name], scale));
  for (const [name, figure] of [["sum", sum], ["min", min], ["max", max]] as const) {
    if (Number.isNaN(figure)) return `"${name}" is not a finite number`;
    if (figure !== undefined && figure < 0) return `"${name}" is negative: ${figure}`;
  }
  return contradiction(bounds, counts, count, sum, min, max) ??
    { bounds, counts, count, sum, min, max };
}

function contradiction(
  bounds: readonly number[],
  counts: readonly number[],
  count: number,
  sum: number | undefined,
  min: number | undefined,
  max: number | undefined,
): string | undefined {
  if (count === 0) {
    return sum === undefined || sum === 0 ? undefined : `"sum" is ${sum}, but count is 0`;
  }
  if (min !== undefined && max !== undefined && min > max) {
    return `"min" is ${min}, above "max", ${max}`;
  }
  const first = counts.findIndex((n) => n > 0);
  const last = counts.findLastIndex((n) => n > 0);
  // A value that is a bound may have been counted on either side of it.
  const [lowest, highest] = [bounds[first], bounds[last - 1]];
  if (lowest !== undefined && lowest < 0) return `a bucket up to ${lowest} has negative values`;
  if (min !== undefined && (min > (lowest ?? Infinity) || min < (bounds[first - 1] ?? 0))) {
    return `"min" is ${min}, which is not in the first bucket that has values`;
  }
  if (max !== undefined && (max < (highest ?? 0) || max > (bounds[last] ?? Infinity))) {
    return `"max" is ${max}, which is not in the last bucket that has values`;
  }
  if (sum !== undefined && min !== undefined && sum < count * min * (1 - ROUNDING)) {
    return `"sum" is ${sum}, less than ${count} times "min", ${min}`;
  }
  if (sum !== undefined && max !== undefined && sum > count * max * (1 + ROUNDING)) {
    return `"sum" is ${sum}, more than ${count} times "max", ${max}`;
  }
  return undefined;
}

function numbers(raw: unknown): readonly number[] | undefined {
  if (!Array.isArray(raw)) return undefined;
  const list: readonly unknown[] = raw;
  const found = list.filter((item) => typeof item === "number");
  return found.length === list.length ? found : undefined;
}

/** Undefined when there is none, NaN when it is not a finite number. */
function scaled(raw: unknown, scale: number): number | undefined {
  if (raw === undefined || raw === null) return undefined;
  const figure = typeof raw === "number" ? raw * scale : NaN;
  return Number.isFinite(figure) ? figure + 0 : NaN;
}
