import { isObject, type JsonObject } from "../../../platform/json_object.ts";
import type {
  Backend,
  Cause,
  Figure,
  QueryRefusal,
  QueryTrouble,
  SentRun,
  ShownBucket,
  ShownHistogram,
  Sighting,
} from "../../backend.ts";
import {
  jsonList,
  lenientNumber,
  objectsIn,
  type QueryClient,
  queryError,
  type QueryErrors,
} from "../../query/query_client.ts";
import { storedDimensionKey } from "../rules.ts";
import { selectorKey, selectorString, v2Keys } from "./keys.ts";
import { totalOf } from "./grail_client.ts";
import { diagnoseMetricsV2 } from "./metrics_v2_diagnosis.ts";

/** Errors of the Environment API v2. */
export const V2_ERRORS: QueryErrors = {
  message({ error }) {
    if (!isObject(error)) return "";
    const violations = objectsIn(error["constraintViolations"]).map(({ message }) =>
      String(message)
    );
    return [String(error["message"] ?? ""), ...violations].filter((text) => text !== "").join("; ");
  },
  remedy(status) {
    if (status === 401 || status === 403) {
      return "the query needs an access token (dt0c01.…) with the scope metrics.read of this environment: set " +
        "DT_QUERY_TOKEN, or --query-token-file FILE. A missing scope may also be answered with 401";
    }
    return undefined;
  },
};

/** Time in ms around a run that queries cover. */
const SLACK_MS = 15 * 60_000;

/** Values of one selector, of all its series together, and of each by its dimensions. */
interface Selected {
  readonly kind: "values";
  readonly series: readonly {
    readonly dimensions: JsonObject;
    readonly values: readonly number[];
  }[];
}

/** Metrics API v2 of Dynatrace Managed and Classic. */
export class MetricsV2Backend implements Backend {
  readonly name = "metrics-v2";
  readonly cannot = {};
  readonly hasVagueExtremes = false;
  readonly #client: QueryClient;
  /** Key under which a run was found. */
  #key: string | undefined;

  constructor(client: QueryClient) {
    this.#client = client;
  }

  get shown(): string {
    return this.#client.endpoint.shown;
  }

  spellings(key: string): readonly string[] {
    return [key, storedDimensionKey(key)];
  }

  async find(run: SentRun, now: number, signal: AbortSignal): Promise<Sighting> {
    for (const key of this.#key === undefined ? v2Keys(run.metric) : [this.#key]) {
      const count = await this.#select(key, run, ":splitBy():count", now, signal);
      if (count === "not-found") continue;
      if (count.kind !== "values") return count;
      const measurements = totalOf(count.series.flatMap(({ values }) => values));
      if (measurements === undefined) continue;
      this.#key = key;
      return await this.#histogram(key, measurements, run, now, signal);
    }
    return { kind: "nothing" };
  }

  async diagnose(
    run: SentRun,
    seen: ShownHistogram | undefined,
    now: number,
    signal: AbortSignal,
  ): Promise<Cause | undefined> {
    return await diagnoseMetricsV2(this.#client, run, seen, now, signal);
  }

  /** Asks for one figure after the other: a selector that a metric does not support refuses the whole request. */
  async #histogram(
    key: string,
    count: number,
    run: SentRun,
    now: number,
    signal: AbortSignal,
  ): Promise<Sighting> {
    let trouble: QueryTrouble | undefined;
    const notes: Partial<Record<Figure, string>> = {};
    const read = async (figure: "sum" | "min" | "max" | "percentile", aggregation: string) => {
      const selected = await this.#select(key, run, `:splitBy():${aggregation}`, now, signal);
      if (selected !== "not-found" && selected.kind === "values") {
        return selected.series.flatMap(({ values }) => values);
      }
      if (selected !== "not-found" && selected.kind === "trouble") trouble = selected;
      notes[figure] = selected === "not-found" ? "the metric is gone" : selected.message;
      return [];
    };
    const sum = totalOf(await read("sum", "sum"));
    const [mins, maxs] = [await read("min", "min"), await read("max", "max")];
    const [percentile] = await read("percentile", "percentile(50)");
    const buckets = await this.#buckets(key, run, now, signal);
    if (typeof buckets === "string") notes.buckets = buckets;
    // A figure that could not be read this time may be there the next time.
    if (trouble !== undefined) return trouble;
    const histogram: ShownHistogram = {
      metric: key,
      count,
      sum,
      min: mins.length === 0 ? undefined : Math.min(...mins),
      max: maxs.length === 0 ? undefined : Math.max(...maxs),
      percentile,
      buckets: typeof buckets === "string" ? undefined : buckets,
      dimensions: await this.#dimensions(key, run, signal),
      notes,
    };
    return { kind: "shown", histogram };
  }

