import type { Interval } from "../aggregate/interval.ts";
import type { Identity } from "../aggregate/identity.ts";
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
  readonly metadata?: Attributes | undefined;
  readonly kind: Kind;
  readonly data: readonly IntervalPoints<Histograms[Kind]>[];
}

/** Data points of a metric, of any kind. */
export type MetricData = MetricOf<AggregationKind>;

/** Metrics of one resource and scope. */
export interface Collection extends Identity {
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
 * Encodes collections as requests within the limits, in order; none if nothing was recorded. Neighbours with the same
 * resource object share its ResourceMetrics. A single data point above the limit is left for the receiver to judge.
 */
export function encodeCollections(
  collections: readonly Collection[],
  limits: RequestLimits,
): readonly PlainRequest[] {
  const metrics = encodables(collections);
  const requests: PlainRequest[] = [];
  let parts: Part[] = [];
  let points = 0;
  let bytes = 0;
  for (const metric of metrics) {
    let from = 0;
    /** Size of its data points from `from` on. */
    let data = 0;
    /** Size of what must stand before a data point and around it. */
    const opening = (to: number) =>
      to === from ? metric.most + openingSize(metric.envelope, parts.at(-1)?.metric.envelope) : 0;
    for (let to = 0; to < metric.points; to++) {
      const size = metric.size(to);
      if (points > 0 && (points >= limits.points || bytes + opening(to) + size > limits.bytes)) {
        if (to > from) parts.push({ metric, from, to, data });
        requests.push(assemble(parts));
        parts = [];
        from = to;
        data = 0;
        points = 0;
        bytes = 0;
      }
      bytes += size + opening(to);
      data += size;
      points++;
    }
    if (metric.points > from) parts.push({ metric, from, to: metric.points, data });
  }
  if (parts.length > 0) requests.push(assemble(parts));
  return requests;
}

/** Size of the longest head: a tag and a length below 2^35. */
const LONGEST_HEAD = 6;

/** Encoded resource and scope, which enclose the metrics; of one resource or scope they are the same arrays. */
interface Envelope {
  readonly resource: Uint8Array;
  readonly scope: Uint8Array;
}

function encodables(collections: readonly Collection[]): readonly Encodable[] {
  const resources = new Map<Attributes, Uint8Array>();
  return collections.flatMap(({ resource, scope, metrics }) => {
    const known = resources.get(resource);
    const envelope = { resource: known ?? resourceField(resource), scope: scopeField(scope) };
    resources.set(resource, envelope.resource);
    return metrics.map((metric) => encodable(metric, envelope));
  });
}

function resourceField(resource: Attributes): Uint8Array {
  // dropped_attributes_count is 0, and written: the SDK for JavaScript does so, and tests compare the bytes.
  return field(1, attributeFields(1, resource), Uint8Array.of(2 << 3, 0));
}

/** Encodes the scope, and the schema URL of its ScopeMetrics. */
function scopeField({ name, version, attributes, schemaUrl }: Identity["scope"]): Uint8Array {
  return joinBytes([
    field(
      1,
      stringField(1, name),
      stringField(2, version),
      ...attributes === undefined ? [] : [attributeFields(3, attributes)],
    ),
    ...schemaUrl === undefined ? [] : [stringField(3, schemaUrl)],
  ]);
}

/** Maximum size of an envelope, with the longest heads, after metrics in another one. */
function openingSize({ resource, scope }: Envelope, before: Envelope | undefined): number {
  return (before?.resource === resource ? 0 : resource.length + LONGEST_HEAD) +
    (before?.scope === scope ? 0 : scope.length + LONGEST_HEAD);
}

/** Metric whose data points can be written one by one. */
interface Encodable {
  readonly envelope: Envelope;
  /** Encoded name, description, unit and metadata. */
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

function encodable<Kind extends AggregationKind>(
  metric: MetricOf<Kind>,
  envelope: Envelope,
): Encodable {
  return withWriter(metric, metric.data, POINT_ENCODINGS[metric.kind].newWriter(), envelope);
}

function withWriter<H extends { readonly count: number }>(
  { name, unit, description, metadata }: Omit<MetricData, "kind" | "data">,
  data: readonly IntervalPoints<H>[],
  writer: PointWriter<H>,
  envelope: Envelope,
): Encodable {
  const head = joinBytes([
    stringField(1, name),
    ...description === "" ? [] : [stringField(2, description)],
    ...unit === "" ? [] : [stringField(3, unit)],
    ...metadata === undefined ? [] : [attributeFields(12, metadata)],
  ]);
  const sizes = new Uint32Array(data.reduce((sum, { points }) => sum + points.length, 0));
  let sized = 0;
  for (const { points } of data) {
    for (const point of points) sizes[sized++] = writer.size(point);
  }
  return {
    envelope,
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

/** Part with the sizes of its two outer messages. */
interface SizedPart extends Part {
  /** Size of the message of data points. */
  readonly histogramSize: number;
  /** Size of its Metric. */
  readonly metricSize: number;
}

/** Parts in the same message, with its size. */
interface Enclosed<Inner> {
  readonly opening: Uint8Array;
  readonly inner: Inner[];
  size: number;
}

/**
 * Writes a request. Lengths precede their content, so they are computed from the inside out before anything is
 * written.
 */
function assemble(parts: readonly Part[]): PlainRequest {
  const resources = enclosed(parts);
  const bytes = new Uint8Array(resources.reduce((sum, { size }) => sum + fieldSize(size), 0));
  const view = new DataView(bytes.buffer);
  const open = (at: number, number: number, { opening, size }: Enclosed<unknown>) => {
    at = writeHead(bytes, at, number, size);
    bytes.set(opening, at);
    return at + opening.length;
  };
  let at = 0;
  let measurements = 0;
  for (const resource of resources) {
    at = open(at, 1, resource);
    for (const scope of resource.inner) {
      at = open(at, 2, scope);
      for (const { metric, from, to, histogramSize, metricSize } of scope.inner) {
        at = writeHead(bytes, at, 2, metricSize);
        bytes.set(metric.head, at);
        at = writeHead(bytes, at + metric.head.length, metric.field, histogramSize);
        const written = metric.write(bytes, view, at, from, to);
        measurements += written.measurements;
        bytes.set(DELTA, written.at);
        at = written.at + DELTA.length;
      }
    }
  }
  const points = parts.reduce((sum, { from, to }) => sum + to - from, 0);
  return { body: bytes, points, measurements };
}

/** Groups neighbours of one resource and scope as ResourceMetrics and ScopeMetrics hold them. */
function enclosed(parts: readonly Part[]): readonly Enclosed<Enclosed<SizedPart>>[] {
  const resources: Enclosed<Enclosed<SizedPart>>[] = [];
  for (const part of parts) {
    const { head, envelope } = part.metric;
    const histogramSize = part.data + DELTA.length;
    const metricSize = head.length + fieldSize(histogramSize);
    const resource = enclosing(resources, envelope.resource);
    const scope = enclosing(resource.inner, envelope.scope);
    scope.inner.push({ ...part, histogramSize, metricSize });
    scope.size += fieldSize(metricSize);
  }
  for (const resource of resources) {
    for (const { size } of resource.inner) resource.size += fieldSize(size);
  }
  return resources;
}

/** The last message, if it begins with `opening`, or a new one. */
function enclosing<Inner>(messages: Enclosed<Inner>[], opening: Uint8Array): Enclosed<Inner> {
  const last = messages.at(-1);
  if (last?.opening === opening) return last;
  const begun = { opening, inner: [], size: opening.length };
  messages.push(begun);
  return begun;
}
