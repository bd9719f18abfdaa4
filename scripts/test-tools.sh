#!/usr/bin/env bash
# Installs what the tests compare with and drive, into a cache folder, and prints VARIABLE=PATH a line: of the
# variables that are named as arguments, without arguments of all.
#   OTELCOL, TELEMETRYGEN   a real OpenTelemetry Collector and its load generator, from the Go module proxy
#   OTELCOL_CONTRIB         a Collector as compose.yaml and k8s/ run it, which also scrapes, and writes and reads files of OTLP/JSON
#   OTELCOL_FILTER          an older Collector that filters: the module proxy lacks a module that newer filters need
#   VICTORIAMETRICS         a store of metrics with a page of its own, as compose.yaml runs it
#   PROMETHEUS_TARGET       a Go program with client_golang, to scrape
#   PREDECESSOR_PYTHON      a Python with the SDK's OTLP exporter, and with it the official protobuf classes
#   PROMETHEUS_PYTHON       the same, with prometheus_client: to scrape, and with Prometheus's own parser; and pytest
#   DYNATRACE_PYTHON        a Python with dt, the client of Dynatrace's APIs
#   KUSTOMIZE               builds the manifests of k8s/
#   PODMAN_COMPOSE          runs compose.yaml with podman
#   CHROMIUM                a browser that is there already; none is installed
# Without arguments Debian's nginx, Apache, logrotate, zsh, fish, man and openssl are installed too, where apt-get and sudo are at hand.
set -euo pipefail
core=v0.165.0 parts=3 providers=v1.71.0 filter=v0.161.0 filter_providers=v1.67.0 telemetrygen=v0.161.0 victoriametrics=v1.148.8
cache="${XDG_CACHE_HOME:-$HOME/.cache}/otlp-histogram-tests"
wanted=("$@")

browser() {
  command -v chromium || command -v chromium-browser || command -v google-chrome
}

if [ "$#" -eq 0 ]; then
  wanted=(OTELCOL TELEMETRYGEN OTELCOL_CONTRIB OTELCOL_FILTER VICTORIAMETRICS PREDECESSOR_PYTHON PROMETHEUS_PYTHON
    DYNATRACE_PYTHON PROMETHEUS_TARGET KUSTOMIZE)
  ! browser >/dev/null || wanted+=(CHROMIUM)
fi
mkdir -p "$cache"

contrib=github.com/open-telemetry/opentelemetry-collector-contrib

# linted COMMAND: where it is, once the lint scripts have what they need; in a shell of its own, as that changes PATH
linted() (
  # shellcheck source=scripts/lint-tools.sh
  . "$(dirname "$0")/lint-tools.sh"
  case "$1" in
    kustomize) kustomize_installed ;;
    podman-compose) from_pypi podman-compose podman-compose==1.6.0 ;;
  esac && command -v "$1"
)

# go_install VERSION PACKAGE: into a folder of that version, so that another one is not taken for it
go_install() {
  [ -x "$cache/$1/${2##*/}" ] || GOBIN="$cache/$1" go install "$2@$1"
}

# The parts of a Collector, as its builder wants them; another list of them makes another number in `parts`: gomods KIND MODULE...
gomods() {
  local kind=$1 module
  shift
  echo "$kind:"
  for module in "$@"; do echo "  - gomod: $module"; done
}

