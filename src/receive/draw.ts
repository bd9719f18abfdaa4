import type { ExportMetricsServiceRequest } from "../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { AnyValue, KeyValue } from "../otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import type { Metric } from "../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { type DataPoint, dataPointsOf } from "../otlp/rules.ts";
import { type Drawable, exponentialBuckets, plot } from "../plot.ts";
import { safe } from "./safe.ts";

/** Data points that are drawn of one request; the rest is only counted. */
const MOST_DRAWN = 1000;

/** Every data point of a request: its name, unit, attributes, figures, and its buckets drawn. */
export function drawRequest(request: ExportMetricsServiceRequest, width: number): string[] {
  const lines: string[] = [];
  let left = MOST_DRAWN;
  let undrawn = 0;
  for (const { resource, scopeMetrics } of request.resourceMetrics) {
    const attributes = resource?.attributes ?? [];
    if (attributes.length > 0 && left > 0) lines.push(`  resource ${attributesText(attributes)}`);
    for (const metric of scopeMetrics.flatMap((scope) => scope.metrics)) {
      for (const point of dataPointsOf(metric)) {
        if (left > 0) {
          left--;
          lines.push(...drawPoint(metric, point, width));
        } else {
          undrawn++;
        }
      }
    }
  }
  if (undrawn > 0) lines.push(`  … and ${undrawn} more data points`);
  return lines;
}

function drawPoint(metric: Metric, point: DataPoint, width: number): string[] {
  const unit = metric.unit === "" ? "" : ` (${safe(metric.unit)})`;
  const attributes = point.attributes.length === 0 ? "" : ` ${attributesText(point.attributes)}`;
  const lines = [`  ${safe(metric.name)}${unit}${attributes}`, `    ${figures(point)}`];
  const buckets = bucketsOf(point);
  if (buckets !== undefined) {
    lines.push(...plot(buckets, width - 4).map((line) => `    ${line}`));
  }
  return lines;
}

function figures(point: DataPoint): string {
  if ("value" in point) return `value ${String(point.value.value ?? "none")}`;
  const named: [string, number | undefined][] = [["sum", point.sum]];
  if ("min" in point) named.unshift(["min", point.min], ["max", point.max]);
  return [`count ${point.count}`].concat(
    named.flatMap(([name, value]) => value === undefined ? [] : [`${name} ${rounded(value)}`]),
  ).join(", ");
}

/** Six digits tell more than a bucket does. */
function rounded(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function bucketsOf(point: DataPoint): Drawable | undefined {
  switch (point.$typeName) {
    case "opentelemetry.proto.metrics.v1.HistogramDataPoint":
      return point.bucketCounts.length === 0
        ? undefined
        : { bounds: point.explicitBounds, counts: point.bucketCounts };
    case "opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint": {
      const { scale, zeroCount, positive, negative } = point;
      return exponentialBuckets({
        scale,
        zeroCount,
        positive: { offset: positive?.offset ?? 0, counts: positive?.bucketCounts ?? [] },
        negative: { offset: negative?.offset ?? 0, counts: negative?.bucketCounts ?? [] },
      });
    }
    default:
      return undefined;
  }
}

function attributesText(attributes: readonly KeyValue[]): string {
  const shown = attributes.slice(0, 100).map(({ key, value }) =>
    `${safe(key)}=${valueText(value)}`
  );
  return shown.join(" ") +
    (attributes.length > 100 ? ` … and ${attributes.length - 100} more` : "");
}

function valueText(value: AnyValue | undefined): string {
  const { case: type, value: held } = value?.value ?? { case: undefined, value: undefined };
  switch (type) {
    case "stringValue":
      // Quoted when it would otherwise run into its neighbour.
      return /^[^\s"=]+$/.test(held) ? safe(held) : safe(JSON.stringify(held));
    case "arrayValue":
      return `[${held.values.slice(0, 20).map(valueText).join(",")}]`;
    case "kvlistValue":
      return `{${attributesText(held.values.slice(0, 20))}}`;
    case "bytesValue":
      return `(${held.length} bytes)`;
    case undefined:
      return "(none)";
    default:
      return String(held);
  }
}
