import { backoffMs } from "./backoff.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { Denials } from "./denials.ts";
import type { Clock } from "../platform/clock.ts";
import type {
  Delivering,
  DeliveryEvent,
  Ledger,
  Pending,
  SaveExtras,
  Store,
  Window,
} from "./delivering.ts";
import { type ExportAnswer, readExportAnswer } from "./export_answer.ts";
import type { Failure, Post } from "../http/reply.ts";
import type { Hide } from "../redact/secrets.ts";
import { plainSize } from "../otlp/gzip.ts";
import type { EncodedRequest } from "../otlp/request.ts";
import { ReceiverState, type Shared } from "./receiver_state.ts";
import { isTransient } from "./transient.ts";
import { type Result, resultOf, untriedResult } from "./result.ts";

/** Limits on unsent requests: their bytes together, and their age in ms. */
export interface DeliveryLimits {
  readonly maxPendingBytes: number;
  readonly maxAgeMs: number;
}

/** Dependencies of a delivery: the connection, the clock, and the store with its limits. */
export interface DeliveryDependencies {
  readonly post: Post;
  readonly hide: Hide;
  readonly clock: Clock;
  readonly random: () => number;
  readonly limits: DeliveryLimits;
  readonly store: Store | undefined;
  /** Whether a request that the receiver denies waits for the next send, or is refused for good. */
  readonly whenDenied: "wait" | "refuse";
  /** State that several connections to one receiver share. */
  readonly shared?: Shared;
}

/** Sends requests oldest first, one after the other, until each is settled, and keeps those that are not. */
export class Delivery implements Delivering {
  readonly lanes: readonly Delivering[] = [this];
  readonly #deps: DeliveryDependencies;
  readonly #shared: Shared;
  #queue: Pending[] = [];
  #recorded = 0;
  #delivered = 0;
  #rejected = 0;
  #dropped = 0;
  #failures = 0;
  readonly #denials: Denials;
  /** An attempt came further than the receiver's name. */
  #known = false;

