#!/usr/bin/env bash
# Installs what the tests compare with and drive, into a cache folder, and prints VARIABLE=PATH a line:
#   OTELCOL, TELEMETRYGEN   a real OpenTelemetry Collector and its load generator, from the Go module proxy
#   PROMETHEUS_TARGET       a Go program with client_golang, to scrape
#   PREDECESSOR_PYTHON      a Python with the official protobuf classes (opentelemetry-proto), an independent decoder
#   PROMETHEUS_PYTHON       the same, with prometheus_client, to scrape; it has Prometheus's own parser
# Debian's nginx, Apache, zsh, fish, man and Chromium are installed where apt-get and sudo are at hand.
set -euo pipefail
core=v0.165.0 providers=v1.71.0 telemetrygen=v0.161.0
cache="${XDG_CACHE_HOME:-$HOME/.cache}/otlp-histogram-tests"
mkdir -p "$cache"

{
  if [ ! -x "$cache/otelcol" ]; then
    printf '%s\n' "dist: {name: otelcol, output_path: $cache/build}" \
      "receivers:" "  - gomod: go.opentelemetry.io/collector/receiver/otlpreceiver $core" \
      "exporters:" "  - gomod: go.opentelemetry.io/collector/exporter/debugexporter $core" \
      "  - gomod: go.opentelemetry.io/collector/exporter/nopexporter $core" \
      "  - gomod: go.opentelemetry.io/collector/exporter/otlphttpexporter $core" \
      "providers:" "  - gomod: go.opentelemetry.io/collector/confmap/provider/fileprovider $providers" \
      "  - gomod: go.opentelemetry.io/collector/confmap/provider/envprovider $providers" \
      "  - gomod: go.opentelemetry.io/collector/confmap/provider/yamlprovider $providers" >"$cache/builder.yaml"
    GOBIN="$cache" go install "go.opentelemetry.io/collector/cmd/builder@$core"
    GOBIN="$cache" go install \
      "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@$telemetrygen"
    "$cache/builder" --config "$cache/builder.yaml"
    mv "$cache/build/otelcol" "$cache/otelcol"
  fi
  if [ ! -x "$cache/venv/bin/python" ]; then
    python3 -m venv "$cache/venv"
    "$cache/venv/bin/pip" install --quiet opentelemetry-proto
  fi
  "$cache/venv/bin/pip" install --quiet prometheus_client
  (cd "$(dirname "$0")/../tests/behaviour/prometheus_target" && go build -o "$cache/prometheus-target" .)
  if command -v apt-get && command -v sudo; then
    sudo apt-get update
    sudo apt-get install -y --no-install-recommends nginx-light apache2 zsh fish man-db
  fi
} >&2

echo "OTELCOL=$cache/otelcol"
echo "TELEMETRYGEN=$cache/telemetrygen"
echo "PREDECESSOR_PYTHON=$cache/venv/bin/python"
echo "PROMETHEUS_TARGET=$cache/prometheus-target"
echo "PROMETHEUS_PYTHON=$cache/venv/bin/python"
