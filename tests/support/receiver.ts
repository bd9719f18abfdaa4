import { Changes } from "./changes.ts";
import { closeQuietly, type Connection, fromTlsSocket, writeAll } from "./connection.ts";
import { converseHttp2 } from "./http2.ts";
import { concat, type Head, HttpReader } from "./http.ts";
import { freePort, whenFree } from "./process.ts";

/** An answer as it should be; by default status 200 and an empty body. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Waits so long before the answer. */
  readonly delayMs?: number;
  /** Sends the answer a byte at a time, with such a pause after each. */
  readonly everyMs?: number;
  /** In place of what `headers` and `body` make: all bytes of the answer, which say whether the connection is closed. */
  readonly raw?: Uint8Array;
  /** Leaves the connection open after the answer and sends no more, until the other side closes it. */
  readonly stuck?: boolean;
  /** Over HTTP/2: the connection is closed after the body, which has no end. */
  readonly cut?: boolean;
}

/**
 * Trouble with a connection:
 * - "refuse": closed before a request is read (a port on which nothing listens: `stop()`);
 * - "reset-before-body", "reset-after-body": closed without an answer once the request's head, or
 *   all of the request, was read;
 * - "half-answer": a status and fewer bytes than its Content-Length says, then closed;
 * - "trickle": an answer a byte at a time; "endless": one that never stops; "hang": none.
 */
export type Trouble =
  | "refuse"
  | "reset-before-body"
  | "reset-after-body"
  | "half-answer"
  | "trickle"
  | "endless"
  | "hang";

type Plain = number | Reply | Trouble;
/** A number is a status. */
export type ExportAnswer = Plain | Decide;
type Decide = (request: ReceivedRequest) => Plain | Promise<Plain>;

export interface ReceivedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
  /** As it came; empty for "reset-before-body". */
  readonly body: Uint8Array;
  /** The body without its gzip. */
  readonly content: Uint8Array;
  /** 1 for the first connection that was accepted. */
  readonly connection: number;
  /** When it had come completely: `performance.now()`. */
  readonly at: number;
  /** The common name in the client's certificate. */
  readonly client: string | undefined;
  /** Answer to it; undefined while a function has not decided. */
  answered: number | Trouble | undefined;
}

export interface ServerTls {
  /** PEM, as is the key. */
  readonly certificate: string;
  readonly key: string;
  /** Demands client certificates that this authority (PEM) has signed; needs Deno 2.9 or later. */
  readonly clientAuthority?: string;
  /** Speaks HTTP/2 alone. */
  readonly http2?: boolean;
}

export interface ReceiverOptions {
  /** One a request, in order; after the last, 200 with an empty body. */
  readonly answers?: readonly ExportAnswer[];
  /** "broken": the connection breaks in the middle of the TLS handshake. */
  readonly tls?: ServerTls | "broken";
}

/** A receiver on 127.0.0.1 and a free port that records what it gets and answers as it is told. */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const receiver = new Receiver(options);
  await receiver.restart();
  return receiver;
}

export class Receiver implements AsyncDisposable {
  readonly requests: ReceivedRequest[] = [];
  /** How many connections were accepted. */
  connections = 0;
  /** Why connections failed: a TLS handshake that was broken off, for example. */
  readonly connectionErrors: string[] = [];
  readonly #tls: ServerTls | "broken" | undefined;
  readonly #answers: ExportAnswer[];
  readonly #changes = new Changes();
  readonly #failures: unknown[] = [];
  readonly #open = new Set<Connection>();
  readonly #serving = new Set<Promise<void>>();
  /** Below those that systems give to whoever asks for port 0: nobody takes it while the receiver is stopped. */
  readonly #port = freePort();
  #listener: { close(): void } | undefined;
  #stopped = new AbortController();

  constructor({ answers = [], tls }: ReceiverOptions) {
    this.#answers = [...answers];
    this.#tls = tls;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `${this.#tls === undefined ? "http" : "https"}://127.0.0.1:${this.#port}`;
  }

  /** Adds to the answers that are still to be given. */
  answer(...answers: readonly ExportAnswer[]): void {
    this.#answers.push(...answers);
  }

