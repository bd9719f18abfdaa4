import { Delivery } from "../../delivery/delivery.ts";
import type { Result } from "../../delivery/result.ts";
import type { EncodedRequest } from "../../otlp/request.ts";
import type { Post } from "../../http/reply.ts";
import type { System } from "../../platform/system.ts";

/** Result of sending one request, retries included. */
export interface SentResult {
  /** Last result; undefined if a signal came before there was any. */
  readonly result: Result | undefined;
  readonly attempts: number;
  readonly durationMs: number;
  /** Whether the receiver may have counted it twice. */
  readonly possiblyDuplicated: boolean;
}

/** Sends one request as `send` does, without a spool. A signal ends it at once. */
export async function sendOnce(
  request: EncodedRequest,
  post: Post,
  retryForMs: number,
  { clock, random, secrets, stop }: Pick<System, "clock" | "random" | "secrets" | "stop">,
  warn: (message: string) => void,
): Promise<SentResult> {
  const began = clock.monotonic();
  const delivery = new Delivery({
    post,
    hide: (text) => secrets.hide(text),
    clock,
    random,
    limits: { maxPendingBytes: Infinity, maxAgeMs: Infinity },
    store: undefined,
    whenDenied: "refuse",
  });
  for await (const event of delivery.add([request], 1, clock.wall())) {
    if (event.type === "warning") warn(event.message);
  }
  const window = { send: 1, retryForMs, until: Infinity, stop, abort: stop, last: false };
  let result: Result | undefined;
  let attempts = 0;
  let possiblyDuplicated = false;
  for await (const event of delivery.flush(window)) {
    if (event.type === "attempt") attempts++;
    if (event.type === "retry") {
      const seconds = (event.inMs / 1000).toFixed(1);
      warn(`attempt ${attempts} failed: ${event.result.message}; next attempt in ${seconds} s`);
    }
    if (event.type === "attempt" || event.type === "settled" || event.type === "held") {
      ({ result } = event);
      ({ possiblyDuplicated } = event.pending);
    }
  }
  return { result, attempts, durationMs: clock.monotonic() - began, possiblyDuplicated };
}
