import type { Clock } from "../../../platform/clock.ts";
import type { Cursor, Feed } from "./feed.ts";

/** Interval between checks for news, in ms. */
const TICK_MS = 150;
/**
 * Ticks without news after which an update is sent all the same: rates fall, and only writing reveals a broken
 * connection.
 */
const IDLE_TICKS = 7;
/** Maximum number of simultaneous readers. */
const MOST_READERS = 16;

interface Reader {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly cursor: Cursor;
  idle: number;
}

/** Streams of server-sent events, one per reader (HTML Standard, section 9.2). */
export class Streams {
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #readers = new Set<Reader>();
  readonly #encoder = new TextEncoder();
  #timer: ReturnType<typeof setInterval> | undefined;
  #stopped = false;

  constructor(feed: Feed, clock: Clock) {
    this.#feed = feed;
    this.#clock = clock;
  }

  /** Answers with a stream that lasts until its reader leaves or the receiver ends. */
  open(request: Request, headers: Readonly<Record<string, string>>): Response {
    if (this.#stopped || this.#readers.size >= MOST_READERS) {
      const why = this.#stopped
        ? "the receiver is ending"
        : `${MOST_READERS} are connected already`;
      return new Response(`${why}\n`, { status: 503, headers });
    }
    const type = { ...headers, "Content-Type": "text/event-stream; charset=utf-8" };
    if (request.method === "HEAD") return new Response(null, { headers: type });
    let reader: Reader | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        reader = { controller, cursor: this.#feed.begin(), idle: 0 };
        this.#readers.add(reader);
        this.#send(reader, "hello", this.#feed.hello());
        this.#update(reader);
        this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
      },
      cancel: () => {
        if (reader !== undefined) this.#leave(reader);
      },
    });
    return new Response(body, { headers: type });
  }

  stop(): void {
    this.#stopped = true;
    for (const reader of this.#readers) {
      this.#leave(reader);
      reader.controller.close();
    }
  }

  #leave(reader: Reader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    for (const reader of this.#readers) {
      // A slow reader gets later, larger updates.
      const isFree = (reader.controller.desiredSize ?? 0) > 0;
      if (!isFree) continue;
      if (this.#feed.isNew(reader.cursor) || ++reader.idle >= IDLE_TICKS) this.#update(reader);
    }
  }

  #update(reader: Reader): void {
    reader.idle = 0;
    this.#send(reader, "update", this.#feed.next(reader.cursor, this.#clock.wall()));
  }

  #send({ controller }: Reader, event: string, data: unknown): void {
    controller.enqueue(this.#encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  }
}
