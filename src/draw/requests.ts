import { type Canvas, wrapWords } from "../console/canvas.ts";
import { counted } from "../console/plural.ts";
import { figuresOf, formatFigures, type PointFigures } from "./figures.ts";
import { estimateLines, percentilesOf } from "./percentiles.ts";
import { attributeWords, titleWords } from "./words.ts";
import type { ExportMetricsServiceRequest } from "../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { KeyValue } from "../otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import type { Metric } from "../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { type DataPoint, dataPointsOf, pointCount } from "../otlp/data_points.ts";
import { exponentialBuckets, plot } from "./bars.ts";
import type { Hide } from "../redact/secrets.ts";

/** One block of a drawing: a series' names, safe for a terminal, and its figures. */
export interface DrawnSeries {
  readonly resource: readonly string[];
  readonly title: readonly string[];
  readonly figures: PointFigures;
}

/** Maximum number of data points that are drawn at once; the others are only counted. */
const MOST_POINTS = 1000;
/** Maximum number of series that totals draw. */
const MOST_SERIES = 10;

/** Draws the data points of requests, largest first, at most `most` of them. */
export function drawRequests(
  requests: readonly ExportMetricsServiceRequest[],
  canvas: Canvas,
  most = MOST_POINTS,
): string[] {
  const points = requests.flatMap(placedPoints);
  const largest = points.toSorted((a, b) => Number(pointCount(b.point) - pointCount(a.point)));
  return [
    ...drawSeries(
      largest.slice(0, most).map(({ resource, metric, point }) => ({
        resource: attributeWords(resource, canvas.hide),
        title: seriesTitle(metric, point, canvas.hide),
        figures: figuresOf(point),
      })),
      canvas,
    ),
    ...moreLines(points.length - most, "data point", "data points"),
  ];
}

/** Draws series in the given order, at most ten of them, and counts the others. */
export function drawFirst(series: readonly DrawnSeries[], canvas: Canvas): string[] {
  return [
    ...drawSeries(series.slice(0, MOST_SERIES), canvas),
    ...moreLines(series.length - MOST_SERIES, "series", "series"),
  ];
}

function moreLines(more: number, one: string, many: string): string[] {
  return more > 0 ? [`  … and ${counted(more, `more ${one}`, `more ${many}`)}`] : [];
}

interface PlacedPoint {
  readonly resource: readonly KeyValue[];
  readonly metric: Metric;
  readonly point: DataPoint;
}

function placedPoints(request: ExportMetricsServiceRequest): PlacedPoint[] {
  return request.resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap((metric) =>
        dataPointsOf(metric).map((point) => ({
          resource: resource?.attributes ?? [],
          metric,
          point,
        }))
      )
    )
  );
}

/** Title of a data point's series. */
export function seriesTitle(
  metric: Metric,
  point: DataPoint,
  hide: Hide = (text) => text,
): string[] {
  return titleWords(metric, attributeWords(point.attributes, hide), hide);
}

/** Draws series, and names the resource whenever it differs from that of the block before. */
function drawSeries(series: readonly DrawnSeries[], canvas: Canvas): string[] {
  const { breakAt, paint } = canvas;
  const lines: string[] = [];
  let before = "";
  for (const { resource, title, figures } of series) {
    const named = resource.join(" ");
    if (named !== before && named !== "") {
      lines.push(...wrapWords(["resource", ...resource], 2, breakAt).map(paint.faint));
    }
    before = named;
    lines.push(...wrapWords(title, 2, breakAt).map(paint.strong));
    lines.push(...drawFigures(figures, canvas));
  }
  return lines;
}

const INDENT = 4;

function drawFigures(figures: PointFigures, { width, breakAt, paint }: Canvas): string[] {
  // A name and its value stay on one line.
  const text = (line: string) => wrapWords(line.split(/(?<=,) /), INDENT, breakAt);
  if (figures.kind === "number") return text(`value ${String(figures.value ?? "none")}`);
  const { count, min, max, sum, buckets } = figures;
  const lines = text(formatFigures(count, { min, max, sum }));
  if (buckets === undefined) return lines;
  for (const line of estimateLines(percentilesOf(buckets, { min, max }))) lines.push(...text(line));
  const drawn = buckets.kind === "explicit" ? buckets : exponentialBuckets(buckets);
  const bars = plot(drawn, width - INDENT, paint);
  return [...lines, ...bars.map((line) => " ".repeat(INDENT) + line)];
}
