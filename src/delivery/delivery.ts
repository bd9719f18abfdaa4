import { backoffMs } from "./backoff.ts";
import type { Clock } from "../platform/clock.ts";
import type { KeptPlace } from "./place.ts";
import type { Hide } from "../redact/secrets.ts";
import { type ExportAnswer, readExportAnswer } from "./export_answer.ts";
import { plainSize } from "../otlp/gzip.ts";
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
  /** The last time that the receiver denied it. */
  readonly denied?: Denial;
}

/**
 * The receiver answered 401, 403 or with a sign-in page: its credentials may be wrong, or something about the request
 * itself. Which of the two shows when another request is accepted.
 */
interface Denial {
  /** The send in which it was denied, as its window numbers it. */
  readonly send: number;
  /** How many requests the receiver had accepted by then. */
  readonly accepted: number;
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
  /** It was too large for the receiver: its halves take its place. */
  | { readonly type: "split"; readonly pending: Pending; readonly result: Result }
  | {
    readonly type: "settled";
    readonly pending: Pending;
    readonly result: Result;
  }
  /** It was denied and stays pending for the next send; others are still tried in this one. */
  | { readonly type: "denied"; readonly pending: Pending; readonly result: Result }
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
  readonly place: KeptPlace;
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
  /** Whether a request that the receiver denies waits for the next send, or is refused for good. */
  readonly whenDenied: "wait" | "refuse";
  /** What all connections to the receiver have in common, where there are several. */
  readonly shared?: Shared;
}

/** What the deliveries to one receiver share. */
export interface Shared {
  readonly receiver: ReceiverState;
  /** Bytes that the other deliveries keep, which count towards the limit. */
  readonly elsewhere: () => number;
}

/** What this process has learned about the receiver. */
export class ReceiverState {
  /** Its Retry-After; on the monotonic clock. */
  notBefore = 0;
  /** How many requests it has accepted, at least in part. */
  accepted = 0;
  /** The size of a request that it takes, in bytes before compression, once it has called one too large. */
  largestRequest = Infinity;
}

/** Takes requests and sends them, until each is settled. */
export interface Delivering {
  readonly ledger: Ledger;
  /** What is not settled. */
  readonly pending: readonly Pending[];
  readonly pendingBytes: number;
  /** In bytes before compression: new requests should not be larger. */
  readonly largestRequest: number;
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
  /** The number of the send that it belongs to: what was denied in a send is not tried again in it. */
  readonly send: number;
  /** How long a failed attempt is followed by others, in ms from the start of the flush. */
  readonly retryForMs: number;
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
  /** The send under way. */
  #send: number | undefined;
  /** How many requests the receiver had accepted when it last denied one in this send. */
  #deniedAt: number | undefined;
  /** An attempt came further than the receiver's name. */
  #known = false;

