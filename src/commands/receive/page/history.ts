import type { Hide } from "../../../redact/secrets.ts";
import { escapeText } from "../../../console/escape.ts";
import { attributeWords } from "../../../draw/words.ts";
import type { ExportMetricsServiceRequest } from "../../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { KeyValue } from "../../../otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import type { Metric } from "../../../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { type DataPoint, dataPointsOf } from "../../../otlp/data_points.ts";
import { identityOf } from "../attribute_identity.ts";
import { type Temporality, temporalityOf } from "../metric_list.ts";
import { Reader } from "./reader.ts";
import type { SeriesHistory, SeriesNames } from "./series_history.ts";

/** Limits of a history. */
export interface HistoryLimits {
  readonly mostSeries: number;
  /** Approximate memory of all rows together, in bytes. */
  readonly mostBytes: number;
  /** Maximum number of slices of time in one chart. */
  readonly mostSlices: number;
  readonly firstSliceMs: number;
  readonly longestSliceMs: number;
}

/** Limits that the page uses. */
export const HISTORY_LIMITS: HistoryLimits = {
  mostSeries: 2000,
  mostBytes: 64 * 2 ** 20,
  mostSlices: 480,
  firstSliceMs: 1000,
  longestSliceMs: 64_000,
};

/** Metric of one resource and scope, with its series in order of arrival. */
interface MetricSeries {
  readonly unit: string;
  readonly type: string | undefined;
  readonly temporality: Temporality | null;
  readonly readers: Reader[];
  readonly byIdentity: Map<string, number>;
  /** Index of the series that is expected next: an exporter sends its series in the same order again. */
  next: number;
}

/**
 * History of all series, per slice of time by arrival. When there is no more room, slices become longer; at their
 * maximum length, the oldest are dropped.
 */
export class History {
  readonly #limits: HistoryLimits;
  readonly #openedMs: number;
  readonly #hide: Hide;
  readonly #scopes = new Map<string, Map<string, MetricSeries[]>>();
  readonly #series: SeriesHistory[] = [];
  #sliceMs: number;
  #firstSlice = Infinity;
  #leftOut = 0;
  #forgottenBefore: number | undefined;
  #sinceWeighed = 0;

  /** `hide` removes secrets from names. */
  constructor(openedMs: number, limits = HISTORY_LIMITS, hide: Hide = (text) => text) {
    this.#hide = hide;
    this.#limits = limits;
    this.#openedMs = openedMs;
    this.#sliceMs = limits.firstSliceMs;
  }

  get series(): readonly SeriesHistory[] {
    return this.#series;
  }

  get sliceMs(): number {
    return this.#sliceMs;
  }

  /** Number of data points of series that found no room. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Time before which everything was dropped, in ms since 1970; undefined if nothing was. */
  get forgottenBefore(): number | undefined {
    return this.#forgottenBefore;
  }

  /** Adds a request that arrived at `time`, in ms since 1970. */
  add(request: ExportMetricsServiceRequest, time: number): void {
    this.#makeRoom(time);
    for (const { resource, scopeMetrics } of request.resourceMetrics) {
      const ofResource = resource?.attributes ?? [];
      const identity = identityOf(ofResource);
      for (const { scope, metrics } of scopeMetrics) {
        const key = JSON.stringify([identity, scope?.name, scope?.version]);
        let byName = this.#scopes.get(key);
        if (byName === undefined) this.#scopes.set(key, byName = new Map());
        const scopeName = [scope?.name, scope?.version].filter(Boolean).join(" ");
        for (const metric of metrics) {
          this.#addMetric(byName, metric, ofResource, scopeName, time);
        }
      }
    }
  }

  #addMetric(
    byName: Map<string, MetricSeries[]>,
    metric: Metric,
    resource: readonly KeyValue[],
    scope: string,
    time: number,
  ): void {
    const { name, unit, data: { case: type } } = metric;
    const temporality = temporalityOf(metric);
    let known = byName.get(name);
    let entry = known?.find((series) =>
      series.type === type && series.unit === unit && series.temporality === temporality
    );
    if (entry === undefined) {
      if (this.#series.length >= this.#limits.mostSeries) {
        this.#leftOut += dataPointsOf(metric).length;
        return;
      }
      entry = { unit, type, temporality, readers: [], byIdentity: new Map(), next: 0 };
      if (known === undefined) byName.set(name, known = []);
      known.push(entry);
    }
    const slice = Math.floor(time / this.#sliceMs);
    if (slice < this.#firstSlice) this.#firstSlice = slice;
    entry.next = 0;
    for (const point of dataPointsOf(metric)) {
      const reader = this.#readerOf(entry, metric, point, resource, scope);
      if (reader === undefined) this.#leftOut++;
      else reader.read(metric, point, slice, time, this.#openedMs);
    }
  }

  #readerOf(
    entry: MetricSeries,
    metric: Metric,
    point: DataPoint,
    resource: readonly KeyValue[],
    scope: string,
  ): Reader | undefined {
    const expected = entry.readers[entry.next];
    if (expected?.isOf(point) === true) {
      entry.next++;
      return expected;
    }
    const bounds = "explicitBounds" in point ? point.explicitBounds.join(" ") : "";
    const identity = `${identityOf(point.attributes)}\n${bounds}`;
    const at = entry.byIdentity.get(identity);
    if (at !== undefined) {
      entry.next = at + 1;
      return entry.readers[at];
    }
    if (this.#series.length >= this.#limits.mostSeries) return undefined;
    const hide = this.#hide;
    const names: SeriesNames = {
      name: escapeText(hide(metric.name)),
      unit: escapeText(hide(metric.unit)),
      type: metric.data.case ?? "none",
      temporality: entry.temporality,
      resource: attributeWords(resource, hide),
      scope: escapeText(hide(scope)),
      attributes: attributeWords(point.attributes, hide),
    };
    const reader = Reader.of(this.#series.length, names, metric, point);
    if (reader === undefined) return undefined;
    this.#series.push(reader.history);
    entry.byIdentity.set(identity, entry.readers.length);
    entry.next = entry.readers.length + 1;
    entry.readers.push(reader);
    return reader;
  }

  #makeRoom(time: number): void {
    const { mostSlices, mostBytes } = this.#limits;
    while (this.#firstSlice + mostSlices < time / this.#sliceMs) {
      if (!this.#coarsen()) {
        // An eighth at once, not a slice at a time.
        this.#drop(Math.floor(time / this.#sliceMs) - Math.floor(mostSlices * 7 / 8));
      }
    }
    // To weigh everything costs more than a request.
    if (++this.#sinceWeighed < 32) return;
    this.#sinceWeighed = 0;
    while (this.#weight() > mostBytes) {
      if (this.#coarsen()) continue;
      const last = Math.floor(time / this.#sliceMs);
      if (this.#firstSlice >= last) return;
      this.#drop(last - Math.floor((last - this.#firstSlice) / 2));
    }
  }

  #weight(): number {
    let bytes = 0;
    for (const series of this.#series) bytes += series.bytes;
    return bytes;
  }

  #coarsen(): boolean {
    if (this.#sliceMs >= this.#limits.longestSliceMs) return false;
    for (const series of this.#series) series.coarsen();
    this.#sliceMs *= 2;
    this.#firstSlice = Math.floor(this.#firstSlice / 2);
    return true;
  }

  #drop(before: number): void {
    let dropped = false;
    for (const series of this.#series) dropped = series.dropBefore(before) || dropped;
    this.#firstSlice = before;
    if (dropped) this.#forgottenBefore = before * this.#sliceMs;
  }
}
