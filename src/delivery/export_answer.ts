import { isObject, type JsonObject, parseJson } from "../platform/json_object.ts";
import { oneLine } from "../console/escape.ts";
import type { Hide } from "../redact/secrets.ts";
import { isTooLarge, type Reply } from "../http/reply.ts";
import { retryAfterMs } from "./retry_after.ts";

/**
 * Meaning of a receiver's response to an export request (OTLP specification, "OTLP/HTTP Response"). The status settles
 * it; the body only adds to it.
 */
export type ExportAnswer =
  | {
    readonly kind: "accepted";
    /** Message of a receiver that rejected nothing. */
    readonly warning: string | undefined;
    readonly unseen?: Unseen;
  }
  | { readonly kind: "partial"; readonly rejectedPoints: number; readonly message: string }
  | { readonly kind: "retry"; readonly message: string; readonly retryAfterMs: number | undefined }
  | { readonly kind: "too-large"; readonly message: string }
  | {
    readonly kind: "refused";
    readonly message: string;
    /**
     * The sender may not be who it should be, whatever the request holds: 401 or 403, or a web page with a 2xx, as from a
     * sign-in page in front of the receiver.
     */
    readonly reason?: "credentials" | "sign-in";
  };

/** Reason why an accepted request may have been accepted only in part, without a sign of it. */
export interface Unseen {
  /** "unreadable": bytes were missing or wrongly coded; "not-otlp": they could be read. */
  readonly kind: "unreadable" | "not-otlp";
  /** `the response body was cut off`. */
  readonly why: string;
}

const RETRYABLE = [429, 502, 503, 504];

/** Reads a response. A Retry-After date is compared with `now`, in ms since 1970. */
export async function readExportAnswer(
  reply: Reply,
  now: number,
  hide: Hide,
): Promise<ExportAnswer> {
  const { status } = reply;
  if (RETRYABLE.includes(status)) {
    return {
      kind: "retry",
      message: await errorMessage(reply, hide),
      retryAfterMs: retryAfterMs(reply.headers.get("retry-after"), now),
    };
  }
  if (saysTooLarge(reply)) {
    return { kind: "too-large", message: await errorMessage(reply, hide) };
  }
  if (status === 401 || status === 403) {
    return { kind: "refused", message: await errorMessage(reply, hide), reason: "credentials" };
  }
  if (!isSuccess(status)) return { kind: "refused", message: await errorMessage(reply, hide) };
  if (isWebPage(reply)) {
    const message = `${status}, but the body is not an OTLP response`;
    return { kind: "refused", reason: "sign-in", message: await withWords(message, reply, hide) };
  }
  if (reply.unread !== undefined) return unseen("unreadable", reply.unread);
  const partial = await readPartialSuccess(reply, hide);
  if (partial === undefined) return unseen("not-otlp", await withWords("is not OTLP", reply, hide));
  if (partial.rejectedPoints > 0) return { kind: "partial", ...partial };
  return { kind: "accepted", warning: partial.message === "" ? undefined : partial.message };
}

/** Any 2xx: some receivers answer 202 or 204, and exporters in other languages also accept them. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function unseen(kind: Unseen["kind"], why: string): ExportAnswer {
  return {
    kind: "accepted",
    warning: undefined,
    unseen: { kind, why: `the response body ${why}` },
  };
}

/** A sign-in page or a captive portal answers everything with 200, and neither takes data. */
function isWebPage(reply: Reply): boolean {
  return reply.body.length > 0 &&
    (contentType(reply) === "text/html" || firstByte(reply.body) === LESS_THAN);
}

const LESS_THAN = 0x3c;
const LEFT_BRACE = 0x7b;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** The first byte that is neither white space nor a byte order mark. */
function firstByte(body: Uint8Array): number | undefined {
  const start = BYTE_ORDER_MARK.every((byte, i) => body[i] === byte) ? BYTE_ORDER_MARK.length : 0;
  return body.subarray(start).find((byte) => byte !== 0x20 && (byte < 0x09 || byte > 0x0d));
}

function saysTooLarge({ status, body }: Reply): boolean {
  return isTooLarge(status, new TextDecoder().decode(body));
}

interface PartialSuccess {
  readonly rejectedPoints: number;
  readonly message: string;
}

const NOTHING_REJECTED: PartialSuccess = { rejectedPoints: 0, message: "" };

