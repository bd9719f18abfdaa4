import { gunzipSync } from "node:zlib";

/** Receiver that accepts so many data points per second, and counts them itself. */
export interface TokenBucketOptions {
  /** Data points per second. */
  readonly capacity: number;
  /** How many seconds of its capacity it has in store. */
  readonly burstSeconds?: number;
  /** Time that each response takes. */
  readonly delayMs?: number;
  /** Status of a request beyond its capacity. */
  readonly status?: number;
}

/** Starts a receiver of known capacity on 127.0.0.1: a token bucket, which answers 429 beyond it. */
export function startTokenBucket(options: TokenBucketOptions): TokenBucket {
  return new TokenBucket(options);
}

export class TokenBucket implements AsyncDisposable {
  /** Data points, measurements and requests that were accepted. */
  points = 0;
  measurements = 0;
  requests = 0;
  /** Requests that were refused. */
  refused = 0;
  /** Accepted data points by the value of their attribute `series`. */
  readonly series = new Map<string, number>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #tokens: number;
  #filledAt = performance.now();

  constructor(
    { capacity, burstSeconds = 0.25, delayMs = 0, status = 429 }: TokenBucketOptions,
  ) {
    const most = capacity * burstSeconds;
    this.#tokens = most;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        const { points, measurements, series } = countPoints(
          gunzipped(new Uint8Array(await request.arrayBuffer())),
        );
        const now = performance.now();
        this.#tokens = Math.min(most, this.#tokens + (now - this.#filledAt) * capacity / 1000);
        this.#filledAt = now;
        const isAccepted = points <= this.#tokens;
        if (isAccepted) {
          this.#tokens -= points;
          this.points += points;
          this.measurements += measurements;
          this.requests++;
          for (const name of series) this.series.set(name, (this.series.get(name) ?? 0) + 1);
        } else this.refused++;
        if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
        return new Response(null, { status: isAccepted ? 200 : status });
      },
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function gunzipped(body: Uint8Array): Uint8Array {
  return body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body;
}

/** Field of a message, as its bytes or its number. */
type Visit = (field: number, bytes: Uint8Array, value: number) => void;

/** Calls `visit` with each field of a message. */
function walk(message: Uint8Array, visit: Visit): void {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1;; shift *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  const none = new Uint8Array();
  while (at < message.length) {
    const tag = varint();
    const field = tag >>> 3;
    switch (tag & 7) {
      case 0:
        visit(field, none, varint());
        break;
      case 1:
        visit(field, none, Number(view.getBigUint64(at, true)));
        at += 8;
        break;
      case 2: {
        const length = varint();
        visit(field, message.subarray(at, at + length), 0);
        at += length;
        break;
      }
      default:
        throw new Error(`Field ${field} has the wire type ${tag & 7}`);
    }
  }
}

/** Counts the histogram data points of an export request, apart from the decoder that the program has. */
export function countPoints(request: Uint8Array) {
  let points = 0;
  let measurements = 0;
  const series: string[] = [];
  const text = new TextDecoder();
  const inside = (wanted: number, visit: (bytes: Uint8Array) => void): Visit => (field, bytes) => {
    if (field === wanted) visit(bytes);
  };
  const point = (bytes: Uint8Array) => {
    points++;
    walk(bytes, (field, attribute, value) => {
      if (field === 4) measurements += value;
      if (field !== 9) return;
      let key = "";
      walk(attribute, (part, content) => {
        if (part === 1) key = text.decode(content);
        if (part !== 2 || key !== "series") return;
        walk(content, (_, name) => series.push(text.decode(name)));
      });
    });
  };
  const histogram = inside(1, point);
  const metric = inside(9, (bytes) => walk(bytes, histogram));
  const scope = inside(2, (bytes) => walk(bytes, metric));
  const resource = inside(2, (bytes) => walk(bytes, scope));
  walk(request, inside(1, (bytes) => walk(bytes, resource)));
  return { points, measurements, series };
}
