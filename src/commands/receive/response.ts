import { encodeResponse, encodeStatus, type PartialSuccess } from "../../otlp/decode.ts";
import { CONTENT_TYPES, type Format } from "./media.ts";

/** google.rpc.Code for the HTTP statuses that a receiver gives; others are UNKNOWN. */
const CODES: ReadonlyMap<number, number> = new Map([
  [400, 3], // INVALID_ARGUMENT
  [401, 16], // UNAUTHENTICATED
  [403, 7], // PERMISSION_DENIED
  [404, 5], // NOT_FOUND
  [405, 12], // UNIMPLEMENTED
  [408, 4], // DEADLINE_EXCEEDED
  [413, 8], // RESOURCE_EXHAUSTED
  [415, 3],
  [429, 8],
  [500, 13], // INTERNAL
  [502, 14], // UNAVAILABLE
  [503, 14],
  [504, 4],
]);
const UNKNOWN = 2;

/** Answer to a request: a response, none until the client has left, or a connection that breaks. */
export type ReceiverAnswer =
  | Response
  | { readonly kind: "hang"; readonly whenLeft: () => void }
  | { readonly kind: "reset" };

/** An answer that says no: a google.rpc.Status as its body, in the format of the request. */
export function errorResponse(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  format: Format = "protobuf",
): Response {
  if (hasNoBody(status)) return new Response(null, { status, headers });
  const code = CODES.get(status) ?? UNKNOWN;
  const body = format === "json" ? JSON.stringify({ code, message }) : encodeStatus(code, message);
  return new Response(body, {
    status,
    headers: { "Content-Type": CONTENT_TYPES[format], ...headers },
  });
}

/** Whether the Fetch standard gives a status no body. */
function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** A 2xx, by default 200: everything taken, or a partial success. */
export function successResponse(
  partial: PartialSuccess | undefined,
  format: Format,
  { status, headers }: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
  } = OK,
): Response {
  if (hasNoBody(status)) return new Response(null, { status, headers });
  const body = format === "json" ? jsonResponse(partial) : encodeResponse(partial);
  return new Response(body, {
    status,
    headers: { "Content-Type": CONTENT_TYPES[format], ...headers },
  });
}

const OK = { status: 200, headers: {} };

function jsonResponse(partial: PartialSuccess | undefined): string {
  if (partial === undefined) return "{}";
  const { rejectedDataPoints, errorMessage } = partial;
  // OTLP/JSON has 64-bit integers as strings, and leaves out what is the default.
  const rejected = rejectedDataPoints === 0
    ? {}
    : { rejectedDataPoints: String(rejectedDataPoints) };
  return JSON.stringify({ partialSuccess: { ...rejected, errorMessage } });
}