# collector NAME: OTLP over HTTP at both ends; otelcol-contrib also with what the tests compare with, and otelcol-filter,
# which is older, with processors that change or drop data
collector() {
  local name=$1 build otlp=go.opentelemetry.io/collector core=$core providers=$providers
  [ "$name" != otelcol-filter ] || core=$filter providers=$filter_providers
  local receivers=("$otlp/receiver/otlpreceiver $core") processors=() extensions=()
  local exporters=("$otlp/exporter/debugexporter $core" "$otlp/exporter/nopexporter $core"
    "$otlp/exporter/otlphttpexporter $core")
  [ ! -x "$cache/$core-$parts/$name" ] || return 0
  if [ "$name" = otelcol-contrib ]; then
    # The module proxy has no newer one of the second.
    receivers+=("$contrib/receiver/prometheusreceiver $core" "$contrib/receiver/otlpjsonfilereceiver v0.158.0")
    processors=("$otlp/processor/batchprocessor $core" "$otlp/processor/memorylimiterprocessor $core"
      "$contrib/processor/cumulativetodeltaprocessor $core"
      "$contrib/processor/deltatocumulativeprocessor $core"
      "$contrib/processor/metricstransformprocessor $core")
    exporters+=("$contrib/exporter/fileexporter $core")
    extensions=("$contrib/extension/healthcheckextension $core" "$contrib/extension/storage/filestorage $core")
  elif [ "$name" = otelcol-filter ]; then
    processors=("$contrib/processor/attributesprocessor $core" "$contrib/processor/filterprocessor $core"
      "$contrib/processor/metricstransformprocessor $core")
  fi
  go_install "$core" "$otlp/cmd/builder"
  build=$(mktemp -d)
  {
    echo "dist: {name: $name, output_path: $build}"
    gomods receivers "${receivers[@]}"
    [ "${#processors[@]}" -eq 0 ] || gomods processors "${processors[@]}"
    gomods exporters "${exporters[@]}"
    [ "${#extensions[@]}" -eq 0 ] || gomods extensions "${extensions[@]}"
    gomods providers "$otlp/confmap/provider/fileprovider $providers" \
      "$otlp/confmap/provider/envprovider $providers" "$otlp/confmap/provider/yamlprovider $providers"
  } >"$build/builder.yaml"
  # The builder also wants modules that only the tests of a part need, and that the module proxy does not have.
  "$cache/$core/builder" --config "$build/builder.yaml" --skip-compilation ||
    echo "the builder could not tidy up; the compiler takes what it needs"
  (cd "$build" && go build -mod=mod -trimpath -ldflags="-s -w" -o "$cache/$core-$parts/$name" .)
  rm -rf "$build"
}

# install VARIABLE: what it names
install() {
  case "$1" in
    OTELCOL) collector otelcol ;;
    OTELCOL_CONTRIB) collector otelcol-contrib ;;
    OTELCOL_FILTER) collector otelcol-filter ;;
    TELEMETRYGEN) go_install "$telemetrygen" "$contrib/cmd/telemetrygen" ;;
    VICTORIAMETRICS)
      go_install "$victoriametrics" github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics
      ;;
    PREDECESSOR_PYTHON | PROMETHEUS_PYTHON)
      [ -x "$cache/venv/bin/python" ] || python3 -m venv "$cache/venv"
      "$cache/venv/bin/python" -m pip install --quiet opentelemetry-exporter-otlp-proto-http prometheus-client pytest
      ;;
    DYNATRACE_PYTHON)
      [ -x "$cache/dt/bin/python" ] || python3 -m venv "$cache/dt"
      "$cache/dt/bin/python" -m pip install --quiet dt==1.2.2
      ;;
    PROMETHEUS_TARGET)
      (cd "$(dirname "$0")/../tests/extended/prometheus_target" && go build -o "$cache/prometheus-target" .)
      ;;
    KUSTOMIZE) linted kustomize ;;
    PODMAN_COMPOSE) linted podman-compose ;;
    CHROMIUM) browser >/dev/null ;;
    *)
      echo "test-tools: no tool is named by $1" >&2
      return 1
      ;;
  esac
}

path() {
  case "$1" in
    OTELCOL) echo "$cache/$core-$parts/otelcol" ;;
    OTELCOL_CONTRIB) echo "$cache/$core-$parts/otelcol-contrib" ;;
    OTELCOL_FILTER) echo "$cache/$filter-$parts/otelcol-filter" ;;
    TELEMETRYGEN) echo "$cache/$telemetrygen/telemetrygen" ;;
    VICTORIAMETRICS) echo "$cache/$victoriametrics/victoria-metrics" ;;
    PREDECESSOR_PYTHON | PROMETHEUS_PYTHON) echo "$cache/venv/bin/python" ;;
    DYNATRACE_PYTHON) echo "$cache/dt/bin/python" ;;
    PROMETHEUS_TARGET) echo "$cache/prometheus-target" ;;
    KUSTOMIZE) linted kustomize ;;
    PODMAN_COMPOSE) linted podman-compose ;;
    CHROMIUM) browser ;;
  esac
}

if [ "$#" -eq 0 ] && command -v apt-get >/dev/null && command -v sudo >/dev/null; then
  {
    sudo apt-get update
    sudo apt-get install -y --no-install-recommends nginx-light apache2 logrotate zsh fish man-db openssl
  } >&2
fi
for variable in "${wanted[@]}"; do
  install "$variable" >&2
  echo "$variable=$(path "$variable")"
done
