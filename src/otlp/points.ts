import type { AggregationKind, Histograms } from "../aggregate/aggregation.ts";
import type { Interval } from "../aggregate/interval.ts";
import {
  fieldSize,
  varintSize,
  writeBytes,
  writeFixed64,
  writeHead,
  writeVarint,
  zigzag,
} from "./wire.ts";

// Data points as in metrics.proto, their fields in the order in which the OpenTelemetry SDK for JavaScript writes them.

/**
 * Figures that both kinds of histogram have. `sum`, `min` and `max` are NaN if they are unknown, and then not written.
 */
interface HistogramFigures {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/** Figures of a histogram with explicit bounds. */
interface ExplicitFigures extends HistogramFigures {
  readonly bounds: readonly number[];
  /** Count per bucket, one more than bounds. */
  readonly counts: readonly number[];
}

/** Figures of an exponential histogram. */
interface ExponentialFigures extends HistogramFigures {
  readonly scale: number;
  /** Index of the lowest bucket. */
  readonly offset: number;
  readonly buckets: number;
  readonly zeroCount: number;
  /** Returns the count of the bucket with index `offset + position`. */
  countAt(position: number): number;
}

/** Data point without its times, which all data points of an interval share. */
export interface EncodablePoint<H> {
  /** Attributes, encoded under the field number of the data point's kind. */
  readonly attributes: Uint8Array;
  readonly histogram: H;
}

/** Encoder of one kind of data point. */
export interface PointWriter<H> {
  /** Field of `Metric` that holds the data points. */
  readonly field: number;
  /** Returns the size of a data point in bytes, without its tag and length. */
  size(point: EncodablePoint<H>): number;
  /** Writes a data point into bytes that are all zero, and returns where it ends. */
  write(
    bytes: Uint8Array,
    view: DataView,
    at: number,
    point: EncodablePoint<H>,
    times: Uint8Array,
  ): number;
}

const FIXED64 = 1;

/** Size of `start_time_unix_nano` and `time_unix_nano` together. */
const TIMES = 18;

/** Encodes `start_time_unix_nano` and `time_unix_nano`, which all data points of an interval share. */
export function timeFields({ start, end }: Interval): Uint8Array {
  const bytes = new Uint8Array(TIMES);
  const view = new DataView(bytes.buffer);
  bytes[0] = 2 << 3 | FIXED64;
  view.setBigUint64(1, nanoseconds(start), true);
  bytes[9] = 3 << 3 | FIXED64;
  view.setBigUint64(10, nanoseconds(end), true);
  return bytes;
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.floor(ms / 1000)) * 1_000_000_000n + BigInt(Math.round((ms % 1000) * 1e6));
}

function writeDouble(view: DataView, at: number, field: number, value: number): number {
  view.setUint8(at, field << 3 | FIXED64);
  view.setFloat64(at + 1, value, true);
  return at + 9;
}

/** Returns the size of sum, min and max. */
function optionalSize({ sum, min, max }: HistogramFigures): number {
  // NaN is in any sum that it is added to.
  if (!Number.isNaN(sum + min + max)) return 3 * 9;
  return 9 * [sum, min, max].filter((value) => !Number.isNaN(value)).length;
}

function writeOptional(view: DataView, at: number, field: number, value: number): number {
  return Number.isNaN(value) ? at : writeDouble(view, at, field, value);
}

/** Encoding of the data points of an aggregation. */
export interface PointEncoding<H> {
  /** Field number of a data point's attributes. */
  readonly attributes: number;
  /** Creates a writer for one metric. */
  newWriter(): PointWriter<H>;
}

/** Encodings of all aggregations. */
export const POINT_ENCODINGS: {
  readonly [Kind in AggregationKind]: PointEncoding<Histograms[Kind]>;
} = {
  explicit: { attributes: 9, newWriter: explicitWriter },
  exponential: { attributes: 1, newWriter: exponentialWriter },
};

