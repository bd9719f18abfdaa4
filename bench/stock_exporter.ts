/**
 * The stock OpenTelemetry JS exporter as its documentation shows it: five measurements, flushed; or a loop.
 *
 *   deno run --allow-all bench/stock_exporter.ts URL [SECONDS]
 */
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import {
  AggregationTemporality,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";

const [url = "", seconds = "0"] = Deno.args;
const TIMEOUT_MS = 3000;

const reader = new PeriodicExportingMetricReader({
  exporter: new OTLPMetricExporter({
    url: `${url}/v1/metrics`,
    timeoutMillis: TIMEOUT_MS,
    temporalityPreference: AggregationTemporality.DELTA,
  }),
  exportIntervalMillis: 1000,
  exportTimeoutMillis: 1000,
});
const provider = new MeterProvider({ readers: [reader] });
const histogram = provider.getMeter("bench").createHistogram("http.server.duration");
let recorded = 0;

function record(): void {
  for (let i = 0; i < 5; i++) histogram.record(50 + i);
  recorded += 5;
}

record();
if (seconds === "0") {
  await provider.forceFlush();
} else {
  const timer = setInterval(record, 1000);
  await new Promise<void>((resolve) => Deno.addSignalListener("SIGTERM", resolve));
  clearInterval(timer);
}
await provider.shutdown();
console.log(`recorded ${recorded}`);
Deno.exit();
