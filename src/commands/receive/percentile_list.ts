import { addFigures, limitBuckets } from "../../draw/add.ts";
import { figuresOf, type PointFigures } from "../../draw/figures.ts";
import { type EstimatedPercentile, percentilesOf } from "../../draw/percentiles.ts";
import { metricsIn } from "../../otlp/data_points.ts";
import type { Hide } from "../../redact/secrets.ts";
import type { RequestEvent } from "./event.ts";

/** Percentiles of the accepted data points of one metric in one request that have the same bounds. */
export interface PercentileEntry {
  readonly metric: string;
  readonly unit: string;
  readonly count: number;
  readonly p50?: PercentileFigures;
  readonly p90?: PercentileFigures;
  readonly p99?: PercentileFigures;
}

/** One percentile, estimated in both ways. */
export interface PercentileFigures {
  /** Held to min and max. */
  readonly estimated: number;
  /** From buckets alone, as a backend computes it; null where nothing bounds the values. */
  readonly bucketsAlone: number | null;
  /** The last bound, if the percentile lies above it; otherwise null. */
  readonly above: number | null;
}

/** Maximum number of entries, so that a request of nothing but names still makes one line. */
const MOST_ENTRIES = 1000;

/** Lists the percentiles of a request's histograms, in the order of their metrics. */
export function listPercentiles(
  { request, outcome, rejected }: Pick<RequestEvent, "request" | "outcome" | "rejected">,
  hide: Hide = (text) => text,
): readonly PercentileEntry[] {
  if (request === undefined || (outcome !== "accepted" && outcome !== "partial")) return [];
  const entries = new Map<
    string,
    Distribution & { readonly metric: string; readonly unit: string }
  >();
  for (const { name: metric, unit, data } of metricsIn(request)) {
    if (data.case !== "histogram" && data.case !== "exponentialHistogram") continue;
    for (const point of data.value.dataPoints) {
      if (rejected.has(point)) continue;
      const figures = figuresOf(point);
      if (figures.kind === "number" || figures.buckets === undefined) continue;
      const { buckets } = figures;
      const layout = buckets.kind === "explicit" ? buckets.bounds : "exponential";
      const key = JSON.stringify([metric, unit, layout]);
      const known = entries.get(key);
      if (known === undefined && entries.size >= MOST_ENTRIES) continue;
      const sum = known === undefined ? limitBuckets(figures) : addFigures(known, figures);
      if (sum.kind === "distribution") entries.set(key, { ...sum, metric, unit });
    }
  }
  return [...entries.values()].map(({ metric, unit, count, min, max, buckets }) => ({
    metric: hide(metric),
    unit: hide(unit),
    count: Number(count),
    ...Object.fromEntries(
      (buckets === undefined ? [] : percentilesOf(buckets, { min, max })).map((each) => [
        `p${each.percent}`,
        figuresOfPercentile(each),
      ]),
    ),
  }));
}

type Distribution = Extract<PointFigures, { readonly kind: "distribution" }>;

function figuresOfPercentile({ held, alone, above }: EstimatedPercentile): PercentileFigures {
  return { estimated: held.value, bucketsAlone: alone?.value ?? null, above: above ?? null };
}