/** The partial success of a 2xx; undefined when the body is not an OTLP response. */
async function readPartialSuccess(reply: Reply, hide: Hide): Promise<PartialSuccess | undefined> {
  if (reply.body.length === 0) return NOTHING_REJECTED;
  const type = contentType(reply);
  // No OTLP response in protobuf begins with a brace: it would be a group, which OTLP never uses.
  if (type === "application/json" || firstByte(reply.body) === LEFT_BRACE) {
    return readJson(reply.body, hide);
  }
  const { decodeResponse } = await import("../otlp/decode.ts");
  try {
    const response = decodeResponse(reply.body);
    const { partialSuccess } = response;
    // Text that happens to decode leaves fields behind that OTLP does not know.
    const foreign = [response, partialSuccess].some((m) => (m?.$unknown?.length ?? 0) > 0);
    if (foreign && type !== "application/x-protobuf") return undefined;
    return partialSuccess === undefined ? NOTHING_REJECTED : {
      rejectedPoints: Number(partialSuccess.rejectedDataPoints),
      message: oneLine(hide(partialSuccess.errorMessage)),
    };
  } catch {
    return undefined;
  }
}

/** OTLP/JSON: null is the default of a field, as in protobuf's JSON, and a field that nobody knows is passed over. */
function readJson(body: Uint8Array, hide: Hide): PartialSuccess | undefined {
  const answer = parseJsonObject(body);
  if (answer === undefined) return undefined;
  const known = ["partialSuccess", "partial_success"].some((name) => Object.hasOwn(answer, name));
  if (!known) return Object.keys(answer).length === 0 ? NOTHING_REJECTED : undefined;
  const partial = answer["partialSuccess"] ?? answer["partial_success"] ?? {};
  if (!isObject(partial)) return undefined;
  const rejectedPoints = int64(
    partial["rejectedDataPoints"] ?? partial["rejected_data_points"] ?? 0,
  );
  if (rejectedPoints === undefined) return undefined;
  const message = partial["errorMessage"] ?? partial["error_message"];
  return {
    rejectedPoints,
    message: typeof message === "string" ? oneLine(hide(message)) : "",
  };
}

/** An int64 of protobuf's JSON: a string of digits or a whole number. */
function int64(value: unknown): number | undefined {
  const isInt64 = typeof value === "string" ? /^-?\d+$/.test(value) : Number.isInteger(value);
  return isInt64 ? Number(value) : undefined;
}

/** `401 Unauthorized: …` with the receiver's own words. */
async function errorMessage(reply: Reply, hide: Hide): Promise<string> {
  return await withWords(statusLine(reply.status), reply, hide);
}

/** The text, and after a colon the message in the body, if any. */
async function withWords(text: string, reply: Reply, hide: Hide): Promise<string> {
  const stated = await words(reply, hide);
  return stated === "" ? text : `${text}: ${stated}`;
}

/** Message in a body: a protobuf Status, a JSON envelope, the title of a page, or text. */
async function words(reply: Reply, hide: Hide): Promise<string> {
  if (reply.body.length === 0) return "";
  if (reply.unread !== undefined) return textWords(beginningOf(reply.body), hide);
  const type = contentType(reply);
  if (/protobuf|octet-stream/.test(type) || type === "") {
    const { decodeStatus } = await import("../otlp/decode.ts");
    try {
      const status = decodeStatus(reply.body);
      if (status.message !== "" && (status.$unknown?.length ?? 0) === 0) {
        return oneLine(hide(status.message));
      }
    } catch {
      // Some receivers send text under this type; it is read as such below.
    }
  }
  const json = parseJsonObject(reply.body);
  if (json !== undefined) return jsonMessage(json, hide) ?? oneLine(hide(JSON.stringify(json)));
  return textWords(new TextDecoder().decode(reply.body), hide);
}

function textWords(text: string, hide: Hide): string {
  const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1];
  if (title !== undefined) return `a web page, "${oneLine(hide(title))}"`;
  if (/^\s*<(!doctype|html)/i.test(text)) return "a web page";
  return oneLine(hide(text));
}

/** Beginning of a body that could not be read to its end, where it is text. */
function beginningOf(body: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body, { stream: true });
    return /(?!\s)\p{Cc}/u.test(text) ? "" : text;
  } catch {
    // Compressed, for example.
    return "";
  }
}

/** Dynatrace's `{"error":{"message":…}}`, a Status as JSON, and their like. */
function jsonMessage(json: Readonly<Record<string, unknown>>, hide: Hide): string | undefined {
  const { error, message } = json;
  const found = isObject(error) ? error["message"] : error ?? message;
  return typeof found === "string" ? oneLine(hide(found)) : undefined;
}

function parseJsonObject(body: Uint8Array): JsonObject | undefined {
  const parsed = parseJson(new TextDecoder().decode(body));
  return isObject(parsed) ? parsed : undefined;
}

function contentType({ headers }: Reply): string {
  return (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** Reason phrases (RFC 9110; 429 RFC 6585): HTTP/2 sends none. */
const REASONS: Readonly<Record<number, string>> = {
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

function statusLine(status: number): string {
  const reason = REASONS[status];
  return reason === undefined ? String(status) : `${status} ${reason}`;
}
