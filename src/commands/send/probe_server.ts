import type { Clock } from "../../platform/clock.ts";
import { lacksDescriptors } from "../../platform/errors.ts";

/** Response of a path of a probe server. */
export interface ProbeAnswer {
  readonly status: 200 | 404 | 503;
  readonly contentType: string;
  readonly body: string;
}

/** Address of a probe server, and how it answers. */
export interface ProbeServerOptions {
  readonly hostname: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly answer: (path: string) => ProbeAnswer;
  /** Called once, when a connection cannot be accepted for want of file descriptors. */
  readonly outOfDescriptors: () => void;
}

/** A handful of probes and scrapes at a time is all that is expected; the other descriptors belong to the sender. */
const MOST_CONNECTIONS = 16;
/** How long a connection may last, in ms. */
const LONGEST_MS = 5000;
/** How large a request may be, in bytes. */
const LARGEST_REQUEST = 8192;
/** How long to wait after a connection could not be accepted, in ms. */
const PAUSE_MS = 10;

const REASONS = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
} as const;

/**
 * Answers GET and HEAD over HTTP/1.1, one request per connection (RFC 9112). `Deno.serve` bounds neither the number of
 * connections nor their time, and ends when the process runs out of descriptors: anybody who can connect could take those
 * of the sender. Here the oldest connection gives way to the newest.
 */
export class ProbeServer {
  readonly #options: ProbeServerOptions;
  readonly #listener: Deno.TcpListener;
  /** Oldest first. */
  readonly #open = new Set<Deno.TcpConn>();
  readonly #closed = new AbortController();
  /** Most connections that the process can afford. */
  #most = MOST_CONNECTIONS;

  /** Listens; throws what the system says when it cannot. */
  constructor(options: ProbeServerOptions) {
    this.#options = options;
    const { hostname, port } = options;
    this.#listener = Deno.listen({ hostname, port });
    this.#accept();
  }

  get address(): Deno.NetAddr {
    return this.#listener.addr;
  }

  close(): void {
    this.#closed.abort();
    this.#listener.close();
    for (const connection of this.#open) this.#drop(connection);
  }

  async #accept(): Promise<void> {
    const { clock, outOfDescriptors } = this.#options;
    while (!this.#closed.signal.aborted) {
      try {
        const connection = await this.#listener.accept();
        if (this.#closed.signal.aborted) connection.close();
        else this.#add(connection);
      } catch (thrown) {
        // A client may have gone before it was accepted: whatever it is, the next one may be accepted again.
        if (this.#closed.signal.aborted) return;
        if (lacksDescriptors(thrown)) {
          if (this.#most === MOST_CONNECTIONS) outOfDescriptors();
          this.#most = Math.max(1, Math.min(this.#most, this.#open.size) >> 1);
          this.#makeRoom();
        }
        await clock.sleep(PAUSE_MS, this.#closed.signal);
      }
    }
  }

  #add(connection: Deno.TcpConn): void {
    this.#makeRoom();
    this.#open.add(connection);
    const timer = setTimeout(() => this.#drop(connection), LONGEST_MS);
    // Whatever goes wrong with a connection ends that one and no other.
    this.#serve(connection).catch(() => {}).finally(() => {
      clearTimeout(timer);
      this.#drop(connection);
    });
  }

  /** For one more. */
  #makeRoom(): void {
    for (const oldest of this.#open) {
      if (this.#open.size < this.#most) return;
      this.#drop(oldest);
    }
  }

  #drop(connection: Deno.TcpConn): void {
    if (this.#open.delete(connection)) connection.close();
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    const request = await readRequest(connection);
    if (request === undefined) return;
    const response = new TextEncoder().encode(this.#response(request));
    for (let at = 0; at < response.length;) at += await connection.write(response.subarray(at));
    await connection.closeWrite();
    // Closed with something unread, the connection would be reset and the response lost.
    const rest = new Uint8Array(LARGEST_REQUEST);
    while (await connection.read(rest) !== null);
  }

  #response(request: string): string {
    if (request.length >= LARGEST_REQUEST) return responseText(431, TEXT, "too long\n");
    const [, method, target = ""] = /^([A-Z]+) (\S+) HTTP\/1\.\d\r?\n/.exec(request) ?? [];
    const url = URL.parse(target, "http://localhost");
    if (method === undefined || url === null) return responseText(400, TEXT, "not HTTP/1.1\n");
    if (method !== "GET" && method !== "HEAD") {
      return responseText(405, `${TEXT}\r\nAllow: GET, HEAD`, "send GET\n");
    }
    const { status, contentType, body } = this.#options.answer(url.pathname);
    return responseText(status, contentType, body, method === "HEAD");
  }
}

const TEXT = "text/plain; charset=utf-8";

/** Everything up to the empty line after the header fields, or as much as is read; undefined when less came. */
async function readRequest(connection: Deno.TcpConn): Promise<string | undefined> {
  const bytes = new Uint8Array(LARGEST_REQUEST);
  let length = 0;
  let text = "";
  while (length < bytes.length && !/\n\r?\n/.test(text)) {
    const read = await connection.read(bytes.subarray(length));
    if (read === null) return undefined;
    length += read;
    text = new TextDecoder("latin1").decode(bytes.subarray(0, length));
  }
  return text;
}

function responseText(
  status: keyof typeof REASONS,
  contentType: string,
  body: string,
  isHead = false,
): string {
  return [
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    `Content-Type: ${contentType}`,
    `Content-Length: ${new TextEncoder().encode(body).length}`,
    "Connection: close",
    "",
    isHead ? "" : body,
  ].join("\r\n");
}
