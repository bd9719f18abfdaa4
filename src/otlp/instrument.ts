import type { MetricConfig } from "../aggregate/metric_config.ts";
import type { CardinalityLimit } from "../aggregate/cardinality_limit.ts";
import type { Buckets, ExplicitPoint, ExponentialPoint, Point } from "../aggregate/delta.ts";
import { SeriesTable } from "../aggregate/series_table.ts";
import type { Attributes } from "../aggregate/measurement.ts";
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

/** Histogram instrument; a MetricConfig is one with explicit bounds. */
export interface Instrument
  extends Pick<MetricConfig, "name" | "unit" | "description" | "attributes"> {
  readonly bounds: Buckets;
}

/** Creates the table of an instrument's series, within the limit that all instruments share. */
export function createSeriesTable(
  { bounds, attributes }: Instrument,
  cardinality: CardinalityLimit,
): SeriesTable {
  const together = sideBySide();
  return new SeriesTable(
    bounds,
    attributes,
    cardinality,
    (all, kind) => together(attributeFields(ATTRIBUTES[kind], all)),
  );
}

const CHUNK_BYTES = 4096;

/**
 * Creates a function that copies small arrays into larger ones: reading them in turn is faster, and each takes 80
 * bytes less.
 */
function sideBySide(): (bytes: Uint8Array) => Uint8Array {
  let chunk = new Uint8Array();
  let used = 0;
  return (bytes) => {
    if (used + bytes.length > chunk.length) {
      chunk = new Uint8Array(Math.max(CHUNK_BYTES, bytes.length));
      used = 0;
    }
    const copy = chunk.subarray(used, used + bytes.length);
    copy.set(bytes);
    used += bytes.length;
    return copy;
  };
}

/** Data points of an instrument in one interval. */
export interface IntervalData {
  readonly interval: Interval;
  readonly points: readonly Point[];
}

/**
 * Builds the metrics of an instrument: one per kind of data point, because histograms with explicit bounds may have
 * been recorded while values are counted in exponential buckets.
 */
export function metricsOf(
  { name, unit, description }: Instrument,
  intervals: readonly IntervalData[],
): readonly MetricData[] {
  const explicit: IntervalPoints<ExplicitPoint["histogram"]>[] = [];
  const exponential: IntervalPoints<ExponentialPoint["histogram"]>[] = [];
  for (const { interval, points } of intervals) {
    // Nearly always they are all of one kind: that saves copying them.
    const ofBounds = points.every(isExplicit) ? points : points.filter(isExplicit);
    if (ofBounds.length > 0) explicit.push({ interval, points: ofBounds });
    if (ofBounds.length === points.length) continue;
    exponential.push({ interval, points: points.filter(isExponential) });
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

function isExplicit(point: Point): point is ExplicitPoint {
  return point.kind === "explicit";
}

function isExponential(point: Point): point is ExponentialPoint {
  return point.kind === "exponential";
}

/** Instrumentation scope, named as by the predecessor. */
const SCOPE = { name: "example-meter", version: "1.0.0" } as const;

/** Encodes metrics as requests. They are all read before the first request is compressed. */
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
