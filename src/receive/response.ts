import { encodeResponse, encodeStatus, type PartialSuccess } from "../otlp/decode.ts";

const PROTOBUF = "application/x-protobuf";

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

/** An answer that says no: a google.rpc.Status as its body. */
export function refusal(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  // The Fetch standard gives these no body.
  if (status === 204 || status === 205 || status === 304) {
    return new Response(null, { status, headers });
  }
  return new Response(encodeStatus(CODES.get(status) ?? UNKNOWN, message), {
    status,
    headers: { "Content-Type": PROTOBUF, ...headers },
  });
}

/** A 200: everything taken, or a partial success. */
export function success(partial: PartialSuccess | undefined): Response {
  return new Response(encodeResponse(partial), { headers: { "Content-Type": PROTOBUF } });
}