  constructor(dependencies: Dependencies) {
    this.#deps = dependencies;
    this.#shared = dependencies.shared ?? { receiver: new ReceiverState(), elsewhere: () => 0 };
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

  get largestRequest(): number {
    return this.#shared.receiver.largestRequest;
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
    const { receiver } = this.#shared;
    const retryUntil = clock.monotonic() + window.retryForMs;
    if (this.#send !== window.send) this.#deniedAt = undefined;
    this.#send = window.send;
    for (let first = true;;) {
      yield* this.#dropOld();
      const at = this.#next();
      const next = this.#queue[at];
      if (next === undefined) return;
      if (!first && clock.monotonic() >= window.until) {
        yield { type: "held", pending: next, result: waiting("there was no time left to send it") };
        return;
      }
      const asked = receiver.notBefore - clock.monotonic();
      if (asked > 0) {
        if (receiver.notBefore >= Math.min(retryUntil, window.until)) {
          const message = askedToWait(asked) + beyondRetryFor(asked, window);
          yield { type: "held", pending: next, result: waiting(message) };
          return;
        }
        await clock.sleep(asked, window.last ? window.abort : window.stop);
      }
      if (window.abort.aborted || (window.stop.aborted && !window.last)) return;
      if (plainSize(next.request) > receiver.largestRequest && canSplit(next.request)) {
        yield* this.#split(at, next);
        continue;
      }

      first = false;
      const started = clock.monotonic();
      const { pending, answer, result, denial } = await this.#attempt(next, window);
      this.#queue[at] = pending;
      yield { type: "attempt", pending, result, durationMs: clock.monotonic() - started };
      const known = this.#known;
      this.#known ||= answer.kind !== "failure" || answer.cause !== "dns";

      if (answer.kind === "too-large" && canSplit(pending.request)) {
        const half = yield* this.#split(at, pending);
        receiver.largestRequest = Math.min(receiver.largestRequest, half);
        yield { type: "split", pending, result };
        continue;
      }
      if (result.outcome !== "failed") {
        this.#failures = 0;
        yield* this.#settle(at, pending, result);
        continue;
      }
      if (denial !== undefined) {
        this.#failures = 0;
        yield { type: "denied", pending, result };
        if (denial === "one of several") {
          yield { type: "held", pending, result };
          return;
        }
        continue;
      }
      this.#failures++;
      const wait = Math.max(
        backoffMs(this.#failures, random),
        receiver.notBefore - clock.monotonic(),
      );
      const hopeless = answer.kind === "failure" && !isTransient(answer, known);
      if (
        hopeless || window.last || window.stop.aborted || window.abort.aborted ||
        clock.monotonic() + wait >= Math.min(retryUntil, window.until)
      ) {
        const retryAfterMs = answer.kind === "retry" ? answer.retryAfterMs ?? 0 : 0;
        const message = result.message + beyondRetryFor(retryAfterMs, window);
        yield { type: "held", pending, result: { ...result, message } };
        return;
      }
      yield { type: "retry", pending, result, inMs: wait };
      await clock.sleep(wait, window.stop);
    }
  }

  /**
   * Where the next request to try is: the oldest that was not denied in this send. In doubt it is the newest that was
   * never denied, which most likely is as good as any, or else the one that was denied longest ago.
   */
  #next(): number {
    const isOpen = ({ denied }: Pending) => denied?.send !== this.#send;
    if (!this.#inDoubt) return this.#queue.findIndex(isOpen);
    const fresh = this.#queue.findLastIndex(({ denied }) => denied === undefined);
    if (fresh >= 0) return fresh;
    const longest = this.#queue.filter(isOpen).reduce<Pending | undefined>(
      (found, each) => found === undefined || sendOf(each) < sendOf(found) ? each : found,
      undefined,
    );
    return longest === undefined ? -1 : this.#queue.indexOf(longest);
  }

  /** A request was denied in this send, and none was accepted since. */
  get #inDoubt(): boolean {
    return this.#deniedAt === this.#shared.receiver.accepted;
  }

  async #attempt(
    head: Pending,
    window: Window,
  ): Promise<{
    readonly pending: Pending;
    readonly answer: ExportAnswer | Failure;
    readonly result: Result;
    readonly denial: "the only one" | "one of several" | undefined;
  }> {
    const { post, clock, hide } = this.#deps;
    const { receiver } = this.#shared;
    const reply = await post(head.request.body, head.request.encoding, window.abort);
    const answer = reply.kind === "failure"
      ? reply
      : await readExportAnswer(reply, clock.wall(), hide);
    if (answer.kind === "retry" && answer.retryAfterMs !== undefined) {
      receiver.notBefore = clock.monotonic() + answer.retryAfterMs;
    }
    if (answer.kind === "accepted" || answer.kind === "partial") receiver.accepted++;
    const denial = this.#denial(head, answer);
    const result = resultOf(answer, reply, head.request.points);
    const pending = {
      ...head,
      attempts: head.attempts + 1,
      mayHaveArrived: head.mayHaveArrived || (reply.kind === "failure" && reply.mayHaveArrived),
      possiblyDuplicated: head.possiblyDuplicated || head.mayHaveArrived,
      ...denial && { denied: { send: window.send, accepted: receiver.accepted } },
    };
    return { pending, answer, result: denial ? { ...result, outcome: "failed" } : result, denial };
  }

