import { backoffMs } from "./backoff.ts";
import type { Clock } from "../base/clock.ts";
import type { Place } from "../measurements/input/place.ts";
import type { Hide } from "../base/secrets.ts";
import { type ExportAnswer, readExportAnswer } from "./export_answer.ts";
import type { EncodedRequest } from "../otlp/request.ts";
import type { Failure, Post } from "../http/reply.ts";
import { type Result, resultOf, waiting } from "./result.ts";

export type { Result } from "./result.ts";

/** A request that is not settled: nobody has taken it or refused it for good. */
export interface Pending {
  readonly request: EncodedRequest;
  /** Which iteration recorded it; null when an earlier process left it in the spool. */
  readonly iteration: number | null;
  /** When it was recorded, ms since 1970. */
  readonly recordedAt: number;
  /** The same on the monotonic clock: its age does not jump when the wall clock does. */
  readonly bornAt: number;
  /** Its name in the store, when it is kept there. */
  readonly stored: string | undefined;
  readonly attempts: number;
  /** An attempt got no answer after the request may have arrived: it may be counted already. */
  readonly mayHaveArrived: boolean;
  /** Such an attempt was followed by another. */
  readonly possiblyDuplicated: boolean;
  /** Made of lines that the next start reads again if no store has it. */
  readonly readAgain?: boolean;
}

export type DeliveryEvent =
  | {
    readonly type: "attempt";
    readonly pending: Pending;
    readonly result: Result;
    readonly durationMs: number;
  }
  | {
    readonly type: "retry";
    readonly pending: Pending;
    readonly result: Result;
    readonly inMs: number;
  }
  | {
    readonly type: "settled";
    readonly pending: Pending;
    readonly result: Result;
  }
  /** Nothing more is tried for now; `pending` and all behind it stay pending. */
  | { readonly type: "held"; readonly pending: Pending; readonly result: Result }
  | { readonly type: "dropped"; readonly pending: Pending; readonly reason: string }
  | { readonly type: "warning"; readonly message: string };

/** Measurements by what became of them: recorded = delivered + rejected + dropped + pending, always. */
export interface Ledger {
  readonly recorded: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly dropped: number;
  readonly pending: number;
}

/** Keeps requests where they outlive the process. */
export interface Store {
  /** Its name there, or undefined and, when it is news, a warning. */
  save(
    pending: Pending,
    /** Half of the request whose name `pending` still has; as long as the whole is there, halves do not count. */
    half?: 1 | 2,
  ): Promise<{ readonly stored: string | undefined; readonly warning: string | undefined }>;
  /** Requests made of a followed file's lines, and how far it was read: all are kept, or nothing. */
  saveFollowed(
    requests: readonly EncodedRequest[],
    recordedAt: number,
    followed: FollowedPlace,
  ): Promise<{ readonly stored: string | undefined; readonly warning: string | undefined }>;
  /** A warning when it could not be removed. */
  forget(name: string): Promise<string | undefined>;
  /** Whether the request is there: somebody may have removed it. */
  holds(name: string, request: EncodedRequest): Promise<boolean>;
  /** The process ends, and no attempt can have arrived. */
  markUnsent(name: string): Promise<void>;
}

/** Up to where the lines of a file are in the requests at hand. */
export interface FollowedPlace {
  /** Absolute. */
  readonly path: string;
  readonly place: Place;
}

export interface Limits {
  readonly maxPendingBytes: number;
  readonly maxAgeMs: number;
}

export interface Dependencies {
  readonly post: Post;
  readonly hide: Hide;
  readonly clock: Clock;
  readonly random: () => number;
  readonly limits: Limits;
  readonly store: Store | undefined;
  /** What all connections to the receiver have in common, where there are several. */
  readonly shared?: Shared;
}

/** What the deliveries to one receiver share. */
export interface Shared {
  /** The receiver's Retry-After; on the monotonic clock. */
  notBefore: number;
  /** Bytes that the other deliveries keep, which count towards the limit. */
  readonly elsewhere: () => number;
}

