import { CONVENTIONAL_SECONDS } from "../../aggregate/default_bounds.ts";
import type { Clock } from "../../platform/clock.ts";
import { messageOf, UsageError } from "../../platform/errors.ts";
import type { HealthConfig } from "../../settings/health_config.ts";
import type { Ledger } from "../../delivery/delivering.ts";
import type { Pulse } from "./pulse.ts";
import type { RunEvent } from "./run_event.ts";
import { type ProbeAnswer, ProbeServer } from "./probe_server.ts";

// Only --health needs it: import this module dynamically.

/** Address of the health endpoints, and where they take their figures from. */
export interface HealthOptions {
  readonly hostname: string;
  readonly port: number;
  readonly clock: Clock;
  /** Time without a turn of the loop, in ms, after which it counts as stuck. */
  readonly stuckAfterMs: number;
  readonly ledger: () => Ledger;
  readonly pendingBytes: () => number;
  readonly warn: (message: string) => void;
}

/** Probes for Kubernetes and metrics for Prometheus, about a send under way. */
export interface Health extends Pulse {
  /** Base URL, without a path. */
  readonly url: string;
  /** Clock whose sleep does not count as being stuck. */
  readonly clock: Clock;
  event(event: RunEvent): void;
  close(): void;
}

/** Upper bounds of the durations of requests, in s. */
const BOUNDS = CONVENTIONAL_SECONDS;
const OUTCOMES = ["accepted", "partial", "rejected", "failed"] as const;

/** Starts the health endpoints at the address of `--health`; throws a UsageError when nothing can listen there. */
export function openHealth(
  { hostname, port, setting }: HealthConfig,
  options: Omit<HealthOptions, "hostname" | "port">,
): Health {
  try {
    return startHealth({ ...options, hostname, port });
  } catch (thrown) {
    const why = thrown instanceof Deno.errors.AddrInUse
      ? "another program is listening there"
      : messageOf(thrown);
    throw new UsageError(
      `Cannot listen on ${setting.name} "${setting.value}" (${setting.source}): ${why}. Use a free port and an ` +
        "address of this machine, for example 127.0.0.1:8080 or 0.0.0.0:8080",
    );
  }
}

/** Listens on that address; throws the error of the system when it cannot. */
export function startHealth(options: HealthOptions): Health {
  const { clock } = options;
  const requests = new Map<string, number>(OUTCOMES.map((outcome) => [outcome, 0]));
  const buckets = new Array<number>(BOUNDS.length + 1).fill(0);
  let seconds = 0;
  let turnedAt = clock.monotonic();
  /** How much is under way that may take however long. */
  let waits = 0;
  const turned = () => {
    turnedAt = clock.monotonic();
  };
  const waiting = async <Result>(work: Promise<Result>): Promise<Result> => {
    waits++;
    try {
      return await work;
    } finally {
      waits--;
      turned();
    }
  };
  /** How the last send ended; undefined: none was due yet. */
  let last: string | undefined;

  const livez = () => {
    const still = clock.monotonic() - turnedAt;
    return waits > 0 || still <= options.stuckAfterMs
      ? ok()
      : unavailable(`the loop has been stuck for ${Math.round(still / 1000)} s`);
  };
  const readyz = () =>
    last === undefined || last === "accepted" ? ok() : unavailable(`the last send was ${last}`);
  const metrics = () => {
    const { delivered, rejected, dropped, pending } = options.ledger();
    return {
      status: 200,
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      body: [
        ...family(
          "otlp_histogram_measurements_total",
          "counter",
          "Measurements by outcome.",
        ),
        ...samples("otlp_histogram_measurements_total", { delivered, rejected, dropped }),
        ...family(
          "otlp_histogram_pending_measurements",
          "gauge",
          "Unsent measurements.",
        ),
        `otlp_histogram_pending_measurements ${pending}`,
        ...family(
          "otlp_histogram_pending_bytes",
          "gauge",
          "Bytes of unsent requests.",
        ),
        `otlp_histogram_pending_bytes ${options.pendingBytes()}`,
        ...family("otlp_histogram_requests_total", "counter", "Requests by outcome."),
        ...samples("otlp_histogram_requests_total", Object.fromEntries(requests)),
        ...family(
          "otlp_histogram_request_duration_seconds",
          "histogram",
          "Duration of requests.",
        ),
        ...durations(buckets, seconds),
        "",
      ].join("\n"),
    } as const;
  };

  const server = new ProbeServer({
    hostname: options.hostname,
    port: options.port,
    clock,
    answer(path) {
      switch (path) {
        case "/livez":
          return livez();
        case "/readyz":
          return readyz();
        case "/metrics":
          return metrics();
        default:
          return text(404, "there are /livez, /readyz and /metrics");
      }
    },
    outOfDescriptors: () => options.warn(OUT_OF_DESCRIPTORS),
  });
  const { hostname, port } = server.address;
  return {
    url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`,
    turned,
    waiting,
    clock: {
      wall: () => clock.wall(),
      monotonic: () => clock.monotonic(),
      sleep: (ms, signal) => waiting(clock.sleep(ms, signal)),
    },
    event(event) {
      turned();
      if (event.type === "attempt") {
        const { outcome } = event.result;
        requests.set(outcome, (requests.get(outcome) ?? 0) + 1);
        const took = event.durationMs / 1000;
        seconds += took;
        const bucket = BOUNDS.findIndex((bound) => took <= bound);
        const at = bucket < 0 ? BOUNDS.length : bucket;
        buckets[at] = (buckets[at] ?? 0) + 1;
      } else if (event.type === "send") last = event.outcome;
      else if (event.type === "late") last = event.result.outcome;
    },
    close: () => server.close(),
  };
}

const OUT_OF_DESCRIPTORS =
  "--health cannot accept connections for now: Too many open files (ulimit -n). Raise this limit";

function ok(): ProbeAnswer {
  return text(200, "ok");
}

function unavailable(why: string): ProbeAnswer {
  return text(503, why);
}

function text(status: ProbeAnswer["status"], line: string): ProbeAnswer {
  return { status, contentType: "text/plain; charset=utf-8", body: `${line}\n` };
}

function family(name: string, type: string, help: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function samples(name: string, values: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(values).map(([outcome, value]) => `${name}{outcome="${outcome}"} ${value}`);
}

function durations(buckets: readonly number[], seconds: number): readonly string[] {
  const name = "otlp_histogram_request_duration_seconds";
  let below = 0;
  const lines = [...BOUNDS, "+Inf"].map((bound, i) => {
    below += buckets[i] ?? 0;
    return `${name}_bucket{le="${bound}"} ${below}`;
  });
  return [...lines, `${name}_sum ${seconds}`, `${name}_count ${below}`];
}
