import { deadline } from "../base/deadline.ts";
import { failure, INTERRUPTED, timedOut } from "./transport.ts";
import type { Failure } from "./reply.ts";

/** What a GET brought. */
export type Got =
  | {
    readonly kind: "answer";
    readonly status: number;
    readonly headers: Headers;
    /** Decompressed, as UTF-8. */
    readonly text: string;
  }
  /** Longer than was asked for; the rest was not read. */
  | { readonly kind: "too-large" }
  | Failure;

export interface GetOptions {
  readonly headers: readonly (readonly [string, string])[];
  readonly timeoutMs: number;
  /** Bytes that are read at most, after decompression. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
}

/** GETs a text, through the proxy that fetch finds; never rejects for what a network or a server can do. */
export async function getText(
  url: URL,
  { headers, timeoutMs, mostBytes, signal }: GetOptions,
): Promise<Got> {
  const timeout = deadline(timeoutMs);
  let answering = false;
  try {
    const response = await fetch(url, {
      headers: headers.map(([name, value]): [string, string] => [name, value]),
      redirect: "manual",
      signal: AbortSignal.any([signal, timeout.signal]),
    });
    answering = true;
    const decoder = new TextDecoder();
    const pieces: string[] = [];
    let length = 0;
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > mostBytes) return { kind: "too-large" };
      pieces.push(decoder.decode(chunk, { stream: true }));
    }
    pieces.push(decoder.decode());
    const { status, headers: received } = response;
    return { kind: "answer", status, headers: received, text: pieces.join("") };
  } catch (thrown) {
    if (signal.aborted) return INTERRUPTED;
    if (timeout.signal.aborted) return timedOut(timeoutMs, answering);
    return failure(thrown, answering);
  } finally {
    timeout.clear();
  }
}