  /**
   * Reads the buckets; returns why they cannot be compared otherwise. The documents say neither which aggregation to
   * use nor whether a bucket counts those below it: what fits what was sent is taken.
   */
  async #buckets(
    key: string,
    run: SentRun,
    now: number,
    signal: AbortSignal,
  ): Promise<readonly ShownBucket[] | string> {
    let why = "the selector :histogram has no result";
    for (const aggregation of ["sum", "value", "auto"]) {
      const selector = `:histogram:splitBy("le"):${aggregation}`;
      const selected = await this.#select(key, run, selector, now, signal);
      if (selected === "not-found") return why;
      if (selected.kind !== "values") {
        why = `the selector :histogram failed: ${selected.message}`;
        continue;
      }
      const shown = selected.series.map(({ dimensions, values }) => ({
        upper: upperOf(dimensions["le"]),
        count: totalOf(values) ?? 0,
      })).sort((a, b) => a.upper - b.upper);
      if (shown.length === 0) continue;
      const each = shown.map(({ upper, count }, i) => ({
        upper,
        count: count - (shown[i - 1]?.count ?? 0),
      }));
      for (const buckets of [shown, each]) {
        const filled = (list: readonly ShownBucket[]) =>
          JSON.stringify(list.filter(({ count }) => count !== 0));
        if (filled(buckets) === filled(run.buckets)) return run.buckets;
      }
      why = "the values of :histogram fit neither as counts of buckets nor as cumulative ones";
    }
    return why;
  }

  async #dimensions(
    key: string,
    { attributes }: SentRun,
    signal: AbortSignal,
  ): Promise<readonly string[] | undefined> {
    if (attributes.length === 0) return undefined;
    const answer = await this.#client.ask({
      method: "GET",
      path: `/api/v2/metrics/${encodeURIComponent(key)}`,
    }, signal);
    if (answer.kind !== "answer" || answer.status !== 200) return undefined;
    return objectsIn(answer.json["dimensionDefinitions"]).map(({ key }) => String(key));
  }

  async #select(
    key: string,
    run: SentRun,
    transformations: string,
    now: number,
    signal: AbortSignal,
  ): Promise<Selected | "not-found" | QueryTrouble | QueryRefusal> {
    const attribute = storedDimensionKey(run.attribute);
    const filter = `:filter(eq(${selectorString(attribute)},${selectorString(run.id)}))`;
    const answer = await this.#client.ask({
      method: "GET",
      path: "/api/v2/metrics/query",
      parameters: {
        metricSelector: `${selectorKey(key)}${filter}${transformations}`,
        resolution: "1m",
        from: String(run.time - SLACK_MS),
        to: String(Math.max(run.time, now) + SLACK_MS),
      },
    }, signal);
    if (answer.kind !== "answer") return answer;
    // A metric that has not arrived yet is not there.
    if (answer.status === 404 && isObject(answer.json["error"])) return "not-found";
    if (answer.status !== 200) return queryError(answer, this.#client, V2_ERRORS, now);
    if (!Array.isArray(answer.json["result"])) {
      return {
        kind: "refused",
        message: "200, with JSON that is not a response of the Metrics API v2",
        hint: `check the URL ${this.shown}, or name another --backend`,
      };
    }
    return {
      kind: "values",
      series: objectsIn(answer.json["result"]).flatMap(({ data }) => objectsIn(data)).map(
        ({ dimensionMap, values }) => ({
          dimensions: isObject(dimensionMap) ? dimensionMap : {},
          values: jsonList(values).flatMap((value) => lenientNumber(value) ?? []),
        }),
      ),
    };
  }
}

function upperOf(le: unknown): number {
  return /^\+?inf/i.test(String(le)) ? Infinity : lenientNumber(le) ?? NaN;
}