/** Takes requests and sends them, until each is settled. */
export interface Delivering {
  readonly ledger: Ledger;
  /** What is not settled. */
  readonly pending: readonly Pending[];
  readonly pendingBytes: number;
  /** Takes over what an earlier process left; it counts as recorded here. */
  adopt(left: readonly Pending[]): void;
  /** Takes new requests, stores them before they are first sent, and makes room for them. */
  add(
    requests: readonly EncodedRequest[],
    iteration: number,
    recordedAt: number,
    followed?: FollowedPlace,
  ): AsyncGenerator<DeliveryEvent, readonly Pending[]>;
  /** Sends what is pending, oldest first, until nothing is left or the window closes. */
  flush(window: Window): AsyncGenerator<DeliveryEvent>;
  /** At the end of the process: what no store keeps is lost, and said to be. */
  end(reason: string): AsyncGenerator<DeliveryEvent>;
}

/** How long one flush goes on; times on the monotonic clock. Its first attempt is always made. */
export interface Window {
  /** No attempt that follows a failed one starts at or after it. */
  readonly retryUntil: number;
  /** No attempt at all starts at or after it. */
  readonly until: number;
  /** Ends waiting, and lets an attempt under way come to its end. */
  readonly stop: AbortSignal;
  /** Ends an attempt under way as well. */
  readonly abort: AbortSignal;
  /** The process ends after this flush: a failed attempt is not followed by another. */
  readonly last: boolean;
}

/** Sends requests oldest first, one after the other, until each is settled, and keeps those that are not. */
export class Delivery implements Delivering {
  readonly #deps: Dependencies;
  readonly #shared: Shared;
  #queue: Pending[] = [];
  #recorded = 0;
  #delivered = 0;
  #rejected = 0;
  #dropped = 0;
  #failures = 0;
  /** An attempt came further than the receiver's name. */
  #known = false;

  constructor(dependencies: Dependencies) {
    this.#deps = dependencies;
    this.#shared = dependencies.shared ?? { notBefore: 0, elsewhere: () => 0 };
  }

