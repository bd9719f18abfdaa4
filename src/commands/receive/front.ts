const BUFFER_BYTES = 64 * 1024;

/** Server that can break a connection, and knows when a client has left. */
export interface FrontServer {
  readonly addr: { readonly port: number };
  /** Resolves when it has ended and the port is free again. */
  readonly finished: Promise<void>;
  /** Closes the connection of a request without an answer. */
  disconnect(info: Deno.ServeHandlerInfo): void;
  /** Resolves when the connection of a request has ended. */
  whenLeft(info: Deno.ServeHandlerInfo): Promise<void>;
}

/** Address, end and certificate of a server. */
export interface ServeOptions {
  readonly hostname: string;
  readonly port: number;
  readonly signal: AbortSignal;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

/**
 * Serves behind a listener of its own that passes the bytes on to Deno.serve and back: Deno.serve cannot end a connection
 * before a status, and its 2.9 does not abort a request's signal when the client leaves a connection that it has used
 * before. Throws if it cannot listen.
 */
export function serveBehindFront(
  { hostname, port, signal, tls }: ServeOptions,
  handler: Deno.ServeHandler,
): FrontServer {
  const listener = Deno.listen({ hostname, port });
  const inner = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal, onListen: () => {}, ...tls },
    handler,
  );
  const upstreamPort = inner.addr.port;
  /** Connections of clients, by the port from which they are passed on. */
  const clients = new Map<
    number,
    { readonly connection: Deno.Conn; readonly left: Promise<void> }
  >();
  const clientOf = ({ remoteAddr }: Deno.ServeHandlerInfo) =>
    "port" in remoteAddr ? clients.get(remoteAddr.port) : undefined;

  const pass = async (client: Deno.Conn) => {
    const upstream = await Deno.connect({ hostname: "127.0.0.1", port: upstreamPort });
    const { port } = upstream.localAddr;
    const left = Promise.withResolvers<void>();
    clients.set(port, { connection: client, left: left.promise });
    try {
      await Promise.race([copy(client, upstream), copy(upstream, client)]);
    } finally {
      clients.delete(port);
      left.resolve();
      closeQuietly(upstream);
    }
  };
  const accept = async () => {
    for await (const client of listener) {
      pass(client).catch(() => {}).finally(() => closeQuietly(client)); // Either side has left.
    }
  };
  const accepting = accept();
  const finished = async () => {
    try {
      await Promise.race([accepting, inner.finished]);
      await inner.finished;
    } finally {
      closeQuietly(listener);
      for (const { connection } of clients.values()) closeQuietly(connection);
    }
  };
  return {
    addr: { port: (listener.addr as Deno.NetAddr).port },
    finished: finished(),
    disconnect(info) {
      const client = clientOf(info);
      if (client !== undefined) closeQuietly(client.connection);
    },
    whenLeft: (info) => clientOf(info)?.left ?? Promise.resolve(),
  };
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (;;) {
    const read = await from.read(buffer);
    if (read === null) return;
    for (let at = 0; at < read;) at += await to.write(buffer.subarray(at, read));
  }
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.BadResource)) throw thrown; // It is closed.
  }
}
