import type { Interval } from "../aggregate/interval.ts";
import type { Attributes } from "../aggregate/measurement.ts";
import { joinBytes } from "../platform/byte_buffer.ts";
import type { AggregationKind, Histograms } from "../aggregate/aggregation.ts";
import { type EncodablePoint, POINT_ENCODINGS, type PointWriter, timeFields } from "./points.ts";
import type { RequestLimits } from "./request.ts";
import { attributeFields, field, fieldSize, stringField, writeHead } from "./wire.ts";

/** Data points of one interval. */
export interface IntervalPoints<H> {
  readonly interval: Interval;
  readonly points: readonly EncodablePoint<H>[];
}

/** Data points of a metric, all of one kind. */
export interface MetricOf<Kind extends AggregationKind> {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly kind: Kind;
  readonly data: readonly IntervalPoints<Histograms[Kind]>[];
}

/** Data points of a metric, of any kind. */
export type MetricData = MetricOf<AggregationKind>;

/** Metrics that are sent together, with their resource and scope. */
export interface Collection {
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version: string };
  readonly metrics: readonly MetricData[];
}

/** Encoded ExportMetricsServiceRequest, not compressed. */
export interface PlainRequest {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly points: number;
  /** Sum of the data points' counts. */
  readonly measurements: number;
}

/** AGGREGATION_TEMPORALITY_DELTA, which follows the data points of either kind of histogram. */
const DELTA = Uint8Array.of(2 << 3, 1);

/**
 * Encodes a collection as requests within the limits, in order; none if nothing was recorded. A single data point
 * above the limit is left for the receiver to judge.
 */
export function encodeCollection(
  collection: Collection,
  limits: RequestLimits,
): readonly PlainRequest[] {
  const envelope = envelopeOf(collection);
  const metrics = collection.metrics.map((metric) => encodable(metric));
  const requests: PlainRequest[] = [];
  let parts: Part[] = [];
  let points = 0;
  let bytes = envelope.most;
  for (const metric of metrics) {
    let from = 0;
    /** Size of its data points from `from` on. */
    let data = 0;
    for (let to = 0; to < metric.points; to++) {
      const size = metric.size(to);
      const opening = to === from ? metric.most : 0;
      if (points > 0 && (points >= limits.points || bytes + opening + size > limits.bytes)) {
        if (to > from) parts.push({ metric, from, to, data });
        requests.push(assemble(envelope, parts));
        parts = [];
        from = to;
        data = 0;
        points = 0;
        bytes = envelope.most;
      }
      bytes += size + (to === from ? metric.most : 0);
      data += size;
      points++;
    }
    if (metric.points > from) parts.push({ metric, from, to: metric.points, data });
  }
  if (parts.length > 0) requests.push(assemble(envelope, parts));
  return requests;
}

/** Size of the longest head: a tag and a length below 2^35. */
const LONGEST_HEAD = 6;

/** Encoded resource and scope, which enclose the metrics. */
interface Envelope {
  readonly resource: Uint8Array;
  readonly scope: Uint8Array;
  /** Maximum size, with the longest heads. */
  readonly most: number;
}

function envelopeOf({ resource, scope }: Collection): Envelope {
  // dropped_attributes_count is 0, and written: the SDK for JavaScript does so, and tests compare the bytes.
  const resourceField = field(1, attributeFields(1, resource), Uint8Array.of(2 << 3, 0));
  const scopeField = field(1, stringField(1, scope.name), stringField(2, scope.version));
  return {
    resource: resourceField,
    scope: scopeField,
    most: resourceField.length + scopeField.length + 2 * LONGEST_HEAD,
  };
}

/** Metric whose data points can be written one by one. */
interface Encodable {
  /** Encoded name, description and unit. */
  readonly head: Uint8Array;
  /** Field of `Metric` that holds the data points. */
  readonly field: number;
  readonly points: number;
  /** Maximum size of everything around the data points, with the longest heads. */
  readonly most: number;
  /** Returns the size of a data point, with its tag and length. */
  size(point: number): number;
  /** Writes data points, tags and lengths included; returns where they end, and the sum of their counts. */
  write(
    bytes: Uint8Array,
    view: DataView,
    at: number,
    from: number,
    to: number,
  ): { readonly at: number; readonly measurements: number };
}

function encodable<Kind extends AggregationKind>(metric: MetricOf<Kind>): Encodable {
  return withWriter(metric, metric.data, POINT_ENCODINGS[metric.kind].newWriter());
}

function withWriter<H extends { readonly count: number }>(
  { name, unit, description }: Pick<MetricData, "name" | "unit" | "description">,
  data: readonly IntervalPoints<H>[],
  writer: PointWriter<H>,
): Encodable {
  const head = joinBytes([
    stringField(1, name),
    ...description === "" ? [] : [stringField(2, description)],
    ...unit === "" ? [] : [stringField(3, unit)],
  ]);
  const sizes = new Uint32Array(data.reduce((sum, { points }) => sum + points.length, 0));
  let sized = 0;
  for (const { points } of data) {
    for (const point of points) sizes[sized++] = writer.size(point);
  }
  return {
    head,
    field: writer.field,
    points: sizes.length,
    most: head.length + DELTA.length + 2 * LONGEST_HEAD,
    size: (point) => fieldSize(sizes[point] ?? 0),
    write(bytes, view, at, from, to) {
      let measurements = 0;
      let first = 0;
      for (const { interval, points } of data) {
        const times = timeFields(interval);
        const end = Math.min(to - first, points.length);
        for (let i = Math.max(0, from - first); i < end; i++) {
          const point = points[i];
          if (point === undefined) break;
          at = writeHead(bytes, at, 1, sizes[first + i] ?? 0);
          at = writer.write(bytes, view, at, point, times);
          measurements += point.histogram.count;
        }
        first += points.length;
      }
      return { at, measurements };
    },
  };
}

/** Data points `from` (inclusive) to `to` (exclusive) of a metric. */
interface Part {
  readonly metric: Encodable;
  readonly from: number;
  readonly to: number;
  /** Size of the data points, with their tags and lengths. */
  readonly data: number;
}

/**
 * Writes a request. Lengths precede their content, so they are computed from the inside out before anything is
 * written.
 */
function assemble(envelope: Envelope, parts: readonly Part[]): PlainRequest {
  const sized = parts.map((part) => {
    const data = part.data + DELTA.length;
    return { ...part, data, metricSize: part.metric.head.length + fieldSize(data) };
  });
  const scopeMetrics = envelope.scope.length +
    sized.reduce((sum, { metricSize }) => sum + fieldSize(metricSize), 0);
  const resourceMetrics = envelope.resource.length + fieldSize(scopeMetrics);
  const bytes = new Uint8Array(fieldSize(resourceMetrics));
  const view = new DataView(bytes.buffer);
  let at = writeHead(bytes, 0, 1, resourceMetrics);
  bytes.set(envelope.resource, at);
  at = writeHead(bytes, at + envelope.resource.length, 2, scopeMetrics);
  bytes.set(envelope.scope, at);
  at += envelope.scope.length;
  let measurements = 0;
  for (const { metric, from, to, data, metricSize } of sized) {
    at = writeHead(bytes, at, 2, metricSize);
    bytes.set(metric.head, at);
    at = writeHead(bytes, at + metric.head.length, metric.field, data);
    const written = metric.write(bytes, view, at, from, to);
    measurements += written.measurements;
    bytes.set(DELTA, written.at);
    at = written.at + DELTA.length;
  }
  const points = parts.reduce((sum, { from, to }) => sum + to - from, 0);
  return { body: bytes, points, measurements };
}
