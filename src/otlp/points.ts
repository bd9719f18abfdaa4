import type { ExplicitHistogram } from "../histogram/explicit.ts";
import type { ExponentialHistogram } from "../histogram/exponential.ts";
import type { Interval } from "./interval.ts";
import type { Series } from "../histogram/series.ts";
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

/** Field numbers of `attributes` in the two kinds of data point. */
export const EXPLICIT_ATTRIBUTES = 9;
export const EXPONENTIAL_ATTRIBUTES = 1;

/** Encodes the data points of one metric; none is changed by where it stands. */
export interface PointWriter<H> {
  /** The field of `Metric` that holds them. */
  readonly field: number;
  /** Bytes of a data point without its tag and length. */
  size(series: Series<H>): number;
  /** Writes those bytes where there are only zeros yet, and returns where they end. */
  write(bytes: Uint8Array, view: DataView, at: number, series: Series<H>): number;
}

const FIXED64 = 1;

/** `start_time_unix_nano` and `time_unix_nano`. */
function timeFields({ start, end }: Interval): Uint8Array {
  const bytes = new Uint8Array(18);
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

/** HistogramDataPoint. */
export function explicitWriter(
  bounds: readonly number[],
  interval: Interval,
): PointWriter<ExplicitHistogram> {
  const times = timeFields(interval);
  const countsLength = 8 * (bounds.length + 1);
  const boundsField = packedDoubles(7, bounds);
  const size = times.length + 2 * 9 + fieldSize(countsLength) + boundsField.length + 2 * 9;
  return {
    field: 9,
    size: ({ attributes }) => size + attributes.length,
    write(bytes, view, at, { histogram, attributes }) {
      at = writeBytes(bytes, at, times);
      bytes[at] = 4 << 3 | FIXED64;
      at = writeFixed64(view, at + 1, histogram.count);
      at = writeDouble(view, at, 5, histogram.sum);
      at = writeHead(bytes, at, 6, countsLength);
      for (const count of histogram.counts) {
        if (count !== 0) writeFixed64(view, at, count);
        at += 8;
      }
      at = writeBytes(bytes, at, boundsField);
      at = writeBytes(bytes, at, attributes);
      at = writeDouble(view, at, 11, histogram.min);
      return writeDouble(view, at, 12, histogram.max);
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

/** ExponentialHistogramDataPoint; there are no negative values, so `negative` is an empty message. */
export function exponentialWriter(interval: Interval): PointWriter<ExponentialHistogram> {
  const times = timeFields(interval);
  return {
    field: 10,
    size: ({ attributes, histogram }) =>
      attributes.length + times.length + 2 * 9 + scaleSize(histogram) + 9 +
      fieldSize(bucketsSize(histogram)) + fieldSize(0) + 2 * 9,
    write(bytes, view, at, { attributes, histogram }) {
      at = writeBytes(bytes, at, attributes);
      at = writeBytes(bytes, at, times);
      bytes[at] = 4 << 3 | FIXED64;
      at = writeFixed64(view, at + 1, histogram.count);
      at = writeDouble(view, at, 5, histogram.sum);
      if (histogram.scale !== 0) {
        bytes[at] = 6 << 3;
        at = writeVarint(bytes, at + 1, zigzag(histogram.scale));
      }
      bytes[at] = 7 << 3 | FIXED64;
      at = writeFixed64(view, at + 1, histogram.zeroCount);
      at = writeHead(bytes, at, 8, bucketsSize(histogram));
      at = writeBuckets(bytes, at, histogram);
      at = writeHead(bytes, at, 9, 0);
      at = writeDouble(view, at, 12, histogram.min);
      return writeDouble(view, at, 13, histogram.max);
    },
  };
}

function scaleSize({ scale }: ExponentialHistogram): number {
  return scale === 0 ? 0 : 1 + varintSize(zigzag(scale));
}

function bucketsSize(histogram: ExponentialHistogram): number {
  const { offset, buckets } = histogram;
  return (offset === 0 ? 0 : 1 + varintSize(zigzag(offset))) +
    (buckets === 0 ? 0 : fieldSize(countsSize(histogram)));
}

function countsSize(histogram: ExponentialHistogram): number {
  let size = 0;
  for (let i = 0; i < histogram.buckets; i++) size += varintSize(histogram.countAt(i));
  return size;
}

function writeBuckets(bytes: Uint8Array, at: number, histogram: ExponentialHistogram): number {
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
