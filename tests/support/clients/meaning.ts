import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";

/** Sends durations in s, request sizes and a gauge with the SDK: `meaning.ts URL default|view|advice delta|cumulative`. */
const [url = "", buckets, temporality] = Deno.args;
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const exporter = new OTLPMetricExporter({
  url,
  temporalityPreference: temporality === "delta"
    ? AggregationTemporality.DELTA
    : AggregationTemporality.CUMULATIVE,
});
const provider = new MeterProvider({
  readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  views: buckets !== "view" ? [] : [{
    instrumentName: "job.duration",
    aggregation: {
      type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
      options: { boundaries, recordMinMax: true },
    },
  }],
});
const meter = provider.getMeter("client", "1.0.0");
const duration = meter.createHistogram("job.duration", {
  unit: "s",
  ...buckets === "advice" && { advice: { explicitBucketBoundaries: boundaries } },
});
const size = meter.createHistogram("http.server.request.body.size", { unit: "By" });
const gauge = meter.createGauge("file.size", { unit: "By" });
for (let i = 0; i < 100; i++) {
  duration.record(0.1 + i * 0.003, { route: i % 2 ? "/a" : "/b" });
  size.record(10 + 80 * i);
  gauge.record(512);
}
await provider.shutdown();
