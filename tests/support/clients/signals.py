"""A test that exports all three signals to the receiver that the environment names."""

import os
import urllib.request

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader


def test_exports():
    for signal in ("traces", "logs"):
        url = f"{os.environ['OTEL_EXPORTER_OTLP_ENDPOINT']}/v1/{signal}"
        headers = {"content-type": "application/x-protobuf"}
        with urllib.request.urlopen(urllib.request.Request(url, b"", headers)) as response:
            assert (response.status, response.read()) == (200, b"")
    # The temporality is that of OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE.
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=3_600_000)
    provider = MeterProvider(metric_readers=[reader])
    provider.get_meter("client").create_histogram("client.duration", unit="ms").record(12.5)
    provider.shutdown()
