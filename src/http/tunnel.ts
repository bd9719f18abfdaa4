import type { Socket } from "node:net";
import { messageOf } from "../base/errors.ts";
import { basicAuthorization } from "../config/endpoint.ts";
import { type Target, targetOf } from "./target.ts";

/** A connection to a proxy, as much of it as asking for a tunnel needs. */
interface Line {
  /** Reads into `bytes`; null when the connection has ended. */
  read(bytes: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes, and tells how many. */
  write(bytes: Uint8Array): Promise<number>;
}

const MOST_HEAD = 16_384;

/** Asks an HTTP proxy for a connection to the target (RFC 9110, CONNECT); rejects when it refuses. */
async function connect(line: Line, proxy: URL, { host, port }: Target): Promise<void> {
  const to = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const authorization = basicAuthorization(proxy);
  const asked = new TextEncoder().encode(
    `CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n` +
      (authorization === undefined ? "" : `Proxy-Authorization: ${authorization}\r\n`) + "\r\n",
  );
  for (let at = 0; at < asked.length;) at += await line.write(asked.subarray(at));
  let head = "";
  // Byte by byte: what follows the head belongs to TLS.
  for (const byte = new Uint8Array(1); !head.endsWith("\r\n\r\n");) {
    if (await line.read(byte) === null || head.length > MOST_HEAD) break;
    head += String.fromCharCode(byte[0] ?? 0);
  }
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
  if (status !== "200") throw new Error(`the proxy answered ${status ?? "nothing"}`);
}

/** A connection to the target through the proxy; rejects with a "tunnel error" when there is none. */
export async function openTunnel(
  proxy: URL,
  target: Target,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const { host: hostname, port } = targetOf(proxy, undefined);
  return await tunnelled(async () => {
    const connection = await Deno.connect({ hostname, port, signal });
    const close = () => connection.close();
    signal.addEventListener("abort", close, { once: true });
    try {
      await connect(connection, proxy, target);
      return connection;
    } catch (thrown) {
      if (!signal.aborted) close();
      throw thrown;
    } finally {
      signal.removeEventListener("abort", close);
    }
  });
}

/** The same as a socket of node:net, for what only node:tls can do; without a proxy a plain connection. */
export async function openSocket(
  proxy: URL | undefined,
  target: Target,
  signal: AbortSignal,
): Promise<Socket> {
  if (proxy === undefined) return await connectedSocket(target, signal);
  return await tunnelled(async () => {
    const socket = await connectedSocket(targetOf(proxy, undefined), signal);
    try {
      await connect(lineOf(socket), proxy, target);
      return socket;
    } catch (thrown) {
      socket.destroy();
      throw thrown;
    }
  });
}

async function tunnelled<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (thrown) {
    throw new Error(`tunnel error: ${messageOf(thrown)}`);
  }
}

async function connectedSocket(target: Target, signal: AbortSignal): Promise<Socket> {
  const { connect } = await import("node:net");
  const socket = connect({ ...target });
  const abort = () => socket.destroy(new Error("aborted"));
  signal.addEventListener("abort", abort, { once: true });
  socket.once("close", () => signal.removeEventListener("abort", abort));
  if (signal.aborted) abort();
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", () => {
      // Deno 2.6 never ends a TLS handshake on a socket that has begun to read.
      socket.pause();
      resolve();
    });
    socket.once("error", reject);
  });
  return socket;
}

/** The socket is paused between reads: TLS, in which the client speaks first, finds it like a new one. */
function lineOf(socket: Socket): Line {
  let held = new Uint8Array();
  const next = () =>
    new Promise<Uint8Array | null>((resolve, reject) => {
      const settle = (then: () => void) => {
        socket.pause();
        socket.off("data", data).off("close", end).off("error", error);
        then();
      };
      const data = (chunk: Uint8Array) => settle(() => resolve(chunk));
      const end = () => settle(() => resolve(null));
      const error = (thrown: Error) => settle(() => reject(thrown));
      socket.on("data", data).on("close", end).on("error", error);
      socket.resume();
    });
  return {
    async read(bytes) {
      if (held.length === 0) {
        const chunk = await next();
        if (chunk === null) return null;
        held = new Uint8Array(chunk);
      }
      const taken = held.subarray(0, bytes.length);
      bytes.set(taken);
      held = held.subarray(taken.length);
      return taken.length;
    },
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
      }),
  };
}
