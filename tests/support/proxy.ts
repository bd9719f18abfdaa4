import { closeQuietly, type Connection, writeAll } from "./connection.ts";
import { type Head, HttpReader } from "./http.ts";
import type { ServerTls } from "./receiver.ts";

export interface ProxiedRequest {
  /** "SOCKS5" where that is spoken. */
  readonly method: string;
  /** As the client wrote it: a whole URL, or for a tunnel HOST:PORT. */
  readonly target: string;
  readonly tunnel: boolean;
  /** The value of Proxy-Authorization; with SOCKS5 `USER:PASSWORD`. */
  readonly authorization: string | undefined;
  /** Status that the proxy itself answered; undefined when it passed the request on. */
  readonly refused: number | undefined;
}

export interface ProxyOptions {
  /** Demands these, as Basic authentication; otherwise 407. */
  readonly credentials?: { readonly user: string; readonly password: string };
  /** Where every host is to be found on 127.0.0.1, whatever its name; without it, at its own port. */
  readonly to?: number;
  /** Speaks SOCKS5 (RFC 1928, 1929) in place of HTTP. */
  readonly socks?: true;
  /** The certificate of a proxy that speaks TLS; without it, everything is in clear text. */
  readonly tls?: ServerTls;
  /** Answers every request with this status. */
  readonly refuse?: keyof typeof REFUSALS;
  /** "::1" for a proxy there; 127.0.0.1 by default. */
  readonly hostname?: "127.0.0.1" | "::1";
}

/** A proxy on loopback that never leaves it: every host name leads there. */
export function startProxy(options: ProxyOptions = {}): Proxy {
  return new Proxy(options);
}

export class Proxy implements AsyncDisposable {
  readonly requests: ProxiedRequest[] = [];
  readonly #options: ProxyOptions;
  readonly #listener: Deno.TcpListener | Deno.TlsListener;
  readonly #open = new Set<Connection>();
  readonly #serving = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;

  constructor(options: ProxyOptions) {
    this.#options = options;
    const address = { hostname: options.hostname ?? "127.0.0.1", port: 0 };
    this.#listener = options.tls === undefined
      ? Deno.listen(address)
      : Deno.listenTls({ ...address, cert: options.tls.certificate, key: options.tls.key });
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get url(): string {
    const { socks, tls, hostname = "127.0.0.1" } = this.#options;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    const scheme = socks ? "socks5" : tls === undefined ? "http" : "https";
    return `${scheme}://${host}:${this.port}`;
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
    if (this.#options.socks) return await this.#serveSocks(connection);
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
      await writeAll(connection, utf8(REFUSALS[refused]));
      return;
    }
    const url = new URL(tunnel ? `http://${head.target}` : head.target);
    const port = this.#options.to ?? Number(url.port || 80);
    const upstream = await connect(port);
    if (upstream === undefined) return await writeAll(connection, utf8(REFUSALS[502]));
    this.#open.add(upstream);
    try {
      if (tunnel) {
        await writeAll(connection, utf8("HTTP/1.1 200 Connection established\r\n\r\n"));
        await writeAll(upstream, reader.rest());
        await Promise.race([pump(connection, upstream), pump(upstream, connection)]);
      } else {
        const body = await reader.body(head.headers);
        await writeAll(upstream, utf8(forwarded(head, url, body.length)));
        await writeAll(upstream, body);
        await pump(upstream, connection);
      }
    } finally {
      this.#close(upstream);
    }
  }

  async #serveSocks(connection: Connection): Promise<void> {
    const { credentials, refuse, to } = this.#options;
    const read = (length: number) => readExactly(connection, length);
    const text = async () => new TextDecoder().decode(await read((await read(1))[0] ?? 0));
    const [, methods = 0] = await read(2);
    const method = credentials === undefined ? 0 : 2;
    const isOffered = (await read(methods)).includes(method);
    await writeAll(connection, new Uint8Array([5, isOffered ? method : 0xff]));
    if (!isOffered) return;
    let authorization: string | undefined;
    if (credentials !== undefined) {
      await read(1);
      authorization = `${await text()}:${await text()}`;
      const isRight = authorization === `${credentials.user}:${credentials.password}`;
      await writeAll(connection, new Uint8Array([1, isRight ? 0 : 1]));
      if (!isRight) return;
    }
    const [, , , type] = await read(4);
    const host = type === 3
      ? await text()
      : type === 1
      ? (await read(4)).join(".")
      : `[${ipv6Of(await read(16))}]`;
    const [high = 0, low = 0] = await read(2);
    const port = high * 256 + low;
    const upstream = refuse === undefined ? await connect(to ?? port) : undefined;
    this.requests.push({
      method: "SOCKS5",
      target: `${host}:${port}`,
      tunnel: true,
      authorization,
      refused: refuse,
    });
    // 2: "connection not allowed by ruleset", 5: "connection refused"; the address it is bound to is nobody's business.
    const reply = refuse !== undefined ? 2 : upstream === undefined ? 5 : 0;
    await writeAll(connection, new Uint8Array([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]));
    if (upstream === undefined) return;
    this.#open.add(upstream);
    try {
      await Promise.race([pump(connection, upstream), pump(upstream, connection)]);
    } finally {
      this.#close(upstream);
    }
  }

  #refusal({ target, method, headers }: Head): keyof typeof REFUSALS | undefined {
    const { credentials, refuse } = this.#options;
    if (refuse !== undefined) return refuse;
    if (credentials !== undefined) {
      const bytes = utf8(`${credentials.user}:${credentials.password}`);
      const expected = `Basic ${btoa(String.fromCharCode(...bytes))}`;
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
  403: refusal("403 Forbidden"),
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

/** Throws when the connection ends before. */
async function readExactly(connection: Connection, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await connection.read(bytes.subarray(at));
    if (count === null) throw new Error("The connection ended inside a message");
    at += count;
  }
  return bytes;
}

/** As a URL has it. */
function ipv6Of(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, i) => ((bytes[2 * i] ?? 0) * 256 + (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
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

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
