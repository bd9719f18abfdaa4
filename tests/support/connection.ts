import type { TLSSocket } from "node:tls";

/** Socket as the receiver and the proxy use it; a Deno.Conn is one. */
export interface Connection {
  /** Resolves with null at the end of the stream. */
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
  /** Sends small pieces at once. */
  setNoDelay?(): void;
}

export async function writeAll(connection: Connection, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Closes a connection; the other side may have closed it already. */
export function closeQuietly(closable: { close(): void }): void {
  try {
    closable.close();
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
  }
}

/** A socket of `node:tls`, which alone can ask for client certificates. */
export function fromTlsSocket(socket: TLSSocket): Connection {
  const chunks: AsyncIterator<Uint8Array> = socket[Symbol.asyncIterator]();
  let rest = new Uint8Array(0);
  return {
    async read(into) {
      if (rest.length === 0) {
        const next = await chunks.next();
        if (next.done === true) return null;
        rest = new Uint8Array(next.value);
      }
      const taken = rest.subarray(0, into.length);
      into.set(taken);
      rest = rest.subarray(taken.length);
      return taken.length;
    },
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(
          bytes,
          (error?: Error | null) => error ? reject(error) : resolve(bytes.length),
        );
      }),
    close: () => void socket.destroy(),
  };
}
