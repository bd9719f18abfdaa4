import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { create, toBinary } from "@bufbuild/protobuf";
import type { Clock } from "../../src/platform/clock.ts";
import type { Pending, SaveExtras, Store } from "../../src/delivery/delivering.ts";
import { encodeResponse } from "../../src/otlp/decode.ts";
import {
  ExportMetricsServiceRequestSchema,
} from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import type { EncodedRequest } from "../../src/otlp/request.ts";
import type { Failure, FailureCause, Post } from "../../src/http/reply.ts";
import { decode, type Point } from "./decode.ts";
import { loadLazyModules } from "./lazy_modules.ts";

/** Time that passes at once: whenever everything waits, it jumps to the next moment that is waited for. */
export class SimulatedClock implements Clock {
  #now = 1_000;
  #jumpedMs = 0;
  #wallAt0 = Date.UTC(2026, 0, 31, 12) - 1_000;
  readonly #sleeping = new Set<{ readonly until: number; readonly wake: () => void }>();

  wall(): number {
    return Math.floor(this.#wallAt0 + this.#now);
  }

  monotonic(): number {
    return this.#now;
  }

  /** As somebody sets the clock of the machine, by so many ms. */
  setWall(byMs: number): void {
    this.#wallAt0 += byMs;
  }

  /** As a machine that was asleep for so long. */
  jump(ms: number): void {
    this.#now += ms;
    this.#jumpedMs += ms;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (ms <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleeping.delete(sleeper);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper = { until: this.#now + ms, wake };
      this.#sleeping.add(sleeper);
      signal.addEventListener("abort", wake);
    });
  }

  /** Does something at a moment of simulated time, seen from now. */
  after(ms: number, what: () => void): void {
    const wake = () => {
      this.#sleeping.delete(sleeper);
      what();
    };
    const sleeper = { until: this.#now + ms, wake };
    this.#sleeping.add(sleeper);
  }

  /** Lets `work` run to its end; throws when it waits for no moment, or for more than `mostMs` without jumps. */
  async run<T>(work: Promise<T>, mostMs = 1e8): Promise<T> {
    const end = this.#now + mostMs - this.#jumpedMs;
    let isDone = false;
    work.then(() => isDone = true, () => isDone = true);
    await loadLazyModules();
    for (;;) {
      await settled();
      if (isDone) return await work;
      const [next] = [...this.#sleeping].sort((a, b) => a.until - b.until);
      if (next === undefined) throw new Error("The work waits for something other than the clock");
      if (next.until > end + this.#jumpedMs) {
        throw new Error(`Still not done after ${mostMs} simulated ms`);
      }
      this.#now = Math.max(this.#now, next.until);
      next.wake();
    }
  }
}

/** Resolves once all goes on that waits neither for a clock nor for the operating system: after one turn of the event loop. */
async function settled(): Promise<void> {
  await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** Keeps everything in memory, and fails while `full`. */
export class MemoryStore implements Store {
  readonly files = new Map<string, Pending>();
  readonly unsent = new Set<string>();
  full = false;
  readonly #removed = new Set<string>();
  #counter = 0;

  save(batch: readonly Pending[], { half }: SaveExtras = {}) {
    if (this.full) return Promise.resolve({ stored: undefined, warning: "full" });
    const [pending] = batch;
    assert.ok(pending !== undefined);
    const stored = half === undefined || pending.stored === undefined
      ? `file-${this.#counter++}`
      : `${pending.stored}-${half}`;
    assert.ok(!this.files.has(stored), `${stored} is written twice`);
    this.files.set(stored, pending);
    return Promise.resolve({ stored, warning: undefined });
  }

  /** As somebody else removes a file. */
  remove(name: string | undefined): void {
    assert.ok(name !== undefined && this.files.delete(name));
    this.#removed.add(name);
  }

  forget(name: string) {
    assert.ok(this.files.delete(name) || this.#removed.delete(name), `${name} is not there`);
    return Promise.resolve(undefined);
  }

  holds(name: string) {
    return Promise.resolve(this.files.has(name));
  }

  markUnsent(name: string) {
    this.unsent.add(name);
    return Promise.resolve();
  }
}

/** Reaction of a simulated receiver to one request. */
export interface Step {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** No answer comes. */
  readonly failure?: FailureCause;
  /** In the words of the system. */
  readonly message?: string;
  /** It took the request though its answer does not say so, or never comes. */
  readonly took?: boolean;
  readonly latencyMs?: number;
}

export interface Attempt {
  /** On the monotonic clock. */
  readonly at: number;
  readonly body: Uint8Array;
  readonly points: readonly Point[];
  readonly taken: boolean;
}

const NEVER_SENT: readonly FailureCause[] = [
  "dns",
  "refused",
  "unreachable",
  "certificate",
  "tls",
  "proxy",
  "setup",
];

/** A receiver behind a `Post`, without a network; it decodes what it gets. */
export class SimulatedReceiver {
  readonly attempts: Attempt[] = [];
  readonly #clock: SimulatedClock;
  readonly #timeoutMs: number;
  #next: (attempt: number, points: readonly Point[]) => Step;

  constructor(
    clock: SimulatedClock,
    /** By attempt, from 0; after the last of a list, 200. */
    answers: readonly Step[] | ((attempt: number, points: readonly Point[]) => Step) = [],
    timeoutMs = 10_000,
  ) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#next = typeof answers === "function" ? answers : (n) => answers[n] ?? {};
  }

  /** From now on. */
  answer(next: (attempt: number, points: readonly Point[]) => Step): void {
    this.#next = next;
  }

  readonly post: Post = async (body, _encoding, signal) => {
    const points = pointsOf(body);
    const step = this.#next(this.attempts.length, points);
    const status = step.status ?? 200;
    const taken = step.took ?? (step.failure === undefined && status >= 200 && status < 300);
    const latency = step.failure === "timeout" ? this.#timeoutMs : step.latencyMs ?? 1;
    this.attempts.push({ at: this.#clock.monotonic(), body, points, taken });
    await this.#clock.sleep(Math.min(latency, this.#timeoutMs), signal);
    if (signal.aborted) return failed("interrupted");
    if (latency >= this.#timeoutMs) return failed("timeout");
    if (step.failure !== undefined) return failed(step.failure, step.message);
    return {
      kind: "reply",
      status,
      headers: new Headers({ "content-type": "application/x-protobuf", ...step.headers }),
      body: step.body ?? new Uint8Array(),
    };
  };

  /** Measurements of every request that it took, each as often as it took it. */
  get took(): number {
    return this.attempts.filter(({ taken }) => taken).reduce(
      (sum, { points }) => sum + measurementsOf(points),
      0,
    );
  }

  get takenPoints(): readonly Point[] {
    return this.attempts.filter(({ taken }) => taken).flatMap(({ points }) => points);
  }
}

function failed(cause: FailureCause, message = `simulated: ${cause}`): Failure {
  return {
    kind: "failure",
    cause,
    message,
    mayHaveArrived: !NEVER_SENT.includes(cause),
  };
}

export function partial(rejectedDataPoints: number, errorMessage = "simulated"): Step {
  return { body: encodeResponse({ rejectedDataPoints, errorMessage }) };
}

export function pointsOf(body: Uint8Array): readonly Point[] {
  return decode(body).metrics.flatMap(({ points }) => points);
}

export function measurementsOf(points: readonly Point[]): number {
  return points.reduce((sum, { count }) => sum + count, 0);
}

/** A pending request that nothing was tried with, without the request. */
export const UNTRIED = {
  iteration: null,
  recordedAt: 0,
  bornAt: 0,
  stored: undefined,
  attempts: 0,
  mayHaveArrived: false,
  possiblyDuplicated: false,
} as const;

/** So much in a data point that a request of two of them can be split. */
export const SPLITTABLE = 64 * 2 ** 10;

function paddingOf(bytes: number) {
  const value = "x".repeat(bytes);
  return { key: "padding", value: { value: { case: "stringValue" as const, value } } };
}

/**
 * A request, not compressed, with a data point for each count; `mark` tells its points from all others, and each holds
 * `padding` bytes more than it needs.
 */
export function requestOf(counts: readonly number[], mark = 1, padding = 0): EncodedRequest {
  const dataPoints = counts.map((count, i) => ({
    attributes: [{
      key: "series",
      value: { value: { case: "stringValue" as const, value: `${mark}-${i}` } },
    }, ...padding > 0 ? [paddingOf(padding)] : []],
    startTimeUnixNano: BigInt(mark) * 1_000_000_000n,
    timeUnixNano: BigInt(mark + 1) * 1_000_000_000n,
    count: BigInt(count),
    sum: count * 3.5,
    explicitBounds: [1, 2.5],
    bucketCounts: [0n, BigInt(count), 0n],
    min: 1.25,
    max: 2.5,
  }));
  const body = toBinary(
    ExportMetricsServiceRequestSchema,
    create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: [{
        resource: {},
        scopeMetrics: [{
          scope: { name: "test" },
          metrics: [{
            name: "m",
            data: {
              case: "histogram",
              value: { aggregationTemporality: AggregationTemporality.DELTA, dataPoints },
            },
          }],
        }],
      }],
    }),
  );
  const measurements = counts.reduce((sum, count) => sum + count, 0);
  return { body, encoding: "identity", points: counts.length, measurements };
}
