import { whenAborted } from "../../../platform/abort.ts";
import type { Clock } from "../../../platform/clock.ts";
import { isObject, type JsonObject } from "../../../platform/json_object.ts";
import type { QueryRefusal, QueryTrouble } from "../../backend.ts";
import {
  jsonList,
  lenientNumber,
  objectsIn,
  type QueryAnswer,
  type QueryClient,
  queryError,
  type QueryErrors,
} from "../../query/query_client.ts";

/** Result of a DQL query. */
export interface GrailRecords {
  readonly kind: "records";
  readonly records: readonly JsonObject[];
}

/** Scopes that a query of metrics needs ("Permissions in Grail"). */
export const GRAIL_SCOPES = "storage:metrics:read and storage:buckets:read";

const ERRORS: QueryErrors = {
  message(json) {
    const { error, details } = errorOf(json);
    const missing = [
      ...jsonList(details["missingScopes"]),
      ...jsonList(details["missingPermissions"]),
    ];
    const text = String(details["errorMessage"] ?? error["message"] ?? "");
    const type = String(details["errorType"] ?? "");
    return [text, text.includes(type) ? "" : type, missing.join(", ")]
      .filter((part) => part !== "").join("; ");
  },
  remedy(status, message) {
    // A user's validator has met this error as a 400.
    if (status === 403 || /NOT_AUTHORIZED|insufficient.?(permission|scope)/i.test(message)) {
      return `the query token lacks a permission or has expired: it needs ${GRAIL_SCOPES}, and so does its user's ` +
        "policy; make a new platform token";
    }
    if (status === 401) {
      return `the query token is not accepted: use a platform token (dt0s16.…) with ${GRAIL_SCOPES} of this ` +
        "environment; an access token (dt0c01.…) cannot query Grail";
    }
    return status === 404
      ? "there is no Grail at this URL: it is https://ENV.apps.dynatrace.com, not ENV.live.dynatrace.com; for Managed " +
        "use --backend metrics-v2"
      : undefined;
  },
};

/** Longest time of one query in ms, polls included. */
const LONGEST_MS = 60_000;
/** How long the server may wait for the result before it answers, in ms. */
const SERVER_WAIT_MS = 5000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2000;
/** How often a query is run whose result was gone. */
const MOST_RUNS = 3;

type Outcome = GrailRecords | QueryTrouble | QueryRefusal;
type Step = Outcome | { readonly kind: "gone" } | { readonly kind: "poll"; readonly token: string };

/** Client of Grail's query API: runs a query to its end. */
export class GrailClient {
  readonly #client: QueryClient;
  readonly #clock: Clock;

  constructor(client: QueryClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  get client(): QueryClient {
    return this.#client;
  }

  /** Runs a query: executes it, then polls until it has ended. */
  async run(query: string, signal: AbortSignal): Promise<Outcome> {
    for (let run = 1; run <= MOST_RUNS; run++) {
      const outcome = await this.#runOnce(query, signal);
      if (outcome.kind !== "gone") return outcome;
    }
    return failed("the result of the query was gone each time before it could be read");
  }

  async #runOnce(query: string, signal: AbortSignal): Promise<Outcome | { readonly kind: "gone" }> {
    const until = this.#clock.monotonic() + LONGEST_MS;
    let step = this.#read(
      await this.#client.ask({
        method: "POST",
        path: "/platform/storage/query/v1/query:execute",
        json: { query, requestTimeoutMilliseconds: SERVER_WAIT_MS, timezone: "UTC" },
      }, signal),
      undefined,
    );
    let pauseMs = FIRST_PAUSE_MS;
    while (step.kind === "poll") {
      const { token } = step;
      if (this.#clock.monotonic() >= until || signal.aborted) {
        await this.#cancel(token);
        return failed(
          signal.aborted ? "it did not end in time" : "the query was still running after 60 s",
        );
      }
      const answer = await this.#client.ask({
        method: "GET",
        path: "/platform/storage/query/v1/query:poll",
        parameters: {
          "request-token": token,
          "request-timeout-milliseconds": String(SERVER_WAIT_MS),
        },
      }, signal);
      // The query goes on without whoever asked: it is cancelled above.
      if (signal.aborted) continue;
      step = this.#read(answer, token);
      if (step.kind !== "poll") break;
      await this.#clock.sleep(pauseMs, signal);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
    return step;
  }

  /** Reads an answer to execute or poll; `token` is that of the query under way. */
  #read(answer: QueryAnswer | QueryTrouble | QueryRefusal, token: string | undefined): Step {
    if (answer.kind !== "answer") return answer;
    const { status, json } = answer;
    if (status === 410) return { kind: "gone" };
    if (status !== 200 && status !== 202) return this.#error(answer);
    const { state, result, requestToken } = json;
    const next = typeof requestToken === "string" ? requestToken : token;
    switch (state) {
      case "SUCCEEDED":
        if (isObject(result)) return { kind: "records", records: objectsIn(result["records"]) };
        // The result may only be there for a poll.
        return next === undefined || token !== undefined
          ? failed("the query succeeded, but no result came with it")
          : { kind: "poll", token: next };
      case "RUNNING":
      case "NOT_STARTED":
        return next === undefined
          ? failed("the query is running, but no token to poll it came")
          : { kind: "poll", token: next };
      case "RESULT_GONE":
        return { kind: "gone" };
      default:
        return typeof state === "string" ? failed(`the query ended as ${state.slice(0, 40)}`) : {
          kind: "refused",
          message: `${status}, with JSON that is not a response of the query API`,
          hint: `check the URL ${this.#client.endpoint.shown}, or name another --backend`,
        };
    }
  }

  #error(answer: QueryAnswer): QueryTrouble | QueryRefusal {
    const problem = queryError(answer, this.#client, ERRORS, this.#clock.wall());
    const seconds = lenientNumber(errorOf(answer.json).error["retryAfterSeconds"]);
    return problem.kind === "refused" || seconds === undefined
      ? problem
      : { ...problem, retryAfterMs: problem.retryAfterMs ?? 1000 * seconds };
  }

  /** Cancels a query that nobody waits for any more; a failure to cancel it is ignored. */
  async #cancel(token: string): Promise<void> {
    const given = new AbortController();
    this.#clock.sleep(1000, given.signal).then(() => given.abort());
    await Promise.race([
      this.#client.ask({
        method: "POST",
        path: "/platform/storage/query/v1/query:cancel",
        parameters: { "request-token": token },
      }, given.signal),
      whenAborted(given.signal),
    ]);
    given.abort();
  }
}

function errorOf(json: JsonObject): { readonly error: JsonObject; readonly details: JsonObject } {
  const error = isObject(json["error"]) ? json["error"] : json;
  return { error, details: isObject(error["details"]) ? error["details"] : {} };
}

function failed(message: string): QueryTrouble {
  return {
    kind: "trouble",
    message,
    hint: undefined,
    retryAfterMs: undefined,
    isUnreachable: false,
  };
}

/** Lists the numbers in a column of a timeseries record; empty slots, which are null, are left out. */
export function slotsOf(record: JsonObject | undefined, column: string): readonly number[] {
  const value = record?.[column];
  const slots = Array.isArray(value) ? value : [value];
  return slots.flatMap((slot) => lenientNumber(slot) ?? []);
}

/** Adds up numbers; undefined for none. */
export function totalOf(numbers: readonly number[]): number | undefined {
  return numbers.length === 0 ? undefined : numbers.reduce((sum, number) => sum + number, 0);
}