/** Creates the encoder of HistogramDataPoint. */
function explicitWriter(): PointWriter<ExplicitFigures> {
  // Data points of one metric mostly have the same bounds.
  let encoded: readonly number[] | undefined;
  let boundsField: Uint8Array = new Uint8Array();
  /** Size of a data point without attributes, sum, min and max. */
  let least = 0;
  const encodeBounds = (bounds: readonly number[]) => {
    encoded = bounds;
    boundsField = packedDoubles(7, bounds);
    least = TIMES + 9 + fieldSize(8 * (bounds.length + 1)) + boundsField.length;
  };
  return {
    field: 9,
    size({ attributes, histogram }) {
      if (histogram.bounds !== encoded) encodeBounds(histogram.bounds);
      return least + attributes.length + optionalSize(histogram);
    },
    write(bytes, view, at, { histogram, attributes }, times) {
      if (histogram.bounds !== encoded) encodeBounds(histogram.bounds);
      at = writeBytes(bytes, at, times);
      bytes[at] = 4 << 3 | FIXED64;
      at = writeFixed64(view, at + 1, histogram.count);
      at = writeOptional(view, at, 5, histogram.sum);
      at = writeHead(bytes, at, 6, 8 * histogram.counts.length);
      for (const count of histogram.counts) {
        if (count !== 0) writeFixed64(view, at, count);
        at += 8;
      }
      at = writeBytes(bytes, at, boundsField);
      at = writeBytes(bytes, at, attributes);
      at = writeOptional(view, at, 11, histogram.min);
      return writeOptional(view, at, 12, histogram.max);
    },
  };
}

function packedDoubles(field: number, values: readonly number[]): Uint8Array {
  if (values.length === 0) return new Uint8Array();
  const bytes = new Uint8Array(fieldSize(8 * values.length));
  const view = new DataView(bytes.buffer);
  let at = writeHead(bytes, 0, field, 8 * values.length);
  for (const value of values) {
    view.setFloat64(at, value, true);
    at += 8;
  }
  return bytes;
}

/**
 * Creates the encoder of ExponentialHistogramDataPoint. There are no negative values, so `negative` is an empty
 * message.
 */
function exponentialWriter(): PointWriter<ExponentialFigures> {
  return {
    field: 10,
    size: ({ attributes, histogram }) =>
      attributes.length + TIMES + 9 + scaleSize(histogram) + 9 + fieldSize(bucketsSize(histogram)) +
      fieldSize(0) + optionalSize(histogram),
    write(bytes, view, at, { attributes, histogram }, times) {
      at = writeBytes(bytes, at, attributes);
      at = writeBytes(bytes, at, times);
      bytes[at] = 4 << 3 | FIXED64;
      at = writeFixed64(view, at + 1, histogram.count);
      at = writeOptional(view, at, 5, histogram.sum);
      if (histogram.scale !== 0) {
        bytes[at] = 6 << 3;
        at = writeVarint(bytes, at + 1, zigzag(histogram.scale));
      }
      bytes[at] = 7 << 3 | FIXED64;
      at = writeFixed64(view, at + 1, histogram.zeroCount);
      at = writeHead(bytes, at, 8, bucketsSize(histogram));
      at = writeBuckets(bytes, at, histogram);
      at = writeHead(bytes, at, 9, 0);
      at = writeOptional(view, at, 12, histogram.min);
      return writeOptional(view, at, 13, histogram.max);
    },
  };
}

function scaleSize({ scale }: ExponentialFigures): number {
  return scale === 0 ? 0 : 1 + varintSize(zigzag(scale));
}

function bucketsSize(histogram: ExponentialFigures): number {
  const { offset, buckets } = histogram;
  return (offset === 0 ? 0 : 1 + varintSize(zigzag(offset))) +
    (buckets === 0 ? 0 : fieldSize(countsSize(histogram)));
}

function countsSize(histogram: ExponentialFigures): number {
  let size = 0;
  for (let i = 0; i < histogram.buckets; i++) size += varintSize(histogram.countAt(i));
  return size;
}

function writeBuckets(bytes: Uint8Array, at: number, histogram: ExponentialFigures): number {
  const { offset, buckets } = histogram;
  if (offset !== 0) {
    bytes[at] = 1 << 3;
    at = writeVarint(bytes, at + 1, zigzag(offset));
  }
  if (buckets === 0) return at;
  at = writeHead(bytes, at, 2, countsSize(histogram));
  for (let i = 0; i < buckets; i++) at = writeVarint(bytes, at, histogram.countAt(i));
  return at;
}
