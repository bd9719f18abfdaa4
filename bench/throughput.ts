/**
 * Data points per second, 10,000 series, each send all of them, as fast as it goes, without compression and with gzip; a
 * Collector with the nop exporter receives and counts them.
 *
 *     deno run -A bench/throughput.ts [PAIRS [SECONDS]]
 *
 * Side by side, in turn: the program (OTLP_HISTOGRAM_BIN, or this source), a bare loop around the recorder,
 * requests encoded beforehand and only posted from the same Deno, and telemetrygen. OTELCOL and TELEMETRYGEN name the
 * executables; without the latter its rows are left out.
 */
import { systemClock } from "../src/platform/clock.ts";
import { type EncodedRecorder, recordingOf } from "../tests/support/recording.ts";
import {
  background,
  cost,
  countingCollector,
  durations,
  inTempFolder,
  loop,
  machine,
  median,
  post,
  program,
  ready,
  SERIES,
  table,
  telemetrygen,
} from "./support.ts";

const LIMITS = { points: Infinity, bytes: 64 * 2 ** 20 };
/** Suffix of the name of a case that compresses. */
const GZIP = ", gzip";

if (Deno.args[0] === "sender") {
  await sender(Deno.args[1] ?? "", Deno.args[2] === "posted", Number(Deno.args[3]));
} else {
  await inTempFolder((folder) =>
    bench(folder, Number(Deno.args[0] ?? 5), Number(Deno.args[1] ?? 5))
  );
}

/** Sends for `seconds`; with `posted` the same request each time. */
async function sender(url: string, posted: boolean, seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1000;
  const recording = recordingOf(durations(SERIES), systemClock);
  // The attributes are strings, as the program makes them: a receiver accepts numbers faster.
  const sets = Array.from({ length: SERIES }, (_, i) => ({ series: String(i + 1) }));
  let bodies = await next(recording, sets);
  while (performance.now() < until) {
    const posting = postAll(url, bodies);
    if (!posted) {
      // The receiver is at work with this request meanwhile; first it has to get it.
      await new Promise((resolve) => setTimeout(resolve, 0));
      bodies = await next(recording, sets);
    }
    await posting;
  }
}

async function next(
  recording: EncodedRecorder,
  sets: readonly { readonly series: string }[],
): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  recording.add(
    sets.map((attributes) => ({ value: Math.exp(8 * Math.random()), attributes })),
  );
  const { requests } = await recording.collect(LIMITS, "none");
  return requests.map(({ body }) => body);
}

async function postAll(url: string, bodies: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
  for (const body of bodies) await post(url, body);
}

interface Sample {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly peakMb: number;
}

async function bench(folder: string, pairs: number, seconds: number): Promise<void> {
  const otelcol = Deno.env.get("OTELCOL");
  if (!otelcol) throw new Error("OTELCOL must name a Collector");
  const { command, port, points: accepted } = await countingCollector(otelcol, folder);
  const collector = background(command, folder);
  try {
    await ready(accepted);
    await ready(() => post(`http://127.0.0.1:${port}/v1/metrics`, new Uint8Array()));
    const commands = await senders(folder, `127.0.0.1:${port}`, seconds);
    const samples = new Map<string, Sample[]>(commands.map(({ name }) => [name, []]));
    for (let pair = 0; pair < pairs; pair++) {
      for (const { name, command, env = {} } of commands) {
        const before = await accepted();
        const { wallMs, cpuMs, peakMb } = await cost(command, env, folder);
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

interface Command {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

async function senders(
  folder: string,
  receiver: string,
  seconds: number,
): Promise<readonly Command[]> {
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
  const ownWith = (compression: string) => loop(own, `http://${receiver}`, seconds, compression);
  const plain = [
    { name: "otlp-histogram", command: ownWith("none") },
    { name: "recorder and fetch", command: [...deno, "loop", duration] },
    { name: "encoded beforehand", command: [...deno, "posted", duration] },
  ];
  const packed = { name: `otlp-histogram${GZIP}`, command: ownWith("gzip") };
  const generator = Deno.env.get("TELEMETRYGEN");
  if (!generator) return [...plain, packed];
  const command = telemetrygen(generator, new URL(`http://${receiver}`), seconds, 2);
  // It has no flag for compression, but its exporter knows the variable.
  const env = { OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" };
  return [
    ...plain,
    { name: "telemetrygen", command },
    packed,
    { name: `telemetrygen${GZIP}`, command, env },
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
      name.endsWith(GZIP) ? "" : against(name, "encoded beforehand"),
      against(name, name.endsWith(GZIP) ? `telemetrygen${GZIP}` : "telemetrygen"),
    ]),
  ]);
}
