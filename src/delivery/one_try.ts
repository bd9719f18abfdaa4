import type { Clock } from "../platform/clock.ts";
import type { Post } from "../http/reply.ts";
import type { EncodedRequest } from "../otlp/request.ts";
import type { Hide } from "../redact/secrets.ts";
import type { Delivering, DeliveryEvent, Ledger, Pending, Window } from "./delivering.ts";
import { readExportAnswer } from "./export_answer.ts";
import { resultOf } from "./result.ts";

/** Dependencies of a delivery that tries once. */
export interface OneTryDependencies {
  readonly post: Post;
  readonly hide: Hide;
  readonly clock: Clock;
}

/** Opens a delivery that tries once; as a function, so that the class is loaded when it is used. */
export function openOneTry(dependencies: OneTryDependencies): Delivering {
  return new OneTry(dependencies);
}

/**
 * Delivery that tries each request once, whatever the receiver asks for: a request that could be tried again is dropped.
 * For measuring how much a receiver accepts.
 */
class OneTry implements Delivering {
  readonly lanes: readonly Delivering[] = [this];
  readonly largestRequest = Infinity;
  readonly #deps: OneTryDependencies;
  #queue: readonly Pending[] = [];
  #settled = { delivered: 0, rejected: 0, dropped: 0 };

  constructor(dependencies: OneTryDependencies) {
    this.#deps = dependencies;
  }

  get ledger(): Ledger {
    const { delivered, rejected, dropped } = this.#settled;
    const pending = this.#queue.reduce((sum, { request }) => sum + request.measurements, 0);
    return {
      recorded: delivered + rejected + dropped + pending,
      delivered,
      rejected,
      dropped,
      pending,
    };
  }

  get pending(): readonly Pending[] {
    return this.#queue;
  }

  get pendingBytes(): number {
    return this.#queue.reduce((sum, { request }) => sum + request.body.length, 0);
  }

  adopt(left: readonly Pending[]): void {
    this.#queue = [...this.#queue, ...left];
  }

  // deno-lint-ignore require-yield
  async *add(
    requests: readonly EncodedRequest[],
    iteration: number,
    recordedAt: number,
  ): AsyncGenerator<DeliveryEvent, readonly Pending[]> {
    const bornAt = this.#deps.clock.monotonic();
    const added = await Promise.resolve(requests.map((request): Pending => ({
      request,
      iteration,
      recordedAt,
      bornAt,
      stored: undefined,
      attempts: 0,
      mayHaveArrived: false,
      possiblyDuplicated: false,
    })));
    this.#queue = [...this.#queue, ...added];
    return added;
  }

  async *flush({ abort }: Window): AsyncGenerator<DeliveryEvent> {
    const { post, hide, clock } = this.#deps;
    for (let [head] = this.#queue; head !== undefined; [head] = this.#queue) {
      const { request } = head;
      const started = clock.monotonic();
      const reply = await post(request.body, request.encoding, abort);
      const answer = reply.kind === "failure"
        ? reply
        : await readExportAnswer(reply, clock.wall(), hide);
      const result = resultOf(answer, reply, request.points);
      const pending = { ...head, attempts: 1 };
      yield { type: "attempt", pending, result, durationMs: clock.monotonic() - started };
      if (result.outcome === "failed") {
        yield* this.#dropFirst(pending, result.message ?? "not accepted");
        continue;
      }
      this.#queue = this.#queue.slice(1);
      if (result.outcome === "rejected") this.#settled.rejected += request.measurements;
      else this.#settled.delivered += request.measurements;
      yield { type: "settled", pending, result };
    }
  }

  async *end(reason: string): AsyncGenerator<DeliveryEvent> {
    for (let [head] = this.#queue; head !== undefined; [head] = this.#queue) {
      yield* this.#dropFirst(head, reason);
    }
    await Promise.resolve();
  }

  *#dropFirst(pending: Pending, reason: string): Generator<DeliveryEvent> {
    this.#queue = this.#queue.slice(1);
    this.#settled.dropped += pending.request.measurements;
    yield { type: "dropped", pending, reason };
  }
}
