import { withoutBrackets } from "../../http/target.ts";
import { isLoopback } from "./page/guard.ts";

/** Seconds that a browser may keep the response to a preflight. */
const MAX_AGE_SECONDS = 600;

/**
 * Answers a browser's preflight (Fetch standard, "CORS protocol"): a page of this machine may post, no other may.
 * `refused` says why not.
 */
export function corsPreflight(
  request: Request,
): { readonly response: Response; readonly refused: string | undefined } {
  const { headers } = request;
  const origin = headers.get("Origin");
  if (origin === null) {
    return { response: new Response(null, { status: 204, headers: ALLOW }), refused: undefined };
  }
  const allowed = corsHeaders(request);
  if (allowed === undefined) {
    const refused =
      `a page of "${origin}" cannot post here, only a page of this machine: serve it ` +
      "from http://localhost, or send through a Collector that allows its origin";
    return { response: new Response(`${refused}\n`, { status: 403, headers: TEXT }), refused };
  }
  const wanted = headers.get("Access-Control-Request-Headers");
  return {
    response: new Response(null, {
      status: 204,
      headers: {
        ...ALLOW,
        ...allowed,
        "Access-Control-Allow-Methods": "POST",
        ...wanted !== null && { "Access-Control-Allow-Headers": wanted },
        "Access-Control-Max-Age": String(MAX_AGE_SECONDS),
      },
    }),
    refused: undefined,
  };
}

const ALLOW = { Allow: "POST, OPTIONS" };
const TEXT = { "Content-Type": "text/plain; charset=utf-8", Vary: "Origin" };

/** Adds to a response the headers by which a browser shows it to a page of this machine. */
export function withCorsHeaders(request: Request, response: Response): Response {
  for (const [name, value] of Object.entries(corsHeaders(request) ?? {})) {
    response.headers.set(name, value);
  }
  return response;
}

/** Headers for an origin that is this machine; undefined for any other and without one. */
function corsHeaders({ headers }: Request): Readonly<Record<string, string>> | undefined {
  const origin = headers.get("Origin");
  if (origin === null || !isOfThisMachine(origin)) return undefined;
  return {
    "Access-Control-Allow-Origin": origin,
    // navigator.sendBeacon() sends with credentials, and needs it.
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": "Retry-After",
    Vary: "Origin",
  };
}

function isOfThisMachine(origin: string): boolean {
  const url = URL.parse(origin);
  if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== origin) return false;
  const host = withoutBrackets(url.hostname);
  return isLoopback(host) || host.endsWith(".localhost");
}
