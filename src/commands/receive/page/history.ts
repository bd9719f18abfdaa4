import type { Hide } from "../../../redact/secrets.ts";
import type { ExportMetricsServiceRequest } from "../../../otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import type { KeyValue } from "../../../otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import type { Metric } from "../../../otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { type DataPoint, dataPointsOf, pointCount } from "../../../otlp/data_points.ts";
import { identityOf, scopeIdentity } from "../../../otlp/attribute_identity.ts";
import { type Temporality, temporalityOf } from "../metric_list.ts";
import { Reader } from "./reader.ts";
import type { SeriesHistory } from "./series_history.ts";
import { BYTES_A_CHARACTER, bytesOfNames, namesOfSeries } from "./series_names.ts";

/** Limits of a history. */
export interface HistoryLimits {
  readonly mostSeries: number;
  /** Approximate memory of all rows together, in bytes. */
  readonly mostBytes: number;
  /** Approximate memory of the names and identities of all series together, in bytes. */
  readonly mostNameBytes: number;
  /** Maximum length of a resource, metric or set of attributes, in UTF-16 units; longer ones are left out. */
  readonly longestName: number;
  /** Maximum number of slices of time in one chart. */
  readonly mostSlices: number;
  readonly firstSliceMs: number;
  readonly longestSliceMs: number;
}

/** Limits that the page uses. */
export const HISTORY_LIMITS: HistoryLimits = {
  mostSeries: 2000,
  mostBytes: 64 * 2 ** 20,
  mostNameBytes: 32 * 2 ** 20,
  longestName: 16_384,
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
  readonly #groups: SeriesHistory[][] = [];
  readonly #groupNumbers = new Map<string, number>();
  #sliceMs: number;
  #firstSlice = Infinity;
  #leftOut = 0;
  #forgottenBefore: number | undefined;
  #sinceWeighed = 0;
  #nameBytes = 0;

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

  /** Groups of series of one metric, with the same buckets, of whatever attributes, resource and scope. */
  get groups(): readonly (readonly SeriesHistory[])[] {
    return this.#groups;
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

  /**
   * Adds a request that arrived at `time`, in ms since 1970, without its rejected data points. Returns the number of
   * measurements that it brought: of cumulative data, what was gained since the data point before.
   */
  add(
    request: ExportMetricsServiceRequest,
    time: number,
    rejected: ReadonlySet<DataPoint> = NONE,
  ): number {
    this.#makeRoom(time);
    let gained = 0;
    for (const { resource, scopeMetrics } of request.resourceMetrics) {
      const ofResource = resource?.attributes ?? [];
      const identity = identityOf(ofResource);
      for (const { scope, metrics } of scopeMetrics) {
        const key = JSON.stringify([identity, scopeIdentity(scope)]);
        const scopeName = [scope?.name, scope?.version].filter(Boolean).join(" ");
        for (const metric of metrics) {
          const points = acceptedPoints(metric, rejected);
          if (points.length > 0) {
            gained += this.#addMetric(key, metric, points, ofResource, scopeName, time);
          }
        }
      }
    }
    return gained;
  }

  /** Adds data points of a metric of the scope with that key; returns the number of measurements that they brought. */
  #addMetric(
    key: string,
    metric: Metric,
    points: readonly DataPoint[],
    resource: readonly KeyValue[],
    scope: string,
    time: number,
  ): number {
    const { name, unit, data: { case: type } } = metric;
    const temporality = temporalityOf(metric);
    const known = this.#scopes.get(key)?.get(name)?.find((series) =>
      series.type === type && series.unit === unit && series.temporality === temporality
    );
    const entry = known ??
      { unit, type, temporality, readers: [], byIdentity: new Map(), next: 0 };
    const ownLength = known === undefined ? key.length + name.length + unit.length : 0;
    let gained = 0;
    const slice = Math.floor(time / this.#sliceMs);
    if (slice < this.#firstSlice) this.#firstSlice = slice;
    entry.next = 0;
    for (const point of points) {
      const reader = this.#readerOf(entry, ownLength, metric, point, resource, scope);
      if (reader === undefined) {
        this.#leftOut++;
        if (temporality !== "cumulative") gained += Number(pointCount(point));
        continue;
      }
      const before = reader.history.count;
      reader.read(metric, point, slice, time, this.#openedMs);
      if (reader.history.numbers === undefined) gained += reader.history.count - before;
    }
    // Only what has a series is remembered.
    if (known === undefined && entry.readers.length > 0) this.#remember(key, name, entry);
    return gained;
  }

  #remember(key: string, name: string, entry: MetricSeries): void {
    let byName = this.#scopes.get(key);
    if (byName === undefined) this.#scopes.set(key, byName = new Map());
    const entries = byName.get(name);
    if (entries === undefined) byName.set(name, [entry]);
    else entries.push(entry);
  }

  /** Finds or creates the reader of a data point's series; undefined if there is no room for it. */
  #readerOf(
    entry: MetricSeries,
    ownLength: number,
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
    const { mostSeries, mostNameBytes, longestName } = this.#limits;
    if (this.#series.length >= mostSeries) return undefined;
    if (Math.max(ownLength, identity.length) > longestName) return undefined;
    const names = namesOfSeries(metric, point, resource, scope, this.#hide);
    const group = groupKey(metric, bounds);
    const known = this.#groupNumbers.get(group);
    const bytes = bytesOfNames(names) + BYTES_A_CHARACTER *
        (ownLength + identity.length + (known === undefined ? group.length : 0));
    if (this.#nameBytes + bytes > mostNameBytes) return undefined;
    const reader = Reader.of(this.#series.length, names, metric, point);
    if (reader === undefined) return undefined;
    this.#nameBytes += bytes;
    this.#series.push(reader.history);
    this.#addToGroup(group, reader.history);
    entry.byIdentity.set(identity, entry.readers.length);
    entry.next = entry.readers.length + 1;
    entry.readers.push(reader);
    return reader;
  }

  #addToGroup(key: string, series: SeriesHistory): void {
    const known = this.#groupNumbers.get(key);
    series.group = known ?? this.#groups.length;
    if (known === undefined) {
      this.#groupNumbers.set(key, this.#groups.length);
      this.#groups.push([series]);
    } else this.#groups[known]?.push(series);
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

/** Returns the key of the series that can be added up. Whether a sum is monotonic decides what its numbers mean. */
function groupKey(metric: Metric, bounds: string): string {
  const { name, unit, data } = metric;
  const isMonotonic = data.case === "sum" && data.value.isMonotonic;
  return JSON.stringify([name, unit, data.case, temporalityOf(metric), isMonotonic, bounds]);
}

const NONE: ReadonlySet<DataPoint> = new Set();

function acceptedPoints(metric: Metric, rejected: ReadonlySet<DataPoint>): readonly DataPoint[] {
  const points = dataPointsOf(metric);
  return rejected.size === 0 ? points : points.filter((point) => !rejected.has(point));
}
