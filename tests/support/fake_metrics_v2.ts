import type { AskedRequest, FakeStore, KeptPoint } from "./fake_dynatrace.ts";
import { failure } from "./fake_grail.ts";
import { type SettingMode, settingsAnswer } from "./fake_settings.ts";

// The Metrics API v2 as its documents and official client describe it. Each field says where it is from.

/** Modes of a fake Metrics API v2. */
export interface MetricsV2Modes {
  /** Whether `:histogram` counts each bucket, or all below it too; undefined: the selector is refused. */
  readonly histogram?: "each" | "cumulative" | "other";
  /** The setting that decides whether buckets are stored, of Classic. */
  readonly buckets?: SettingMode;
  /** An Authorization value other than this one is answered with 401. */
  readonly authorization?: string;
}

export class FakeMetricsV2 {
  readonly #store: FakeStore;
  readonly #modes: MetricsV2Modes;

  constructor(store: FakeStore, modes: MetricsV2Modes) {
    this.#store = store;
    this.#modes = modes;
  }

  /** The answer to a request of this API; undefined for any other. */
  answer(request: AskedRequest): Response | undefined {
    const { method, path, url, authorization } = request;
    const [, api, below] =
      /^(?:\/e\/[^/]+)?\/api\/v2\/(metrics|settings\/objects)(\/.*)?$/.exec(path) ?? [];
    if (method !== "GET" || api === undefined) return undefined;
    const { authorization: expected } = this.#modes;
    if (
      !authorization?.startsWith("Api-Token ") ||
      (expected !== undefined && authorization !== expected)
    ) {
      return failure(401, { message: "Token Authentication failed" }); // observed
    }
    if (api !== "metrics") {
      return settingsAnswer(request, {
        schema: "builtin:histogram-metrics",
        property: "enableHistogramBucketIngest",
        mode: this.#modes.buckets ?? "gone",
        scope: "settings.read",
      });
    }
    if (below === undefined) return this.#list(url);
    return below === "/query"
      ? this.#query(url)
      : this.#describe(decodeURIComponent(below.slice(1)));
  }

  #query(url: URL): Response {
    const selector = url.searchParams.get("metricSelector") ?? "";
    if (selector.startsWith("dsfm:")) return this.#rejected(selector);
    const [, key = "", attribute = "", id = "", transformations = ""] =
      /^([^:]+):filter\(eq\("([^"]*)","([^"]*)"\)\)(.*)$/.exec(selector) ?? [];
    if (key === "") return failure(400, { message: "The metric selector is invalid" }); // inferred
    // A metric that nobody has written yet: documented.
    if (!this.#store.points.some(({ metric }) => metric === key)) {
      return failure(404, { message: "A metric has not been found." });
    }
    const points = transformations === ":splitBy():count"
      ? this.#store.find(key, attribute, id)
      : this.#store.points.filter(({ metric, attributes }) =>
        metric === key && attributes[attribute] === id
      );
    if (transformations.startsWith(":histogram")) return this.#buckets(selector, points);
    const [, aggregation = ""] = /^:splitBy\(\):(.+)$/.exec(transformations) ?? [];
    const value = points.length === 0 ? undefined : aggregated(aggregation, points);
    if (aggregation === "percentile(50)" && this.#store.modes.withoutBuckets) {
      return failure(400, { message: "The aggregation percentile is not supported" }); // inferred
    }
    return metricData(selector, value === undefined ? [] : [series({}, value)]);
  }

  #buckets(selector: string, points: readonly KeptPoint[]): Response {
    const { histogram } = this.#modes;
    if (histogram === undefined || this.#store.modes.withoutBuckets) {
      return failure(400, { message: "The transformation histogram is not supported" }); // inferred
    }
    const [first] = points;
    let below = 0;
    const shown = (first?.point.counts ?? []).map((count, i) => {
      below += count;
      // Documented: the dimension `le`; inferred: how the last one is written.
      const le = String(first?.point.bounds[i] ?? "+Inf");
      return series({ le }, histogram === "each" ? count : histogram === "other" ? i : below);
    });
    return metricData(selector, shown);
  }

  #describe(key: string): Response {
    const points = this.#store.points.filter(({ metric }) => metric === key);
    if (points.length === 0) return failure(404, { message: "A metric has not been found." });
    const dimensions = new Set(points.flatMap(({ attributes }) => Object.keys(attributes)));
    return Response.json({
      metricId: key, // documented
      displayName: key, // documented
      description: "", // documented
      unit: "MilliSecond", // documented
      dduBillable: false, // documented
      billable: false, // documented
      created: Math.min(...points.map(({ time }) => time)), // documented: ms
      lastWritten: Math.max(...points.map(({ time }) => time)), // documented: ms
      entityType: [], // documented
      impactRelevant: false, // documented
      metricValueType: { type: "unknown" }, // documented
      resolutionInfSupported: true, // documented
      rootCauseRelevant: false, // documented
      scalar: false, // documented
      aggregationTypes: ["auto", "count", "max", "min", "percentile", "sum"], // documented
      transformations: ["filter", "splitBy"], // documented
      defaultAggregation: { type: "auto" }, // documented
      dimensionDefinitions: [...dimensions].map((name, index) => ({
        key: name, // documented
        name, // documented
        displayName: name, // documented
        index, // documented
        type: "STRING", // documented
      })),
      tags: [], // documented
    });
  }

  #list(url: URL): Response {
    const prefix = (url.searchParams.get("metricSelector") ?? "").replace(/\*$/, "");
    const keys = new Set(
      this.#store.points.map(({ metric }) => metric).filter((key) => key.startsWith(prefix)),
    );
    return Response.json({
      totalCount: keys.size, // documented
      nextPageKey: null, // documented
      metrics: [...keys].map((metricId) => ({ metricId })), // documented
    });
  }

  #rejected(selector: string): Response {
    const { rejectedReason } = this.#store.modes;
    const shown = rejectedReason === undefined ? [] : [series({ reason: rejectedReason }, 1)];
    return metricData(selector, shown);
  }
}

function aggregated(aggregation: string, points: readonly KeptPoint[]): number | undefined {
  const all = points.map(({ point }) => point);
  const total = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  const [first] = all;
  switch (aggregation) {
    case "count":
      return total(all.map(({ count }) => count));
    case "sum":
      return total(all.map(({ sum }) => sum ?? 0));
    case "min":
      return first?.min;
    case "max":
      return first?.max;
    case "percentile(50)":
      return first?.bounds[4]; // inferred: an end of the median's bucket
    default:
      return undefined;
  }
}

function series(dimensionMap: Readonly<Record<string, string>>, value: number) {
  return {
    dimensions: Object.values(dimensionMap), // documented
    dimensionMap, // documented
    timestamps: [1767225660000, 1767225720000, 1767225780000], // documented: the ends of the slots, ms
    values: [null, value, null], // documented: empty slots are null
  };
}

function metricData(selector: string, data: readonly ReturnType<typeof series>[]): Response {
  return Response.json({
    totalCount: data.length, // documented
    nextPageKey: null, // documented
    resolution: "1m", // documented
    result: [{
      metricId: selector, // documented: with its transformations
      dataPointCountRatio: 0.1, // documented
      dimensionCountRatio: 0.1, // documented
      data, // documented
    }],
  });
}
