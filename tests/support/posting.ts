import type { Receiver } from "./receiver.ts";

/** Posts to a receiver, with a client of its own: no connection of another test is reused. */
export async function post(
  receiver: Receiver,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> = "body",
  { headers = {}, timeoutMs = 5000, ...options }:
    & { readonly headers?: Record<string, string>; readonly timeoutMs?: number }
    & (Deno.CreateHttpClientOptions | Deno.CreateHttpClientOptions & Deno.TlsCertifiedKeyPem)
    & { readonly url?: string } = {},
): Promise<{ readonly status: number; readonly text: string }> {
  using client = Deno.createHttpClient(options);
  const response = await fetch(options.url ?? `${receiver.url}/v1/metrics?a=b`, {
    method: "POST",
    body,
    headers,
    client,
    signal: AbortSignal.timeout(timeoutMs),
  });
  return { status: response.status, text: await response.text() };
}

/** The text of the error that a promise rejects with, its causes included. */
export async function failure(of: Promise<unknown>): Promise<string> {
  try {
    await of;
  } catch (thrown) {
    let said = "";
    for (let at = thrown; at instanceof Error; at = at.cause) said += `${at.name}: ${at.message}\n`;
    return said;
  }
  throw new Error("Nothing failed");
}
