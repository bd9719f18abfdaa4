/**
 * Data points a second, 10,000 series, each send all of them, as fast as it goes, no compression; a Collector with the
 * nop exporter receives and counts them.
 *
 *     deno run -A bench/throughput.ts [PAIRS [SECONDS]]
 *
 * Side by side, in turn: the program (OTLP_HISTOGRAM_BIN, or this source compiled), a bare loop around the recorder,
 * requests encoded beforehand and only posted from the same Deno, and telemetrygen. OTELCOL and TELEMETRYGEN name the
 * executables; without the latter its rows are left out.
 */
import { systemClock } from "../src/base/clock.ts";
import { type Recorder, recorder } from "../src/otlp/recorder.ts";
import { background, cost, inTempFolder, machine, median, program, table } from "./support.ts";

const SERIES = 10_000;
const LIMITS = { points: Infinity, bytes: 64 * 2 ** 20 };

if (Deno.args[0] === "sender") {
  await sender(Deno.args[1] ?? "", Deno.args[2] === "posted", Number(Deno.args[3]));
} else {
  await inTempFolder((folder) =>
    bench(folder, Number(Deno.args[0] ?? 5), Number(Deno.args[1] ?? 5))
  );
}

/** Sends for so many seconds; `posted`: the same request again and again. */
async function sender(url: string, posted: boolean, seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1000;
  const recording = recorder({
    resource: { "service.name": "my-service", "deployment.environment": "prod" },
    instruments: [{
      name: "http.server.duration",
      unit: "ms",
      description: "HTTP request duration",
      bounds: [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000],
      attributes: {},
    }],
    maxSeries: SERIES,
  }, systemClock);
  const sets = Array.from({ length: SERIES }, (_, series) => ({ series }));
  let bodies = await next(recording, sets);
  while (performance.now() < until) {
    const posting = post(url, bodies);
    if (!posted) {
      // The receiver is at work with this request meanwhile; first it has to get it.
      await new Promise((resolve) => setTimeout(resolve, 0));
      bodies = await next(recording, sets);
    }
    await posting;
  }
}

async function next(
  recording: Recorder,
  sets: readonly { readonly series: number }[],
): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  recording.record(
    sets.map((attributes) => ({ value: Math.exp(8 * Math.random()), attributes })),
  );
  const { requests } = await recording.collect(LIMITS, "none");
  return requests.map(({ body }) => body);
}

async function post(url: string, bodies: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
  for (const body of bodies) {
    const response = await fetch(url, {
      method: "POST",
      body,
      headers: { "content-type": "application/x-protobuf" },
    });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`status ${response.status}`);
  }
}

interface Sample {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly peakMb: number;
}

async function bench(folder: string, pairs: number, seconds: number): Promise<void> {
  const otelcol = Deno.env.get("OTELCOL");
  if (!otelcol) throw new Error("OTELCOL must name a Collector");
  const port = freePort();
  const metricsPort = freePort();
  await Deno.writeTextFile(`${folder}/collector.yaml`, collectorConfig(port, metricsPort));
  const collector = background([otelcol, "--config", `${folder}/collector.yaml`], folder);
  try {
    const accepted = () => acceptedPoints(metricsPort);
    await ready(accepted);
    await ready(() => post(`http://127.0.0.1:${port}/v1/metrics`, [new Uint8Array()]));
    const commands = await senders(folder, `127.0.0.1:${port}`, seconds);
    const samples = new Map<string, Sample[]>(commands.map(([name]) => [name, []]));
    for (let pair = 0; pair < pairs; pair++) {
      for (const [name, command] of commands) {
        const before = await accepted();
        const { wallMs, cpuMs, peakMb } = await cost(command, {}, folder);
        const points = await accepted() - before;
        samples.get(name)?.push({
          perSecond: points / wallMs * 1000,
          cpuMicroseconds: cpuMs * 1000 / points,
          peakMb,
        });
      }
    }
    console.log(`${await machine()}; ${pairs} times ${seconds} s each\n`);
    console.log(report(samples));
  } finally {
    collector.kill("SIGTERM");
    await collector.status;
  }
}

async function senders(
  folder: string,
  receiver: string,
  seconds: number,
): Promise<readonly (readonly [string, readonly string[]])[]> {
  const duration = String(seconds);
  const own = await program(folder);
  const here = import.meta.filename ?? "";
  const url = `http://${receiver}/v1/metrics`;
  const deno = [
    Deno.execPath(),
    "run",
    "--quiet",
    "--allow-net",
    "--allow-env",
    here,
    "sender",
    url,
  ];
  const telemetrygen = Deno.env.get("TELEMETRYGEN");
  return [
    ["otlp-histogram", [
      own.path,
      ...["--endpoint", `http://${receiver}`, "--compression", "none", "--quiet"],
      ...["--series", String(SERIES), "--loop", "--interval", "0", "--duration", duration],
    ]],
    ["recorder and fetch", [...deno, "loop", duration]],
    ["encoded beforehand", [...deno, "posted", duration]],
    ...telemetrygen
      ? [
        [
          "telemetrygen",
          [
            telemetrygen,
            ...["metrics", "--otlp-http", "--otlp-insecure", "--otlp-endpoint", receiver],
            ...["--metric-type", "Histogram", "--aggregation-temporality", "delta", "--rate", "0"],
            ...["--duration", `${duration}s`, "--workers", "2", "--batch-size", "3000"],
          ],
        ] as const,
      ]
      : [],
  ];
}

function report(samples: ReadonlyMap<string, readonly Sample[]>): string {
  const rate = (name: string) => median((samples.get(name) ?? []).map((s) => s.perSecond));
  const against = (name: string, other: string) =>
    samples.has(other) ? (rate(name) / rate(other)).toFixed(2) : "";
  return table([
    ["sender", "data points/s", "CPU a point", "peak", "of encoded beforehand", "of telemetrygen"],
    ...[...samples].map(([name, of]) => [
      name,
      Math.round(rate(name) / 1000) + ",000",
      `${median(of.map((s) => s.cpuMicroseconds)).toFixed(2)} µs`,
      `${median(of.map((s) => s.peakMb)).toFixed(0)} MB`,
      against(name, "encoded beforehand"),
      against(name, "telemetrygen"),
    ]),
  ]);
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

function collectorConfig(port: number, metricsPort: number): string {
  return `
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}", max_request_body_size: 134217728}}}}
exporters: {nop: {}}
service:
  telemetry:
    logs: {level: error}
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metricsPort}}}}}]
  pipelines: {metrics: {receivers: [otlp], exporters: [nop]}}
`;
}

/** Data points that the Collector has taken since it started, by its own count. */
async function acceptedPoints(metricsPort: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  const [, count = "0"] =
    /^otelcol_receiver_accepted_metric_points\S* (\S+)$/m.exec(await response.text()) ?? [];
  return Number(count);
}

/** Waits until the Collector answers. */
async function ready(ask: () => Promise<unknown>): Promise<void> {
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
