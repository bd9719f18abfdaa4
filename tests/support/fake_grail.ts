import type { AskedRequest, FakeStore, KeptPoint } from "./fake_dynatrace.ts";
import { type SettingMode, settingsAnswer } from "./fake_settings.ts";

// Grail's query API as documents and clients describe it; no real answer was at hand. Each field says where it is
// from: "documented" by Dynatrace or its official client, "observed" in an answer that a user has published, or
// "inferred". All numbers of percentile and rollup, and the bodies of 403 and 404, are inferred.

/** Modes of a fake Grail. */
export interface GrailModes {
  /** Polls that answer RUNNING before the result comes; Infinity: it never comes. */
  readonly running?: number;
  /** Answers SUCCEEDED without a result to execute: the result comes with the poll. */
  readonly resultOnlyPolled?: boolean;
  /** Times that a poll answers 410, or RESULT_GONE. */
  readonly gone?: { readonly times: number; readonly as: 410 | "RESULT_GONE" };
  /** Meaning of `rollup: total` of a histogram: the count of measurements, or the number of series. */
  readonly total?: "measurements" | "series";
  /** Whether min and max are those of the data, or bounds of buckets. */
  readonly extremes?: "data" | "bounds";
  /** The setting that decides whether buckets are stored. */
  readonly advanced?: SettingMode;
  /** The type of the metric in the table of metadata. */
  readonly type?: string;
  /** Whether the token may not list the series of metrics. */
  readonly noSeries?: boolean;
  /** An Authorization value other than this one is answered with 401. */
  readonly authorization?: string;
  /** Queries after which the token is answered with 401. */
  readonly expiresAfter?: number;
}

interface Running {
  readonly query: string;
  left: number;
}

/** `+`, `/` and `=` in a token: observed. */
const TOKEN = "+kuSj8qvRvq64GkG5CEHag/1==";

export class FakeGrail {
  readonly #store: FakeStore;
  readonly #modes: GrailModes;
  readonly #running = new Map<string, Running>();
  #gone = 0;
  #queries = 0;

  constructor(store: FakeStore, modes: GrailModes) {
    this.#store = store;
    this.#modes = modes;
  }

  /** The answer to a request of this API; undefined for any other. */
  answer(request: AskedRequest): Response | undefined {
    const { method, path, url, authorization, body, headers } = request;
    const isSettings = path === "/platform/classic/environment-api/v2/settings/objects";
    const [, operation] = /^\/platform\/storage\/query\/v1\/query:(\w+)$/.exec(path) ?? [];
    if (operation === undefined && !isSettings) return undefined;
    const { expiresAfter = Infinity } = this.#modes;
    const expected = this.#modes.authorization;
    if (
      !authorization?.startsWith("Bearer ") || this.#queries >= expiresAfter ||
      (expected !== undefined && authorization !== expected)
    ) {
      // Observed.
      return failure(401, {
        message: "Platform token has invalid format.",
        details: { traceId: "t" },
      });
    }
    if (isSettings) {
      return settingsAnswer(request, {
        schema: "builtin:opentelemetry-metrics",
        property: "enableMintV2Ingest",
        mode: this.#modes.advanced ?? "unset",
        scope: "settings:objects:read",
      });
    }
    switch (operation) {
      case "execute":
        if (method !== "POST" || headers.get("content-type") !== "application/json") {
          return failure(415, { message: "Unsupported Media Type" });
        }
        return this.#execute(JSON.parse(body));
      case "poll":
        return this.#poll(url);
      case "cancel":
        // Documented: 202 without a body.
        return new Response(null, { status: 202 });
      default:
        return failure(404, { message: "Not found" });
    }
  }