  get ledger(): Ledger {
    return {
      recorded: this.#recorded,
      delivered: this.#delivered,
      rejected: this.#rejected,
      dropped: this.#dropped,
      pending: sum(this.#queue.map(({ request }) => request.measurements)),
    };
  }

  get pending(): readonly Pending[] {
    return this.#queue;
  }

  get pendingBytes(): number {
    return bytes(this.#queue);
  }

  adopt(left: readonly Pending[]): void {
    this.#queue.push(...left);
    this.#recorded += sum(left.map(({ request }) => request.measurements));
  }

  async *add(
    requests: readonly EncodedRequest[],
    iteration: number,
    recordedAt: number,
    followed?: FollowedPlace,
  ): AsyncGenerator<DeliveryEvent, readonly Pending[]> {
    const { store, clock } = this.#deps;
    const together = followed && store && requests.length > 0
      ? await store.saveFollowed(requests, recordedAt, followed)
      : undefined;
    if (together?.warning !== undefined) yield { type: "warning", message: together.warning };
    const added: Pending[] = [];
    for (const request of requests) {
      const pending = {
        request,
        iteration,
        recordedAt,
        bornAt: clock.monotonic(),
        stored: together?.stored,
        attempts: 0,
        mayHaveArrived: false,
        possiblyDuplicated: false,
      };
      added.push(
        together === undefined ? yield* this.#stored(pending) : { ...pending, readAgain: true },
      );
    }
    const room = this.#deps.limits.maxPendingBytes - bytes(added);
    yield* this.#dropBeyond(room);
    this.#queue.push(...added);
    this.#recorded += sum(requests.map(({ measurements }) => measurements));
    return added;
  }

  async *#stored(pending: Pending, half?: 1 | 2): AsyncGenerator<DeliveryEvent, Pending> {
    const saved = await this.#deps.store?.save(pending, half);
    if (saved?.warning !== undefined) yield { type: "warning", message: saved.warning };
    return { ...pending, stored: saved?.stored };
  }

  async *flush(window: Window): AsyncGenerator<DeliveryEvent> {
    yield* this.#sendAll(window);
    yield* this.#dropBeyond(this.#deps.limits.maxPendingBytes);
  }

  async *#sendAll(window: Window): AsyncGenerator<DeliveryEvent> {
    const { clock, random } = this.#deps;
    for (let first = true;; first = false) {
      yield* this.#dropOld();
      const [head] = this.#queue;
      if (head === undefined) return;
      if (!first && clock.monotonic() >= window.until) {
        yield { type: "held", pending: head, result: waiting("there was no time left to send it") };
        return;
      }
      const asked = this.#shared.notBefore - clock.monotonic();
      if (asked > 0) {
        if (this.#shared.notBefore >= Math.min(window.retryUntil, window.until)) {
          yield { type: "held", pending: head, result: waiting(askedToWait(asked)) };
          return;
        }
        await clock.sleep(asked, window.last ? window.abort : window.stop);
      }
      if (window.abort.aborted || (window.stop.aborted && !window.last)) return;

      const started = clock.monotonic();
      const { pending, answer, result } = await this.#attempt(head, window);
      this.#queue[0] = pending;
      yield { type: "attempt", pending, result, durationMs: clock.monotonic() - started };
      const known = this.#known;
      this.#known ||= answer.kind !== "failure" || answer.cause !== "dns";

      if (answer.kind === "too-large" && pending.request.points > 1) {
        yield* this.#split(pending, result);
        continue;
      }
      if (result.outcome !== "failed") {
        this.#failures = 0;
        yield* this.#settle(pending, result);
        continue;
      }
      this.#failures++;
      const wait = Math.max(
        backoffMs(this.#failures, random),
        this.#shared.notBefore - clock.monotonic(),
      );
      const hopeless = answer.kind === "failure" && !isTransient(answer, known);
      if (
        hopeless || window.last || window.stop.aborted || window.abort.aborted ||
        clock.monotonic() + wait >= Math.min(window.retryUntil, window.until)
      ) {
        yield { type: "held", pending, result };
        return;
      }
      yield { type: "retry", pending, result, inMs: wait };
      await clock.sleep(wait, window.stop);
    }
  }

  async #attempt(
    head: Pending,
    window: Window,
  ): Promise<{ pending: Pending; answer: ExportAnswer | Failure; result: Result }> {
    const { post, clock, hide } = this.#deps;
    const reply = await post(head.request.body, head.request.encoding, window.abort);
    const answer = reply.kind === "failure"
      ? reply
      : await readExportAnswer(reply, clock.wall(), hide);
    if (answer.kind === "retry" && answer.retryAfterMs !== undefined) {
      this.#shared.notBefore = clock.monotonic() + answer.retryAfterMs;
    }
    const pending = {
      ...head,
      attempts: head.attempts + 1,
      mayHaveArrived: head.mayHaveArrived || (reply.kind === "failure" && reply.mayHaveArrived),
      possiblyDuplicated: head.possiblyDuplicated || head.mayHaveArrived,
    };
    return { pending, answer, result: resultOf(answer, reply, head.request.points) };
  }

