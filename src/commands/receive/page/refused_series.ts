import type { Hide } from "../../../redact/secrets.ts";
import { dataPointsOf } from "../../../otlp/data_points.ts";
import type { Problem } from "../../../receivers/problem.ts";
import { identityOf, scopeIdentity } from "../../../otlp/attribute_identity.ts";
import type { RequestEvent } from "../event.ts";
import { problemRow } from "./problem_totals.ts";
import type { ProblemRow, RefusedRow } from "./protocol.ts";
import {
  BYTES_A_CHARACTER,
  bytesOfNames,
  namesOfSeries,
  type SeriesNames,
} from "./series_names.ts";

/** Limits of what is remembered about refused series. */
export interface RefusedLimits {
  readonly mostSeries: number;
  /** Approximate memory of all names together, in bytes. */
  readonly mostBytes: number;
  /** Maximum length of a series' identity, in UTF-16 units; longer ones are only counted. */
  readonly longestName: number;
}

/** Limits that the page uses. */
export const REFUSED_LIMITS: RefusedLimits = {
  mostSeries: 500,
  mostBytes: 2 * 2 ** 20,
  longestName: 16_384,
};

interface RefusedEntry {
  readonly id: number;
  readonly names: SeriesNames;
  points: number;
  reason: ProblemRow;
  /** Number of the last request that had it. */
  request: number;
}

/** Series with rejected data points: how many, and the last reason. */
export class RefusedSeries {
  readonly #limits: RefusedLimits;
  readonly #hide: Hide;
  readonly #entries = new Map<string, RefusedEntry>();
  #bytes = 0;
  #more = 0;

  /** `hide` removes secrets from names. */
  constructor(limits = REFUSED_LIMITS, hide: Hide = (text) => text) {
    this.#limits = limits;
    this.#hide = hide;
  }

  /** Number of rejected data points of series that found no room. */
  get more(): number {
    return this.#more;
  }

  /** Adds the rejected data points of a request; `number` counts the requests. */
  add({ request, outcome, rejected, problems, status }: RequestEvent, number: number): void {
    const areAll = outcome === "rejected";
    if (request === undefined || (!areAll && rejected.size === 0)) return;
    for (const { resource, scopeMetrics } of request.resourceMetrics) {
      const ofResource = resource?.attributes ?? [];
      const identity = identityOf(ofResource);
      for (const { scope, metrics } of scopeMetrics) {
        const scopeName = [scope?.name, scope?.version].filter(Boolean).join(" ");
        for (const metric of metrics) {
          const points = dataPointsOf(metric).filter((point) => areAll || rejected.has(point));
          if (points.length === 0) continue;
          const reason = reasonFor(problems, this.#hide(metric.name), status);
          const key = [identity, scopeIdentity(scope), metric.name, metric.unit, metric.data.case]
            .join("\n");
          for (const point of points) {
            const entry = this.#entryOf(
              `${key}\n${identityOf(point.attributes)}`,
              () => namesOfSeries(metric, point, ofResource, scopeName, this.#hide),
              reason,
            );
            if (entry === undefined) {
              this.#more++;
              continue;
            }
            entry.points++;
            entry.reason = reason;
            entry.request = number;
          }
        }
      }
    }
  }

  #entryOf(key: string, names: () => SeriesNames, reason: ProblemRow): RefusedEntry | undefined {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const { mostSeries, mostBytes, longestName } = this.#limits;
    const { size } = this.#entries;
    if (size >= mostSeries || key.length > longestName) return undefined;
    const entry = { id: size, names: names(), points: 0, reason, request: 0 };
    const bytes = BYTES_A_CHARACTER * key.length + bytesOfNames(entry.names);
    if (this.#bytes + bytes > mostBytes) return undefined;
    this.#bytes += bytes;
    this.#entries.set(key, entry);
    return entry;
  }

  /** Returns the series that requests after `request` had rejected data points of. */
  since(request: number): readonly RefusedRow[] {
    return [...this.#entries.values()].filter((entry) => entry.request > request)
      .map(({ id, names, points, reason }) => ({ id, ...names, points, reason }));
  }
}

/** Finds why a metric's data points were rejected: by the metric's own error, the request's, or the status. */
function reasonFor(
  problems: readonly Problem[],
  metric: string,
  status: number | null,
): ProblemRow {
  const errors = problems.filter(({ level }) => level === "error");
  const found = errors.find((problem) => problem.metric === metric) ??
    errors.find((problem) => problem.metric === "");
  return problemRow(
    found ??
      { rule: "status", level: "error", metric, message: `answered with status ${status}` },
  );
}