  #execute({ query }: { readonly query: string }): Response {
    this.#queries++;
    const wrong = syntaxError(query);
    if (wrong !== undefined) return wrong;
    if (this.#modes.noSeries && query.startsWith("metrics ")) return MISSING_SCOPE();
    const { running = 0, resultOnlyPolled = false } = this.#modes;
    if (running === 0 && !resultOnlyPolled) return Response.json(this.#succeeded(query));
    const token = `${TOKEN}${this.#queries}`;
    this.#running.set(token, { query, left: running });
    return resultOnlyPolled
      // Documented: SUCCEEDED with a token and no result.
      ? Response.json({ state: "SUCCEEDED", progress: 100, requestToken: token })
      // Observed; 202: documented.
      : Response.json({ state: "RUNNING", requestToken: token, ttlSeconds: 399 }, { status: 202 });
  }

  #poll(url: URL): Response {
    const running = this.#running.get(url.searchParams.get("request-token") ?? "");
    if (running === undefined) {
      // Observed: the code; inferred: its details.
      return failure(400, {
        message: "INVALID_REQUEST_TOKEN_PROVIDED",
        details: { errorType: "INVALID_REQUEST_TOKEN_PROVIDED" },
      });
    }
    const { gone } = this.#modes;
    if (gone !== undefined && this.#gone < gone.times) {
      this.#gone++;
      if (gone.as === "RESULT_GONE") return Response.json({ state: "RESULT_GONE" });
      // Observed.
      return failure(410, {
        message: "QUERY_GONE",
        details: {
          exceptionType: "GONE",
          errorType: "QUERY_GONE",
          errorMessage: "The query for this query ID is not available anymore.",
        },
      });
    }
    // Documented: NOT_STARTED and RUNNING are both under way.
    if (running.left-- > 0) {
      return Response.json({ state: running.left % 2 ? "RUNNING" : "NOT_STARTED" });
    }
    return Response.json(this.#succeeded(running.query));
  }

  #succeeded(query: string) {
    const records = this.#records(query);
    const columns = records.flatMap((record) => Object.keys(record ?? {}));
    return {
      state: "SUCCEEDED", // observed
      progress: 100, // observed
      result: {
        records, // observed
        // Documented (SDK): the range and the mappings; `long` values are strings.
        types: records.length === 0 ? [] : [{
          indexRange: [0, records.length - 1],
          mappings: Object.fromEntries(columns.map((name) => [name, { type: typeOf(name) }])),
        }],
        metadata: {
          grail: {
            query, // documented
            canonicalQuery: query, // documented
            queryId: "00000000-0000-0000-0000-000000000000", // documented
            dqlVersion: "V1_0", // documented
            timezone: "UTC", // documented
            locale: "", // documented
            executionTimeMilliseconds: 24, // observed
            scannedRecords: "1", // observed: a string
            scannedBytes: 0, // documented
            scannedDataPoints: 1, // documented
            sampled: false, // documented
            analysisTimeframe: {
              start: "2026-01-01T00:00:00.000000000Z", // documented
              end: "2026-01-01T02:00:00.000000000Z", // documented
            },
            notifications: [], // documented
            contributions: { buckets: [] }, // documented
          },
        },
      },
    };
  }

