import { OTLPMetricExporter as JsonExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as ProtoExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import {
  AggregationTemporality,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";

/** Sends a histogram and a sum once, as a program with the OpenTelemetry SDK does: `sdk.ts URL proto|json delta|cumulative`. */
const [url = "", encoding, temporality] = Deno.args;
const options = {
  url,
  temporalityPreference: temporality === "delta"
    ? AggregationTemporality.DELTA
    : AggregationTemporality.CUMULATIVE,
};
const exporter = encoding === "json" ? new JsonExporter(options) : new ProtoExporter(options);
const provider = new MeterProvider({
  readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
});
const meter = provider.getMeter("client", "1.0.0");
meter.createHistogram("client.duration", { unit: "ms" }).record(12.5, { route: "/a" });
meter.createCounter("client.requests").add(1);
await provider.shutdown();
