import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { AggregationTemporality } from "../../src/otlp/gen/opentelemetry/proto/metrics/v1/metrics_pb.ts";
import { type Program, startProgram } from "./program.ts";

// `receive` as a local judge under load: it is started, posted to, and asked for its memory.

export const MB = 1e6;
/**
 * Peak memory of the judge. The program alone has some 80 MB, the densest request that it takes 256 MiB (an estimate of
 * its own), and what is garbage by then is on top.
 */
const MOST_MEMORY = 640 * MB;

export interface Judge extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly program: Program;
}

export async function startJudge(...args: string[]): Promise<Judge> {
  const rules = args.includes("--rules") ? [] : ["--rules", "dynatrace"];
  const program = await startProgram({
    args: ["receive", ...rules, "--port", "0", "--output", "json", ...args],
    timeoutMs: 300_000,
  });
  const said = await program.waitForStderr(/"listening".*\n/);
  const url = /"url":"([^"]+)"/.exec(said)?.[1] ?? "";
  return {
    url,
    port: Number(new URL(url).port),
    program,
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** Peak memory in bytes; only Linux tells. */
export async function peakMemory({ program }: Judge): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${program.pid}/status`);
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

export async function assertMemory(judge: Judge): Promise<void> {
  if (Deno.build.os !== "linux") return;
  const peak = await peakMemory(judge);
  assert.ok(peak > 0 && peak < MOST_MEMORY, `${Math.round(peak / MB)} MB at its peak`);
}

export const GZIP = { "Content-Encoding": "gzip" };

export async function post(
  { url }: Pick<Judge, "url">,
  body: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly body: Uint8Array }> {
  const answer = await fetch(url, {
    method: "POST",
    body,
    headers: { "Content-Type": "application/x-protobuf", ...headers },
  });
  return { status: answer.status, body: new Uint8Array(await answer.arrayBuffer()) };
}

/** Data points of 2 measurements each, with as many attributes. */
export function request(points: number, attributes = 1): Uint8Array<ArrayBuffer> {
  const value = { value: { case: "boolValue" as const, value: true } };
  const dataPoints = Array.from({ length: points }, () => ({
    timeUnixNano: BigInt(Date.now()) * 1_000_000n,
    count: 2n,
    sum: 9,
    bucketCounts: [1n, 1n],
    explicitBounds: [5],
    attributes: Array.from({ length: attributes }, (_, i) => ({ key: `k${i}`, value })),
  }));
  const aggregationTemporality = AggregationTemporality.DELTA;
  const data = { case: "histogram" as const, value: { aggregationTemporality, dataPoints } };
  return toBinary(
    ExportMetricsServiceRequestSchema,
    create(ExportMetricsServiceRequestSchema, {
      resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "my.metric", data }] }] }],
    }),
  );
}

/** The lines about requests that were answered so far, and the summary. */
export function lines({ program }: Judge): readonly Record<string, unknown>[] {
  return program.stdout.trimEnd().split("\n").map((line) => {
    const parsed: unknown = JSON.parse(line);
    assert.ok(typeof parsed === "object" && parsed !== null);
    return { ...parsed };
  });
}

export async function summaryOf(judge: Judge): Promise<Record<string, unknown>> {
  judge.program.signal("SIGTERM");
  assert.equal((await judge.program.finished).status, 0);
  return lines(judge).at(-1) ?? {};
}

export async function raw(judge: Judge, sent: string): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: judge.port });
  await connection.write(new TextEncoder().encode(sent));
  return connection;
}

export const HEAD =
  "POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n";