  #records(query: string): readonly (Record<string, unknown> | null)[] {
    if (query.includes("datapoints.rejected")) return this.#rejected();
    const [, listed] = /metric\.key == "([^"]*)"/.exec(query) ?? [];
    if (query.startsWith("load ")) {
      // Documented: the fields of the table of metadata.
      return this.#store.points.some(({ metric }) => metric === listed)
        ? [{ "metric.key": listed, unit: "ms", "metric.type": this.#modes.type ?? "histogram" }]
        : [];
    }
    const [, attribute = "", id = ""] = /`([^`]*)` == "([^"]*)"/.exec(query) ?? [];
    if (query.startsWith("metrics ")) {
      const [, present] = /isNotNull\(`([^`]*)`\)/.exec(query) ?? [];
      return this.#store.points.filter(({ metric, attributes }) =>
        metric === listed && (attribute === "" || attributes[attribute] === id) &&
        (present === undefined || attributes[present] !== undefined)
      ).map(({ attributes }) => ({ "metric.key": listed, ...attributes })).slice(0, 5);
    }
    const [, key = ""] = /\(`([^`]*)`/.exec(query) ?? [];
    const isMedian = query.includes("percentile(");
    const points = isMedian
      ? this.#store.points.filter(({ metric, attributes }) =>
        metric === key && attributes[attribute] === id
      )
      : this.#store.find(key, attribute, id);
    if (points.length === 0 || (isMedian && this.#store.modes.withoutBuckets)) return [];
    return [{ ...columnsOf(query, points, this.#modes), ...SLOTS }];
  }

  #rejected() {
    const { rejectedReason } = this.#store.modes;
    return rejectedReason === undefined
      ? []
      : [{ reason: rejectedReason, rejected: [null, 1, null], ...SLOTS }];
  }
}

/** Fields of every record of a timeseries, as observed. */
const SLOTS = {
  interval: "60000000000", // a duration is a string
  timeframe: {
    start: "2026-01-01T00:00:00.000000000Z",
    end: "2026-01-01T00:03:00.000000000Z",
  },
};

function columnsOf(query: string, points: readonly KeptPoint[], modes: GrailModes) {
  const { total = "measurements", extremes = "data" } = modes;
  const all = points.map(({ point }) => point);
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  const count = sum(all.map(({ count }) => count));
  const column = (value: number | undefined) => [null, value ?? null, null]; // empty slots are null: observed
  const columns: Record<string, unknown> = {};
  const rollup = /n = sum\(`[^`]*`, rollup: (\w+)\)/.exec(query)?.[1];
  if (rollup === "total") columns["n"] = column(total === "measurements" ? count : points.length); // inferred
  if (rollup === "count") columns["n"] = column(count); // inferred
  if (query.includes("s = sum(")) columns["s"] = column(sum(all.map(({ sum }) => sum ?? 0)));
  const [first] = all;
  if (query.includes("mn = min(")) {
    columns["mn"] = column(extremes === "data" ? first?.min : 0);
    columns["mx"] = column(extremes === "data" ? first?.max : first?.bounds[9]);
  }
  if (query.includes("percentile(")) {
    const filled = first?.counts.findIndex((_, i, counts) =>
      sum(counts.slice(0, i + 1)) >= count / 2
    ) ?? 0;
    const [lower = 0, upper = 0] = [first?.bounds[filled - 1], first?.bounds[filled]];
    columns["p50"] = column((lower + upper) / 2); // inferred
  }
  return columns;
}

function typeOf(column: string): string {
  return { interval: "duration", timeframe: "timeframe", n: "array", s: "array" }[column] ??
    "string";
}

/** A scope that the token lacks: documented are the fields, inferred is the rest. */
const MISSING_SCOPE = () =>
  failure(403, {
    message: "Forbidden",
    details: { errorType: "NOT_AUTHORIZED_FOR_TABLE", missingScopes: ["storage:metrics:read"] },
  });

/** DQL that this program never sends. */
function syntaxError(query: string): Response | undefined {
  if (/^(timeseries|metrics|load) /.test(query)) return undefined;
  // Observed.
  return failure(400, {
    message: "UNKNOWN_COMMAND",
    details: {
      exceptionType: "DQL-SYNTAX-ERROR",
      errorType: "UNKNOWN_COMMAND",
      errorMessage: "There's no such command.",
      queryString: query,
      queryId: "q",
      syntaxErrorPosition: {
        start: { column: 1, index: 0, line: 1 },
        end: { column: 2, index: 1, line: 1 },
      },
    },
  });
}

/** Every error's body: documented. */
export function failure(code: number, error: Readonly<Record<string, unknown>>): Response {
  return Response.json({ error: { code, ...error } }, { status: code });
}
