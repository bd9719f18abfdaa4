import { percentDecode } from "../config/setting.ts";
import { targetOf } from "./target.ts";

/** What asks an HTTP proxy for a connection (RFC 9110, CONNECT). */
export function connectRequest(proxy: URL, host: string, port: number): string {
  const to = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const user = percentDecode(proxy.username);
  const credentials = user === ""
    ? ""
    : `Proxy-Authorization: Basic ${btoa(`${user}:${percentDecode(proxy.password)}`)}\r\n`;
  return `CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n${credentials}\r\n`;
}

/** The status of a proxy's answer. */
export function connectStatus(head: string): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
}

const MOST_HEAD = 16_384;

/** A connection to the receiver through the proxy; rejects when the proxy refuses. */
export async function openTunnel(
  proxy: URL,
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const { host: hostname, port: proxyPort } = targetOf(proxy, undefined);
  const connection = await Deno.connect({ hostname, port: proxyPort, signal });
  const close = () => connection.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    await connection.write(new TextEncoder().encode(connectRequest(proxy, host, port)));
    let head = "";
    // Byte by byte: what follows the head belongs to TLS.
    for (const byte = new Uint8Array(1); !head.endsWith("\r\n\r\n");) {
      if (await connection.read(byte) === null || head.length > MOST_HEAD) break;
      head += String.fromCharCode(byte[0] ?? 0);
    }
    const status = connectStatus(head);
    if (status === 200) return connection;
    throw new Error(`tunnel error: the proxy answered ${status === 0 ? "nothing" : status}`);
  } catch (thrown) {
    if (!signal.aborted) close();
    throw thrown;
  } finally {
    signal.removeEventListener("abort", close);
  }
}
