import { discard } from "./body.ts";
import { corsPreflight } from "./cors.ts";
import { isGrpc } from "./grpc.ts";
import { contentFormat } from "./media.ts";
import { pathOf } from "./request_path.ts";
import { errorResponse, successResponse } from "./response.ts";
import { type TokenReader, tokenRefusal } from "./token.ts";

/** Signals besides metrics, by the end of their paths (OTLP specification, "OTLP/HTTP Request"). */
const OTHER_SIGNALS: readonly (readonly [path: string, signal: string])[] = [
  ["/v1/traces", "traces"],
  ["/v1/logs", "logs"],
  ["/v1development/profiles", "profiles"],
];

/**
 * Answers the requests that are not judged: other signals, which are discarded, browsers' preflights, GET and HEAD.
 */
export class OtherRequests {
  readonly #token: TokenReader | undefined;
  readonly #say: (message: string) => void;
  readonly #said = new Set<string>();
  #otherSignals = 0;

  /** `say` reports each signal and each refused origin once. */
  constructor(token: TokenReader | undefined, say: (message: string) => void) {
    this.#token = token;
    this.#say = say;
  }

  /** Number of requests for other signals. */
  get otherSignals(): number {
    return this.#otherSignals;
  }

  /** Answers a request of these kinds; undefined for any other. */
  async answer(request: Request): Promise<Response | undefined> {
    switch (request.method) {
      case "GET":
      case "HEAD":
        return probeResponse(request);
      case "OPTIONS": {
        const { response, refused } = corsPreflight(request);
        if (refused !== undefined) this.#sayOnce(refused);
        return response;
      }
      case "POST":
        return await this.#otherSignal(request);
      default:
        return undefined;
    }
  }

  async #otherSignal(request: Request): Promise<Response | undefined> {
    const path = pathOf(request.url);
    const signal = OTHER_SIGNALS.find(([end]) => path.endsWith(end))?.[1];
    if (signal === undefined || isGrpc(path, request.headers)) return undefined;
    this.#otherSignals++;
    const format = contentFormat(request.headers) ?? "protobuf";
    const refused = await tokenRefusal(request, this.#token);
    await discard(request.body);
    if (refused !== undefined) {
      this.#sayOnce(`also receiving ${signal} without the right token: rejected`);
      return errorResponse(refused.status ?? 401, refused.message, {}, format);
    }
    this.#sayOnce(`also receiving ${signal}: discarded`);
    return successResponse(undefined, format);
  }

  #sayOnce(message: string): void {
    if (this.#said.has(message) || this.#said.size >= MOST_SAID) return;
    this.#said.add(message);
    this.#say(message);
  }
}

/** Maximum number of notes: origins are without end. */
const MOST_SAID = 20;

/** Answers a probe, or a person who opens the URL in a browser. */
function probeResponse(request: Request): Response {
  const path = pathOf(request.url);
  const [status, text] = path === "/readyz"
    ? [200, "ready"]
    : path.endsWith("/v1/metrics")
    ? [405, "send metrics with POST"]
    : [404, "nothing is served here: POST metrics to /v1/metrics"];
  return new Response(request.method === "HEAD" ? null : `${text}\n`, {
    status,
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      ...status === 405 && { Allow: "POST" },
    },
  });
}
