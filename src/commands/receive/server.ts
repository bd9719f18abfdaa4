import { whenAborted } from "../../platform/abort.ts";
import type { Clock } from "../../platform/clock.ts";
import { lacksDescriptors, messageOf } from "../../platform/errors.ts";
import { listenerLost } from "../../platform/older_deno.ts";
import { inBrackets } from "../../http/target.ts";
import type { Page } from "./page/page.ts";
import { errorResponse } from "./response.ts";
import type { ReceiveSummary, RequestEvent } from "./event.ts";
import {
  createHandler,
  type Handled,
  type HandlerOptions,
  pathOf,
  refusedAnswer,
} from "./handle.ts";

/** Address, rules and end of a receiver. */
export interface ReceiverOptions extends HandlerOptions {
  readonly host: string;
  /** Port to listen on; 0 picks a free one. */
  readonly port: number;
  /** Certificate and key as PEM; undefined serves plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Number of requests after which it ends; undefined continues until it is stopped. */
  readonly requests: number | undefined;
}

/** Time that requests under way have when a server can accept no more connections, in ms. */
const DRAIN_MS = 3000;
/** Pause before another attempt to listen, in ms. */
const AGAIN_MS = 200;

/** Time that a stop waits for responses under way, in ms. */
const STOP_MS = 3000;
/**
 * Pause before closing, in ms. Deno says `completed` when it has taken a response over, not when it has written it, and
 * closing cuts off the rest.
 */
const LINGER_MS = 50;

/**
 * Starts a receiver that answers requests and reports each to `emit`; throws if it cannot listen. `warn` is called when
 * there are more connections than the process may have open.
 */
export function startReceiver(
  options: ReceiverOptions,
  emit: (event: RequestEvent) => void,
  page?: ServedPage,
  warn: (message: string) => void = () => {},
): Receiver {
  return new Receiver(options, emit, page, warn);
}

type ServedPage = Pick<Page, "answer" | "stop">;

/** Receiver that is listening: the address it has, and how it ends. */
export class Receiver {
  /** URL to send to. */
  readonly url: string;
  /** Resolves when the last response is written and the port is free again. */
  readonly finished: Promise<ReceiveSummary>;
  readonly #options: ReceiverOptions;
  readonly #emit: (event: RequestEvent) => void;
  readonly #page: ServedPage | undefined;
  readonly #warn: (message: string) => void;
  readonly #respond: (request: Request) => Promise<Handled>;
  /** Aborted when no new request is accepted. */
  readonly #stopping = new AbortController();
  /** Aborted when nothing is served any more. */
  readonly #closing = new AbortController();
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  readonly #summary = { requests: 0, points: 0, measurements: 0, rejectedPoints: 0 };
  readonly #port: number;
  #server: Deno.HttpServer<Deno.NetAddr>;
  /** Aborted to end the present server, which another may replace. */
  #serving = new AbortController();
  #arrived = 0;
  #underWay = 0;
  #hanging = 0;

  constructor(
    options: ReceiverOptions,
    emit: (event: RequestEvent) => void,
    page: ServedPage | undefined,
    warn: (message: string) => void,
  ) {
    this.#options = options;
    this.#emit = emit;
    this.#page = page;
    this.#warn = warn;
    this.#respond = createHandler(options, this.#stopping.signal);
    this.#server = this.#listen(options.port);
    this.#port = this.#server.addr.port;
    const scheme = options.tls === undefined ? "http" : "https";
    this.url = `${scheme}://${inBrackets(options.host)}:${this.#port}/v1/metrics`;
    this.finished = this.#served().then(() => ({ ...this.#summary }));
  }

  /** Accepts no new request, answers those under way, abandons hanging ones, and ends. */
  stop(): void {
    this.#stopping.abort();
    this.#page?.stop();
    this.#closeWhenDone();
    // A response that nobody reads never ends by itself.
    this.#closeAfter(STOP_MS);
  }

  /** Ends without answering the requests under way. */
  kill(): void {
    this.#stopping.abort();
    this.#page?.stop();
    this.#close();
  }

