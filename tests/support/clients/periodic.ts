import process from "node:process";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import {
  AggregationTemporality,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";

// Records a histogram and exports it every second until it is killed: `node periodic.mjs URL`, bundled for Node.js.
const exporter = new OTLPMetricExporter({
  url: process.argv[2] ?? "",
  temporalityPreference: AggregationTemporality.DELTA,
});
const reader = new PeriodicExportingMetricReader({
  exporter,
  exportIntervalMillis: 1000,
  exportTimeoutMillis: 1000,
});
const provider = new MeterProvider({ readers: [reader] });
const histogram = provider.getMeter("client").createHistogram("client.duration", { unit: "ms" });
setInterval(() => histogram.record(12.5), 200);