  constructor(dependencies: DeliveryDependencies) {
    this.#deps = dependencies;
    this.#shared = dependencies.shared ?? { receiver: new ReceiverState(), elsewhere: () => 0 };
    this.#denials = new Denials(this.#shared.receiver, dependencies.whenDenied);
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
    checkpoint?: Checkpoint,
  ): AsyncGenerator<DeliveryEvent, readonly Pending[]> {
    const { store, clock } = this.#deps;
    const pending = requests.map((request): Pending => ({
      request,
      iteration,
      recordedAt,
      bornAt: clock.monotonic(),
      stored: undefined,
      attempts: 0,
      mayHaveArrived: false,
      possiblyDuplicated: false,
    }));
    const added: Pending[] = [];
    if (checkpoint !== undefined && store !== undefined) {
      added.push(...yield* this.#stored(pending, { checkpoint }));
    } else {
      for (const each of pending) added.push(...yield* this.#stored([each]));
    }
    const room = this.#deps.limits.maxPendingBytes - bytes(added);
    yield* this.#dropBeyond(room);
    this.#queue.push(...added);
    this.#recorded += sum(requests.map(({ measurements }) => measurements));
    return added;
  }

  async *#stored(
    pending: readonly Pending[],
    extras: SaveExtras = {},
  ): AsyncGenerator<DeliveryEvent, readonly Pending[]> {
    if (pending.length === 0) return pending;
    const saved = await this.#deps.store?.save(pending, extras);
    if (saved?.warning !== undefined) yield { type: "warning", message: saved.warning };
    const readAgain = extras.checkpoint !== undefined;
    return pending.map((each) => ({
      ...each,
      stored: saved?.stored,
      ...readAgain && { readAgain },
    }));
  }

  async *flush(window: Window): AsyncGenerator<DeliveryEvent> {
    yield* this.#sendAll(window);
    yield* this.#dropBeyond(this.#deps.limits.maxPendingBytes);
  }

  async *#sendAll(window: Window): AsyncGenerator<DeliveryEvent> {
    const { clock, random } = this.#deps;
    const { receiver } = this.#shared;
    const retryUntil = clock.monotonic() + window.retryForMs;
    this.#denials.beginSend(window.send);
    for (let first = true;;) {
      yield* this.#dropOld();
      const at = this.#denials.next(this.#queue);
      const next = this.#queue[at];
      if (next === undefined) return;
      if (!first && clock.monotonic() >= window.until) {
        yield {
          type: "held",
          pending: next,
          result: untriedResult("no time was left to send it"),
        };
        return;
      }
      const asked = receiver.notBefore - clock.monotonic();
      if (asked > 0) {
        if (receiver.notBefore >= Math.min(retryUntil, window.until)) {
          const message = askedToWait(asked) + beyondRetryFor(asked, window);
          yield { type: "held", pending: next, result: untriedResult(message) };
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
        if (denial.isOneOfSeveral) {
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

  async #attempt(
    head: Pending,
    window: Window,
  ): Promise<{
    readonly pending: Pending;
    readonly answer: ExportAnswer | Failure;
    readonly result: Result;
    readonly denial: ReturnType<Denials["judge"]>;
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
    const denial = this.#denials.judge(head, answer, window.send);
    const result = resultOf(answer, reply, head.request.points);
    const pending = {
      ...head,
      attempts: head.attempts + 1,
      mayHaveArrived: head.mayHaveArrived || (reply.kind === "failure" && reply.mayHaveArrived),
      possiblyDuplicated: head.possiblyDuplicated || head.mayHaveArrived,
      ...denial && { denied: denial.denial },
    };
    return { pending, answer, result: denial ? { ...result, outcome: "failed" } : result, denial };
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
        ...yield* this.#stored([{ ...pending, request: one }], { half: 1 }),
        ...yield* this.#stored([{ ...pending, request: two }], { half: 2 }),
      ];
      if (stored === undefined || apart.every((half) => half.stored !== undefined)) halves = apart;
      else for (const half of apart) yield* this.#forget(half, at);
    }
    // Otherwise the store keeps the whole in the place of both, until the second half is settled.
    this.#queue.splice(at, 1, ...halves);
    yield* this.#forget(pending, at);
    return Math.max(...requests.map(plainSize));
  }

  /** Drops requests that are too old. The queue begins with the oldest: those of an earlier process come first. */
  async *#dropOld(): AsyncGenerator<DeliveryEvent> {
    const { clock, limits } = this.#deps;
    for (let [head] = this.#queue; head !== undefined; [head] = this.#queue) {
      if (clock.monotonic() - head.bornAt <= limits.maxAgeMs) return;
      yield* this.#dropFirst(head, `older than ${limits.maxAgeMs / 1000} s (--max-age)`);
    }
  }

  /** Drops the oldest requests until the rest fits into `room` bytes, with the requests kept elsewhere. */
  async *#dropBeyond(room: number): AsyncGenerator<DeliveryEvent> {
    let kept = bytes(this.#queue) + this.#shared.elsewhere();
    for (let [head] = this.#queue; head !== undefined && kept > room; [head] = this.#queue) {
      const most = this.#deps.limits.maxPendingBytes / 1e6;
      kept -= head.request.body.length;
      yield* this.#dropFirst(head, `more than ${most} MB unsent (--max-pending-mb)`);
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
      // A disk that was full may have room by now, and removed files are written again.
      const isAsItWas = isThere || (stored === undefined && pending.readAgain);
      const last = isAsItWas ? [pending] : yield* this.#stored([{ ...pending, stored: undefined }]);
      for (const each of last) {
        (each.stored === undefined ? lost : kept).push(each);
        if (each.stored !== undefined && !each.mayHaveArrived) await store?.markUnsent(each.stored);
      }
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

/** Least size of a half, in bytes before compression: a receiver with a lower limit could not be used at all. */
const SMALLEST_HALF = 64 * 2 ** 10;

function canSplit(request: EncodedRequest): boolean {
  return request.points > 1 && plainSize(request) >= 2 * SMALLEST_HALF;
}

function askedToWait(ms: number): string {
  return `the receiver asked the program to wait another ${Math.ceil(ms / 1000)} s (Retry-After)`;
}

/** Note on a Retry-After that is longer than the program waits; empty for a shorter one. */
function beyondRetryFor(retryAfterMs: number, { retryForMs, last }: Window): string {
  if (last || retryAfterMs <= retryForMs) return "";
  return `; Retry-After is ${Math.ceil(retryAfterMs / 1000)} s, longer than --retry-for (${
    retryForMs / 1000
  } s)`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function bytes(pending: readonly Pending[]): number {
  return sum(pending.map(({ request }) => request.body.length));
}
