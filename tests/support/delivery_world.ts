import assert from "node:assert/strict";
import type { Delivering, DeliveryEvent, Window } from "../../src/delivery/delivering.ts";
import type { Checkpoint } from "../../src/delivery/checkpoint.ts";
import {
  Delivery,
  type DeliveryDependencies,
  type DeliveryLimits,
} from "../../src/delivery/delivery.ts";
import type { EncodedRequest } from "../../src/otlp/request.ts";
import type { Point } from "./decode.ts";
import { MemoryStore, SimulatedClock, SimulatedReceiver, type Step } from "./simulation.ts";

const NEVER = new AbortController().signal;
const KEEP_ALL: DeliveryLimits = { maxPendingBytes: 64e6, maxAgeMs: 3_600_000 };

/** How a `World` differs from one in which the receiver takes everything. */
export interface WorldOptions {
  readonly answers?: readonly Step[] | ((attempt: number, points: readonly Point[]) => Step);
  readonly limits?: Partial<DeliveryLimits>;
  readonly store?: MemoryStore;
  /** By default as in a single run without a spool. */
  readonly whenDenied?: "wait" | "refuse";
  /** The wait is this part of the way from the shortest to the longest that is possible. */
  readonly random?: () => number;
}

/** A Delivery, or several in lanes, in simulated time; every event's ledger is checked. */
export class DeliveringWorld<Kind extends Delivering> {
  readonly clock = new SimulatedClock();
  readonly receiver: SimulatedReceiver;
  readonly delivery: Kind;
  readonly events: DeliveryEvent[] = [];
  #iteration = 0;
  #sends = 0;

  constructor(
    open: (dependencies: DeliveryDependencies) => Kind,
    { answers = [], limits = {}, store, whenDenied = "refuse", random = () => 0.5 }: WorldOptions,
  ) {
    this.receiver = new SimulatedReceiver(this.clock, answers);
    this.delivery = open({
      post: this.receiver.post,
      hide: (text) => text,
      clock: this.clock,
      random,
      limits: { ...KEEP_ALL, ...limits },
      store,
      whenDenied,
    });
  }

  add(...requests: readonly EncodedRequest[]): Promise<void> {
    return this.addUpTo(undefined, requests);
  }

  addUpTo(
    checkpoint: Checkpoint | undefined,
    requests: readonly EncodedRequest[],
  ): Promise<void> {
    const { clock, delivery } = this;
    return this.#drain(delivery.add(requests, ++this.#iteration, clock.wall(), checkpoint));
  }

  /** Tries for `forMs` at most; a send of its own. */
  flush(forMs = 30_000, window: Partial<Window> = {}): Promise<void> {
    return this.#drain(this.delivery.flush({
      send: ++this.#sends,
      retryForMs: forMs,
      until: Infinity,
      stop: NEVER,
      abort: NEVER,
      last: false,
      ...window,
    }));
  }

  end(): Promise<void> {
    return this.#drain(this.delivery.end("the end"));
  }

  /** Lets time pass in which nothing is sent. */
  pass(ms: number): Promise<void> {
    return this.clock.run(this.clock.sleep(ms, NEVER));
  }

  of<T extends DeliveryEvent["type"]>(type: T): readonly Extract<DeliveryEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<DeliveryEvent, { type: T }> =>
      event.type === type
    );
  }

  /** When each attempt came, in ms after the first. */
  get times(): readonly number[] {
    const [first] = this.receiver.attempts;
    return this.receiver.attempts.map(({ at }) => at - (first?.at ?? 0));
  }

  async #drain(events: AsyncGenerator<DeliveryEvent, unknown>): Promise<void> {
    await this.clock.run((async () => {
      for (;;) {
        const next = await events.next();
        // Adding up a very long queue after every event would be all that its test measures.
        if (next.done || this.delivery.pending.length < 1000) assertBalanced(this.delivery);
        if (next.done) return;
        this.events.push(next.value);
      }
    })());
  }
}

/** A Delivery in simulated time. */
export class World extends DeliveringWorld<Delivery> {
  constructor(options: WorldOptions = {}) {
    super((dependencies) => new Delivery(dependencies), options);
  }
}

function assertBalanced({ ledger }: Delivering): void {
  const { recorded, delivered, rejected, dropped, pending } = ledger;
  assert.equal(recorded, delivered + rejected + dropped + pending, JSON.stringify(ledger));
}

/** HTTP date 20 s after a `World` begins. */
export const NOON = "Sat, 31 Jan 2026 12:00:20 GMT";

/** Denies what has one of these marks, and takes everything else. */
export const denying =
  (...denied: readonly number[]) => (_: number, points: readonly Point[]): Step =>
    denied.includes(Number(String(points[0]?.attributes["series"]).split("-")[0]))
      ? { status: 403 }
      : {};
