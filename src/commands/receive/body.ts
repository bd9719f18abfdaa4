import { ByteBuffer } from "../../platform/byte_buffer.ts";
import type { AcceptedMedia } from "./media.ts";
import type { Semaphore } from "./semaphore.ts";

/** What is taken, how much of it at once, and for how long. */
export interface ReceiveLimits {
  readonly media: AcceptedMedia;
  /** A body's bytes, as it came and unpacked. */
  readonly bodyBytes: number;
  /** How a larger one is refused: which rule it breaks, and what the words about it begin with. */
  readonly tooLarge: { readonly rule: string; readonly words: string };
  /** How long a body may take. */
  readonly bodyMs: number;
  /** Roughly the memory that one decoded request may take. */
  readonly decodedBytes: number;
  /** Bodies that are read at once; each holds at most `smallBytes`, or a place among the large. */
  readonly bodies: number;
  readonly smallBytes: number;
  readonly largeBodies: number;
}

const MIB = 2 ** 20;

/** 64 MiB is the limit of OTLP (specification.md, "OTLP/HTTP Request"). */
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
 * Dynatrace takes protobuf alone, and 4 MB of it, uncompressed. The densest request of that size is 240 MB when it is
 * decoded: eleven bytes an attribute.
 */
export const DYNATRACE_LIMITS: ReceiveLimits = {
  ...DEFAULT_LIMITS,
  media: { formats: ["protobuf"], encodings: ["gzip"] },
  bodyBytes: 4_000_000,
  tooLarge: { rule: "request-size", words: "OTLP_MESSAGE_MAX_SIZE_EXCEEDED: " },
  decodedBytes: 256 * MIB,
};

export type RequestBody =
  | {
    readonly outcome: "read";
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly release: () => void;
  }
  | { readonly outcome: "too-large" | "too-late" | "broken" | "stopped"; readonly length: number };

/** The words for a body that is larger than the limit. */
export function tooLargeMessage({ tooLarge, bodyBytes }: ReceiveLimits, what: string): string {
  return `${tooLarge.words}${what} is larger than ${bodyBytes} bytes`;
}

/**
 * Reads a body within the limits, in real time: a connection knows no injected clock. What it holds of the gate for large
 * bodies goes with `release`.
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

/** Throws away the rest of a body that is refused unread, for its sender to get to the answer. */
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
