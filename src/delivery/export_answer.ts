import { oneLine } from "../base/escape.ts";
import type { Hide } from "../base/secrets.ts";
import type { Reply } from "../http/reply.ts";
import { retryAfterMs } from "./retry_after.ts";

/** What a receiver's answer to an export request means (OTLP specification, "OTLP/HTTP Response"). */
export type ExportAnswer =
  | { readonly kind: "accepted"; readonly warning: string | undefined }
  | { readonly kind: "partial"; readonly rejectedPoints: number; readonly message: string }
  | { readonly kind: "retry"; readonly message: string; readonly retryAfterMs: number | undefined }
  | { readonly kind: "too-large"; readonly message: string }
  | {
    readonly kind: "refused";
    readonly message: string;
    /** The sender may not be who it should be, whatever the request holds. */
    readonly reason?: "credentials" | "sign-in";
  };

const RETRYABLE = [429, 502, 503, 504];

/** How receivers say with another status than 413 that a request is too large; a Collector does so with 400. */
const TOO_LARGE =
  /\brequest\s+body\s+too\s+large|\b(payload|entity|message|request)\s+(is\s+)?too\s+large|OTLP_MESSAGE_MAX_SIZE_EXCEEDED/i;

/** `now` (ms since 1970) is what a Retry-After date is compared with. */
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
  if (status === 413 || saysTooLarge(reply)) {
    return { kind: "too-large", message: await errorMessage(reply, hide) };
  }
  if (status === 401 || status === 403) {
    return { kind: "refused", message: await errorMessage(reply, hide), reason: "credentials" };
  }
  if (status !== 200) return { kind: "refused", message: await errorMessage(reply, hide) };
  if (reply.tooLarge) {
    return {
      kind: "refused",
      message: "200, but its body is larger than the 4 MiB that OTLP allows",
    };
  }
  const partial = await readPartialSuccess(reply, hide);
  if (partial === undefined) {
    return {
      kind: "refused",
      message: `200, but its body is no OTLP answer: ${await words(reply, hide)}`,
    };
  }
  if (partial.rejectedPoints > 0) return { kind: "partial", ...partial };
  return { kind: "accepted", warning: partial.message === "" ? undefined : partial.message };
}

function saysTooLarge({ status, body }: Reply): boolean {
  return status >= 400 && status < 500 && TOO_LARGE.test(new TextDecoder().decode(body));
}

interface PartialSuccess {
  readonly rejectedPoints: number;
  readonly message: string;
}

const NOTHING_REJECTED: PartialSuccess = { rejectedPoints: 0, message: "" };

/** The partial success of a 200; undefined when the body is no OTLP answer. */
async function readPartialSuccess(reply: Reply, hide: Hide): Promise<PartialSuccess | undefined> {
  if (reply.body.length === 0) return NOTHING_REJECTED;
  const type = contentType(reply);
  if (type === "application/json") return readJson(reply.body, hide);
  if (type === "text/html") return undefined;
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
  const answer = parseJson(body);
  if (answer === undefined) return undefined;
  const known = ["partialSuccess", "partial_success"].some((name) => Object.hasOwn(answer, name));
  if (!known) return Object.keys(answer).length === 0 ? NOTHING_REJECTED : undefined;
  const partial = answer["partialSuccess"] ?? answer["partial_success"] ?? {};
  if (!isRecord(partial)) return undefined;
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
  const said = await words(reply, hide);
  return statusLine(reply.status) + (said === "" ? "" : `: ${said}`);
}

/** What an error answer says: a protobuf Status, a JSON envelope, the title of a page, or text. */
async function words(reply: Reply, hide: Hide): Promise<string> {
  if (reply.tooLarge || reply.body.length === 0) return "";
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
  const json = parseJson(reply.body);
  if (json !== undefined) return jsonMessage(json, hide) ?? oneLine(hide(JSON.stringify(json)));
  const text = new TextDecoder().decode(reply.body);
  const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1];
  if (title !== undefined) return `a web page, "${oneLine(hide(title))}"`;
  if (/^\s*<(!doctype|html)/i.test(text)) return "a web page";
  return oneLine(hide(text));
}

/** Dynatrace's `{"error":{"message":…}}`, a Status as JSON, and their like. */
function jsonMessage(json: Readonly<Record<string, unknown>>, hide: Hide): string | undefined {
  const { error, message } = json;
  const found = isRecord(error) ? error["message"] : error ?? message;
  return typeof found === "string" ? oneLine(hide(found)) : undefined;
}

function parseJson(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(body));
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function contentType({ headers }: Reply): string {
  return (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** Reason phrases (RFC 9110; 429 RFC 6585): HTTP/2 sends none. */
const REASONS: Readonly<Record<number, string>> = {
  202: "Accepted",
  204: "No Content",
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
