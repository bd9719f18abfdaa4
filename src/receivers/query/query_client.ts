import type { Endpoint } from "../../http/endpoint.ts";
import { failureHint, responseHint } from "../../http/hints.ts";
import type { Failure, Reply } from "../../http/reply.ts";
import type { HttpRequest, Requester } from "../../http/requester.ts";
import { retryAfterMs } from "../../delivery/retry_after.ts";
import { oneLine } from "../../console/escape.ts";
import { isObject, type JsonObject, parseJson } from "../../platform/json_object.ts";
import type { Hide } from "../../redact/secrets.ts";
import type { QueryRefusal, QueryTrouble } from "../backend.ts";

/** JSON object that answered a query, whatever its status; an error may have plain text instead. */
export interface QueryAnswer {
  readonly kind: "answer";
  readonly status: number;
  readonly headers: Headers;
  /** Empty if the body is plain text. */
  readonly json: JsonObject;
  /** Body of an error that is plain text, as servers in Go write it. */
  readonly text?: string;
}

/** Meaning of an error of one query API. */
export interface QueryErrors {
  /** Message in an error's body; empty without one. */
  message(json: JsonObject): string;
  /** Explains a status that refuses the query for good; undefined where nothing is known. */
  remedy(status: number, message: string): string | undefined;
}

/** Client of one query API: sends requests and reads JSON. */
export interface QueryClient {
  readonly endpoint: Endpoint;
  readonly hide: Hide;
  /** Sends a request to a path below the base, with query parameters. */
  ask(
    request: QueryRequest,
    signal: AbortSignal,
  ): Promise<QueryAnswer | QueryTrouble | QueryRefusal>;
}

/** Request of a query. */
export interface QueryRequest {
  readonly method: HttpRequest["method"];
  /** Path below the base URL. */
  readonly path: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Body, sent as JSON. */
  readonly json?: JsonObject;
}

/** Opens a client. `now` is the wall clock, ms since 1970. */
export function queryClient(
  endpoint: Endpoint,
  { request }: Pick<Requester, "request">,
  hide: Hide,
  now: () => number,
): QueryClient {
  return {
    endpoint,
    hide,
    async ask({ method, path, parameters = {}, json }, signal) {
      const url = new URL(endpoint.url);
      url.pathname = url.pathname.replace(/\/+$/, "") + path;
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      const reply = await request({
        method,
        url,
        headers: {
          accept: "application/json",
          ...json !== undefined && { "content-type": "application/json" },
        },
        ...json !== undefined && { body: JSON.stringify(json) },
      }, signal);
      return readQueryReply(reply, endpoint, now());
    },
  };
}

/** Reads the response to a query: JSON of any status, or the reason why it is none. */
function readQueryReply(
  reply: Reply | Failure,
  endpoint: Endpoint,
  now: number,
): QueryAnswer | QueryTrouble | QueryRefusal {
  if (reply.kind === "failure") {
    return {
      kind: "trouble",
      message: reply.message,
      hint: failureHint(reply, endpoint, "query API") ??
        (reply.cause === "setup" ? "correct what the message names" : undefined),
      retryAfterMs: undefined,
      isUnreachable: true,
    };
  }
  const { status, headers, body, unread } = reply;
  if (unread !== undefined) {
    return trouble(`${status}, but the response ${unread}`, undefined, headers, now);
  }
  const text = new TextDecoder().decode(body);
  const json = parseJson(text.trim() === "" ? "{}" : text);
  if (isObject(json) && (status >= 400 || text.trim() !== "")) {
    return { kind: "answer", status, headers, json };
  }
  const isPage = /^\s*</.test(text);
  if (status >= 400 && !isPage) return { kind: "answer", status, headers, json: {}, text };
  const what = text.trim() === ""
    ? "an empty response"
    : isPage
    ? `a web page${titleOf(text)}`
    : "a response that is not JSON";
  const message = `${status}, with ${what}`;
  const hint = responseHint({ kind: "reply", status, headers }, endpoint, "", "query API") ??
    `a sign-in page, a proxy or another server responds instead of the query API: ${
      checkSetting(endpoint)
    }${status === 401 ? ", or set credentials with --query-header Authorization=…" : ""}`;
  return isTemporary(status)
    ? trouble(message, hint, headers, now)
    : { kind: "refused", message, hint };
}

function checkSetting({ setting, shown }: Endpoint): string {
  return `check ${setting.name}, which leads to ${shown}`;
}

function titleOf(html: string): string {
  const [, title = ""] = /<title[^>]*>([^<]*)<\/title>/i.exec(html) ?? [];
  return title.trim() === "" ? "" : `, "${oneLine(title, 80)}"`;
}

/** Whether a query with that status may succeed later. */
export function isTemporary(status: number): boolean {
  return status === 429 || status === 408 || status >= 500;
}

function trouble(
  message: string,
  hint: string | undefined,
  headers: Headers,
  now: number,
): QueryTrouble {
  return {
    kind: "trouble",
    message,
    hint,
    retryAfterMs: retryAfterMs(headers.get("retry-after"), now),
    isUnreachable: false,
  };
}

/** Turns an answer that is an error into trouble or a refusal, in the words of its body. */
export function queryError(
  { status, headers, json, text }: QueryAnswer,
  { endpoint, hide }: Pick<QueryClient, "endpoint" | "hide">,
  errors: QueryErrors,
  now: number,
): QueryTrouble | QueryRefusal {
  const words = oneLine(hide(text?.trim() ?? errors.message(json)), 500);
  const message = words === "" ? String(status) : `${status}: ${words}`;
  const general = responseHint({ kind: "reply", status, headers }, endpoint, words, "query API");
  // Without an error of this API in it, the answer may be that of a proxy.
  const isForeign = words === "" || text !== undefined;
  const hint = (isForeign ? general : undefined) ?? errors.remedy(status, words) ?? general;
  return isTemporary(status)
    ? trouble(message, hint, headers, now)
    : { kind: "refused", message, hint: hint ?? (isForeign ? checkSetting(endpoint) : undefined) };
}

/** Reads a number that may be a string, as query APIs write 64-bit and special ones; undefined for anything else. */
export function lenientNumber(value: unknown): number | undefined {
  const number = typeof value === "number"
    ? value
    : typeof value === "string" && value.trim() !== ""
    ? Number(value)
    : NaN;
  return Number.isNaN(number) ? undefined : number;
}

/** Lists the values of an array of JSON; empty for anything else. */
export function jsonList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Lists the objects in an array of JSON; other values, such as null, are left out. */
export function objectsIn(value: unknown): readonly JsonObject[] {
  return jsonList(value).filter(isObject);
}
