import { defaultBounds } from "../../aggregate/default_bounds.ts";
import { quantile } from "../../aggregate/quantile.ts";
import { DeltaRecorder } from "../../aggregate/recorder.ts";
import type { MetricConfig } from "../../aggregate/metric_config.ts";
import { attributeEncoder, Encoder } from "../../otlp/encoder.ts";
import { type EncodedRequest, ONE_REQUEST } from "../../otlp/request.ts";
import type { Clock } from "../../platform/clock.ts";
import type { SentRun, ShownBucket } from "../../receivers/backend.ts";

/** Attribute that marks the data point of one run. */
export const RUN_ATTRIBUTE = "otlp_histogram.run";

/** Histogram of known values, and the figures that a backend has to show of it. */
export interface MarkedHistogram {
  readonly request: EncodedRequest;
  readonly run: SentRun;
  readonly expected: ExpectedHistogram;
}

/** Figures of the values that were sent. */
export interface ExpectedHistogram {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly buckets: readonly ShownBucket[];
  /** Median as it is estimated from the buckets. */
  readonly median: number;
  /** Ends of the bucket that holds the median. */
  readonly medianBucket: { readonly lower: number; readonly upper: number };
}

/** Values per bucket: 20 in all, with the median inside a bucket rather than at the end of one. */
const PER_BUCKET = [1, 2, 3, 3, 5, 2, 1, 1, 1, 1];

/** Makes 20 values that lie in several of the buckets; none is negative, which would leave no sum. */
export function knownValues(bounds: readonly number[]): readonly number[] {
  return PER_BUCKET.flatMap((count, i) => {
    const bucket = Math.min(i, bounds.length);
    const upper = bounds[bucket] ?? 2 * (bounds.at(-1) ?? 100);
    const lower = Math.min(bounds[bucket - 1] ?? 0, upper);
    return Array.from(
      { length: count },
      (_, k) => Number((lower + (upper - lower) * (k + 1) / (count + 1)).toPrecision(6)),
    );
  });
}

/** Makes the figures of values in buckets. */
export function expectedHistogram(
  values: readonly number[],
  bounds: readonly number[],
): ExpectedHistogram {
  const uppers = [...bounds, Infinity];
  const buckets = uppers.map((upper, i) => {
    const lower = uppers[i - 1] ?? -Infinity;
    return {
      lower,
      upper,
      count: values.filter((value) => value > lower && value <= upper).length,
    };
  });
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const middle = [...values].sort((a, b) => a - b)[Math.ceil(values.length / 2) - 1] ?? NaN;
  const holder = buckets.find(({ upper }) => middle <= upper);
  const estimate = quantile(0.5, buckets, { min: undefined, max: undefined });
  return {
    count: values.length,
    sum: values.reduce((sum, value) => sum + value, 0),
    min,
    max,
    buckets: buckets.map(({ upper, count }) => ({ upper, count })),
    median: estimate?.value ?? middle,
    medianBucket: {
      lower: Math.max(holder?.lower ?? min, 0),
      upper: Math.min(holder?.upper ?? max, Math.max(max, bounds.at(-1) ?? max)),
    },
  };
}

/** Encodes a histogram of known values under a run's mark, as `send` would encode it. */
export async function verifyCanary(
  metric: MetricConfig,
  id: string,
  compression: "gzip" | "none",
  clock: Clock,
): Promise<MarkedHistogram> {
  const bounds = metric.bounds === "exponential" ? defaultBounds(metric.unit) : metric.bounds;
  const instrument = {
    ...metric,
    bounds,
    attributes: { ...metric.attributes, [RUN_ATTRIBUTE]: id },
  };
  const recorder = new DeltaRecorder(
    { instruments: [instrument], maxSeries: Infinity, attributeEncoder },
    clock,
  );
  const values = knownValues(bounds);
  recorder.add(values.map((value) => ({ value, attributes: {} })));
  const time = clock.wall();
  const [request] = await new Encoder(metric)
    .encode(recorder.take(), { limits: ONE_REQUEST, compression });
  if (request === undefined) throw new Error("The known values were not recorded");
  const expected = expectedHistogram(values, bounds);
  const run: SentRun = {
    metric: metric.name,
    unit: metric.unit,
    attribute: RUN_ATTRIBUTE,
    id,
    attributes: Object.keys(metric.attributes),
    time,
    bounds,
    buckets: expected.buckets,
    count: values.length,
    sum: expected.sum,
  };
  return { request, run, expected };
}
