"""Records a histogram and exports it every second until it is killed: periodic.py URL."""

import sys
import time

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader

temporality = {Histogram: AggregationTemporality.DELTA}
exporter = OTLPMetricExporter(endpoint=sys.argv[1], preferred_temporality=temporality)
reader = PeriodicExportingMetricReader(exporter, export_interval_millis=1000)
provider = MeterProvider(metric_readers=[reader])
histogram = provider.get_meter("client").create_histogram("client.duration", unit="ms")
while True:
    histogram.record(12.5)
    time.sleep(0.2)
