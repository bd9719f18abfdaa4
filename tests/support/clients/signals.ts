import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import {
  AggregationTemporality,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";

/**
 * A program with all three signals, which the environment leads to a receiver: `signals.ts delta|cumulative`. Metrics
 * come from the SDK. Spans and records are posted as its exporters do, to the endpoint with their paths.
 */
const endpoint = Deno.env.get("OTEL_EXPORTER_OTLP_ENDPOINT") ?? "";
for (const signal of ["traces", "logs"]) {
  const response = await fetch(`${endpoint}/v1/${signal}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  if (!response.ok || await response.text() !== "{}") Deno.exit(9);
}
const exporter = new OTLPMetricExporter({
  temporalityPreference: Deno.args[0] === "delta"
    ? AggregationTemporality.DELTA
    : AggregationTemporality.CUMULATIVE,
});
const provider = new MeterProvider({
  readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
});
provider.getMeter("client", "1.0.0").createHistogram("client.duration", { unit: "ms" }).record(
  12.5,
);
await provider.shutdown();