  async *#settle(pending: Pending, result: Result): AsyncGenerator<DeliveryEvent> {
    this.#queue.shift();
    const { measurements } = pending.request;
    if (result.outcome === "rejected") this.#rejected += measurements;
    else this.#delivered += measurements;
    yield* this.#forget(pending);
    yield { type: "settled", pending, result };
  }

  /** Replaces a request that is too large for the receiver by its two halves. */
  async *#split(pending: Pending, result: Result): AsyncGenerator<DeliveryEvent> {
    const { splitRequest } = await import("../otlp/split.ts");
    const [one, two] = await splitRequest(pending.request);
    let halves = [
      yield* this.#stored({ ...pending, request: one }, 1),
      yield* this.#stored({ ...pending, request: two }, 2),
    ];
    this.#queue.shift();
    if (pending.stored !== undefined && halves.some(({ stored }) => stored === undefined)) {
      // The store keeps the whole in the place of both, until the second half is settled.
      for (const half of halves) yield* this.#forget(half);
      halves = halves.map((half) => ({ ...half, stored: pending.stored }));
    }
    this.#queue.unshift(...halves);
    yield* this.#forget(pending);
    yield { type: "retry", pending, result, inMs: 0 };
  }

  /** The queue's first is the oldest: what an earlier process left comes before what is new. */
  async *#dropOld(): AsyncGenerator<DeliveryEvent> {
    const { clock, limits } = this.#deps;
    for (let [head] = this.#queue; head !== undefined; [head] = this.#queue) {
      if (clock.monotonic() - head.bornAt <= limits.maxAgeMs) return;
      yield* this.#dropFirst(head, `older than ${limits.maxAgeMs / 1000} s (--max-age)`);
    }
  }

  /** Drops the oldest requests until the rest fits into `room` bytes, with what is kept elsewhere. */
  async *#dropBeyond(room: number): AsyncGenerator<DeliveryEvent> {
    let kept = bytes(this.#queue) + this.#shared.elsewhere();
    for (let [head] = this.#queue; head !== undefined && kept > room; [head] = this.#queue) {
      const most = this.#deps.limits.maxPendingBytes / 1e6;
      kept -= head.request.body.length;
      yield* this.#dropFirst(head, `more than ${most} MB pending (--max-pending-mb)`);
    }
  }

  async *#dropFirst(pending: Pending, reason: string): AsyncGenerator<DeliveryEvent> {
    this.#queue.shift();
    this.#dropped += pending.request.measurements;
    yield* this.#forget(pending);
    yield { type: "dropped", pending, reason };
  }

  async *end(reason: string): AsyncGenerator<DeliveryEvent> {
    const { store } = this.#deps;
    const kept: Pending[] = [];
    const lost: Pending[] = [];
    /** Files that are there: halves that could not be stored share one. */
    const present = new Set<string>();
    const removed: string[] = [];
    for (const pending of this.#queue) {
      const { stored, request } = pending;
      const isThere = stored !== undefined &&
        (present.has(stored) || await store?.holds(stored, request));
      if (isThere) present.add(stored);
      else if (stored !== undefined) removed.push(stored);
      // A disk that was full may have room by now, and what was removed is written again.
      const last = isThere || (stored === undefined && pending.readAgain)
        ? pending
        : yield* this.#stored({ ...pending, stored: undefined });
      (last.stored === undefined ? lost : kept).push(last);
      if (last.stored !== undefined && !last.mayHaveArrived) await store?.markUnsent(last.stored);
    }
    if (removed.length > 0) {
      for (const name of new Set(removed)) {
        const warning = await store?.forget(name);
        if (warning !== undefined) yield { type: "warning", message: warning };
      }
      const requests = removed.length === 1 ? "1 request was" : `${removed.length} requests were`;
      const message = `${requests} removed from the spool while the program ran: ` +
        (lost.length === 0 ? "written there again" : "not all could be written there again");
      yield { type: "warning", message };
    }
    this.#queue = kept;
    this.#dropped += sum(lost.map(({ request }) => request.measurements));
    for (const pending of lost) yield { type: "dropped", pending, reason };
  }

  async *#forget({ stored }: Pending): AsyncGenerator<DeliveryEvent> {
    // Parts of a request that could not be stored on their own share the name of their whole; they come first.
    const first = this.#queue.slice(0, MOST_HALVINGS);
    if (stored === undefined || first.some((other) => other.stored === stored)) return;
    const warning = await this.#deps.store?.forget(stored);
    if (warning !== undefined) yield { type: "warning", message: warning };
  }
}

/** No request has 2^64 data points. */
const MOST_HALVINGS = 64;

function askedToWait(ms: number): string {
  return `the receiver asked to be left alone for another ${Math.ceil(ms / 1000)} s (Retry-After)`;
}

/**
 * A wrong certificate, name or password is not mended by trying again within seconds; it may be by the next send. A
 * connection that breaks in the middle of the handshake is one that broke, and a name that was `known` may be known
 * again; that the resolver does not answer for now (EAI_AGAIN) says nothing about a name.
 */
function isTransient({ cause, message }: Failure, known: boolean): boolean {
  switch (cause) {
    case "certificate":
    case "setup":
    case "interrupted":
      return false;
    case "tls":
      return /eof|reset|broken|closed|disconnected/i.test(message);
    case "dns":
      return known || /EAI_AGAIN|temporary/i.test(message);
    case "proxy":
      return !/authenticat|auth (failure|methods)|\b407\b|rejected|certificate|corrupt message/i
        .test(message);
    default:
      return true;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function bytes(pending: readonly Pending[]): number {
  return sum(pending.map(({ request }) => request.body.length));
}
