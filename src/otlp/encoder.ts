import type { ExplicitPoint, ExponentialPoint, Point } from "../aggregate/delta.ts";
import type { Attributes } from "../aggregate/measurement.ts";
import type { EncodeAttributes } from "../aggregate/series_table.ts";
import type { RecordedMetric, Snapshot } from "../aggregate/snapshot.ts";
import {
  encodeCollection,
  type IntervalPoints,
  type MetricData,
  type PlainRequest,
} from "./encode.ts";
import { gzip } from "./gzip.ts";
import { ATTRIBUTES } from "./points.ts";
import type { EncodedRequest, RequestFormat } from "./request.ts";
import { attributeFields } from "./wire.ts";

/** The instrumentation scope, as the predecessor named it. */
const SCOPE = { name: "example-meter", version: "1.0.0" } as const;

/** Encodes snapshots of one resource as requests, each within the limits of a format. */
export class Encoder {
  readonly #resource: Attributes;

  constructor(resource: Attributes) {
    this.#resource = resource;
  }

  /** Reads the snapshot at once, and resolves when its requests are compressed. */
  async encode(
    { parts }: Snapshot,
    { limits, compression }: RequestFormat,
  ): Promise<readonly EncodedRequest[]> {
    const encoded = parts.map(({ metrics, lane }) => {
      const data = metrics.flatMap(metricsOf);
      const collection = { resource: this.#resource, scope: SCOPE, metrics: data };
      return { lane, plain: encodeCollection(collection, limits) };
    });
    const requests = encoded.map(({ lane, plain }) => compressed(plain, compression, lane));
    return (await Promise.all(requests)).flat();
  }
}

async function compressed(
  plain: readonly PlainRequest[],
  compression: RequestFormat["compression"],
  lane: number | undefined,
): Promise<readonly EncodedRequest[]> {
  const requests: EncodedRequest[] = [];
  for (const request of plain) {
    const isGzip = compression === "gzip";
    requests.push({
      ...request,
      body: isGzip ? await gzip(request.body) : request.body,
      encoding: isGzip ? "gzip" : "identity",
      ...lane !== undefined && { lane },
    });
  }
  return requests;
}

/**
 * The instrument's metric: one for each kind of data point that it has, since histograms with explicit bounds may have
 * been recorded where values are counted in exponential buckets.
 */
function metricsOf(
  { instrument: { name, unit, description }, intervals }: RecordedMetric,
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

const CHUNK_BYTES = 4096;

/**
 * Makes an encoder of attributes for one instrument. It copies small arrays into larger ones: reading them in turn is
 * faster, and each takes 80 bytes less.
 */
export function attributeEncoder(): EncodeAttributes {
  let chunk = new Uint8Array();
  let used = 0;
  return (attributes, kind) => {
    const bytes = attributeFields(ATTRIBUTES[kind], attributes);
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
