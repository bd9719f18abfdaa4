import { counted } from "../../console/plural.ts";
import { addFigures, limitBuckets, MOST_EXPONENTIAL_BUCKETS } from "../../draw/add.ts";
import { drawFirst, type DrawnSeries, seriesTitle } from "../../draw/requests.ts";
import type { Canvas } from "../../console/canvas.ts";
import type { Hide } from "../../redact/secrets.ts";
import { figuresOf, type PointFigures } from "../../draw/figures.ts";
import { attributeWords } from "../../draw/words.ts";
import type { Metric } from "../../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { dataPointsOf, isStaleMarker } from "../../otlp/data_points.ts";
import type { RequestEvent } from "./event.ts";
import { identityOf, scopeIdentity } from "../../otlp/attribute_identity.ts";
import { temporalityOf } from "./metric_list.ts";

/** Approximate memory of all series together, in bytes. */
const MOST_BYTES = 32 * 2 ** 20;
/** Maximum length of a series' key, in UTF-16 units; longer ones are not kept. */
const LONGEST_NAME = 16_384;

interface Total extends Omit<DrawnSeries, "figures"> {
  figures: PointFigures;
}

/**
 * Sums up the accepted requests by series: a metric of one resource and scope, with one set of attributes and
 * bounds. Deltas are added; of anything else the last is kept. Data points without room are counted.
 */
export class RequestTotals {
  readonly #hide: Hide;
  readonly #mostBytes: number;
  readonly #series = new Map<string, Total>();
  #requests = 0;
  #rejected = 0;
  #bytes = 0;
  #without = 0;

  /** `hide` removes secrets from names. */
  constructor(hide: Hide = (text) => text, mostBytes = MOST_BYTES) {
    this.#hide = hide;
    this.#mostBytes = mostBytes;
  }

  add(event: RequestEvent): void {
    const { outcome, points, rejectedPoints, rejected, request } = event;
    if (outcome !== "accepted" && outcome !== "partial") return;
    if (request === undefined || points === 0) return;
    this.#requests++;
    this.#rejected += rejectedPoints;
    for (const { resource, scopeMetrics } of request.resourceMetrics) {
      const attributes = resource?.attributes ?? [];
      const ofResource = identityOf(attributes);
      const words = attributeWords(attributes, this.#hide);
      for (const { scope, metrics } of scopeMetrics) {
        const ofScope = JSON.stringify([ofResource, scopeIdentity(scope)]);
        for (const metric of metrics) this.#addMetric(metric, rejected, ofScope, words);
      }
    }
  }

  #addMetric(
    metric: Metric,
    rejected: RequestEvent["rejected"],
    ofScope: string,
    resource: readonly string[],
  ): void {
    const temporality = temporalityOf(metric);
    const ofMetric = JSON.stringify([ofScope, metric.name, metric.unit, metric.data.case]);
    for (const point of dataPointsOf(metric)) {
      if (rejected.has(point) || isStaleMarker(point)) continue;
      const figures = figuresOf(point);
      if (!countsFitBounds(figures)) continue;
      const key = [ofMetric, temporality, identityOf(point.attributes), layoutKey(figures)].join();
      const known = this.#series.get(key);
      if (known !== undefined) {
        known.figures = temporality === "delta"
          ? addFigures(known.figures, figures)
          : limitBuckets(figures);
        continue;
      }
      const title = seriesTitle(metric, point, this.#hide);
      if (temporality === "cumulative") title.push("(cumulative: the last)");
      const bytes = 2 * (key.length + title.join().length) + bytesOf(figures);
      if (key.length > LONGEST_NAME || this.#bytes + bytes > this.#mostBytes) {
        this.#without++;
        continue;
      }
      this.#bytes += bytes;
      this.#series.set(key, { resource, title, figures: limitBuckets(figures) });
    }
  }

  /** Draws the totals, largest series first; nothing for fewer than two requests. */
  draw(canvas: Canvas): string[] {
    if (this.#requests < 2) return [];
    const rejected = this.#rejected === 0 ? "" : ` (rejected data points: ${this.#rejected})`;
    const largest = [...this.#series.values()].sort((a, b) =>
      Number(measurementCount(b.figures) - measurementCount(a.figures))
    );
    return [
      `Totals of ${this.#requests} requests${rejected}:`,
      ...drawFirst(largest, canvas),
      ...this.#without === 0 ? [] : [
        `  ${
          counted(this.#without, "data point is", "data points are")
        } left out: too many series, or too long names, to add up`,
      ],
    ];
  }
}

/** Whether the counts match the bounds. Others are rejected and cannot be added. */
function countsFitBounds(figures: PointFigures): boolean {
  const buckets = figures.kind === "distribution" ? figures.buckets : undefined;
  return buckets?.kind !== "explicit" || buckets.counts.length === buckets.bounds.length + 1;
}

function layoutKey(figures: PointFigures): string {
  if (figures.kind === "number" || figures.buckets === undefined) return "";
  return figures.buckets.kind === "explicit" ? figures.buckets.bounds.join(" ") : "exponential";
}

function measurementCount(figures: PointFigures): bigint {
  return figures.kind === "number" ? 0n : figures.count;
}

const BYTES_A_SERIES = 500;
const BYTES_A_NUMBER = 16;

function bytesOf(figures: PointFigures): number {
  if (figures.kind === "number" || figures.buckets === undefined) return BYTES_A_SERIES;
  const { buckets } = figures;
  const numbers = buckets.kind === "explicit"
    ? 2 * buckets.counts.length
    : 2 * MOST_EXPONENTIAL_BUCKETS;
  return BYTES_A_SERIES + numbers * BYTES_A_NUMBER;
}
