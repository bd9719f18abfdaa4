/** Shared parts of the benchmarks: executables to compare, a receiver, processes measured, tables. */
import { bundle, compile, RUN_FLAGS } from "../scripts/compile.ts";
import type { RecordingConfig } from "../tests/support/recording.ts";
import { freePort } from "../tests/support/process.ts";

/** Path of the executable that OTLP_HISTOGRAM_BIN names, to be measured in place of this source. */
export const EXECUTABLE = Deno.env.get("OTLP_HISTOGRAM_BIN") || undefined;

/**
 * Returns the command line of the program: EXECUTABLE, or the bundle of this source, run by the Deno of this process
 * with the flags of the executable and without a code cache.
 */
export async function program(folder: string): Promise<readonly string[]> {
  if (EXECUTABLE !== undefined) return [await Deno.realPath(EXECUTABLE)];
  return await bundled("main.ts", `${folder}/program`);
}

/** Returns the command line of a bare fetch, the minimum that any sender pays; made in the same way as the program. */
export async function bareFetch(folder: string): Promise<readonly string[]> {
  const entry = "bench/bare_fetch.ts";
  if (EXECUTABLE === undefined) return await bundled(entry, `${folder}/bare_fetch`);
  const path = `${folder}/bare_fetch`;
  await compile(await bundle(entry, `${path}-bundle`), path, undefined);
  return [path];
}

async function bundled(entry: string, folder: string): Promise<readonly string[]> {
  const flags = ["--quiet", "--no-config", "--no-lock", ...RUN_FLAGS];
  return [Deno.execPath(), "run", ...flags, await bundle(entry, folder)];
}

/** Returns the predecessor's command line from PREDECESSOR, if it is set. */
export function predecessor(): readonly string[] | undefined {
  return Deno.env.get("PREDECESSOR")?.trim().split(/\s+/);
}

/** Receiver that keeps the sizes of bodies. */
export interface Receiver {
  readonly url: string;
  /** Sizes of the bodies so far, as received. */
  readonly bodies: readonly number[];
  close(): Promise<void>;
}

/** Starts a receiver that answers every request with an empty 200 at once. */
export function receiver(): Receiver {
  const bodies: number[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      bodies.push((await request.arrayBuffer()).byteLength);
      return new Response(null, { status: 200 });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    bodies,
    close: () => server.shutdown(),
  };
}

/** Environment of measured processes, without the settings of whoever runs the benchmark. */
const ENVIRONMENT = { PATH: Deno.env.get("PATH") ?? "", HOME: Deno.env.get("HOME") ?? "" };

/** Cost of a process. */
export interface Cost {
  readonly wallMs: number;
  /** CPU time, user and system. */
  readonly cpuMs: number;
  /** Peak of the resident set. */
  readonly peakMb: number;
}

/** Program that measures a child's resource usage with Python's wait4, to the microsecond; Deno has no equivalent. */
const MEASURE = `
import json, os, subprocess, sys, time
began = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
wall = time.perf_counter() - began
if status != 0: sys.exit("ended with status %d" % status)
scale = 1 / 2**20 if sys.platform == "darwin" else 1 / 1024
print(json.dumps([wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3, usage.ru_maxrss * scale]))
`;

