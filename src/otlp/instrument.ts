import type { MetricConfig } from "../config/metric_config.ts";
import type { CardinalityLimit } from "../histogram/cardinality_limit.ts";
import type { Buckets, ExplicitPoint, ExponentialPoint, Point } from "../histogram/delta.ts";
import { SeriesTable } from "../histogram/series_table.ts";
import type { Attributes } from "../measurements/measurement.ts";
import {
  type Collection,
  encodeCollection,
  type IntervalPoints,
  type MetricData,
} from "./encode.ts";
import { gzip } from "./gzip.ts";
import type { Interval } from "./interval.ts";
import { ATTRIBUTES } from "./points.ts";
import type { EncodedRequest, RequestLimits } from "./request.ts";
import { attributeFields } from "./wire.ts";

/** A histogram instrument: a MetricConfig is one with explicit bounds. */
export interface Instrument
  extends Pick<MetricConfig, "name" | "unit" | "description" | "attributes"> {
  readonly bounds: Buckets;
}

/** The series of an instrument, within the limit that all share. */
export function tableOf(
  { bounds, attributes }: Instrument,
  cardinality: CardinalityLimit,
): SeriesTable {
  return new SeriesTable(
    bounds,
    attributes,
    cardinality,
    (all, kind) => attributeFields(ATTRIBUTES[kind], all),
  );
}

/** What an instrument has of one interval. */
export interface IntervalData {
  readonly interval: Interval;
  readonly points: readonly Point[];
}

/**
 * The instrument's metric: one for each kind of data point that it has, since histograms with explicit bounds may have
 * been recorded where values are counted in exponential buckets.
 */
export function metricsOf(
  { name, unit, description }: Instrument,
  intervals: readonly IntervalData[],
): readonly MetricData[] {
  const explicit: IntervalPoints<ExplicitPoint["histogram"]>[] = [];
  const exponential: IntervalPoints<ExponentialPoint["histogram"]>[] = [];
  for (const { interval, points } of intervals) {
    const ofBounds: ExplicitPoint[] = [];
    const ofScale: ExponentialPoint[] = [];
    for (const point of points) {
      if (point.kind === "explicit") ofBounds.push(point);
      else ofScale.push(point);
    }
    if (ofBounds.length > 0) explicit.push({ interval, points: ofBounds });
    if (ofScale.length > 0) exponential.push({ interval, points: ofScale });
  }
  const metrics: MetricData[] = [];
  if (explicit.length > 0) {
    metrics.push({ name, unit, description, kind: "explicit", data: explicit });
  }
  if (exponential.length > 0) {
    metrics.push({ name, unit, description, kind: "exponential", data: exponential });
  }
  return metrics;
}

/** The instrumentation scope, as the predecessor named it. */
const SCOPE = { name: "example-meter", version: "1.0.0" } as const;

/** Metrics as requests; they are read at once, before the first of them is compressed. */
export async function requestsOf(
  metrics: readonly MetricData[],
  resource: Attributes,
  limits: RequestLimits,
  compression: "gzip" | "none",
): Promise<readonly EncodedRequest[]> {
  const collection: Collection = { resource, scope: SCOPE, metrics };
  const requests: EncodedRequest[] = [];
  for (const request of encodeCollection(collection, limits)) {
    requests.push(
      compression === "gzip"
        ? { ...request, body: await gzip(request.body), encoding: "gzip" }
        : { ...request, encoding: "identity" },
    );
  }
  return requests;
}
