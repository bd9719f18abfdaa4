import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  AggregationTemporality,
  type Metric,
} from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { decode, type Decoded, type Point } from "./decode.ts";
import { type JsonObject, objects, parsed } from "./lines.ts";
import type { Finished, Program } from "./program.ts";
import type { Proxy } from "./proxy.ts";
import { isTaken, type ReceivedRequest, type Receiver } from "./receiver.ts";

/** Result of a fixture. Ports, times, sizes and durations of its output are replaced by words. */
export class Outcome implements Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  readonly program: Program;
  readonly receiver: Receiver;
  readonly proxy: Proxy | undefined;
  /** Those of this run, when others share the receiver. */
  readonly requests: readonly ReceivedRequest[];

  constructor(
    finished: Finished,
    world: Pick<Outcome, "program" | "receiver" | "proxy" | "requests">,
  ) {
    this.status = finished.status;
    this.stdout = finished.stdout;
    this.stderr = finished.stderr;
    this.durationMs = finished.durationMs;
    this.program = world.program;
    this.receiver = world.receiver;
    this.proxy = world.proxy;
    this.requests = world.requests;
  }

  /** Lines of standard output under `--output json`. */
  get lines(): readonly JsonObject[] {
    return objects(this.stdout);
  }

  /** The numbers of the summary under `--output json`. */
  get summary(): Readonly<Record<string, number>> {
    return summaryOf(this.stdout) ?? {};
  }

  get sends(): readonly JsonObject[] {
    return this.lines.filter(({ type }) => type === "send");
  }

  /** Messages of warnings and errors under `--output json`, in the order in which they came. */
  get said(): readonly string[] {
    return objects(this.stderr).map(({ message }) => String(message));
  }

  /** The requests that were answered with a 2xx. */
  get accepted(): readonly ReceivedRequest[] {
    return this.requests.filter(isTaken);
  }

  /** Metrics of the accepted requests, one after the other. */
  get metrics(): readonly Metric[] {
    return this.accepted.flatMap(({ content }) => metricsOf(content));
  }

  /** As `metrics`, of explicit histograms. */
  get decoded(): readonly Decoded[] {
    return this.accepted.map(({ content }) => decode(content));
  }

  get points(): readonly Point[] {
    return this.decoded.flatMap(({ metrics }) => metrics.flatMap(({ points }) => points));
  }
}

/** Asserts what holds for every run that ends with a summary, whatever became of it. `ambiguous`: see `Expectation`. */
export function assertLedger(outcome: Outcome, ambiguous: boolean): void {
  const summary = summaryOf(outcome.stdout);
  if (summary?.["recorded"] === undefined) return;
  const told = `${outcome.stdout}\n${outcome.stderr}`;
  const { recorded, delivered = 0, rejected = 0, dropped = 0, pending = 0, exitCode } = summary;
  assert.equal(recorded, delivered + rejected + dropped + pending, told);
  assert.equal(outcome.status, exitCode, "the exit status is the summary's");
  if (rejected + dropped + pending > 0) {
    assert.equal(outcome.status, 1, "what is not delivered is no success");
  }
  const sends = outcome.stdout.match(/^\{"type":"send"/gm)?.length ?? 0;
  // --quiet prints the summary alone.
  if (sends > 0) assert.equal(summary["sends"], sends, told);
  for (const { type } of objects(outcome.stderr)) {
    assert.ok(type === "warning" || type === "error", outcome.stderr);
  }
  const taken = measurementsIn(...outcome.accepted);
  if (ambiguous) assert.ok(taken >= delivered, `${taken} taken, ${delivered} delivered\n${told}`);
  else assert.equal(taken, delivered, `the receiver took ${taken}\n${told}`);
}

function summaryOf(stdout: string): Readonly<Record<string, number>> | undefined {
  const last = parsed(stdout.trimEnd().split("\n").at(-1) ?? "");
  if (last?.["type"] !== "summary") return undefined;
  const found: Record<string, number> = {};
  for (const [key, value] of Object.entries(last)) {
    if (typeof value === "number") found[key] = value;
  }
  return found;
}

/** Measurements in all of these requests, which must be deltas. */
export function measurementsIn(...requests: readonly ReceivedRequest[]): number {
  return requests.flatMap(({ content }) => metricsOf(content)).reduce(
    (sum, metric) => sum + countOf(metric),
    0,
  );
}

/** How many measurements are in it; it must be a delta. */
export function countOf({ name, data }: Metric): number {
  assert.ok(
    data.case === "histogram" || data.case === "exponentialHistogram",
    `${name}: ${data.case}`,
  );
  assert.equal(data.value.aggregationTemporality, AggregationTemporality.DELTA);
  return data.value.dataPoints.reduce((sum, { count }) => sum + Number(count), 0);
}

function metricsOf(content: Uint8Array): readonly Metric[] {
  return fromBinary(ExportMetricsServiceRequestSchema, content).resourceMetrics.flatMap((
    { scopeMetrics },
  ) => scopeMetrics.flatMap(({ metrics }) => metrics));
}