  /** Resolves once so many connections have failed on the receiver's side too. */
  async waitForConnectionErrors(count: number, timeoutMs = 30_000): Promise<readonly string[]> {
    await this.#changes.until(
      () => this.connectionErrors.length >= count,
      timeoutMs,
      () => `${this.connectionErrors.length} of ${count} connections failed`,
    );
    return this.connectionErrors;
  }

  async waitForRequests(count: number, timeoutMs = 30_000): Promise<readonly ReceivedRequest[]> {
    await this.#changes.until(
      () => this.requests.length >= count,
      timeoutMs,
      () => `${this.requests.length} of ${count} requests came`,
    );
    return this.requests;
  }

  /** Listens again, on the same port as before. */
  async restart(): Promise<void> {
    if (this.#listener !== undefined) throw new Error("The receiver is running");
    this.#stopped = new AbortController();
    const tls = this.#tls;
    if (tls !== undefined && tls !== "broken" && tls.clientAuthority !== undefined) {
      await this.#listenForClientCertificates(tls, tls.clientAuthority);
      return;
    }
    const at = { hostname: "127.0.0.1", port: this.#port };
    const listener = await whenFree<Deno.Listener>(() =>
      tls === undefined || tls === "broken" ? Deno.listen(at) : Deno.listenTls({
        ...at,
        cert: tls.certificate,
        key: tls.key,
        ...tls.http2 && { alpnProtocols: ["h2"] },
      })
    );
    this.#listener = listener;
    this.#track(this.#accept(listener));
  }

  /** Closes the port and every connection. Throws what an answer that is a function threw. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    if (this.#listener !== undefined) closeQuietly(this.#listener);
    this.#listener = undefined;
    for (const connection of this.#open) closeQuietly(connection);
    await Promise.all(this.#serving);
    const [failure] = this.#failures.splice(0);
    if (failure !== undefined) throw failure;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #accept(listener: Deno.Listener): Promise<void> {
    for (;;) {
      try {
        this.#serve(await listener.accept());
      } catch (thrown) {
        if (this.#stopped.signal.aborted) return;
        this.#failed(thrown);
      }
    }
  }

  async #listenForClientCertificates(tls: ServerTls, authority: string): Promise<void> {
    const { createServer } = await import("node:tls");
    const server = createServer(
      {
        cert: tls.certificate,
        key: tls.key,
        ca: authority,
        requestCert: true,
        rejectUnauthorized: true,
      },
      (socket) => {
        socket.on("error", (error) => this.#failed(error));
        this.#serve(fromTlsSocket(socket), commonName(socket.getPeerCertificate()));
      },
    );
    server.on("tlsClientError", (error) => this.#failed(error));
    await whenFree(() =>
      new Promise<void>((resolve, reject) => {
        server.once("error", reject).listen(this.#port, "127.0.0.1", () => resolve());
      })
    );
    const closed = new Promise<void>((resolve) => server.on("close", () => resolve()));
    this.#track(closed);
    this.#listener = { close: () => void server.close() };
  }

  #serve(connection: Connection, client?: string): void {
    this.connections++;
    this.#open.add(connection);
    this.#changes.notify();
    this.#track(
      this.#converse(connection, this.connections, client)
        .catch((thrown) => this.#failed(thrown))
        .finally(() => {
          this.#open.delete(connection);
          closeQuietly(connection);
        }),
    );
  }

  #failed(thrown: unknown): void {
    if (this.#stopped.signal.aborted) return; // what stop() closes has not failed
    this.connectionErrors.push(thrown instanceof Error ? thrown.message : String(thrown));
    this.#changes.notify();
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#serving.delete(tracked));
    this.#serving.add(tracked);
  }

  /** Returns when the connection is to be closed. */
  async #converse(connection: Connection, number: number, client?: string): Promise<void> {
    if (this.#tls === "broken") return await breakHandshake(connection);
    if (this.#answers[0] === "refuse") return void this.#answers.shift();
    connection.setNoDelay?.();
    if (this.#tls?.http2) {
      return await converseHttp2(connection, (head, body) => this.#answerTo(head, body, number));
    }
    const reader = new HttpReader(connection);
    for (;;) {
      // A socket closed with data that nobody has read is reset, not just ended.
      const head = await reader.head(this.#answers[0] === "reset-before-body" ? 1 : undefined);
      if (head === undefined) return;
      const answer = this.#answers.shift() ?? 200;
      if (answer === "refuse") return;
      const body = answer === "reset-before-body"
        ? new Uint8Array(0)
        : await reader.body(head.headers);
      const request: ReceivedRequest = {
        ...head,
        body,
        content: await this.#content(head, body),
        connection: number,
        at: performance.now(),
        client,
        answered: typeof answer === "function" ? undefined : statusOf(answer),
      };
      this.requests.push(request);
      this.#changes.notify();
      const plain = typeof answer === "function" ? await this.#ask(answer, request) : answer;
      request.answered = statusOf(plain);
      const more = await this.#send(connection, reader, plain);
      if (!more || head.headers.get("connection")?.toLowerCase() === "close") return;
    }
  }

  /** Over HTTP/2, which knows no trouble but `cut`. */
  async #answerTo(head: Head, body: Uint8Array<ArrayBuffer>, connection: number): Promise<Reply> {
    const answer = this.#answers.shift() ?? 200;
    const request: ReceivedRequest = {
      ...head,
      body,
      content: await this.#content(head, body),
      connection,
      at: performance.now(),
      client: undefined,
      answered: undefined,
    };
    this.requests.push(request);
    this.#changes.notify();
    const plain = typeof answer === "function" ? await this.#ask(answer, request) : answer;
    request.answered = statusOf(plain);
    if (typeof plain === "string") throw new Error(`Not over HTTP/2: ${plain}`);
    return typeof plain === "number" ? { status: plain } : plain;
  }

  async #ask(decide: Decide, request: ReceivedRequest): Promise<Plain> {
    try {
      return await decide(request);
    } catch (thrown) {
      this.#failures.push(thrown);
      return 500;
    }
  }

  async #content(head: Head, body: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    if (head.headers.get("content-encoding") !== "gzip" || body.length === 0) return body;
    try {
      return await gunzip(body);
    } catch (thrown) {
      this.#failures.push(thrown);
      return body;
    }
  }

  /** Whether the connection goes on. */
  async #send(connection: Connection, reader: HttpReader, answer: Plain): Promise<boolean> {
    switch (answer) {
      case "refuse":
      case "reset-before-body":
      case "reset-after-body":
        return false;
      case "half-answer": {
        const half = encode({ headers: { "content-length": "100" }, body: "only half of it" });
        await writeAll(connection, half);
        return false;
      }
      case "endless": {
        await writeAll(connection, encode({ headers: { "transfer-encoding": "chunked" } }));
        const chunk = concat([
          ascii("10000\r\n"),
          new Uint8Array(65536),
          ascii("\r\n"),
        ]);
        for (;;) await writeAll(connection, chunk);
      }
      case "hang":
        await reader.untilClosed();
        return false;
    }
    const reply = answer === "trickle"
      ? { everyMs: 10 }
      : typeof answer === "number"
      ? { status: answer }
      : answer;
    if (reply.delayMs !== undefined) await this.#pause(reply.delayMs);
    const bytes = encode(reply);
    if (reply.everyMs === undefined) {
      await writeAll(connection, bytes);
    } else {
      for (const byte of bytes) {
        await writeAll(connection, Uint8Array.of(byte));
        await this.#pause(reply.everyMs);
      }
    }
    if (reply.stuck) await reader.untilClosed();
    if (reply.stuck || reply.headers?.["connection"] === "close") return false;
    return reply.raw === undefined || !endsConnection(reply.raw);
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopped;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done);
      if (signal.aborted) done();
    });
  }
}

