"""Sends a histogram and a sum once, as a program with the OpenTelemetry SDK does: sdk.py URL delta|cumulative."""

import sys

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader

url, temporality = sys.argv[1:]
chosen = getattr(AggregationTemporality, temporality.upper())
exporter = OTLPMetricExporter(endpoint=url, preferred_temporality={Counter: chosen, Histogram: chosen})
reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
provider = MeterProvider(metric_readers=[reader])
meter = provider.get_meter("client", "1.0.0")
meter.create_histogram("client.duration", unit="ms").record(12.5, {"route": "/a"})
meter.create_counter("client.requests").add(1)
provider.shutdown()
