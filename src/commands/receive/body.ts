import { ByteBuffer } from "../../platform/byte_buffer.ts";
import type { AcceptedMedia } from "./media.ts";
import type { Semaphore } from "./semaphore.ts";

/** Limits of a receiver: which bodies it accepts, how much of them at once, and for how long. */
export interface ReceiveLimits {
  readonly media: AcceptedMedia;
  /** Maximum size of a body in bytes, as received and unpacked. */
  readonly bodyBytes: number;
  /** Refusal of a larger body: the rule that it breaks, and the beginning of the message. */
  readonly tooLarge: { readonly rule: string; readonly words: string };
  /** Maximum time for receiving a body, in ms. */
  readonly bodyMs: number;
  /** Approximate memory that one decoded request may use, in bytes. */
  readonly decodedBytes: number;
  /**
   * Maximum number of bodies that are read at once. Each holds at most `smallBytes`, or one of `largeBodies` places.
   */
  readonly bodies: number;
  readonly smallBytes: number;
  readonly largeBodies: number;
}

const MIB = 2 ** 20;

/** Limits of OTLP, where a body has at most 64 MiB (specification.md, "OTLP/HTTP Request"). */
export const DEFAULT_LIMITS: ReceiveLimits = {
  media: { formats: ["protobuf", "json"], encodings: ["gzip", "deflate", "zstd"] },
  bodyBytes: 64 * MIB,
  tooLarge: { rule: "body-size", words: "" },
  bodyMs: 30_000,
  decodedBytes: 640 * MIB,
  bodies: 256,
  smallBytes: 256 * 1024,
  largeBodies: 2,
};

/**
 * Limits of Dynatrace, which accepts only protobuf, at most 4 MB uncompressed. The densest request of that size, with
 * eleven bytes per attribute, is 240 MB when decoded.
 */
export const DYNATRACE_LIMITS: ReceiveLimits = {
  ...DEFAULT_LIMITS,
  media: { formats: ["protobuf"], encodings: ["gzip"] },
  bodyBytes: 4_000_000,
  tooLarge: { rule: "request-size", words: "OTLP_MESSAGE_MAX_SIZE_EXCEEDED: " },
  decodedBytes: 256 * MIB,
};

/** Body of a request, or the reason why it could not be read and the bytes that arrived. */
export type RequestBody =
  | {
    readonly outcome: "read";
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly release: () => void;
  }
  | { readonly outcome: "too-large" | "too-late" | "broken" | "stopped"; readonly length: number };

/** Message for a body above the limit. */
export function tooLargeMessage({ tooLarge, bodyBytes }: ReceiveLimits, what: string): string {
  return `${tooLarge.words}${what} is larger than ${bodyBytes} bytes`;
}

/**
 * Reads a body within the limits. It uses real time, because a connection knows no injected clock. Call `release` to
 * give up a place among the large bodies.
 */
export async function readRequestBody(
  body: ReadableStream<Uint8Array> | null,
  limits: ReceiveLimits,
  large: Semaphore,
  stop: AbortSignal,
): Promise<RequestBody> {
  const read = new ByteBuffer();
  let release = () => {};
  if (body === null) return { outcome: "read", bytes: read.bytes, release };
  const reader = body.getReader();
  let ended: "too-late" | "stopped" | undefined;
  const end = (why: "too-late" | "stopped") => {
    ended ??= why;
    reader.cancel().catch(() => {}); // The connection is gone: so is what was to be cancelled.
  };
  const onStop = () => end("stopped");
  stop.addEventListener("abort", onStop);
  if (stop.aborted) onStop();
  let timer = setTimeout(() => end("too-late"), limits.bodyMs);
  const failed = (outcome: "too-large" | "too-late" | "broken" | "stopped"): RequestBody => {
    release();
    return { outcome, length: read.length };
  };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (ended !== undefined) return failed(ended);
      if (done) return { outcome: "read", bytes: read.bytes, release };
      if (read.length + value.length > limits.bodyBytes) {
        await drain(reader);
        return failed("too-large");
      }
      if (read.length <= limits.smallBytes && read.length + value.length > limits.smallBytes) {
        // Waiting for a place is not the client's delay.
        clearTimeout(timer);
        release = await large.enter();
        timer = setTimeout(() => end("too-late"), limits.bodyMs);
      }
      read.append(value);
    }
  } catch {
    return failed(ended ?? "broken");
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", onStop);
  }
}

/** Discards the rest of a body that is refused, so that its sender reads the response; resolves to its length. */
export async function discard(body: ReadableStream<Uint8Array> | null): Promise<number> {
  return body === null ? 0 : await drain(body.getReader());
}

const DRAIN_MS = 1000;

async function drain(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<number> {
  let length = 0;
  const timer = setTimeout(() => {
    reader.cancel().catch(() => {}); // As above.
  }, DRAIN_MS);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return length;
      length += value.length;
    }
  } catch {
    return length;
  } finally {
    clearTimeout(timer);
  }
}
