import type { EncodedRequest } from "../otlp/request.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Delivering, DeliveryEvent, Ledger, Pending, Window } from "./delivering.ts";
import { ReceiverState, type Shared } from "./receiver_state.ts";

/**
 * Several deliveries as one: each lane has a request of its own under way. A request stays in the lane that it names, so
 * that the intervals of a series arrive in their order.
 */
export class Lanes implements Delivering {
  readonly #lanes: readonly Delivering[];
  readonly #receiver = new ReceiverState();
  /** Lanes that still have something to send in this flush. */
  readonly #sending = new Set<Delivering>();

  /** Opens the lanes, each with the state that it shares with the others. */
  constructor(lanes: readonly ((shared: Shared) => Delivering)[]) {
    this.#lanes = lanes.map((open, lane) =>
      open({ receiver: this.#receiver, elsewhere: () => this.#elsewhere(lane) })
    );
  }

  get lanes(): readonly Delivering[] {
    return this.#lanes;
  }

  get ledger(): Ledger {
    const ledgers = this.#lanes.map(({ ledger }) => ledger);
    const sum = (key: keyof Ledger) => ledgers.reduce((total, ledger) => total + ledger[key], 0);
    return {
      recorded: sum("recorded"),
      delivered: sum("delivered"),
      rejected: sum("rejected"),
      dropped: sum("dropped"),
      pending: sum("pending"),
    };
  }

  get pending(): readonly Pending[] {
    return this.#lanes.flatMap(({ pending }) => pending);
  }

  get pendingBytes(): number {
    return this.#lanes.reduce((total, { pendingBytes }) => total + pendingBytes, 0);
  }

  get largestRequest(): number {
    return this.#receiver.largestRequest;
  }

  /** Spreads the requests of an earlier process over the lanes; those that share a name in the store go through one. */
  adopt(left: readonly Pending[]): void {
    const names = [...new Set(left.map(({ stored }) => stored))];
    const turn = new Map(names.map((name, i) => [name, i % this.#lanes.length]));
    for (const [at, lane] of this.#lanes.entries()) {
      lane.adopt(left.filter(({ stored }) => turn.get(stored) === at));
    }
  }

  /** A source with a checkpoint is read for one lane only: the store keeps it with the requests of that one. */
  async *add(
    requests: readonly EncodedRequest[],
    iteration: number,
    recordedAt: number,
    checkpoint?: Checkpoint,
  ): AsyncGenerator<DeliveryEvent, readonly Pending[]> {
    const added: Pending[] = [];
    for (const [at, lane] of this.#lanes.entries()) {
      const own = requests.filter(({ lane: named = 0 }) => named % this.#lanes.length === at);
      if (own.length > 0) added.push(...yield* lane.add(own, iteration, recordedAt, checkpoint));
    }
    return added;
  }

  /** Flushes all lanes at once; their events come in the order in which they happen. */
  async *flush(window: Window): AsyncGenerator<DeliveryEvent> {
    const happened: DeliveryEvent[] = [];
    let thrown: { readonly error: unknown } | undefined;
    let news = Promise.withResolvers<void>();
    const flushLane = async (lane: Delivering) => {
      try {
        for await (const event of lane.flush(window)) {
          happened.push(event);
          news.resolve();
        }
      } catch (error) {
        thrown ??= { error };
      } finally {
        this.#sending.delete(lane);
        news.resolve();
      }
    };
    for (const lane of this.#lanes) this.#sending.add(lane);
    for (const lane of this.#lanes) flushLane(lane);
    for (;;) {
      for (let event = happened.shift(); event !== undefined; event = happened.shift()) yield event;
      if (thrown !== undefined) throw thrown.error;
      if (this.#sending.size === 0) return;
      await news.promise;
      news = Promise.withResolvers();
    }
  }

  async *end(reason: string): AsyncGenerator<DeliveryEvent> {
    for (const lane of this.#lanes) yield* lane.end(reason);
  }

  /** Pending bytes of other lanes that are not sending: those under way may be delivered yet. The last lane sees all. */
  #elsewhere(own: number): number {
    return this.#lanes.reduce(
      (total, lane, at) =>
        at === own || this.#sending.has(lane) ? total : total + lane.pendingBytes,
      0,
    );
  }
}