  #listen(port: number): Deno.HttpServer<Deno.NetAddr> {
    this.#serving = new AbortController();
    const { host: hostname, tls } = this.#options;
    const { signal } = this.#serving;
    return Deno.serve(
      { hostname, port, signal, onListen: () => {}, ...tls },
      (request, info) => this.#handle(request, info),
    );
  }

  async #handle(request: Request, info: Deno.ServeHandlerInfo): Promise<Response> {
    const shown = await this.#page?.answer(request, this.#port);
    if (shown !== undefined) return shown;
    if (this.#stopping.signal.aborted || this.#isFull()) {
      return errorResponse(503, "the receiver is ending", { Connection: "close" });
    }
    this.#arrived++;
    this.#underWay++;
    const { event, response } = await this.#respond(request).catch((thrown) =>
      internalError(request, this.#options.clock, thrown)
    );
    this.#count(event);
    this.#emit(event);
    if (response === "hang") {
      this.#hanging++;
      this.#settle();
      await whenAborted(request.signal);
      this.#hanging--;
      this.#closeWhenDone();
      // Nobody is left to answer; and Deno 2.9 warns when a handler that watched the signal answers.
      return new Promise(() => {});
    }
    const settle = () => this.#settle();
    info.completed.then(settle, settle);
    return response;
  }

  #count({ status, points, measurements, rejectedPoints }: RequestEvent): void {
    const summary = this.#summary;
    summary.requests++;
    summary.rejectedPoints += rejectedPoints;
    if (status !== 200) return;
    summary.points += points;
    summary.measurements += measurements;
  }

  #settle(): void {
    this.#underWay--;
    this.#closeWhenDone();
  }

  #isFull(): boolean {
    const { requests } = this.#options;
    return requests !== undefined && this.#arrived >= requests;
  }

  #closeWhenDone(): void {
    if (this.#underWay > 0) return;
    if (this.#stopping.signal.aborted || (this.#isFull() && this.#hanging === 0)) {
      this.#page?.stop();
      this.#closeAfter(LINGER_MS);
    }
  }

  #closeAfter(ms: number): void {
    if (!this.#closing.signal.aborted) this.#timers.push(setTimeout(() => this.#close(), ms));
  }

  #close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#closing.abort();
    this.#serving.abort();
  }

  /**
   * Resolves when the receiver has ended. Deno limits neither the number nor the time of connections. A server that cannot
   * accept one more has ended, while the connections it has continue: they are closed, and another server takes its place.
   */
  async #served(): Promise<void> {
    const { clock } = this.#options;
    const closing = this.#closing.signal;
    for (let isWarned = false;; isWarned = true) {
      const why = await this.#whyEnded();
      if (why === undefined) return;
      if (!isWarned) this.#warn(why);
      const until = clock.monotonic() + DRAIN_MS;
      do await clock.sleep(AGAIN_MS, closing); while (
        this.#underWay > 0 && clock.monotonic() < until && !closing.aborted
      );
      this.#serving.abort();
      await this.#server.finished.catch(() => {}); // why it ended is known
      const next = await this.#relisten();
      if (next === undefined) return;
      this.#server = next;
    }
  }

  /** Resolves when the server accepts no more connections: to the reason, or undefined if that was intended. */
  async #whyEnded(): Promise<string | undefined> {
    const { host: hostname, clock, tls } = this.#options;
    const again = tls === undefined
      ? "all connections were closed, and new ones are accepted again"
      // Deno closes none whose handshake has not ended.
      : "connections that have completed TLS were closed, and new ones are accepted when the others have gone";
    const tooMany =
      `there are more connections than this process may have open (ulimit -n): ${again}. Raise the limit, or let ` +
      "clients keep fewer connections";
    const ended = new AbortController();
    try {
      return await Promise.race([
        this.#server.finished.then(() => undefined),
        listenerLost({ hostname, port: this.#port }, clock, ended.signal).then(() => tooMany),
      ]);
    } catch (thrown) {
      if (this.#closing.signal.aborted) return undefined;
      return lacksDescriptors(thrown) ? tooMany : `${messageOf(thrown)}: ${again}`;
    } finally {
      ended.abort();
    }
  }

  async #relisten(): Promise<Deno.HttpServer<Deno.NetAddr> | undefined> {
    while (!this.#closing.signal.aborted) {
      try {
        return this.#listen(this.#port);
      } catch {
        // Another process was faster, with the descriptor or with the port.
        await this.#options.clock.sleep(AGAIN_MS, this.#closing.signal);
      }
    }
    return undefined;
  }
}

/** Response to a request that met a bug of ours, which costs one request and not the receiver. */
function internalError(request: Request, clock: Clock, thrown: unknown): Handled {
  const about = { time: clock.wall(), method: request.method, path: pathOf(request.url) };
  const message = `the receiver failed: ${messageOf(thrown)}`;
  return refusedAnswer(about, 0, { outcome: "refused", status: 500, rule: "internal", message });
}
