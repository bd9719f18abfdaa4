import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import {
  AggregationTemporality,
  type Metric,
} from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { decode, type Decoded, type Point } from "../support/decode.ts";
import { type Finished, type ProgramOptions, startProgram } from "../support/program.ts";
import { type ExportAnswer, type ReceivedRequest, startReceiver } from "../support/receiver.ts";
import type { World } from "./table.ts";

export interface Measuring {
  /** Added to `--endpoint` of a receiver and `--output json`. */
  readonly args: readonly string[];
  readonly stdin?: ProgramOptions["stdin"];
  /** Files in the working directory. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly answers?: readonly ExportAnswer[];
  /** Meets the program while it runs. */
  readonly meanwhile?: (world: World) => Promise<void>;
}

export interface Measured extends Pick<Finished, "status" | "stdout" | "durationMs"> {
  /** Of warnings and errors, in the order in which they came. */
  readonly said: readonly string[];
  readonly summary: Readonly<Record<string, number>>;
  readonly sends: readonly Readonly<Record<string, unknown>>[];
  /** Those that were answered with 200. */
  readonly requests: readonly ReceivedRequest[];
  /** Of these requests, one after the other. */
  readonly metrics: readonly Metric[];
  /** Empty when there are exponential histograms among them, as is `points`. */
  readonly decoded: readonly Decoded[];
  readonly points: readonly Point[];
}

/** Sends what is measured to a receiver; whatever happens, the summary agrees with what that has counted. */
export async function measure(options: Measuring): Promise<Measured> {
  const { args, stdin, files = {}, env = {}, answers = [], meanwhile } = options;
  const cwd = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
  try {
    for (const [path, content] of Object.entries(files)) {
      if (typeof content === "string") await Deno.writeTextFile(`${cwd}/${path}`, content);
      else await Deno.writeFile(`${cwd}/${path}`, content);
    }
    await using receiver = await startReceiver({ answers });
    await using program = await startProgram({
      args: ["--endpoint", receiver.url, "--output", "json", ...args],
      env,
      cwd,
      ...stdin !== undefined && { stdin },
    });
    await meanwhile?.({ program, receiver });
    const { status, stdout, stderr, durationMs } = await program.finished;
    const lines = objects(stdout);
    const said = objects(stderr).map(({ type, message }) => {
      assert.ok(type === "warning" || type === "error", stderr);
      return String(message);
    });
    const summary = numbers(lines.at(-1) ?? {});
    const requests = receiver.requests.filter(({ answered }) => answered === 200);
    const metrics = requests.flatMap(({ content }) =>
      metricsOf(fromBinary(ExportMetricsServiceRequestSchema, content))
    );
    const delivered = metrics.reduce((sum, metric) => sum + countOf(metric), 0);
    assertLedger(summary, delivered, stderr);
    const explicit = metrics.every(({ data }) => data.case === "histogram");
    const decoded = explicit ? requests.map(({ content }) => decode(content)) : [];
    const points = decoded.flatMap(({ metrics }) => metrics.flatMap(({ points }) => points));
    points.forEach(assertWhole);
    const sends = lines.filter(({ type }) => type === "send");
    assert.equal(summary["sends"], sends.length);
    assert.equal(summary["exitCode"], status);
    return { status, stdout, durationMs, said, summary, sends, requests, metrics, decoded, points };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

/** The only data point. */
export function onePoint({ points }: Pick<Measured, "points">): Point {
  const [point] = points;
  assert.ok(point !== undefined && points.length === 1, `${points.length} data points`);
  return point;
}

/** A histogram of these values, as it should come. */
export function histogramOf(
  values: readonly number[],
  bounds: readonly number[] = DEFAULT_BOUNDS,
): Pick<Point, "count" | "sum" | "min" | "max" | "counts"> {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    // Upper bounds are inclusive.
    const bucket = bounds.findIndex((bound) => value <= bound);
    const index = bucket < 0 ? bounds.length : bucket;
    counts[index] = (counts[index] ?? 0) + 1;
    sum += value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return { count: values.length, sum, min, max, counts };
}

export function assertHistogram(
  { count, sum, min, max, counts }: Point,
  values: readonly number[],
  bounds?: readonly number[],
): void {
  assert.deepEqual({ count, sum, min, max, counts }, histogramOf(values, bounds));
}

/** Data points in the order of an attribute's text. */
export function byAttribute(points: readonly Point[], key: string): readonly Point[] {
  return [...points].sort((a, b) =>
    String(a.attributes[key]).localeCompare(String(b.attributes[key]))
  );
}

export async function gzip(text: string): Promise<Uint8Array> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const DEFAULT_BOUNDS = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000] as const;

function assertWhole({ count, counts, bounds, sum = NaN, min = NaN, max = NaN }: Point): void {
  assert.equal(counts.length, bounds.length + 1);
  assert.equal(counts.reduce((total, n) => total + n, 0), count);
  const slack = 1e-9 * Math.abs(sum);
  assert.ok(count * min <= sum + slack && sum <= count * max + slack, `${min}, ${sum}, ${max}`);
}

function assertLedger(
  summary: Readonly<Record<string, number>>,
  received: number,
  stderr: string,
): void {
  const { recorded, delivered = 0, rejected = 0, dropped = 0, pending = 0 } = summary;
  assert.equal(recorded, delivered + rejected + dropped + pending, stderr);
  assert.equal(received, delivered, stderr);
}

function metricsOf({ resourceMetrics }: ExportMetricsServiceRequest): readonly Metric[] {
  return resourceMetrics.flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) => metrics)
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

/** Lines that are JSON objects. */
export function objects(text: string): readonly Readonly<Record<string, unknown>>[] {
  assert.ok(text === "" || text.endsWith("\n"), `The last line does not end:\n${text}`);
  return text.split("\n").slice(0, -1).map((line) => {
    const parsed: unknown = JSON.parse(line);
    assert.ok(isObject(parsed), line);
    return parsed;
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function numbers(object: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const [key, value] of Object.entries(object)) {
    if (typeof value === "number") found[key] = value;
  }
  return found;
}
