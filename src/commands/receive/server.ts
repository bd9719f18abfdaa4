import { whenAborted } from "../../platform/abort.ts";
import type { Clock } from "../../platform/clock.ts";
import { lacksDescriptors, messageOf } from "../../platform/errors.ts";
import { listenerLost } from "../../platform/older_deno.ts";
import { inBrackets } from "../../http/target.ts";
import type { Page } from "./page/page.ts";
import { errorResponse } from "./response.ts";
import { type FrontServer, serveBehindFront } from "./front.ts";
import type { ReceiveSummary, RequestEvent } from "./event.ts";
import { createHandler, type Handled, type HandlerOptions, refusedAnswer } from "./handle.ts";
import { withCorsHeaders } from "./cors.ts";
import { OtherRequests } from "./other_requests.ts";
import { pathOf } from "./request_path.ts";

/** Address, rules and end of a receiver. */
export interface ReceiverOptions extends HandlerOptions {
  readonly host: string;
  /** Port to listen on; 0 picks a free one. */
  readonly port: number;
  /** Certificate and key as PEM; undefined serves plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Number of requests after which it ends; undefined continues until it is stopped. */
  readonly requests: number | undefined;
  /** Resolves when a slow reader of the output is ready for more, so that requests wait for it. */
  readonly printed?: () => Promise<unknown>;
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

/** Time after the end of a command in which requests that it has sent are still accepted, in ms. */
const ARRIVE_MS = 100;

/** Reports of a receiver besides requests. */
export interface Remarks {
  /** Called when there are more connections than the process may have open. */
  readonly warn: (message: string) => void;
  /** Called once for each signal that is discarded, and for each origin that is refused. */
  readonly note: (message: string) => void;
}

const NO_REMARKS: Remarks = { warn() {}, note() {} };

/** Starts a receiver that answers requests and reports each to `emit`; throws if it cannot listen. */
export function startReceiver(
  options: ReceiverOptions,
  emit: (event: RequestEvent) => void,
  page?: ServedPage,
  remarks = NO_REMARKS,
): Receiver {
  return new Receiver(options, emit, page, remarks);
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
  readonly #others: OtherRequests;
  readonly #respond: (request: Request) => Promise<Handled>;
  /** Aborted when no new request is accepted. */
  readonly #stopping = new AbortController();
  /** Aborted when nothing is served any more. */
  readonly #closing = new AbortController();
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  readonly #summary = { requests: 0, points: 0, measurements: 0, rejectedPoints: 0 };
  readonly #port: number;
  #server: Pick<FrontServer, "addr" | "finished">;
  /** Server of a receiver that breaks connections, or lets requests hang. */
  #front: FrontServer | undefined;
  /** Aborted to end the present server, which another may replace. */
  #serving = new AbortController();
  /** Resolves when the last of the requests under way is answered. */
  #idle = Promise.withResolvers<void>();
  #arrived = 0;
  #underWay = 0;
  #hanging = 0;

  constructor(
    options: ReceiverOptions,
    emit: (event: RequestEvent) => void,
    page: ServedPage | undefined,
    { warn, note }: Remarks,
  ) {
    this.#options = options;
    this.#emit = emit;
    this.#page = page;
    this.#warn = warn;
    this.#others = new OtherRequests(options.token, note);
    this.#respond = createHandler(options, this.#stopping.signal);
    this.#server = this.#listen(options.port);
    this.#port = this.#server.addr.port;
    const scheme = options.tls === undefined ? "http" : "https";
    this.url = `${scheme}://${inBrackets(options.host)}:${this.#port}/v1/metrics`;
    this.finished = this.#served().then(() => ({
      ...this.#summary,
      otherSignals: this.#others.otherSignals,
    }));
  }

  /** Stops when the requests that have been sent by now are answered, but waits for no body that takes longer. */
  async stopAfterLast(): Promise<void> {
    const { clock } = this.#options;
    await clock.sleep(ARRIVE_MS, this.#closing.signal);
    if (this.#underWay > 0) {
      const late = new AbortController();
      await Promise.race([this.#idle.promise, clock.sleep(STOP_MS, late.signal)]);
      late.abort();
    }
    this.stop();
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

  #listen(port: number): Pick<FrontServer, "addr" | "finished"> {
    this.#serving = new AbortController();
    const { host: hostname, tls, exam, respond } = this.#options;
    const { signal } = this.#serving;
    const handle = (request: Request, info: Deno.ServeHandlerInfo) => this.#handle(request, info);
    if (exam === undefined && respond.every(({ kind }) => kind !== "hang")) {
      return Deno.serve({ hostname, port, signal, onListen: () => {}, ...tls }, handle);
    }
    this.#front = serveBehindFront({ hostname, port, signal, tls }, handle);
    return this.#front;
  }

  async #handle(request: Request, info: Deno.ServeHandlerInfo): Promise<Response> {
    const shown = await this.#page?.answer(request, this.#port);
    if (shown !== undefined) return shown;
    const other = await this.#others.answer(request);
    if (other !== undefined) return withCorsHeaders(request, other);
    // Requests come together, so nothing may be awaited between this and the count.
    if (this.#stopping.signal.aborted || this.#isFull()) {
      return errorResponse(503, "the receiver is ending", { Connection: "close" });
    }
    this.#arrived++;
    this.#underWay++;
    await this.#options.printed?.();
    const { event, response } = await this.#respond(request).catch((thrown) =>
      internalError(request, this.#options.clock, thrown)
    );
    this.#count(event);
    this.#emit(event);
    if (!(response instanceof Response)) {
      if (response.kind === "hang") await this.#hang(request, info, response.whenLeft);
      else {
        this.#front?.disconnect(info);
        this.#settle();
      }
      // Nobody is left to answer; and Deno 2.9 warns when a handler that watched the signal answers.
      return new Promise(() => {});
    }
    const settle = () => this.#settle();
    info.completed.then(settle, settle);
    return withCorsHeaders(request, response);
  }

  async #hang(
    request: Request,
    info: Deno.ServeHandlerInfo,
    whenLeft: () => void,
  ): Promise<void> {
    this.#hanging++;
    this.#settle();
    // The signal also ends with an HTTP/2 stream, whose connection continues.
    const left = [whenAborted(request.signal), this.#front?.whenLeft(info)];
    await Promise.race(left.filter((it) => it !== undefined));
    // The end of the receiver also ends connections.
    if (!this.#closing.signal.aborted) whenLeft();
    this.#hanging--;
    this.#closeWhenDone();
  }

  #count({ outcome, status, points, measurements, rejectedPoints }: RequestEvent): void {
    const summary = this.#summary;
    summary.requests++;
    summary.rejectedPoints += rejectedPoints;
    if (status !== 200 && outcome !== "accepted") return;
    summary.points += points;
    summary.measurements += measurements;
  }

  #settle(): void {
    this.#underWay--;
    if (this.#underWay === 0) {
      this.#idle.resolve();
      this.#idle = Promise.withResolvers();
    }
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
      ? "all connections were closed; new ones are accepted again"
      // Deno closes none whose handshake has not ended.
      : "connections with completed TLS were closed; new ones are accepted when the others end";
    const tooMany =
      `there are more connections than this process can have open (ulimit -n): ${again}. Raise the limit, or configure ` +
      "clients to keep fewer connections";
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

  async #relisten(): Promise<Pick<FrontServer, "addr" | "finished"> | undefined> {
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
