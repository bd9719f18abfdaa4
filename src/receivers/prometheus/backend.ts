import type {
  Backend,
  Cause,
  QueryRefusal,
  QueryTrouble,
  SentRun,
  ShownHistogram,
  Sighting,
} from "../backend.ts";
import { type QueryClient, queryError, type QueryErrors } from "../query/query_client.ts";
import { isObject } from "../../platform/json_object.ts";
import { diagnosePrometheus, type PrometheusLook } from "./diagnosis.ts";
import {
  escapedLabel,
  nameMatcher,
  quotedString,
  type RunSelector,
  runSelectors,
} from "./selectors.ts";
import { lastSamples, shownHistogram } from "./series.ts";

const ERRORS: QueryErrors = {
  // The error of a gateway in front may be an object.
  message: ({ error, message }) =>
    [error, isObject(error) ? error["message"] : undefined, message]
      .find((text) => typeof text === "string") ?? "",
  remedy: (status, message) => {
    if (/no org ?id/i.test(message)) {
      return "name the tenant: --query-header X-Scope-OrgID=TENANT";
    }
    if (status === 401 || status === 403) {
      return "set the query credentials: --query-header Authorization=…, or --query-token-file FILE for a " +
        "Bearer token";
    }
    return status === 404
      ? "check --query-url: /api/v1/query is appended to it; Mimir's base ends in /prometheus"
      : undefined;
  },
};

/** Time in seconds around the run that queries cover: clocks differ, and waiting takes time. */
const SLACK_S = 900;

/** Prometheus' HTTP API, which VictoriaMetrics and Mimir have too. */
export class PrometheusBackend implements Backend {
  readonly name = "prometheus";
  readonly cannot = {
    min: "Prometheus' data model has no minimum",
    max: "Prometheus' data model has no maximum",
  };
  readonly hasVagueExtremes = false;
  readonly #client: QueryClient;
  /** Label that has found a run. */
  #label: string | undefined;

  constructor(client: QueryClient) {
    this.#client = client;
  }

  get shown(): string {
    return this.#client.endpoint.shown;
  }

  spellings(key: string): readonly string[] {
    return [key, escapedLabel(key)];
  }

  async find(run: SentRun, now: number, signal: AbortSignal): Promise<Sighting> {
    const selectors = runSelectors(run).filter(({ label }) =>
      this.#label === undefined || label === this.#label
    );
    let failed: QueryTrouble | QueryRefusal | undefined;
    let isAnswered = false;
    for (const selector of selectors) {
      const fresh = freshMatcher(now);
      const range = `{${nameMatcher(run)},${selector.matcher},${fresh}}[${windowOf(run, now)}s]`;
      const answer = await this.#query(range, run, now, signal);
      if (answer.kind !== "data") {
        failed ??= answer;
        // Another spelling changes nothing about a token or a connection.
        if (answer.kind === "trouble" || !/^4(00|22)/.test(answer.message)) return answer;
        continue;
      }
      isAnswered = true;
      const histogram = shownHistogram(lastSamples(answer.data), run.bounds);
      if (histogram === undefined) continue;
      this.#label = selector.label;
      return await this.#withMedian(histogram, selector, run, now, signal);
    }
    // A server without UTF-8 names refuses the first spelling alone.
    return isAnswered || failed === undefined ? { kind: "nothing" } : failed;
  }

  async diagnose(
    run: SentRun,
    seen: ShownHistogram | undefined,
    now: number,
    signal: AbortSignal,
  ): Promise<Cause | undefined> {
    const look: PrometheusLook = async (matchers) => {
      const answer = await this.#query(
        `{${matchers}}[${windowOf(run, now)}s]`,
        run,
        now,
        signal,
      );
      return answer.kind === "data" ? lastSamples(answer.data) : [];
    };
    return await diagnosePrometheus(run, seen, look);
  }

  /** Adds the median that the server estimates from the buckets. */
  async #withMedian(
    histogram: ShownHistogram,
    { matcher }: RunSelector,
    run: SentRun,
    now: number,
    signal: AbortSignal,
  ): Promise<Sighting> {
    const { metric, buckets, notes } = histogram;
    if (buckets === undefined || notes.buckets !== undefined) return { kind: "shown", histogram };
    for (const name of [`${metric}_bucket`, metric]) {
      const last = `last_over_time({__name__=${quotedString(name)},${matcher}}[${
        windowOf(run, now)
      }s])`;
      const answer = await this.#query(`histogram_quantile(0.5, ${last})`, run, now, signal);
      if (answer.kind === "trouble") return answer;
      const [median] = answer.kind === "data" ? lastSamples(answer.data) : [];
      const percentile = median?.value;
      if (percentile !== undefined) {
        return { kind: "shown", histogram: { ...histogram, percentile } };
      }
    }
    return { kind: "shown", histogram };
  }

  async #query(
    query: string,
    { time }: SentRun,
    now: number,
    signal: AbortSignal,
  ): Promise<{ readonly kind: "data"; readonly data: unknown } | QueryTrouble | QueryRefusal> {
    const answer = await this.#client.ask({
      method: "GET",
      path: "/api/v1/query",
      parameters: {
        query,
        // By the clock that stamped the data point, whatever the server's says.
        time: String(Math.ceil(Math.max(time, now) / 1000) + 60),
        // VictoriaMetrics hides the newest 30 s from queries that do not say otherwise.
        nocache: "1",
      },
    }, signal);
    if (answer.kind !== "answer") return answer;
    const { status, json } = answer;
    if (status !== 200 || json["status"] !== "success" || !isObject(json["data"])) {
      if (status === 200) {
        return {
          kind: "refused",
          message: "200, with JSON that is not a Prometheus HTTP API response",
          hint: `check the URL ${this.shown}, or set another --backend`,
        };
      }
      return queryError(answer, this.#client, ERRORS, now);
    }
    return { kind: "data", data: json["data"] };
  }
}

/**
 * Matches everything, in other words each time: VictoriaMetrics remembers for 10 s that a selector found nothing, and
 * would show new series that much later.
 */
function freshMatcher(now: number): string {
  return `__name__!=${quotedString(`at ${now}`)}`;
}

function windowOf({ time }: SentRun, now: number): number {
  return Math.ceil(Math.abs(now - time) / 1000) + SLACK_S;
}
