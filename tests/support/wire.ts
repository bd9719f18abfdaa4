import { closeQuietly, writeAll } from "./connection.ts";

/** A port on 127.0.0.1 that leads to another one, and keeps what clients send through it. */
export function startWire(to: number): Wire {
  return new Wire(to);
}

export class Wire implements AsyncDisposable {
  /** Bytes that the client of each connection sent, one character per byte. */
  readonly sent: string[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #to: number;
  readonly #open = new Set<Deno.Conn>();
  readonly #serving = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;

  constructor(to: number) {
    this.#to = to;
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    closeQuietly(this.#listener);
    this.#open.forEach(closeQuietly);
    await Promise.all([this.#accepting, ...this.#serving]);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const index = this.sent.push("") - 1;
      // Either side may break off at any time.
      const serving = this.#serve(client, index).catch(() => {});
      this.#serving.add(serving);
    }
  }

  async #serve(client: Deno.Conn, index: number): Promise<void> {
    this.#open.add(client);
    const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#to });
    this.#open.add(server);
    const pump = async (from: Deno.Conn, to: Deno.Conn, see: (bytes: Uint8Array) => void) => {
      const buffer = new Uint8Array(65_536);
      for (let count; (count = await from.read(buffer)) !== null;) {
        const bytes = buffer.subarray(0, count);
        see(bytes);
        await writeAll(to, bytes);
      }
    };
    const keep = (bytes: Uint8Array) => {
      this.sent[index] += String.fromCharCode(...bytes.subarray(0, 4096));
    };
    await Promise.race([pump(client, server, keep), pump(server, client, () => {})])
      .finally(() => [client, server].forEach(closeQuietly));
  }
}
