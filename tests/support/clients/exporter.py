"""Exports one histogram to each URL on standard input, and prints for each whether the exporter calls it a success."""

import logging
import sys
from concurrent.futures import ThreadPoolExecutor

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    InMemoryMetricReader,
    MetricExportResult,
)

logging.disable()
temporality = {Histogram: AggregationTemporality.DELTA}
reader = InMemoryMetricReader(preferred_temporality=temporality)
provider = MeterProvider(metric_readers=[reader])
provider.get_meter("client").create_histogram("client.duration").record(12.5)
data = reader.get_metrics_data()


def export(url):
    exporter = OTLPMetricExporter(endpoint=url, timeout=5, preferred_temporality=temporality)
    result = exporter.export(data) is MetricExportResult.SUCCESS
    exporter.shutdown()
    return result


# It waits about a second before it repeats a request.
with ThreadPoolExecutor(16) as pool:
    for result in pool.map(export, sys.stdin.read().split()):
        print(result)