/** Whether the client got a status that says its request was accepted, however the answer ended. */
export function isTaken({ answered }: Pick<ReceivedRequest, "answered">): boolean {
  if (typeof answered !== "number") return answered === "half-answer" || answered === "endless";
  return answered >= 200 && answered < 300;
}

function statusOf(answer: Plain): number | Trouble {
  return typeof answer === "object" ? answer.status ?? 200 : answer;
}

/** Adds Content-Length unless the headers say how long the body is. Header names in lower case. */
function encode({ status = 200, headers = {}, body = "", raw }: Reply): Uint8Array {
  if (raw !== undefined) return raw;
  const content = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const framed = headers["content-length"] !== undefined ||
    headers["transfer-encoding"] !== undefined || status === 204 || status === 304;
  const lines = [
    `HTTP/1.1 ${status} Scripted`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(framed ? [] : [`content-length: ${content.length}`]),
  ];
  return concat([ascii(`${lines.join("\r\n")}\r\n\r\n`), content]);
}

/** Whether bytes of an answer are the last on their connection (RFC 9112, 9.3). */
function endsConnection(bytes: Uint8Array): boolean {
  const text = new TextDecoder("latin1").decode(bytes);
  return /^HTTP\/1\.0|^connection: close\r$/im.test(text);
}

/** Waits for the ClientHello and answers with the first bytes of a handshake record (RFC 8446). */
async function breakHandshake(connection: Connection): Promise<void> {
  await connection.read(new Uint8Array(1024));
  await writeAll(connection, Uint8Array.of(0x16, 0x03, 0x03, 0x00, 0x7a, 0x02));
}

async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function commonName(certificate: { readonly subject?: { readonly CN?: unknown } }) {
  const name = certificate.subject?.CN;
  return typeof name === "string" ? name : undefined;
}
