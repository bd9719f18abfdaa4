import { ByteBuffer } from "../../platform/byte_buffer.ts";
import type { BodyLimits } from "../../receivers/profile.ts";
import type { Semaphore } from "./semaphore.ts";

/** ReceiveLimits of a receiver: what it accepts, how much at once, and for how long. */
export interface ReceiveLimits {
  /** Bodies that the receiver accepts. */
  readonly body: BodyLimits;
  /** Longest time that a body may take. */
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

/** Memory that a decoded request takes at most, per byte of it: eleven bytes are an attribute, which takes 660. */
const DECODED_PER_BYTE = 68;

/** Makes the limits for a kind of receiver. */
export function limitsFor(body: BodyLimits): ReceiveLimits {
  return {
    body,
    bodyMs: 30_000,
    decodedBytes: Math.min(640 * MIB, DECODED_PER_BYTE * body.bytes),
    bodies: 256,
    smallBytes: 256 * 1024,
    largeBodies: 2,
  };
}

/** Body of a request, or the reason why it could not be read and the bytes that arrived. */
export type RequestBody =
  | {
    readonly outcome: "read";
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly release: () => void;
  }
  | { readonly outcome: "too-large" | "too-late" | "broken" | "stopped"; readonly length: number };

/** Says that a body is larger than the limit. */
export function tooLargeMessage(
  { body: { tooLarge, bytes } }: ReceiveLimits,
  what: string,
): string {
  return `${tooLarge.words}${what} is larger than ${bytes} bytes`;
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
      if (read.length + value.length > limits.body.bytes) {
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
    reader.cancel().catch(() => {}); // The connection is gone.
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
