import type { Socket } from "node:net";
import { messageOf } from "../platform/errors.ts";
import type { Proxy } from "./proxy.ts";
import { basicAuthorization } from "./endpoint.ts";
import type { Credentials } from "./exchange.ts";
import { type Line, writeAll } from "./line.ts";
import { connectSocks } from "./socks.ts";
import { NotSent } from "./reply.ts";
import { inBrackets, type Target } from "./target.ts";

/** Credentials that TLS uses, with the proxy as with the receiver. */
type TlsCredentials = Pick<Credentials, "ca" | "client">;

/** Opens a connection to the target through the proxy, on which TLS can start; rejects with a "tunnel error". */
export async function openTunnel(
  proxy: Proxy,
  target: Target,
  credentials: TlsCredentials,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  if (proxy.kind !== "https") return await openOverTcp(proxy, target, signal);
  return await relayed(
    await openOverTls(proxy, target, credentials, signal),
    (port) => Deno.connect({ hostname: LOOPBACK, port, signal }),
    ({ localAddr }) => localAddr.port,
  );
}

/** Opens a socket of node:net to the target, for node:tls; through the proxy if there is one. */
export async function openSocket(
  proxy: Proxy | undefined,
  target: Target,
  credentials: TlsCredentials,
  signal: AbortSignal,
): Promise<Socket> {
  if (proxy === undefined) return await connectedSocket(target, signal);
  return await relayed(
    proxy.kind === "https"
      ? await openOverTls(proxy, target, credentials, signal)
      : await openOverTcp(proxy, target, signal),
    (port) => connectedSocket({ host: LOOPBACK, port }, signal),
    ({ localPort }) => localPort,
  );
}

async function openOverTcp(
  proxy: Proxy,
  target: Target,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  return await tunnelled(async () => {
    const connection = await Deno.connect({ hostname: proxy.host, port: proxy.port, signal });
    const ask = proxy.kind === "socks5" ? connectSocks : connectHttp;
    await guarded(connection, signal, () => ask(connection, proxy, target));
    return connection;
  });
}

/**
 * Opens a tunnel through an HTTPS proxy. As with fetch, the proxy's certificate is verified whatever --insecure says,
 * and the client certificate is offered.
 */
async function openOverTls(
  proxy: Proxy,
  target: Target,
  { ca, client }: TlsCredentials,
  signal: AbortSignal,
): Promise<Deno.TlsConn> {
  return await tunnelled(async () => {
    const connection = await Deno.connectTls({
      hostname: proxy.host,
      port: proxy.port,
      ...ca !== undefined && { caCerts: [ca] },
      ...client,
    });
    await guarded(connection, signal, async () => {
      try {
        await connection.handshake();
      } catch (thrown) {
        throw new Error(`TLS with the proxy: ${messageOf(thrown)}`);
      }
      await connectHttp(connection, proxy, target);
    });
    return connection;
  });
}

async function tunnelled<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (thrown) {
    throw new NotSent(`tunnel error: ${messageOf(thrown)}`);
  }
}

/** Works on a connection, and closes it if the work fails or the signal is aborted first. */
async function guarded(
  connection: Deno.Conn,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  const close = () => connection.close();
  signal.addEventListener("abort", close, { once: true });
  if (signal.aborted) close();
  try {
    await work();
  } catch (thrown) {
    if (!signal.aborted) close();
    throw thrown;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

const MOST_HEAD = 16_384;

/** Asks an HTTP proxy for a connection to the target (RFC 9110, CONNECT); rejects when it refuses. */
async function connectHttp(line: Line, proxy: Proxy, { host, port }: Target): Promise<void> {
  const to = `${inBrackets(host)}:${port}`;
  const headers = [
    `CONNECT ${to} HTTP/1.1`,
    `Host: ${to}`,
    // A proxy may judge by it: fetch also sends this.
    `User-Agent: Deno/${Deno.version.deno}`,
    ...proxy.credentials === undefined
      ? []
      : [`Proxy-Authorization: ${basicAuthorization(proxy.credentials)}`],
  ];
  await writeAll(line, new TextEncoder().encode(`${headers.join("\r\n")}\r\n\r\n`));
  let head = "";
  // Byte by byte: what follows the head belongs to TLS.
  for (const byte = new Uint8Array(1); !head.endsWith("\r\n\r\n");) {
    if (await line.read(byte) === null || head.length > MOST_HEAD) break;
    head += String.fromCharCode(byte[0] ?? 0);
  }
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
  if (status !== "200") throw new Error(`the proxy answered ${status ?? "nothing"}`);
}

const LOOPBACK = "127.0.0.1";

/**
 * Relays `inner` to another kind of connection over loopback: TLS starts only on TCP, and node:tls only on sockets of
 * node:net.
 */
async function relayed<T>(
  inner: Deno.Conn,
  connect: (port: number) => Promise<T>,
  portOf: (connection: T) => number | undefined,
): Promise<T> {
  const listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
  try {
    const outer = await connect(listener.addr.port);
    join(await acceptFrom(listener, portOf(outer)), inner);
    return outer;
  } catch (thrown) {
    inner.close();
    throw thrown;
  } finally {
    listener.close();
  }
}

/** Accepts the connection from the expected port only, because any program on this machine can connect. */
async function acceptFrom(
  listener: Deno.TcpListener,
  port: number | undefined,
): Promise<Deno.TcpConn> {
  for (;;) {
    const connection = await listener.accept();
    if (connection.remoteAddr.port === port) return connection;
    connection.close();
  }
}

/** Copies bytes in both directions until either side ends. */
function join(one: Deno.Conn, other: Deno.Conn): void {
  // A side that breaks off shows on the other one as its end.
  const ways = [pump(one, other), pump(other, one)].map((way) => way.catch(() => {}));
  void Promise.race(ways).then(() => {
    one.close();
    other.close();
  });
}

async function pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(16_384);
  for (let count; (count = await from.read(buffer)) !== null;) {
    await writeAll(to, buffer.subarray(0, count));
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
