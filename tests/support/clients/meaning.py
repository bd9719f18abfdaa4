"""Sends durations in s, request sizes and a gauge with the SDK: meaning.py URL default|view|advice delta|cumulative."""

import sys

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View

url, buckets, temporality = sys.argv[1:]
bounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
exporter = OTLPMetricExporter(
    endpoint=url, preferred_temporality={Histogram: getattr(AggregationTemporality, temporality.upper())}
)
reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
view = View(instrument_name="job.duration", aggregation=ExplicitBucketHistogramAggregation(bounds))
provider = MeterProvider(metric_readers=[reader], views=[view] if buckets == "view" else [])
meter = provider.get_meter("client", "1.0.0")
advice = {"explicit_bucket_boundaries_advisory": bounds} if buckets == "advice" else {}
duration = meter.create_histogram("job.duration", unit="s", **advice)
size = meter.create_histogram("http.server.request.body.size", unit="By")
gauge = meter.create_gauge("file.size", unit="By")
for i in range(100):
    duration.record(0.1 + i * 0.003, {"route": "/a" if i % 2 else "/b"})
    size.record(10 + 80 * i)
    gauge.set(512)
provider.shutdown()
