import { whenAborted } from "../../platform/abort.ts";
import type { Clock } from "../../platform/clock.ts";
import { lacksDescriptors, messageOf } from "../../platform/errors.ts";
import { listenerLost } from "../../platform/older_deno.ts";
import type { Page } from "./page/page.ts";
import { refusal } from "./response.ts";
import type { ReceiveSummary, RequestEvent } from "./event.ts";
import {
  createHandler,
  type Handled,
  type HandlerOptions,
  pathOf,
  refusedAnswer,
} from "./handle.ts";

export interface ReceiverOptions extends HandlerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** PEM texts; undefined serves plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Ends after so many; undefined goes on until it is stopped. */
  readonly requests: number | undefined;
}

export interface Receiver {
  /** Where to send to. */
  readonly url: string;
  /** Resolves when the last answer is written and the port is free again. */
  readonly finished: Promise<ReceiveSummary>;
  /** Takes no new request, answers those under way unless `atOnce`, lets the hanging go, and ends. */
  stop(atOnce?: boolean): void;
}

/** How long requests under way have before a server that can accept no connection is ended, in ms. */
const DRAIN_MS = 3000;
/** Until it is tried again to listen, for want of file descriptors, in ms. */
const AGAIN_MS = 200;

/** How long a stop waits for answers under way. */
const STOP_MS = 3000;
/**
 * Deno says `completed` when it has taken an answer over, not when it has written it, and closing
 * cuts off what is unwritten.
 */
const LINGER_MS = 50;

/**
 * Listens, answers and tells `emit` of every request; throws when it cannot listen. `warn` is told when there are more
 * connections than the process may have open.
 */
export function startReceiver(
  options: ReceiverOptions,
  emit: (event: RequestEvent) => void,
  page?: Pick<Page, "answer" | "stop">,
  warn: (message: string) => void = () => {},
): Receiver {
  const closing = new AbortController();
  let serving = new AbortController();
  const stopping = new AbortController();
  const summary = { requests: 0, points: 0, measurements: 0, rejectedPoints: 0 };
  let arrived = 0;
  let underWay = 0;
  let hanging = 0;

  const isFull = () => options.requests !== undefined && arrived >= options.requests;
  const timers: ReturnType<typeof setTimeout>[] = [];
  const close = () => {
    for (const timer of timers) clearTimeout(timer);
    closing.abort();
    serving.abort();
  };
  const closeAfter = (ms: number) => {
    if (!closing.signal.aborted) timers.push(setTimeout(close, ms));
  };
  const closeWhenDone = () => {
    if (underWay > 0) return;
    if (stopping.signal.aborted || (isFull() && hanging === 0)) {
      page?.stop();
      closeAfter(LINGER_MS);
    }
  };
  const take = createHandler(options, stopping.signal);

  const handler = async (request: Request, info: Deno.ServeHandlerInfo): Promise<Response> => {
    const shown = await page?.answer(request, port);
    if (shown !== undefined) return shown;
    if (stopping.signal.aborted || isFull()) {
      return refusal(503, "the receiver is ending", { Connection: "close" });
    }
    arrived++;
    underWay++;
    const { event, response } = await take(request).catch((thrown) =>
      internalError(request, options.clock, thrown)
    );
    summary.requests++;
    summary.rejectedPoints += event.rejectedPoints;
    if (event.status === 200) {
      summary.points += event.points;
      summary.measurements += event.measurements;
    }
    emit(event);
    if (response === "hang") {
      hanging++;
      underWay--;
      closeWhenDone();
      await whenAborted(request.signal);
      hanging--;
      closeWhenDone();
      // Nobody is left to answer; and Deno 2.9 warns when a handler that watched the signal answers.
      return new Promise(() => {});
    }
    const settled = () => {
      underWay--;
      closeWhenDone();
    };
    info.completed.then(settled, settled);
    return response;
  };

  const listen = (port: number) => {
    serving = new AbortController();
    const serve = {
      hostname: options.host,
      port,
      signal: serving.signal,
      onListen: () => {},
    };
    return options.tls === undefined
      ? Deno.serve(serve, handler)
      : Deno.serve({ ...serve, ...options.tls }, handler);
  };
  const again = options.tls === undefined
    ? "all connections were closed, and new ones are accepted again"
    // Deno closes none whose handshake has not ended.
    : "connections that have completed TLS were closed, and new ones are accepted when the others have gone";
  const tooMany =
    `there are more connections than this process may have open (ulimit -n): ${again}. Raise the limit, or let ` +
    "clients keep fewer connections";
  let server = listen(options.port);
  const { port } = server.addr;
  /**
   * Deno bounds neither the number nor the time of connections, and a server that cannot accept one more has ended, while
   * those that it has go on: they are closed, and another server takes its place.
   */
  const served = async (): Promise<void> => {
    for (let isTold = false;; isTold = true) {
      const why = await whyEnded(server);
      if (why === undefined) return;
      if (!isTold) warn(why);
      const until = options.clock.monotonic() + DRAIN_MS;
      do await options.clock.sleep(AGAIN_MS, closing.signal); while (
        underWay > 0 && options.clock.monotonic() < until && !closing.signal.aborted
      );
      serving.abort();
      await server.finished.catch(() => {}); // why it ended is known
      const next = await relisten();
      if (next === undefined) return;
      server = next;
    }
  };
  /** Resolves when a server accepts no more connections; with undefined when that was asked for. */
  const whyEnded = async ({ finished }: Deno.HttpServer): Promise<string | undefined> => {
    const ended = new AbortController();
    try {
      return await Promise.race([
        finished.then(() => undefined),
        listenerLost({ hostname: options.host, port }, options.clock, ended.signal)
          .then(() => tooMany),
      ]);
    } catch (thrown) {
      if (closing.signal.aborted) return undefined;
      return lacksDescriptors(thrown) ? tooMany : `${messageOf(thrown)}: ${again}`;
    } finally {
      ended.abort();
    }
  };
  const relisten = async () => {
    while (!closing.signal.aborted) {
      try {
        return listen(port);
      } catch {
        // Somebody else was faster: with the descriptor, or with the port.
        await options.clock.sleep(AGAIN_MS, closing.signal);
      }
    }
    return undefined;
  };
  const scheme = options.tls === undefined ? "http" : "https";
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    url: `${scheme}://${host}:${port}/v1/metrics`,
    finished: served().then(() => ({ ...summary })),
    stop(atOnce = false) {
      stopping.abort();
      page?.stop();
      if (atOnce) close();
      closeWhenDone();
      // What still does not end by itself, an answer that nobody reads, is cut off.
      closeAfter(STOP_MS);
    },
  };
}

/** A bug of ours costs one request, not the receiver; it is said like any other refusal. */
function internalError(request: Request, clock: Clock, thrown: unknown): Handled {
  const about = { time: clock.wall(), method: request.method, path: pathOf(request.url) };
  const message = `the receiver failed: ${messageOf(thrown)}`;
  return refusedAnswer(about, 0, { outcome: "refused", status: 500, rule: "internal", message });
}
