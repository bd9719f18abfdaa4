import { closeQuietly, type Connection, writeAll } from "./connection.ts";
import { type Head, HttpReader } from "./http.ts";

export interface ProxiedRequest {
  readonly method: string;
  /** As the client wrote it: a whole URL, or for a tunnel HOST:PORT. */
  readonly target: string;
  readonly tunnel: boolean;
  /** The value of Proxy-Authorization. */
  readonly authorization: string | undefined;
  /** What the proxy itself answered; undefined when it passed the request on. */
  readonly refused: number | undefined;
}

export interface ProxyOptions {
  /** Demands these, as Basic authentication; otherwise 407. */
  readonly credentials?: { readonly user: string; readonly password: string };
  /** Where every host is to be found on 127.0.0.1, whatever its name; without it, at its own port. */
  readonly to?: number;
}

/** An HTTP proxy on 127.0.0.1 that never leaves it: every host name leads there. */
export function startProxy(options: ProxyOptions = {}): Proxy {
  return new Proxy(options);
}

export class Proxy implements AsyncDisposable {
  readonly requests: ProxiedRequest[] = [];
  readonly #options: ProxyOptions;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Connection>();
  readonly #serving = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The URL with user name and password in it. */
  get urlWithCredentials(): string {
    const url = new URL(this.url);
    url.username = this.#options.credentials?.user ?? "";
    url.password = this.#options.credentials?.password ?? "";
    return url.href;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    closeQuietly(this.#listener);
    for (const connection of this.#open) closeQuietly(connection);
    await Promise.all([this.#accepting, ...this.#serving]);
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      // Either side may break off at any time; what a test asks about is in `requests`.
      const serving = this.#serve(connection)
        .catch(() => {})
        .finally(() => {
          this.#close(connection);
          this.#serving.delete(serving);
        });
      this.#serving.add(serving);
    }
  }

  /** One request a connection. */
  async #serve(connection: Connection): Promise<void> {
    this.#open.add(connection);
    const reader = new HttpReader(connection);
    const head = await reader.head();
    if (head === undefined) return;
    const tunnel = head.method === "CONNECT";
    const refused = this.#refusal(head);
    this.requests.push({
      method: head.method,
      target: head.target,
      tunnel,
      authorization: head.headers.get("proxy-authorization") ?? undefined,
      refused,
    });
    if (refused !== undefined) {
      await reader.body(head.headers);
      await writeAll(connection, ascii(REFUSALS[refused]));
      return;
    }
    const url = new URL(tunnel ? `http://${head.target}` : head.target);
    const port = this.#options.to ?? Number(url.port || 80);
    const upstream = await connect(port);
    if (upstream === undefined) return await writeAll(connection, ascii(REFUSALS[502]));
    this.#open.add(upstream);
    try {
      if (tunnel) {
        await writeAll(connection, ascii("HTTP/1.1 200 Connection established\r\n\r\n"));
        await writeAll(upstream, reader.rest());
        await Promise.race([pump(connection, upstream), pump(upstream, connection)]);
      } else {
        const body = await reader.body(head.headers);
        await writeAll(upstream, ascii(forwarded(head, url, body.length)));
        await writeAll(upstream, body);
        await pump(upstream, connection);
      }
    } finally {
      this.#close(upstream);
    }
  }

  #refusal({ target, method, headers }: Head): 400 | 407 | undefined {
    const { credentials } = this.#options;
    if (credentials !== undefined) {
      const expected = `Basic ${btoa(`${credentials.user}:${credentials.password}`)}`;
      if (headers.get("proxy-authorization") !== expected) return 407;
    }
    return method === "CONNECT" || target.startsWith("http://") ? undefined : 400;
  }

  #close(connection: Connection): void {
    this.#open.delete(connection);
    closeQuietly(connection);
  }
}

const REFUSALS = {
  400: refusal("400 Not a proxy request"),
  407: refusal("407 Proxy Authentication Required", 'proxy-authenticate: Basic realm="test"\r\n'),
  502: refusal("502 Bad Gateway"),
};

function refusal(status: string, headers = ""): string {
  return `HTTP/1.1 ${status}\r\n${headers}connection: close\r\ncontent-length: 0\r\n\r\n`;
}

/** The request as a proxy passes it on: origin form, and without what was meant for the proxy. */
function forwarded({ method, headers }: Head, url: URL, length: number): string {
  const lines = [
    `${method} ${url.pathname}${url.search} HTTP/1.1`,
    "connection: close",
    `content-length: ${length}`,
  ];
  for (const [name, value] of headers) {
    if (!/^(?:proxy-.*|connection|content-length|transfer-encoding)$/.test(name)) {
      lines.push(`${name}: ${value}`);
    }
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

async function connect(port: number): Promise<Deno.TcpConn | undefined> {
  try {
    return await Deno.connect({ hostname: "127.0.0.1", port });
  } catch (thrown) {
    if (thrown instanceof Deno.errors.ConnectionRefused) return undefined;
    throw thrown;
  }
}

async function pump(from: Connection, to: Connection): Promise<void> {
  const buffer = new Uint8Array(65536);
  for (let count; (count = await from.read(buffer)) !== null;) {
    await writeAll(to, buffer.subarray(0, count));
  }
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
