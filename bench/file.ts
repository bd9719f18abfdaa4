/**
 * A file of measurements, whole process: NDJSON lines a second against Python's `json.loads` a line into its SDK's
 * histogram, and the memory that ten times as many lines take.
 *
 *     deno run -A bench/file.ts [ROUNDS]
 *
 * PREDECESSOR_PYTHON names a Python with the OpenTelemetry SDK; without it its row is left out.
 */
import { cost, inTempFolder, machine, median, program, receiver, table } from "./support.ts";

const LINES = 1_000_000;
const ROUNDS = Number(Deno.args[0] ?? 5);

const PYTHON = `
import json, sys
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
exporter = OTLPMetricExporter(endpoint=sys.argv[2] + "/v1/metrics", preferred_temporality={Histogram: AggregationTemporality.DELTA})
provider = MeterProvider(metric_readers=[PeriodicExportingMetricReader(exporter, export_interval_millis=3600000)])
histogram = provider.get_meter("example-meter").create_histogram("http.server.duration", unit="ms")
with open(sys.argv[1]) as lines:
    for line in lines:
        measured = json.loads(line)
        histogram.record(measured["value"], measured["attributes"])
provider.force_flush()
provider.shutdown()
`;

await inTempFolder(async (folder) => {
  const own = await program(folder);
  await using stack = new AsyncDisposableStack();
  const target = receiver();
  stack.defer(() => target.close());
  const small = `${folder}/small.ndjson`;
  const large = `${folder}/large.ndjson`;
  await writeLines(small, LINES);
  await writeLines(large, 10 * LINES);
  const ours = (file: string) => [...own, "--endpoint", target.url, "--input", file, "--quiet"];
  const python = Deno.env.get("PREDECESSOR_PYTHON");
  const commands: [string, number, readonly string[]][] = [
    [`otlp-histogram, ${LINES} lines`, LINES, ours(small)],
    [`otlp-histogram, ${10 * LINES} lines`, 10 * LINES, ours(large)],
  ];
  if (python) {
    commands.push([`Python, ${LINES} lines`, LINES, [python, "-c", PYTHON, small, target.url]]);
  } else console.log("PREDECESSOR_PYTHON is not set: its row is left out");

  const costs = commands.map((): { wallMs: number; cpuMs: number; peakMb: number }[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, [, , command]] of commands.entries()) {
      costs[i]?.push(await cost(command, {}, folder));
    }
  }
  console.log(`${await machine()}; medians of ${ROUNDS}\n`);
  console.log(table([
    ["NDJSON, two attributes a line, whole process", "lines/s", "CPU µs/line", "peak MB"],
    ...commands.map(([name, lines], i) => {
      const of = (key: "wallMs" | "cpuMs" | "peakMb") =>
        median((costs[i] ?? []).map((cost) => cost[key]));
      return [
        name,
        Math.round(lines / of("wallMs") * 1000).toLocaleString("en"),
        (of("cpuMs") * 1000 / lines).toFixed(2),
        of("peakMb").toFixed(1),
      ];
    }),
  ]));
});

async function writeLines(path: string, count: number): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  const methods = ["GET", "POST", "PUT"];
  const encoder = new TextEncoder();
  for (let from = 0; from < count; from += 10_000) {
    let text = "";
    for (let i = from; i < from + 10_000; i++) {
      const value = ((i * 7919) % 100_003) / 100;
      const method = methods[i % methods.length];
      text += `{"value":${value},"attributes":{"method":"${method}","status":${200 + i % 4}}}\n`;
    }
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  }
}
