/**
 * Requests and data points a second that `receive` takes, beside a Collector with the nop and with the debug exporter
 * and beside rotel, in one run; with and without its page, and with somebody who looks at it.
 *
 *     deno run -A bench/receive.ts [ROUNDS [SECONDS]]
 *
 * Requests are encoded beforehand, 100 data points of 11 bounds each, and posted over four connections as fast as they
 * are answered. OTELCOL and ROTEL name the executables; without one its rows are left out.
 */
import { systemClock } from "../src/platform/clock.ts";
import { recordingOf } from "../tests/support/recording.ts";
import { ONE_REQUEST } from "../src/otlp/request.ts";
import { freePort } from "../tests/support/process.ts";
import {
  background,
  durations,
  inTempFolder,
  machine,
  median,
  post,
  program,
  ready,
  table,
} from "./support.ts";

const POINTS = 100;
const CONNECTIONS = 4;

interface Subject {
  readonly name: string;
  readonly command: readonly string[];
  readonly port: number;
  /** URL that a viewer of the page reads. */
  readonly stream?: string;
}

interface Sample {
  readonly perSecond: number;
  readonly peakMb: number;
}

await inTempFolder((folder) => bench(folder, Number(Deno.args[0] ?? 5), Number(Deno.args[1] ?? 5)));

async function bench(folder: string, rounds: number, seconds: number): Promise<void> {
  const subjects = await subjectsIn(folder);
  const body = await encoded();
  const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      samples.get(subject.name)?.push(await measured(subject, body, seconds, folder));
    }
  }
  console.log(`${await machine()}; ${rounds} times ${seconds} s each\n`);
  console.log(report(samples));
}

async function subjectsIn(folder: string): Promise<readonly Subject[]> {
  const ours = await program(folder);
  const receive = (name: string, ...flags: readonly string[]): Subject => {
    const port = freePort();
    return { name, port, command: [...ours, "receive", "--port", String(port), ...flags] };
  };
  const watched = receive("receive --output json --ui, one reader", "--output", "json", "--ui");
  const subjects = [
    receive("receive", ...[]),
    receive("receive --output json", "--output", "json"),
    receive("receive --output json --ui", "--output", "json", "--ui"),
    { ...watched, stream: `http://127.0.0.1:${watched.port}/events` },
    receive("receive --output json --save", "--output", "json", "--save", `${folder}/saved.jsonl`),
  ];
  const otelcol = Deno.env.get("OTELCOL");
  for (const exporter of otelcol ? ["nop", "debug"] : []) {
    const port = freePort();
    const file = `${folder}/${exporter}.yaml`;
    await Deno.writeTextFile(file, collectorConfig(port, exporter));
    subjects.push({
      name: `Collector, ${exporter}`,
      port,
      command: [otelcol ?? "", "--config", file],
    });
  }
  const rotel = Deno.env.get("ROTEL");
  if (rotel) {
    const [port, grpc] = [freePort(), freePort()];
    const at = ["--otlp-http-endpoint", `127.0.0.1:${port}`];
    const other = ["--otlp-grpc-endpoint", `127.0.0.1:${grpc}`];
    subjects.push({
      name: "rotel, blackhole",
      port,
      command: [rotel, "start", "--exporter", "blackhole", ...at, ...other],
    });
  }
  return subjects;
}

/** Starts a receiver and measures the requests that it answers per second, and its peak memory. */
async function measured(
  { command, port, stream }: Subject,
  body: Uint8Array<ArrayBuffer>,
  seconds: number,
  folder: string,
): Promise<Sample> {
  const child = background(["sh", "-c", 'exec "$@" 2>/dev/null', "sh", ...command], folder);
  const url = `http://127.0.0.1:${port}/v1/metrics`;
  try {
    await ready(() => post(url, body));
    const reading = new AbortController();
    if (stream !== undefined) drain(stream, reading.signal);
    let answered = 0;
    const began = performance.now();
    await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() - began < seconds * 1000) {
        await post(url, body);
        answered++;
      }
    }));
    const took = (performance.now() - began) / 1000;
    const status = await Deno.readTextFile(`/proc/${child.pid}/status`);
    reading.abort();
    const [, kb = NaN] = /^VmHWM:\s*(\d+)/m.exec(status) ?? [];
    return { perSecond: answered / took, peakMb: Number(kb) / 1024 };
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

async function encoded(): Promise<Uint8Array<ArrayBuffer>> {
  const recording = recordingOf(durations(POINTS), systemClock);
  for (let series = 0; series < POINTS; series++) {
    recording.add([1, 20, 300].map((value) => ({ value, attributes: { series } })));
  }
  const { requests: [request] } = await recording.collect(ONE_REQUEST, "none");
  if (request === undefined) throw new Error("There is no request");
  return request.body;
}

/** Reads a stream and discards it until the signal. */
async function drain(url: string, signal: AbortSignal): Promise<void> {
  try {
    const { body } = await fetch(url, { signal });
    for await (const _ of body ?? []);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}

function report(samples: ReadonlyMap<string, readonly Sample[]>): string {
  const rate = (name: string) =>
    median((samples.get(name) ?? []).map(({ perSecond }) => perSecond));
  const whole = (value: number) => Math.round(value).toLocaleString("en");
  return table([
    ["receiver", "requests/s", "data points/s", "peak"],
    ...[...samples].map(([name, of]) => [
      name,
      whole(rate(name)),
      whole(rate(name) * POINTS),
      `${median(of.map(({ peakMb }) => peakMb)).toFixed(0)} MB`,
    ]),
  ]);
}

function collectorConfig(port: number, exporter: string): string {
  return `
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}
exporters: {${exporter}: {${exporter === "debug" ? "verbosity: detailed" : ""}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {metrics: {receivers: [otlp], exporters: [${exporter}]}}
`;
}
