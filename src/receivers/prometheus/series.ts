import { isObject, type JsonObject } from "../../platform/json_object.ts";
import type { ShownBucket, ShownHistogram } from "../backend.ts";
import { jsonList, lenientNumber, objectsIn } from "../query/query_client.ts";

/** Series of a range-vector answer: its labels and its last sample. */
export interface LastSample {
  readonly labels: Readonly<Record<string, string>>;
  /** When it was measured, ms since 1970. */
  readonly time: number;
  /** Last value; undefined for a native histogram. */
  readonly value: number | undefined;
  /** Last native histogram; undefined for a plain value. */
  readonly histogram: JsonObject | undefined;
}

/** Reads the series of a query's data; those without a sample are left out. */
export function lastSamples(data: unknown): readonly LastSample[] {
  if (!isObject(data)) return [];
  return objectsIn(data["result"]).flatMap((series): readonly LastSample[] => {
    const labels = labelsOf(series["metric"]);
    const last = jsonList(series["values"]).at(-1) ?? series["value"];
    const lastNative = jsonList(series["histograms"]).at(-1) ?? series["histogram"];
    const value = lenientNumber(jsonList(last)[1]);
    const [seconds, histogram] = jsonList(lastNative);
    if (value === undefined && !isObject(histogram)) return [];
    const time = 1000 * (lenientNumber(jsonList(last)[0] ?? seconds) ?? NaN);
    return [{ labels, time, value, histogram: isObject(histogram) ? histogram : undefined }];
  });
}

function labelsOf(metric: unknown): Readonly<Record<string, string>> {
  if (!isObject(metric)) return {};
  return Object.fromEntries(Object.entries(metric).map(([name, value]) => [name, String(value)]));
}

const PART = /_(bucket|sum|count|min|max)$/;

/** Returns the name of a histogram from that of one of its series. */
export function baseName(name: string): string {
  return name.replace(PART, "");
}

/** Puts the series of one run together; undefined if none belongs to a histogram. */
export function shownHistogram(
  samples: readonly LastSample[],
  bounds: readonly number[],
): ShownHistogram | undefined {
  const [metric] = [...new Set(samples.map(({ labels }) => baseName(labels["__name__"] ?? "")))]
    .sort();
  if (metric === undefined) return undefined;
  const own = samples.filter(({ labels }) => baseName(labels["__name__"] ?? "") === metric);
  const native = own.find(({ histogram }) => histogram !== undefined)?.histogram;
  if (native !== undefined) return nativeHistogram(native, metric, own, bounds);
  const total = (part: string): number | undefined => {
    const values = own.filter(({ labels }) => labels["__name__"] === `${metric}_${part}`)
      .flatMap(({ value }) => value ?? []);
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
  };
  return {
    metric,
    count: total("count"),
    sum: total("sum"),
    min: undefined,
    max: undefined,
    percentile: undefined,
    buckets: classicBuckets(
      own.filter(({ labels }) => labels["__name__"] === `${metric}_bucket`),
    ),
    dimensions: dimensionsOf(own),
    notes: {},
  };
}

/** Turns the cumulative series by `le` into the count of each bucket; undefined without such series. */
function classicBuckets(samples: readonly LastSample[]): readonly ShownBucket[] | undefined {
  const cumulative = new Map<number, number>();
  for (const { labels, value = 0 } of samples) {
    const upper = labels["le"] === "+Inf" ? Infinity : lenientNumber(labels["le"]);
    if (upper !== undefined) cumulative.set(upper, (cumulative.get(upper) ?? 0) + value);
  }
  if (cumulative.size === 0) return undefined;
  let before = 0;
  return [...cumulative].sort(([a], [b]) => a - b).map(([upper, below]) => {
    const count = below - before;
    before = below;
    return { upper, count };
  });
}

/** Reads a native histogram. Its buckets count if they are those that were sent (custom bounds). */
function nativeHistogram(
  native: JsonObject,
  metric: string,
  own: readonly LastSample[],
  bounds: readonly number[],
): ShownHistogram {
  const filled = new Map(
    jsonList(native["buckets"]).map((bucket) => {
      const [, , upper, count] = jsonList(bucket);
      return [upper === "+Inf" ? Infinity : Number(upper), Number(count)] as const;
    }),
  );
  const uppers = [...bounds, Infinity];
  const areSent = [...filled.keys()].every((upper) => uppers.includes(upper));
  return {
    metric,
    count: lenientNumber(native["count"]),
    sum: lenientNumber(native["sum"]),
    min: undefined,
    max: undefined,
    percentile: undefined,
    buckets: areSent
      ? uppers.map((upper) => ({ upper, count: filled.get(upper) ?? 0 }))
      : undefined,
    dimensions: dimensionsOf(own),
    notes: areSent
      ? {}
      : { buckets: "it is stored as a native histogram, which has its own buckets" },
  };
}

function dimensionsOf(samples: readonly LastSample[]): readonly string[] {
  const names = new Set(samples.flatMap(({ labels }) => Object.keys(labels)));
  return [...names].filter((name) => name !== "__name__" && name !== "le");
}
