import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Page } from "./page/page.ts";
import { refusal } from "./response.ts";
import type { RequestEvent, Summary } from "./event.ts";
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
  readonly finished: Promise<Summary>;
  /** Takes no new request, answers those under way unless `atOnce`, lets the hanging go, and ends. */
  stop(atOnce?: boolean): void;
}

/** How long the connections of a server that can take no more have for what is under way. */
const DRAIN_MS = 3000;
/** Until it is tried again to listen, for want of file descriptors. */
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
      broken(request, options.clock, thrown)
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
      await aborted(request.signal);
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
    // A server that has ended cannot be ended once more.
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
  let server = listen(options.port);
  const { port } = server.addr;
  /** Deno bounds no connections, and ends a server that cannot accept one more: its place is taken by another. */
  const served = async (): Promise<void> => {
    for (let isTold = false;; isTold = true) {
      try {
        return await server.finished;
      } catch (thrown) {
        if (closing.signal.aborted) return;
        if (!lacksDescriptors(thrown)) throw thrown;
      }
      serving = new AbortController();
      if (!isTold) warn(TOO_MANY);
      const drained = new AbortController();
      // Idle connections are closed at once.
      await Promise.race([
        server.shutdown().catch(() => {}), // why it ended is known
        options.clock.sleep(DRAIN_MS, AbortSignal.any([drained.signal, closing.signal])),
      ]);
      drained.abort();
      const next = await relisten(port);
      if (next === undefined) return;
      server = next;
    }
  };
  const relisten = async (port: number) => {
    while (!closing.signal.aborted) {
      try {
        return listen(port);
      } catch (thrown) {
        if (!lacksDescriptors(thrown)) throw thrown;
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

const TOO_MANY =
  "there are more connections than this process may have open (ulimit -n): the idle ones were closed, and new ones are " +
  "taken again; raise the limit, or let clients keep fewer connections";

function lacksDescriptors(thrown: unknown): boolean {
  return /too many open files/i.test(messageOf(thrown));
}

/** A bug of ours costs one request, not the receiver; it is said like any other refusal. */
function broken(request: Request, clock: Clock, thrown: unknown): Handled {
  const about = { time: clock.wall(), method: request.method, path: pathOf(request.url) };
  const message = `the receiver failed: ${messageOf(thrown)}`;
  return refusedAnswer(about, 0, { outcome: "refused", status: 500, rule: "internal", message });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
