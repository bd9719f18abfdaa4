import type { Exponential } from "../aggregate/base2.ts";
import { type DataPoint, isStaleMarker } from "../otlp/data_points.ts";
import type { Drawable } from "./bars.ts";

/** Buckets of a data point, explicit or exponential. */
export type PointBuckets =
  | ({ readonly kind: "explicit" } & Drawable)
  | ({ readonly kind: "exponential" } & Exponential);

/** Figures of a data point of any type, as they are drawn and added up. Undefined figures are unknown. */
export type PointFigures =
  | { readonly kind: "number"; readonly value: number | bigint | undefined }
  | {
    readonly kind: "distribution";
    readonly count: bigint;
    readonly sum: number | undefined;
    readonly min: number | undefined;
    readonly max: number | undefined;
    readonly buckets: PointBuckets | undefined;
  };

/** Extracts the figures of a decoded data point. */
export function figuresOf(point: DataPoint): PointFigures {
  if (isStaleMarker(point)) return { kind: "number", value: undefined };
  if (point.$typeName === "opentelemetry.proto.metrics.v1.NumberDataPoint") {
    return { kind: "number", value: point.value.value };
  }
  const { count, sum } = point;
  const { min, max } = point.$typeName === "opentelemetry.proto.metrics.v1.SummaryDataPoint"
    ? { min: undefined, max: undefined }
    : point;
  return { kind: "distribution", count, sum, min, max, buckets: bucketsOf(point) };
}

function bucketsOf(point: DataPoint): PointBuckets | undefined {
  switch (point.$typeName) {
    case "opentelemetry.proto.metrics.v1.HistogramDataPoint":
      return point.bucketCounts.length === 0
        ? undefined
        : { kind: "explicit", bounds: point.explicitBounds, counts: point.bucketCounts };
    case "opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint": {
      const { scale, zeroCount, zeroThreshold, positive, negative } = point;
      return {
        kind: "exponential",
        scale,
        zeroCount,
        zeroThreshold,
        positive: { offset: positive?.offset ?? 0, counts: positive?.bucketCounts ?? [] },
        negative: { offset: negative?.offset ?? 0, counts: negative?.bucketCounts ?? [] },
      };
    }
    default:
      return undefined;
  }
}

/** Formats the known figures of a series in one line: `count 5, min 1.5, …`. */
export function formatFigures(
  count: number | bigint,
  known: Readonly<Record<string, number | undefined>>,
): string {
  const others = Object.entries(known).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${roundToSixDigits(value)}`]
  );
  return [`count ${count}`, ...others].join(", ");
}

/** Rounds to six digits, which is more than a bucket can tell. */
export function roundToSixDigits(value: number): string {
  return String(Number(value.toPrecision(6)));
}