  /**
   * How a denied request waits for the next send; undefined when it does not. One that is denied again although another
   * was accepted in between is refused for good: the credentials are right. In doubt it waits, since the credentials may
   * have been revoked meanwhile.
   */
  #denial(
    { denied }: Pending,
    answer: ExportAnswer | Failure,
  ): "the only one" | "one of several" | undefined {
    const isDenied = answer.kind === "refused" && answer.reason !== undefined;
    if (!isDenied || this.#deps.whenDenied === "refuse") return undefined;
    const { accepted } = this.#shared.receiver;
    const inDoubt = this.#inDoubt;
    this.#deniedAt = accepted;
    if (inDoubt) return "one of several";
    return denied !== undefined && denied.accepted < accepted ? undefined : "the only one";
  }

  async *#settle(at: number, pending: Pending, result: Result): AsyncGenerator<DeliveryEvent> {
    this.#queue.splice(at, 1);
    const { measurements } = pending.request;
    if (result.outcome === "rejected") this.#rejected += measurements;
    else this.#delivered += measurements;
    yield* this.#forget(pending, at);
    yield { type: "settled", pending, result };
  }

  /** Replaces a request by its two halves; returns the larger one's size before compression. */
  async *#split(at: number, pending: Pending): AsyncGenerator<DeliveryEvent, number> {
    const { splitRequest } = await import("../otlp/split.ts");
    const requests = await splitRequest(pending.request);
    let halves = requests.map((request): Pending => ({ ...pending, request }));
    const { stored } = pending;
    const isAlone = [at - 1, at + 1].every((other) => this.#queue[other]?.stored !== stored);
    if (stored === undefined || isAlone) {
      const [one, two] = requests;
      const apart = [
        yield* this.#stored({ ...pending, request: one }, 1),
        yield* this.#stored({ ...pending, request: two }, 2),
      ];
      if (stored === undefined || apart.every((half) => half.stored !== undefined)) halves = apart;
      else for (const half of apart) yield* this.#forget(half, at);
    }
    // Otherwise the store keeps the whole in the place of both, until the second half is settled.
    this.#queue.splice(at, 1, ...halves);
    yield* this.#forget(pending, at);
    return Math.max(...requests.map(plainSize));
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
    yield* this.#forget(pending, 0);
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

  /** `at`: where it was in the queue. */
  async *#forget({ stored }: Pending, at: number): AsyncGenerator<DeliveryEvent> {
    // Requests that were stored together share a name, and stand side by side.
    const isShared = [at - 1, at].some((other) => this.#queue[other]?.stored === stored);
    if (stored === undefined || isShared) return;
    const warning = await this.#deps.store?.forget(stored);
    if (warning !== undefined) yield { type: "warning", message: warning };
  }
}

/** No half is made smaller, in bytes before compression: a receiver with a lower limit could not be used at all. */
const SMALLEST_HALF = 64 * 2 ** 10;

function canSplit(request: EncodedRequest): boolean {
  return request.points > 1 && plainSize(request) >= 2 * SMALLEST_HALF;
}

function sendOf({ denied }: Pending): number {
  return denied?.send ?? -Infinity;
}

function askedToWait(ms: number): string {
  return `the receiver asked to be left alone for another ${Math.ceil(ms / 1000)} s (Retry-After)`;
}

/** That a Retry-After is longer than the program would wait; empty when it is not. */
function beyondRetryFor(retryAfterMs: number, { retryForMs, last }: Window): string {
  if (last || retryAfterMs <= retryForMs) return "";
  return `; Retry-After is ${Math.ceil(retryAfterMs / 1000)} s, longer than --retry-for (${
    retryForMs / 1000
  } s)`;
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
