import type { Connection } from "./connection.ts";

export interface Head {
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
}

/** Reads HTTP/1.1 requests (RFC 9112) from a connection, one after the other. */
export class HttpReader {
  readonly #connection: Connection;
  #buffer = new Uint8Array(0);

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Undefined when the connection ends before another request; `step` bounds what is read ahead. */
  async head(step?: number): Promise<Head | undefined> {
    const first = await this.#line(step);
    if (first === undefined) return undefined;
    const [method = "", target = ""] = first.split(" ");
    const headers = new Headers();
    for (;;) {
      const line = await this.#line(step);
      if (line === undefined) return undefined;
      if (line === "") return { method, target, headers };
      const colon = line.indexOf(":");
      headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
    }
  }

  /** Throws when the connection ends inside the body. */
  async body(headers: Headers): Promise<Uint8Array<ArrayBuffer>> {
    if (!/\bchunked\b/i.test(headers.get("transfer-encoding") ?? "")) {
      return await this.#exactly(Number(headers.get("content-length") ?? 0));
    }
    const chunks: Uint8Array[] = [];
    for (;;) {
      const size = Number.parseInt(await this.#line() ?? "", 16);
      if (Number.isNaN(size)) throw new Error("The connection ended inside a chunked body");
      if (size === 0) break;
      chunks.push(await this.#exactly(size));
      await this.#line();
    }
    while (await this.#line()); // trailers
    return concat(chunks);
  }

  /** Bytes that were read ahead and belong to no request. */
  rest(): Uint8Array {
    return this.#buffer;
  }

  /** Reads and forgets until the other side closes. */
  async untilClosed(): Promise<void> {
    do this.#buffer = new Uint8Array(0); while (await this.#fill());
  }

  async #line(step?: number): Promise<string | undefined> {
    let end: number;
    while ((end = this.#buffer.indexOf(10)) === -1) {
      if (!await this.#fill(step)) return undefined;
    }
    const line = new TextDecoder("latin1").decode(this.#buffer.subarray(0, end));
    this.#buffer = this.#buffer.slice(end + 1);
    return line.replace(/\r$/, "");
  }

  async #exactly(size: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(size);
    const ahead = this.#buffer.subarray(0, size);
    bytes.set(ahead);
    this.#buffer = this.#buffer.slice(ahead.length);
    for (let at = ahead.length; at < size;) {
      const count = await this.#connection.read(bytes.subarray(at));
      if (count === null) throw new Error(`The connection ended after ${at} of ${size} bytes`);
      at += count;
    }
    return bytes;
  }

  async #fill(step = 65536): Promise<boolean> {
    const chunk = new Uint8Array(step);
    const count = await this.#connection.read(chunk);
    if (count === null) return false;
    this.#buffer = concat([this.#buffer, chunk.subarray(0, count)]);
    return true;
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
