"""Does what main.go does, with Python's prometheus_client."""

import sys

from prometheus_client import CollectorRegistry, Gauge, Histogram, start_http_server

registry = CollectorRegistry()
took = Histogram(
    "job_duration_seconds",
    'How long a "job" took.',
    ["queue"],
    buckets=(0.1, 1, 10),
    registry=registry,
)
Gauge("workers", "", registry=registry)
server, _ = start_http_server(0, "127.0.0.1", registry)
print(f"http://127.0.0.1:{server.server_port}/metrics", flush=True)
for line in sys.stdin:
    queue, value = line.split()
    took.labels(queue).observe(float(value))
    print("observed", flush=True)
