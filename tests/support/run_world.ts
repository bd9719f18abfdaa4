import { SAMPLE_IDENTITY } from "../../src/aggregate/identity.ts";
import assert from "node:assert/strict";
import type { MetricConfig } from "../../src/aggregate/metric_config.ts";
import type { ScheduleConfig } from "../../src/settings/schedule_config.ts";
import type { Pending } from "../../src/delivery/delivering.ts";
import { Delivery, type DeliveryLimits } from "../../src/delivery/delivery.ts";
import type { Attributes } from "../../src/aggregate/measurement.ts";
import { batchSource, emptySource, type Source } from "../../src/source/source.ts";
import { type RequestLimits, withByteLimit } from "../../src/otlp/request.ts";
import { run } from "../../src/commands/send/run.ts";
import type { RunEvent, Summary } from "../../src/commands/send/run_event.ts";
import { PROFILES } from "../../src/receivers/profiles.ts";
import { recordingOf } from "./recording.ts";
import { MemoryStore, SimulatedClock, SimulatedReceiver, type Step } from "./simulation.ts";

const METRIC: MetricConfig = {
  name: "m",
  unit: "ms",
  description: "",
  bounds: [10, 100],
  maxSeries: 1000,
  resource: {},
  userResource: {},
  scope: SAMPLE_IDENTITY.scope,
  attributes: {},
};
const ONCE: ScheduleConfig = {
  loop: false,
  intervalMs: 60_000,
  iterations: Infinity,
  durationMs: Infinity,
};
/** Schedule of a loop without end, with a send per minute. */
export const LOOP: ScheduleConfig = { ...ONCE, loop: true };
const PER_SEND = 5;
/** A minute in ms. */
export const MINUTE = 60_000;

/** How a `World` differs from a single run in which the receiver takes everything. */
interface Options {
  readonly answers?: readonly Step[] | ((attempt: number) => Step);
  readonly schedule?: ScheduleConfig;
  readonly retryForMs?: number;
  readonly timeoutMs?: number;
  readonly limits?: Partial<DeliveryLimits>;
  readonly request?: RequestLimits;
  readonly store?: MemoryStore;
  readonly resource?: Attributes;
  readonly left?: readonly Pending[];
  /** Nothing is recorded. */
  readonly nothing?: boolean;
  readonly random?: () => number;
  readonly source?: (clock: SimulatedClock) => Source;
  readonly startDelayMs?: number;
}

/** The loop over a simulated receiver, in simulated time. */
export class World {
  readonly clock = new SimulatedClock();
  readonly stop = new AbortController();
  readonly kill = new AbortController();
  readonly receiver: SimulatedReceiver;
  readonly delivery: Delivery;
  readonly events: RunEvent[] = [];
  forced: ((why: string) => readonly RunEvent[]) | undefined;
  /** By event: when it came, in ms from the start. */
  readonly at = new Map<RunEvent, number>();
  readonly #start = this.clock.monotonic();
  readonly #run: AsyncGenerator<RunEvent>;

  constructor(options: Options = {}) {
    const { clock } = this;
    const timeoutMs = options.timeoutMs ?? 10_000;
    const limits = { maxPendingBytes: 64e6, maxAgeMs: 3_600_000, ...options.limits };
    this.receiver = new SimulatedReceiver(clock, options.answers, timeoutMs);
    this.delivery = new Delivery({
      post: this.receiver.post,
      hide: (text) => text,
      clock,
      random: options.random ?? (() => 0.5),
      limits,
      store: options.store,
      whenDenied: options.schedule?.loop || options.store ? "wait" : "refuse",
    });
    this.delivery.adopt(options.left ?? []);
    const batch = Array.from({ length: PER_SEND }, (_, i) => ({
      value: i,
      attributes: { series: i % 3 },
    }));
    const { recorder, requests } = recordingOf({
      resource: options.resource ?? {},
      instruments: [METRIC],
      maxSeries: 1000,
    }, clock);
    this.#run = run({
      source: options.source?.(clock) ??
        (options.nothing ? emptySource : batchSource(() => batch)),
      records: recorder,
      requests,
      delivery: this.delivery,
      clock,
      random: options.random ?? (() => 0.5),
      schedule: options.schedule ?? ONCE,
      startDelayMs: options.startDelayMs ?? 0,
      keep: { retryForMs: options.retryForMs ?? 30_000, spool: undefined, ...limits },
      format: () => ({
        limits: withByteLimit(
          this.delivery.largestRequest,
          options.request ?? PROFILES.otlp.limits,
        ),
        compression: "none",
      }),
      timeoutMs,
      review: () => Promise.resolve(),
      stop: this.stop.signal,
      kill: this.kill.signal,
      forced: (lastEvents) => this.forced = lastEvents,
    });
  }

  /** Runs to the end; the summary's ledger is checked. */
  async play(): Promise<Summary> {
    await this.clock.run((async () => {
      for await (const event of this.#run) {
        this.events.push(event);
        this.at.set(event, this.now);
        const { recorded, delivered, rejected, dropped, pending } = this.delivery.ledger;
        assert.equal(recorded, delivered + rejected + dropped + pending);
      }
    })());
    const last = this.events.at(-1);
    assert.ok(last?.type === "summary", `the last event is ${last?.type}`);
    const { recorded, delivered, rejected, dropped, pending } = last;
    assert.equal(recorded, delivered + rejected + dropped + pending);
    return last;
  }

  of<T extends RunEvent["type"]>(type: T): readonly Extract<RunEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: T }> =>
      event.type === type
    );
  }

  /** ms since the start. */
  get now(): number {
    return this.clock.monotonic() - this.#start;
  }

  /** When each attempt came, in ms since the start. */
  get attempts(): readonly number[] {
    return this.receiver.attempts.map(({ at }) => at - this.#start);
  }
}