/** Runs a command to its end in an empty directory, with no variables but `env`; fails if it fails. */
export async function cost(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<Cost> {
  const { code, stdout, stderr } = await new Deno.Command("python3", {
    args: ["-c", MEASURE, ...command],
    env: { ...ENVIRONMENT, ...env },
    clearEnv: true,
    cwd,
  }).output();
  const errors = new TextDecoder().decode(stderr).trim();
  if (code !== 0) throw new Error(`${command.join(" ")}: ${errors}`);
  const measured: unknown = JSON.parse(new TextDecoder().decode(stdout));
  const [wallMs, cpuMs, peakMb] = Array.isArray(measured) ? measured.map(Number) : [];
  if (wallMs === undefined || cpuMs === undefined || peakMb === undefined) {
    throw new Error(`${command.join(" ")}: not measured`);
  }
  return { wallMs, cpuMs, peakMb };
}

/** Starts a command that runs until it is stopped, and discards its output. */
export function background(command: readonly string[], cwd: string): Deno.ChildProcess {
  const [name = "", ...args] = command;
  return new Deno.Command(name, {
    args,
    env: ENVIRONMENT,
    clearEnv: true,
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

/** Waits until a program answers. */
export async function ready(ask: () => Promise<unknown>): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      await ask();
      return;
    } catch (thrown) {
      if (tries === 100) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Posts a request, and fails unless it is accepted. */
export async function post(url: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/x-protobuf" },
  });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`status ${response.status}`);
}

/** Returns the executable that a variable names; throws without one. */
export function named(variable: string): string {
  const value = Deno.env.get(variable);
  if (!value) throw new Error(`${variable} must name an executable`);
  return value;
}

/** Collector that counts data points and discards them. */
export interface CountingCollector {
  readonly command: readonly string[];
  readonly port: number;
  /** Returns the number of data points that it accepted since its start. */
  points(): Promise<number>;
}

/** Starts a Collector from the executable `otelcol` that counts data points and discards them. */
export async function countingCollector(
  otelcol: string,
  folder: string,
): Promise<CountingCollector> {
  const [port, metrics] = [freePort(), freePort()];
  const file = `${folder}/collector.yaml`;
  await Deno.writeTextFile(
    file,
    `
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}", max_request_body_size: 134217728}}}}
exporters: {nop: {}}
service:
  telemetry:
    logs: {level: error}
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metrics}}}}}]
  pipelines: {metrics: {receivers: [otlp], exporters: [nop]}}
`,
  );
  return {
    command: [otelcol, "--config", file],
    port,
    points: () => exposed(metrics, /^otelcol_receiver_accepted_metric_points\S* (\S+)$/m),
  };
}

/** Series of a sender's loop. */
export const SERIES = 10_000;

/** Builds the command line of the program, which sends all of its series repeatedly at full speed for `seconds`. */
export function loop(
  program: readonly string[],
  endpoint: string,
  seconds: number,
  compression = "none",
): readonly string[] {
  return [
    ...program,
    ...["--endpoint", endpoint, "--compression", compression, "--quiet"],
    ...["--series", String(SERIES), "--loop", "--interval", "0", "--duration", String(seconds)],
  ];
}

/** Builds the command line of telemetrygen at `path`, whose data points all belong to one series. */
export function telemetrygen(path: string, endpoint: URL, seconds: number, workers: number) {
  const base = endpoint.pathname.replace(/\/$/, "");
  return [
    path,
    ...["metrics", "--otlp-http", "--otlp-insecure", "--otlp-endpoint", endpoint.host],
    ...["--otlp-http-url-path", `${base}/v1/metrics`, "--metric-type", "Histogram"],
    ...["--aggregation-temporality", "delta", "--rate", "0", "--duration", `${seconds}s`],
    ...["--workers", String(workers), "--batch-size", "3000"],
  ];
}

/** Reads the value that `line` finds among the metrics of a program at that port; 0 if there is none yet. */
export async function exposed(port: number, line: RegExp): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  return Number(line.exec(await response.text())?.[1] ?? 0);
}

/** Default bounds, in ms. */
export const BOUNDS = [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000];

/** Configuration of the default metric with at most `maxSeries` series. */
export function durations(
  maxSeries: number,
  bounds: readonly number[] | "exponential" = BOUNDS,
): RecordingConfig {
  return {
    resource: { "service.name": "my-service", "deployment.environment": "prod" },
    instruments: [{
      name: "http.server.duration",
      unit: "ms",
      description: "HTTP request duration",
      bounds,
      attributes: {},
    }],
    maxSeries,
  };
}

/** Returns the median. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? NaN;
  return (lower + upper) / 2;
}

/** Formats a Markdown table; every column but the first is aligned to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const rule = head.map((_, column) => column === 0 ? "---" : "--:");
  return [head, rule, ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Describes the machine, its load, and the Deno that runs the program or has compiled it, for readers of the figures. */
export async function machine(): Promise<string> {
  const { os, arch } = Deno.build;
  const load = Deno.loadavg()[0]?.toFixed(1);
  const here = `${os} ${arch}, ${navigator.hardwareConcurrency} cores, load ${load}`;
  if (EXECUTABLE === undefined) return `${here}; run by deno ${Deno.version.deno}`;
  const compiler = Deno.env.get("DENO_COMPILER") || Deno.execPath();
  const { stdout } = await new Deno.Command(compiler, { args: ["--version"] }).output();
  const [version = ""] = new TextDecoder().decode(stdout).split("\n");
  return `${here}; compiled with ${version}`;
}

/** Runs `work` with a directory that is removed afterwards. */
export async function inTempFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "otlp-histogram-bench-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Returns the size of denort, with which every executable begins, from DENORT_BIN; undefined if that is not set. */
export async function denortBytes(): Promise<number | undefined> {
  const path = Deno.env.get("DENORT_BIN");
  return path ? (await Deno.stat(path)).size : undefined;
}
