import assert from "node:assert/strict";
import { pointRun } from "../../src/commands/send/point_rate/point_run.ts";
import { RequestFigures } from "../../src/commands/send/request_figures.ts";
import type { RunEvent, Summary } from "../../src/commands/send/run_event.ts";
import type { Delivering } from "../../src/delivery/delivering.ts";
import { Delivery } from "../../src/delivery/delivery.ts";
import { Lanes } from "../../src/delivery/lanes.ts";
import { openOneTry } from "../../src/delivery/one_try.ts";
import { ONE_REQUEST } from "../../src/otlp/request.ts";
import type { PointRate } from "../../src/source/generate/load_config.ts";
import { openPointLoad } from "../../src/source/generate/point_lanes.ts";
import { type Share, WHOLE } from "../../src/source/generate/share.ts";
import { emptySource } from "../../src/source/source.ts";
import { recordingOf } from "./recording.ts";
import { SimulatedClock, SimulatedReceiver, type Step } from "./simulation.ts";

const INSTRUMENT = {
  name: "m",
  unit: "ms",
  description: "",
  bounds: [10, 100],
  attributes: {},
};

/** How a point load in simulated time differs from 100 points/s of 100 series for 3 s, all of which are accepted. */
export interface PointWorldOptions {
  readonly rate?: Partial<PointRate>;
  readonly seconds?: number;
  readonly iterations?: number;
  readonly series?: number;
  readonly workers?: number;
  readonly share?: Share;
  readonly seed?: string;
  readonly timeoutMs?: number;
  /** By the number of the attempt, from 0, its points, and the seconds since the start. */
  readonly answer?: (attempt: number, points: number, seconds: number) => Step;
  /** Sends a signal after so many ms. */
  readonly stopAfterMs?: number;
}

/** A point load over a simulated receiver, in simulated time. */
export class PointWorld {
  readonly clock = new SimulatedClock();
  readonly receiver: SimulatedReceiver;
  readonly delivery: Delivering;
  readonly events: RunEvent[] = [];
  readonly warnings: string[] = [];
  readonly #stop = new AbortController();
  readonly #run: AsyncGenerator<RunEvent>;
  readonly #start = this.clock.monotonic();

  constructor(options: PointWorldOptions = {}) {
    const { clock } = this;
    const { answer = () => ({}), workers = 1, series = 100, share = WHOLE } = options;
    const timeoutMs = options.timeoutMs ?? 10_000;
    this.receiver = new SimulatedReceiver(
      clock,
      (attempt, points) => answer(attempt, points.length, this.now / 1000),
      timeoutMs,
    );
    const rate: PointRate = {
      from: 0,
      to: 100,
      isRising: false,
      pointsPerRequest: undefined,
      sloMs: undefined,
      ...options.rate,
    };
    const load = openPointLoad(
      {
        kind: "synthetic",
        series,
        draw: (random) => random() * 100,
        count: undefined,
        rate: undefined,
        seed: options.seed,
      },
      rate,
      { workers, share, pointRate: rate },
      () => {
        const { recorder, requests } = recordingOf({
          resource: {},
          instruments: [INSTRUMENT],
          maxSeries: 1e6,
        }, clock);
        return { records: recorder, requests };
      },
      { random: () => 0.5 },
      (message) => this.warnings.push(message),
    );
    const limits = { maxPendingBytes: 64e6, maxAgeMs: 3_600_000 };
    const dependencies = {
      post: this.receiver.post,
      hide: (text: string) => text,
      clock,
      random: () => 0.5,
      limits,
      store: undefined,
      whenDenied: "wait",
    } as const;
    this.delivery = new Lanes(
      Array.from(
        { length: workers },
        () => (shared) =>
          rate.isRising ? openOneTry(dependencies) : new Delivery({ ...dependencies, shared }),
      ),
    );
    const unused = recordingOf({ resource: {}, instruments: [], maxSeries: 1 }, clock);
    this.#run = pointRun(load, {
      source: emptySource,
      records: unused.recorder,
      requests: unused.requests,
      delivery: this.delivery,
      clock,
      random: () => 0.5,
      schedule: {
        loop: true,
        intervalMs: 1000,
        iterations: options.iterations ?? Infinity,
        durationMs: (options.seconds ?? 3) * 1000,
      },
      figures: new RequestFigures(clock),
      keep: { retryForMs: 30_000, spool: undefined, ...limits },
      format: () => ({ limits: ONE_REQUEST, compression: "none" }),
      timeoutMs,
      review: () => Promise.resolve(),
      stop: this.#stop.signal,
      kill: new AbortController().signal,
    });
    if (options.stopAfterMs !== undefined) {
      clock.after(options.stopAfterMs, () => this.#stop.abort());
    }
  }

  /** Runs to the end; the ledger is checked after every event, and against the receiver's count at the end. */
  async play(): Promise<Summary> {
    await this.clock.run((async () => {
      for await (const event of this.#run) {
        this.events.push(event);
        const { recorded, delivered, rejected, dropped, pending } = this.delivery.ledger;
        assert.equal(recorded, delivered + rejected + dropped + pending);
      }
    })());
    const last = this.events.at(-1);
    assert.ok(last?.type === "summary", `the last event is ${last?.type}`);
    const { recorded, delivered, rejected, dropped, pending } = last;
    assert.equal(recorded, delivered + rejected + dropped + pending);
    assert.equal(delivered, this.taken, "the receiver took what was delivered");
    return last;
  }

  /** Measurements that the receiver took. */
  get taken(): number {
    return this.receiver.attempts.filter(({ taken }) => taken)
      .reduce((sum, { points }) => sum + points.reduce((all, { count }) => all + count, 0), 0);
  }

  /** ms since the start. */
  get now(): number {
    return this.clock.monotonic() - this.#start;
  }

  get sends(): readonly Extract<RunEvent, { type: "send" }>[] {
    return this.events.filter((event) => event.type === "send");
  }

  /** Seconds since the start at which the attempts began. */
  get attempts(): readonly number[] {
    return this.receiver.attempts.map(({ at }) => (at - this.#start) / 1000);
  }
}

/** Answers as a receiver does that accepts so many data points per second, and has `burst` in store. */
export function bucketAnswers(capacity: number, burst: number, latencyMs = 1) {
  let tokens = burst;
  let filledAt = 0;
  return (_attempt: number, points: number, seconds: number): Step => {
    tokens = Math.min(burst, tokens + (seconds - filledAt) * capacity);
    filledAt = seconds;
    if (points > tokens) return { status: 429, headers: { "retry-after": "60" }, latencyMs };
    tokens -= points;
    return { latencyMs };
  };
}
