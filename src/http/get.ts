import { deadline } from "../platform/deadline.ts";
import { type ExchangePhase, failure, INTERRUPTED, timedOut } from "./transport.ts";
import type { Failure } from "./reply.ts";
import { bodyChunks, readBody } from "./response_body.ts";

/** Result of a GET. */
export type GetResult =
  | {
    readonly kind: "answer";
    readonly status: number;
    readonly headers: Headers;
    /** Body of a 200, decompressed, as UTF-8. Other bodies are not read. */
    readonly text: string;
  }
  /** The body was longer than allowed; the rest was not read. */
  | { readonly kind: "too-large" }
  | Failure;

/** Headers and limits of a GET. */
export interface GetOptions {
  readonly headers: readonly (readonly [string, string])[];
  readonly timeoutMs: number;
  /** Maximum number of bytes to read, compressed and decompressed. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
}

/** GETs a text through the proxy that fetch finds; never rejects for anything that a network or a server can do. */
export async function getText(
  url: URL,
  { headers, timeoutMs, mostBytes, signal }: GetOptions,
): Promise<GetResult> {
  const timeout = deadline(timeoutMs);
  const failed = (thrown: unknown, phase: ExchangePhase) =>
    signal.aborted
      ? INTERRUPTED
      : timeout.signal.aborted
      ? timedOut(timeoutMs, phase)
      : failure(thrown, phase);
  try {
    const response = await fetch(url, {
      // This program decompresses, as for a POST, so that no bytes are an empty body. Of gzip with several
      // members, fetch of Deno 2.9 returns only the first.
      headers: { ...Object.fromEntries(headers), "accept-encoding": "identity" },
      redirect: "manual",
      signal: AbortSignal.any([signal, timeout.signal]),
    });
    const { status, headers: received } = response;
    if (status !== 200) {
      await response.body?.cancel();
      return { kind: "answer", status, headers: received, text: "" };
    }
    const body = await readBody(bodyChunks(response), received, mostBytes);
    switch (body.kind) {
      case "whole": {
        const text = new TextDecoder().decode(body.bytes);
        return { kind: "answer", status, headers: received, text };
      }
      case "too-large":
        return { kind: "too-large" };
      case "broken":
        return failed(body.thrown, "reading");
      case "miscoded":
        return failed(
          `the response is not in the coding that it names, "${body.coding}"`,
          "reading",
        );
    }
  } catch (thrown) {
    return failed(thrown, "waiting");
  } finally {
    timeout.clear();
  }
}
